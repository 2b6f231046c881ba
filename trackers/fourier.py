"""Half-spectra: transforms, odd grids, interpolation, shifts.

A *half-spectrum* of an N x M grid (odd, where nothing else is said) is the right half of a real signal's Fourier series,
(.., N, M // 2 + 1) complex64: rows in FFT order (0, 1, .., (N - 1) / 2, -(N - 1) / 2, .., -1), columns 0 .. (M - 1) / 2. The left half
is its point mirror, conjugated, so every sum over all frequencies counts a column > 0 twice (`multiplicity`).
"""

import numpy as np
import pyfftw
import scipy.fft
from numba import njit

SCIPY_FROM = 32  # cells of a side


def row_frequencies(n: int) -> np.ndarray:
    """Frequencies of the rows of a half-spectrum of an odd grid with `n` rows, (n,) int."""
    return np.fft.ifftshift(np.arange(n) - n // 2)


def column_frequencies(n: int) -> np.ndarray:
    """Frequencies of the columns of a half-spectrum of an odd grid with `n` columns, (n // 2 + 1,) int."""
    return np.arange(n // 2 + 1)


def multiplicity(columns: int) -> np.ndarray:
    """How often a half-spectrum's columns stand for in the full spectrum: 1 for column 0, else 2; (columns,) float32."""
    return np.where(np.arange(columns) == 0, 1, 2).astype(np.float32)


class PlainTransform:
    """Real FFTs of (channels, n, n) float32 onto half-spectra (channels, n, n // 2 + 1) of the same grid, n even or odd, and back.

    An even grid's half-spectrum has the frequency n / 2 once in its rows (as in FFT order) and in its columns. Large grids are SciPy's,
    which works on several channels at once, small ones FFTW's, which has less to do before it begins: up to twice as fast each. FFTW's
    plans are estimates: measured ones differ from process to process, and with them the last bits of the results.
    """

    def __init__(self, channels: int, n: int):
        self._channels, self._n, self._planned = channels, n, n < SCIPY_FROM
        if self._planned:
            self._space = pyfftw.empty_aligned((channels, n, n), np.float32)
            self._spectrum = pyfftw.empty_aligned((channels, n, n // 2 + 1), np.complex64)
            plan = {"axes": (1, 2), "flags": ("FFTW_ESTIMATE",)}
            self._forward = pyfftw.FFTW(self._space, self._spectrum, **plan)
            self._backward = pyfftw.FFTW(self._spectrum, self._space, direction="FFTW_BACKWARD", **plan)

    def __reduce__(self) -> tuple:
        return type(self), (self._channels, self._n)

    def __call__(self, signal: np.ndarray) -> np.ndarray:
        """Half-spectrum of a signal, a new array."""
        if not self._planned:
            return scipy.fft.rfft2(signal)
        self._space[:] = signal
        self._forward.execute()
        return self._spectrum.copy()

    def inverse(self, spectrum: np.ndarray) -> np.ndarray:
        """Signal of a half-spectrum, a new array."""
        if not self._planned:
            return scipy.fft.irfft2(spectrum, (self._n, self._n))
        self._spectrum[:] = spectrum
        self._backward.execute()
        return self._space * np.float32(1 / self._n**2)


class Transform:
    """Real FFTs of (channels, n, n) float32 onto half-spectra of the odd grid n or n + 1."""

    def __init__(self, channels: int, n: int):
        self.odd = n + 1 - n % 2
        self._channels, self._n, self._plain = channels, n, PlainTransform(channels, n)

    def __call__(self, signal: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Half-spectrum (channels, odd, odd // 2 + 1) of a signal (channels, n, n).

        An even grid gains one row: +n/2 beside -n/2 (the Nyquist line is copied, and the corner (-n/2, n/2) is zero, as in ECO).
        """
        spectrum = self._plain(signal)
        if out is None:
            out = np.empty((self._channels, self.odd, self.odd // 2 + 1), np.complex64)
        if self._n % 2:
            out[:] = spectrum
            return out
        half = self._n // 2
        out[:, : half + 1] = spectrum[:, : half + 1]
        out[:, half + 1 :] = spectrum[:, half:]
        out[:, half + 1, half] = 0
        return out


class Inverse:
    """Planned inverse of a half-spectrum of Fourier *series* coefficients (n, n // 2 + 1): samples on the n x n grid, n even or odd."""

    def __init__(self, n: int):
        self._spectrum = pyfftw.empty_aligned((n, n // 2 + 1), np.complex64)
        self._space = pyfftw.empty_aligned((n, n), np.float32)
        self._backward = pyfftw.FFTW(self._spectrum, self._space, axes=(0, 1), direction="FFTW_BACKWARD", flags=("FFTW_ESTIMATE",))

    def __reduce__(self) -> tuple:
        return type(self), (len(self._space),)

    def __call__(self, spectrum: np.ndarray) -> np.ndarray:
        """Samples (n, n) float32; the array is overwritten by the next call."""
        self._spectrum[:] = spectrum
        self._backward.execute()
        return self._space


def series(samples: np.ndarray) -> np.ndarray:
    """Half-spectrum of series coefficients (n, n // 2 + 1) of samples (n, n) float32: what `Inverse` undoes."""
    return scipy.fft.rfft2(samples, norm="forward")


def interpolation(n: int, a: float = -0.75) -> np.ndarray:
    """Fourier coefficients of the bicubic interpolation kernel for `n` (odd) samples, centred between cells, (n,) complex64.

    Rows in FFT order. b(k) = B(k / n) exp(-i pi k / n) / n (C-COT, Danelljan et al. 2016; PORTING 4.2).
    """
    k = row_frequencies(n)
    f = np.where(k == 0, 1, k) / n
    even = 24 + 12 * a - 24 * np.cos(2 * np.pi * f) - 12 * a * np.cos(4 * np.pi * f)
    odd = (24 + 32 * a) * np.pi * f * np.sin(2 * np.pi * f) + 8 * a * np.pi * f * np.sin(4 * np.pi * f)
    kernel = np.where(k == 0, 1, (even - odd) / (16 * np.pi**4 * f**4))
    return (kernel * np.exp(-1j * np.pi * k / n) / n).astype(np.complex64)


def hann(n: int) -> np.ndarray:
    """Hann window of `n` samples without its two zeros, (n,) float64."""
    return 0.5 * (1 - np.cos(2 * np.pi * np.arange(1, n + 1) / (n + 1)))


def gaussian_label(n: int, sigma: float, output: int) -> np.ndarray:
    """Half-spectrum (n, n // 2 + 1) float32 of a Gaussian at the origin, `sigma` in cells of an `output` x `output` grid (PORTING 4.2)."""
    def axis(k: np.ndarray) -> np.ndarray:
        """The label's coefficients at frequencies `k` of one axis."""
        return np.sqrt(2 * np.pi) * sigma / output * np.exp(-2 * (np.pi * sigma * k / output) ** 2)

    return np.outer(axis(row_frequencies(n)), axis(column_frequencies(n))).astype(np.float32)


def sampled_label(n: int, sigma: float) -> np.ndarray:
    """Half-spectrum (n, n // 2 + 1) float32 of the samples of a Gaussian at [0, 0] of an n x n grid, its sides joined (PORTING 6.1).

    `sigma` in cells; n even or odd. The spectrum of an even function is real.
    """
    distance = np.minimum(np.arange(n), n - np.arange(n))
    axis = np.fft.fft(np.exp(-(distance**2) / (2 * sigma**2))).real
    return np.outer(axis, axis[: n // 2 + 1]).astype(np.float32)


def odd_spectrum(spectrum: np.ndarray) -> np.ndarray:
    """Half-spectrum (n + 1, n // 2 + 1) of the series of a half-spectrum of an even grid (n, n // 2 + 1); one of an odd grid itself.

    The even grid's lone frequency n / 2 is shared between n / 2 and -n / 2, so that the series is real between the samples too. In the
    corner it becomes (n / 2, n / 2) and its mirror, not all four: the real part of what the published program sums up (PORTING 6.2).
    """
    n = len(spectrum)
    if n % 2:
        return spectrum
    half = n // 2
    out = np.concatenate([spectrum[: half + 1], spectrum[half:]])
    out[half : half + 2, :half] /= 2
    out[:, half] /= 2
    out[half + 1, half] = 0
    return out


@njit(cache=True, nogil=True)
def shift(spectrum: np.ndarray, angle: tuple[float, float]) -> np.ndarray:
    """Half-spectrum (C, n, m) of the signal moved by minus `angle` (rows, columns; radians, 2 pi is one period)."""
    channels, n, m = spectrum.shape
    out = np.empty((channels, n, m), np.complex64)
    columns = np.exp(1j * angle[1] * np.arange(m)).astype(np.complex64)
    for row in range(n):
        wave = np.complex64(np.exp(1j * angle[0] * (row if row <= n // 2 else row - n))) * columns
        for channel in range(channels):
            source, target = spectrum[channel, row], out[channel, row]
            for column in range(m):
                target[column] = source[column] * wave[column]
    return out


def cut_centred(large: np.ndarray, n: int) -> np.ndarray:
    """The part (.., n, n // 2 + 1) of a half-spectrum that a smaller odd grid has, copied."""
    half = n // 2
    return np.concatenate([large[..., : half + 1, : half + 1], large[..., large.shape[-2] - half :, : half + 1]], axis=-2)


def add_cut(small: np.ndarray, large: np.ndarray) -> None:
    """Add a half-spectrum (.., n, n // 2 + 1) to one of the same or a larger odd grid, frequency by frequency."""
    half = small.shape[-2] // 2
    large[..., : half + 1, : half + 1] += small[..., : half + 1, :]
    large[..., large.shape[-2] - half :, : half + 1] += small[..., half + 1 :, :]
