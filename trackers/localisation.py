"""The peak of a response that is known by its Fourier series: grid maximum, then Newton's method (ECO, section 4.4 of PORTING)."""

import math

import numpy as np
from numba import njit
from scipy.ndimage import maximum_filter

from trackers.fourier import odd_spectrum

NEWTON_STEPS = 5


def peak(spectrum: np.ndarray, grid: np.ndarray) -> tuple[float, float, float]:
    """Place and height of the maximum.

    Parameters
    ----------
    spectrum : ndarray, complex64, (n, n // 2 + 1)
        Half-spectrum of the response.
    grid : ndarray, float32, (n, n)
        The response's samples, shift zero at [0, 0].

    Returns
    -------
    row, column : float
        Shift in cells, in [-n / 2, n / 2).
    height : float
    """
    n = len(grid)
    spectrum = odd_spectrum(spectrum)
    index = int(np.argmax(grid))
    start = [(i + n // 2) % n - n // 2 for i in divmod(index, n)]
    angles = [2 * math.pi * i / n for i in start]
    *refined, height = climb(spectrum, angles[0], angles[1], NEWTON_STEPS)
    if not height >= grid.flat[index]:  # also when Newton left the finite numbers
        refined, height = angles, float(grid.flat[index])
    row, column = (((angle + math.pi) % (2 * math.pi) - math.pi) / (2 * math.pi) * n for angle in refined)
    return row, column, height


def rival_peaks(grid: np.ndarray, count: int, share: float) -> list[tuple[float, float]]:
    """Shifts (rows, columns), in cells, of the highest peaks of a response beside the very highest.

    Parameters
    ----------
    grid : ndarray, float32, (H, W)
        The response's samples, shift zero at [0, 0].
    count : int
        How many, at most.
    share : float
        Least height over that of the highest. What is higher than all cells less than three away, across the borders, is a peak.
    """
    highest = maximum_filter(grid, 5, mode="wrap")
    rows, columns = np.nonzero((grid == highest) & (grid >= share * grid.max()))
    order = np.argsort(-grid[rows, columns], kind="stable")[1 : count + 1]
    return [tuple((k + n // 2) % n - n // 2 for k, n in zip((rows[i], columns[i]), grid.shape, strict=True)) for i in order]


@njit(cache=True, nogil=True)
def climb(spectrum: np.ndarray, y: float, x: float, steps: int) -> tuple[float, float, float]:
    """Newton's method on the response at angles (y, x) in radians; the last angles and the response there."""
    for _ in range(steps):
        _, dy, dx, dyy, dxx, dxy = derivatives(spectrum, y, x)
        determinant = dyy * dxx - dxy * dxy
        if determinant == 0:
            break
        y -= (dxx * dy - dxy * dx) / determinant
        x -= (dyy * dx - dxy * dy) / determinant
    return y, x, derivatives(spectrum, y, x)[0]


@njit(cache=True, nogil=True)
def derivatives(spectrum: np.ndarray, y: float, x: float) -> tuple[float, float, float, float, float, float]:
    """Value, gradient (y, x) and second derivatives (yy, xx, yx) of a half-spectrum's signal at angles (y, x)."""
    rows, columns = spectrum.shape
    value = dy = dx = dyy = dxx = dxy = 0.0
    waves = np.empty(columns, np.complex128)
    for column in range(columns):
        waves[column] = (1.0 if column == 0 else 2.0) * np.exp(1j * x * column)
    for row in range(rows):
        k = row if row <= rows // 2 else row - rows
        s0 = s1 = s2 = 0j
        for column in range(columns):
            term = spectrum[row, column] * waves[column]
            s0 += term
            s1 += column * term
            s2 += column * column * term
        wave = np.exp(1j * y * k)
        s0, s1, s2 = s0 * wave, s1 * wave, s2 * wave
        value += s0.real
        dy -= k * s0.imag
        dx -= s1.imag
        dyy -= k * k * s0.real
        dxx -= s2.real
        dxy -= k * s1.real
    return value, dy, dx, dyy, dxx, dxy
