"""Spatial regularisation of a filter: a penalty that grows away from the target, applied as a convolution of spectra (SRDCF, ECO)."""

import numpy as np
from numba import njit

from trackers.config import ECOConfig


def penalty_filter(support: int, target: tuple[float, float], config: ECOConfig) -> np.ndarray:
    """Spectrum of the penalty window w, cut to its large coefficients, (odd, odd) float64, centred.

    w(y, x) = (edge - centre) ((2 y / height)^2 + (2 x / width)^2) + centre on `support` x `support` pixels (PORTING 4.2).

    Parameters
    ----------
    support : int
        Side of the sample in pixels.
    target : (float, float)
        Height and width of the target in the sample.
    """
    y = np.arange(support) - (support - 1) / 2
    edge, lowest = config.penalty_edge, config.penalty_centre
    window = (edge - lowest) * ((y[:, None] / (target[0] / 2)) ** 2 + (y / (target[1] / 2)) ** 2) + lowest
    spectrum = np.fft.fft2(window) / support**2
    spectrum[np.abs(spectrum) < config.penalty_sparsity * np.abs(spectrum).max()] = 0
    # the cut must not let the window fall below its smallest value
    spectrum[0, 0] += lowest - support**2 * np.fft.ifft2(spectrum).real.min()
    spectrum = np.fft.fftshift(spectrum).real
    kept = spectrum != 0
    return np.ascontiguousarray(spectrum[kept.any(1)][:, kept.any(0)])


class Penalty:
    """The operator f -> w * (w * f) on half-spectra.

    Parameters
    ----------
    window : ndarray, float64, (odd, odd)
        Centred spectrum of the penalty window, real and even.
    """

    def __init__(self, window: np.ndarray):
        self.energy = float((window**2).sum())
        rows, columns = window.shape
        size = (2 * rows - 1, 2 * columns - 1)
        # twice the window at once; beyond the grid both forms see zeros
        squared = np.fft.irfft2(np.fft.rfft2(window, size) ** 2, size)
        squared[np.abs(squared) < 1e-12 * np.abs(squared).max()] = 0
        places = np.argwhere(squared)
        filling = -len(places) % 4  # taps of no weight: `convolve_add` takes fours
        self._offsets = np.pad(places - (rows - 1, columns - 1), [(0, filling), (0, 0)])
        self._weights = np.pad(squared[tuple(places.T)].astype(np.float32), (0, filling))
        self._reach = (rows - 1, columns - 1)

    def add(self, spectrum: np.ndarray, out: np.ndarray) -> None:
        """Add the penalty's gradient at half-spectrum `spectrum` (channels, n, n // 2 + 1) to `out`, both complex64."""
        convolve_add(spectrum, self._offsets, self._weights, self._reach[0], self._reach[1], out)


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"})
def convolve_add(spectrum: np.ndarray, offsets: np.ndarray, weights: np.ndarray, rows: int, columns: int, out: np.ndarray) -> None:
    """Add to `out` the convolution of half-spectra (channels, n, m) with real taps at (row, column) offsets of at most (rows, columns).

    Taps come in fours, so that a sum is loaded and stored once for four products.
    """
    channels, n, m = spectrum.shape
    half = n // 2
    # centred rows with zeros around, and columns continued to the left by the mirrored conjugate
    width = m + 2 * columns
    padded = np.zeros((n + 2 * rows, width), np.complex64)
    numbers = padded.reshape(-1).view(np.float32)  # real taps: real and imaginary parts are two plain numbers
    starts = 2 * ((rows - offsets[:, 0]) * width + columns - offsets[:, 1])
    total = np.empty(2 * m, np.float32)
    for channel in range(channels):
        for row in range(n):
            source, mirrored = spectrum[channel, (row + half + 1) % n], spectrum[channel, (half - row) % n]
            line = padded[row + rows]
            for column in range(m):
                line[column + columns] = source[column]
            for column in range(1, min(columns, m - 1) + 1):
                line[columns - column] = np.conj(mirrored[column])
        for row in range(n):
            total[:] = 0
            first = 2 * row * width
            for tap in range(0, len(weights), 4):
                x0, x1 = numbers[first + starts[tap] :], numbers[first + starts[tap + 1] :]
                x2, x3 = numbers[first + starts[tap + 2] :], numbers[first + starts[tap + 3] :]
                w0, w1, w2, w3 = weights[tap], weights[tap + 1], weights[tap + 2], weights[tap + 3]
                for i in range(2 * m):
                    total[i] += w0 * x0[i] + w1 * x1[i] + w2 * x2[i] + w3 * x3[i]
            target = out[channel, (row + half + 1) % n].view(np.float32)
            for i in range(2 * m):
                target[i] += total[i]
