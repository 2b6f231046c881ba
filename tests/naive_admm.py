"""Twins of STRCF's filter (from PORTING 6) and of BACF's in double precision. They work on *full* spectra (.., n, n) in FFT order."""

from collections.abc import Sequence

import numpy as np


def correlate(filter_: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """Sum over channels of conj(filter) sample."""
    out = np.zeros(sample.shape[1:], complex)
    for channel, row, column in np.ndindex(*sample.shape):
        out[row, column] += np.conj(filter_[channel, row, column]) * complex(sample[channel, row, column])
    return out


def fit(sample: np.ndarray, pull: np.ndarray, label: np.ndarray, weight: float, area: float) -> np.ndarray:
    """(x x^H / area + weight) f = x y / area + pull, one dense system for each column of (channels, frequencies)."""
    out = np.zeros(sample.shape, complex)
    for u in range(sample.shape[1]):
        x = sample[:, u].astype(complex)
        out[:, u] = np.linalg.solve(np.outer(x, x.conj()) / area + weight * np.eye(len(x)), x * label[u] / area + pull[:, u])
    return out


def learn(
    sample: np.ndarray, label: np.ndarray, previous: np.ndarray | None, window: np.ndarray, area: int, penalties: Sequence[float],
    temporal: float = 15,
) -> np.ndarray:  # fmt: skip
    """6.3 letter by letter; `previous` None stands for frame 1."""
    x, y, t = sample, label, area
    mu, previous = (0.0, np.zeros(sample.shape)) if previous is None else (temporal, previous)
    g = h = np.zeros(sample.shape, complex)

    def along(a: np.ndarray) -> np.ndarray:
        return (x.conj() * a).sum(0)

    for gamma in penalties:
        d = gamma + mu
        f = y * x / (t * d) - h / d + gamma * g / d + mu * previous / d
        shrunk = x * along(x) * y / (t * d) + mu * x * along(previous) / d - x * along(h) / d + gamma * x * along(g) / d
        f = f - shrunk / (along(x) + t * d)
        g = np.fft.fft2(np.fft.ifft2(gamma * f + h).real / (window**2 + gamma))
        h = h + gamma * (f - g)
    return f


def objective(
    filter_: np.ndarray, sample: np.ndarray, label: np.ndarray, previous: np.ndarray, window: np.ndarray, area: int, temporal: float
) -> float:
    """1/2 |sum conj(f) x - y|^2 / area + 1/2 |w f|^2 + temporal/2 |f - previous|^2, sums over frequencies (w f too: Parseval)."""
    weighted = np.fft.fft2(window * np.fft.ifft2(filter_).real)
    terms = (correlate(filter_, sample) - label) / np.sqrt(area), weighted, np.sqrt(temporal) * (filter_ - previous)
    return sum(float((np.abs(term) ** 2).sum()) for term in terms) / 2


def minimiser(
    sample: np.ndarray, label: np.ndarray, previous: np.ndarray, window: np.ndarray, area: int, temporal: float
) -> np.ndarray:
    """Spectra of the real filter (channels, n, n) that minimises `objective`, by one dense least-squares problem."""
    size, cells = sample.size, window.size
    rows = []
    for unit in np.eye(size):
        spectrum = np.fft.fft2(unit.reshape(sample.shape))
        rows.append((sample.conj() * spectrum).sum(0).ravel() / np.sqrt(area))  # the conjugate of what `objective` has, and y is real
    weighted = np.sqrt(cells) * np.diag(np.broadcast_to(window, sample.shape).ravel())
    kept = np.sqrt(cells * temporal) * np.eye(size)
    left = np.vstack([np.real(rows).T, np.imag(rows).T, weighted, kept])
    y = label.ravel() / np.sqrt(area)
    right = np.concatenate([y.real, y.imag, np.zeros(size), kept @ np.fft.ifft2(previous).real.ravel()])
    return np.fft.fft2(np.linalg.lstsq(left, right, rcond=None)[0].reshape(sample.shape))


def learn_background_aware(
    model: np.ndarray, label: np.ndarray, cells: tuple[int, int], regularisation: float, iterations: int
) -> tuple[np.ndarray, np.ndarray]:
    """The loop of BACF's public code, letter by letter: spectra of g over all cells and of h, cut to `cells` (rows, columns)."""
    x, y, t = model, label, label.size
    g = h = multiplier = np.zeros(x.shape, complex)
    mu, energy = 1.0, (x.conj() * x).sum(0)
    rows, columns = ([n // 2 + i - m // 2 - 1 for i in range(1, m + 1)] for n, m in zip(label.shape, cells, strict=True))  # theirs from 1
    for _ in range(iterations):
        along_multiplier, along_h = ((x.conj() * a).sum(0) for a in (multiplier, h))
        shrunk = x * energy * y / (t * mu) - x * along_multiplier / mu + x * along_h
        g = x * y / (t * mu) - multiplier / mu + h - shrunk / (energy + t * mu)
        space = t / (mu * t + regularisation) * np.fft.ifft2(mu * g + multiplier).real
        cut = np.zeros(x.shape)
        for row in rows:
            for column in columns:
                cut[:, row, column] = space[:, row, column]
        h = np.fft.fft2(cut)
        multiplier = multiplier + mu * (g - h)
        mu = min(10 * mu, 1e4)
    return g, h


def background_aware_objective(filter_: np.ndarray, sample: np.ndarray, label: np.ndarray, regularisation: float) -> float:
    """1/2 |y - sum_k x_k * h_k|^2 + lambda/2 |h|^2 of signals (channels, n, n) and (n, n); y(p) is compared with sum_q x(q + p) h(q)."""
    response = np.zeros(label.shape)
    for row, column in np.ndindex(*label.shape):
        response[row, column] = (np.roll(sample, (-row, -column), (1, 2)) * filter_).sum()
    return float(((label - response) ** 2).sum() + regularisation * (filter_**2).sum()) / 2


def background_aware_minimiser(sample: np.ndarray, label: np.ndarray, inside: np.ndarray, regularisation: float) -> np.ndarray:
    """The filter (channels, n, n), zero but where `inside` (n, n) is True, of least `background_aware_objective`.

    By one dense least-squares problem; a column of its matrix is a circular shift of a channel.
    """
    shifts = [np.roll(channel, (-row, -column), (0, 1)).ravel() for channel in sample for row, column in np.argwhere(inside)]
    left = np.vstack([np.transpose(shifts), np.sqrt(regularisation) * np.eye(len(shifts))])
    right = np.concatenate([label.ravel(), np.zeros(len(shifts))])
    out = np.zeros(sample.shape)
    out[:, inside] = np.linalg.lstsq(left, right, rcond=None)[0].reshape(len(sample), -1)
    return out


def sampled_label(n: int, sigma: float) -> np.ndarray:
    """Spectrum of exp(-r^2 / (2 sigma^2)) on the integer grid -floor((n - 1) / 2) .. ceil((n - 1) / 2), 0 first (6.1)."""
    grid = np.array([k if k <= n // 2 else k - n for k in range(n)])
    return np.fft.fft2(np.exp(-(grid[:, None] ** 2 + grid**2) / (2 * sigma**2)))


def target_window(n: int, sides: tuple[int, int], centre: float, edge: float) -> np.ndarray:
    """w of 6.1: rows (from 1) c + (0 .. m - 1) - floor(m / 2), c = floor((n + 1) / 2) + mod(n + 1, 2); columns likewise."""
    window = np.full((n, n), edge)
    c = (n + 1) // 2 + (n + 1) % 2
    for i in range(sides[0]):
        for j in range(sides[1]):
            window[c + i - sides[0] // 2 - 1, c + j - sides[1] // 2 - 1] = centre
    return window


def padded_scores(spectrum: np.ndarray, n: int) -> np.ndarray:
    """6.2's resizeDFT to n x n: the first ceil(m / 2) and last floor((m - 1) / 2) entries of each axis, times the ratio of areas."""
    m = len(spectrum)
    out = np.zeros((n, n), complex)
    kept = [*range(-(-m // 2)), *range(-((m - 1) // 2), 0)]
    for row in kept:
        for column in kept:
            out[row, column] = spectrum[row, column] * n**2 / m**2
    return out


def between_samples(spectrum: np.ndarray, y: float, x: float) -> float:
    """Re(sum S(k) exp(i k p)) / n^2 at angles (y, x) with 6.1's frequencies: of an even grid +n/2 and not -n/2."""
    n = len(spectrum)
    k = np.array([k if k <= n // 2 else k - n for k in range(n)])
    return float((np.exp(1j * k * y) @ spectrum @ np.exp(1j * k * x)).real) / n**2


def stretch(block: np.ndarray) -> np.ndarray:
    """(x - min) / (max + 1e-7 - min) of each channel (6.1)."""
    return np.stack([(channel - channel.min()) / (channel.max() + 1e-7 - channel.min()) for channel in block.astype(float)])


def pixels(image: np.ndarray, centre: tuple[float, float], side: float) -> np.ndarray:
    """The crop of 2.2 before its resize: rows (from 1) floor(pos) + (1 .. n) - floor(n / 2), clamped."""
    n = int(np.floor(side + 0.5))
    n = 2 if n < 1 else n
    rows, columns = (
        np.clip([int(np.floor(p)) + 1 + i - n // 2 - 1 for i in range(1, n + 1)], 0, limit - 1)
        for p, limit in zip(centre, image.shape[:2], strict=True)
    )
    return image[np.ix_(rows, columns)]
