"""Twins of spectra and localisation in double precision, written from PORTING.md.

They work on *full* centred spectra (.., n, n), n odd, frequency 0 in the middle; `full` and `half` lead from and to the half-spectra of
`trackers.fourier`.
"""

import math

import numpy as np
from scipy.integrate import quad


def full(spectrum: np.ndarray) -> np.ndarray:
    """Full centred spectrum of a half-spectrum (.., n, n // 2 + 1): S(-k) = conj S(k) for columns < 0, column 0 as it is stored."""
    n = spectrum.shape[-2]
    out = np.zeros((*spectrum.shape[:-1], n), complex)
    for row in range(-(n // 2), n // 2 + 1):
        for column in range(n // 2 + 1):
            out[..., row + n // 2, column + n // 2] = spectrum[..., row % n, column]
            if column:
                out[..., n // 2 - row, n // 2 - column] = np.conj(spectrum[..., row % n, column])
    return out


def half(spectrum: np.ndarray) -> np.ndarray:
    """Half-spectrum of a full centred one."""
    return np.fft.ifftshift(spectrum, axes=-2)[..., spectrum.shape[-1] // 2 :]


def cut(spectrum: np.ndarray, n: int) -> np.ndarray:
    """The central n x n frequencies of a full centred spectrum."""
    edge = (spectrum.shape[-1] - n) // 2
    return spectrum[..., edge : edge + n, edge : edge + n]


def padded(spectrum: np.ndarray, n: int) -> np.ndarray:
    """A full centred spectrum in the centre of n x n zeros."""
    edge = (n - spectrum.shape[-1]) // 2
    return np.pad(spectrum, [(0, 0)] * (spectrum.ndim - 2) + [(edge, edge)] * 2)


def transform(signal: np.ndarray) -> np.ndarray:
    """Full centred spectrum of a signal (n, n); of an even n one line more: the Nyquist lines copied and conjugated, two corners zero."""
    n = len(signal)
    spectrum = np.fft.fftshift(np.fft.fft2(signal.astype(float)))
    if n % 2:
        return spectrum
    out = np.zeros((n + 1, n + 1), complex)
    out[:n, :n] = spectrum
    out[n, :] = np.conj(out[0, ::-1])
    out[:, n] = np.conj(out[::-1, 0])
    return out


def interpolation(n: int, a: float = -0.75) -> np.ndarray:
    """b(k), k = -(n - 1) / 2 .. (n - 1) / 2: Fourier integral of the cubic convolution kernel at k / n, over n, moved by half a cell."""

    def cubic(t: float) -> float:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1 if t <= 1 else a * (t**3 - 5 * t**2 + 8 * t - 4)

    out = []
    for k in range(-(n // 2), n // 2 + 1):
        pieces = (quad(lambda t, k=k: cubic(t) * math.cos(2 * math.pi * k * t / n), i, i + 1, epsabs=1e-12)[0] for i in (0, 1))
        out.append(2 * sum(pieces) / n * np.exp(-1j * math.pi * k / n))
    return np.array(out)


def shift(spectrum: np.ndarray, angle: tuple[float, float]) -> np.ndarray:
    """Full centred spectra (channels, n, n) of signals moved by minus `angle`: S(k) exp(i (k_y angle_y + k_x angle_x))."""
    n = spectrum.shape[1]
    out = np.zeros(spectrum.shape, complex)
    for channel, row, column in np.ndindex(*spectrum.shape):
        phase = (row - n // 2) * angle[0] + (column - n // 2) * angle[1]
        out[channel, row, column] = spectrum[channel, row, column] * np.exp(1j * phase)
    return out


def encode(feature: np.ndarray, projection: np.ndarray) -> np.ndarray:
    """Full centred spectra (D, odd, odd) of a block (C, n, n) times P (C, D): projected, windowed, transformed, interpolated (4.3)."""
    n = feature.shape[1]
    window = np.hanning(n + 2)[1:-1]
    kernel = interpolation(n + 1 - n % 2)
    projected = np.einsum("cd,cyx->dyx", projection.astype(float), feature.astype(float))
    return np.stack([transform(channel * np.outer(window, window)) * np.outer(kernel, kernel) for channel in projected])


def derivatives(spectrum: np.ndarray, y: float, x: float) -> tuple[float, np.ndarray, np.ndarray]:
    """Value, gradient (2,) and Hessian (2, 2) of Re sum S(k) exp(i (k_y y + k_x x)) over a full centred spectrum."""
    n = len(spectrum)
    value, gradient, hessian = 0j, np.zeros(2, complex), np.zeros((2, 2), complex)
    for row, column in np.ndindex(n, n):
        k = np.array([row - n // 2, column - n // 2])
        term = complex(spectrum[row, column]) * np.exp(1j * (k @ (y, x)))
        value += term
        gradient += 1j * k * term
        hessian -= np.outer(k, k) * term
    return value.real, gradient.real, hessian.real


def climb(spectrum: np.ndarray, y: float, x: float, steps: int) -> tuple[float, float, float]:
    """Newton without a line search: p -= H^-1 g (4.4); the last place and the value there."""
    place = np.array([y, x])
    for _ in range(steps):
        _, gradient, hessian = derivatives(spectrum, *place)
        place = place - np.linalg.solve(hessian, gradient)
    return (*place, derivatives(spectrum, *place)[0])


# Half-spectra in parts.


def parts(spectrum: np.ndarray, side: int) -> np.ndarray:
    """Real and imaginary parts (2, C, F) of the frequencies of half-spectra (C, n, m) that an odd grid of `side` has, row by row."""
    half, kept = side // 2, []
    for row in [*range(half + 1), *range(-half, 0)]:
        kept += [spectrum[:, row, column] for column in range(half + 1)]
    return np.array([[[value.real for value in channel] for channel in np.array(kept).T], [[v.imag for v in c] for c in np.array(kept).T]])


def add_parts(sums: np.ndarray, side: int, spectrum: np.ndarray) -> np.ndarray:
    """Half-spectra with parts as of `parts` added."""
    half, total, place = side // 2, spectrum.astype(complex), 0
    for row in [*range(half + 1), *range(-half, 0)]:
        for column in range(half + 1):
            total[:, row, column] += sums[0, :, place] + 1j * sums[1, :, place]
            place += 1
    return total
