"""Ridge regression over all shifts of a sample: closed forms on half-spectra, with kernels (KCF) and with context (CF-CA).

A sample is (C, H, W) float32, windowed; its half-spectrum numpy's ``rfft2``, (C, H, W // 2 + 1) complex64, of any parity. A label is
the half-spectrum of the wanted response. Kernels are divided by the number of values in a sample, as in the authors' programs.

Sources: Henriques et al., "High-speed tracking with kernelized correlation filters", 2015 (MATLAB, as published); Mueller, Smith and
Ghanem, "Context-aware correlation filter tracking", CVPR 2017.
"""

from collections.abc import Callable, Sequence

import numpy as np
import scipy.fft

from cfvgg.linear import weighted_dot


def gaussian_label(shape: tuple[int, int], sigma: float, place: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Half-spectrum (H, W // 2 + 1) complex64 of a Gaussian of height one, wrapped around.

    Parameters
    ----------
    shape : (int, int)
        H and W, in cells.
    sigma : float
        Standard deviation in cells.
    place : (float, float)
        Row and column of its peak, in cells.
    """

    def axis(n: int, middle: float) -> np.ndarray:
        """The label along one axis."""
        distance = (np.arange(n) - middle + n / 2) % n - n / 2
        return np.exp(-0.5 * (distance / sigma) ** 2)

    rows, columns = (axis(n, p) for n, p in zip(shape, place, strict=True))
    return np.outer(np.fft.fft(rows), np.fft.rfft(columns)).astype(np.complex64)


def correlation(x: np.ndarray, z: np.ndarray, width: int) -> np.ndarray:
    """Circular correlation (H, W) float32 of half-spectra x, z, summed over channels: sum over p of x[p + shift] z[p]."""
    return scipy.fft.irfft2((x * z.conj()).sum(0), (x.shape[1], width))


def energy(spectrum: np.ndarray, width: int) -> float:
    """Sum of squares of the sample behind a half-spectrum (C, H, W // 2 + 1), by Parseval's theorem."""
    columns = np.full(spectrum.shape[2], 2, np.float32)
    columns[0] = 1
    if width % 2 == 0:  # the Nyquist column is its own mirror
        columns[-1] = 1
    numbers = spectrum.ravel().view(np.float32)
    weights = np.broadcast_to(np.repeat(columns, 2), (*spectrum.shape[:2], 2 * len(columns))).ravel()
    return weighted_dot(numbers, numbers, weights) / (spectrum.shape[1] * width)


def gaussian(x: np.ndarray, z: np.ndarray, width: int, sigma: float) -> np.ndarray:
    """Half-spectrum of exp(-|x moved - z|^2 / (sigma^2 n)) over all shifts; n values in a sample."""
    total = energy(x, width) + energy(z, width)
    distance = np.maximum(total - 2 * correlation(x, z, width), 0) / (len(x) * x.shape[1] * width)
    return scipy.fft.rfft2(np.exp(-distance / sigma**2))


def polynomial(x: np.ndarray, z: np.ndarray, width: int, power: int) -> np.ndarray:
    """Half-spectrum of (<x moved, z> / n + 1)^power over all shifts; n values in a sample."""
    return scipy.fft.rfft2((correlation(x, z, width) / (len(x) * x.shape[1] * width) + 1) ** power)


def linear(x: np.ndarray, z: np.ndarray, width: int) -> np.ndarray:
    """Half-spectrum of <x moved, z> / n over all shifts; n values in a sample."""
    return (x * z.conj()).sum(0) / (len(x) * x.shape[1] * width)


def context_ridge(samples: np.ndarray, label: np.ndarray, regularisation: float, context: float) -> np.ndarray:
    """The filter that gives the label on one sample, and nothing on its surroundings.

    Minimises |a_0 w - y|^2 + context sum_i |a_i w|^2 + regularisation |w|^2, a w the circular convolution summed over channels. At each
    frequency w = A^H (A A^H + regularisation)^-1 (y, 0, .., 0), the rows of A being a_0 and sqrt(context) a_i: exact for any number of
    channels, where the paper's form, a sum of all energies under one fraction, is so for one channel only; both are then the same.

    Parameters
    ----------
    samples : ndarray, complex64, (1 + k, C, H, W // 2 + 1)
        Half-spectra of the target's sample and of k of its surroundings.
    label : ndarray, complex64, (H, W // 2 + 1)
    regularisation, context : float
        lambda_1 and lambda_2 of the paper.

    Returns
    -------
    ndarray, complex64, (C, H, W // 2 + 1)
    """
    count = len(samples)
    weights = np.sqrt([1] + [context] * (count - 1)).astype(np.float32)
    rows = samples * weights[:, None, None, None]
    gram = np.empty((*label.shape, count, count), np.complex64)
    for i in range(count):
        for j in range(i + 1):
            gram[..., i, j] = (rows[i] * rows[j].conj()).sum(0)
            gram[..., j, i] = gram[..., i, j].conj()
    gram += np.float32(regularisation) * np.eye(count, dtype=np.float32)
    wanted = np.zeros((*label.shape, count, 1), np.complex64)
    wanted[..., 0, 0] = label
    dual = np.moveaxis(np.linalg.solve(gram, wanted)[..., 0], -1, 0)
    return (rows.conj() * dual[:, None]).sum(0)


class KernelFilter:
    """KCF's filter: kernel ridge regression on one sample a frame; coefficients and sample are running averages.

    Parameters
    ----------
    kernel : callable
        From two half-spectra and the width of their samples to the half-spectrum of the kernel over all shifts.
    regularisation : float
    """

    def __init__(self, kernel: Callable[[np.ndarray, np.ndarray, int], np.ndarray], regularisation: float):
        self._kernel, self._regularisation = kernel, regularisation
        self._dual, self._model = np.complex64(0), np.complex64(0)

    def learn(self, sample: np.ndarray, label: np.ndarray, surroundings: Sequence[np.ndarray], rate: float) -> None:
        """Take in a sample (C, H, W) with weight `rate`; its label is a half-spectrum, and its surroundings are of no use here."""
        spectrum = scipy.fft.rfft2(sample)
        dual = label / (self._kernel(spectrum, spectrum, sample.shape[2]) + np.float32(self._regularisation))
        self._dual = (1 - rate) * self._dual + rate * dual
        self._model = (1 - rate) * self._model + rate * spectrum

    def respond(self, sample: np.ndarray) -> np.ndarray:
        """Response (H, W) float32 to a sample (C, H, W)."""
        width = sample.shape[2]
        return scipy.fft.irfft2(self._dual * self._kernel(scipy.fft.rfft2(sample), self._model, width), sample.shape[1:])


class ContextFilter:
    """A linear filter that is trained to ignore the target's surroundings (CF-CA); it is a running average.

    Parameters
    ----------
    regularisation : float
        Per value of a sample, as in `KernelFilter`.
    context : float
        Weight of each of the surroundings.
    """

    def __init__(self, regularisation: float, context: float):
        self._regularisation, self._context = regularisation, context
        self._filter = np.complex64(0)

    def learn(self, sample: np.ndarray, label: np.ndarray, surroundings: Sequence[np.ndarray], rate: float) -> None:
        """Take in a sample (C, H, W) and its surroundings, each like it, with weight `rate`."""
        spectra = scipy.fft.rfft2(np.stack([sample, *surroundings]))
        filter_ = context_ridge(spectra, label, self._regularisation * sample.size, self._context)
        self._filter = (1 - rate) * self._filter + rate * filter_

    def respond(self, sample: np.ndarray) -> np.ndarray:
        """Response (H, W) float32 to a sample (C, H, W)."""
        return scipy.fft.irfft2((self._filter * scipy.fft.rfft2(sample)).sum(0), sample.shape[1:])
