"""Twins of filters in double precision, written from PORTING.md. They work on full centred spectra: see `tests.naive_spectra`."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import convolve2d

from tests.naive_spectra import cut, full, half, padded
from trackers.config import ECOConfig, ScaleFilterConfig

# Regularisation (PORTING 4.2, 4.7).


def penalty_filter(support: int, target: tuple[float, float], config: ECOConfig) -> np.ndarray:
    """The regularisation filter of 4.2, its Fourier coefficients as plain sums."""
    v = np.arange(support) - (support - 1) / 2
    window = np.zeros((support, support))
    for y, x in np.ndindex(*window.shape):
        window[y, x] = (v[y] / (target[0] / 2)) ** 2 + (v[x] / (target[1] / 2)) ** 2
    window = (config.penalty_edge - config.penalty_centre) * window + config.penalty_centre
    k = np.arange(support) - support // 2
    waves = np.exp(-2j * np.pi * np.outer(k, np.arange(support)) / support)
    spectrum = waves @ window @ waves.T / support**2
    spectrum[np.abs(spectrum) < config.penalty_sparsity * np.abs(spectrum).max()] = 0
    cut_window = (waves.conj().T @ spectrum @ waves.conj()).real
    spectrum[support // 2, support // 2] += config.penalty_centre - cut_window.min()
    rows, columns = ([i for i in range(support) if np.any(lines[i] != 0)] for lines in (spectrum, spectrum.T))
    return spectrum[np.ix_(rows, columns)].real


def penalise(spectrum: np.ndarray, window: np.ndarray) -> np.ndarray:
    """w * (w * f) of full centred spectra (channels, n, n): one 'full' and one 'valid' convolution."""
    return np.stack([convolve2d(convolve2d(channel, window, "full"), window, "valid") for channel in spectrum])


def convolve_add(spectrum: np.ndarray, offsets: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """out(k) = sum over taps of weight f(k - offset) for full centred spectra (channels, n, n), f = 0 outside."""
    n = spectrum.shape[1]
    out = np.zeros(spectrum.shape, complex)
    for row, column in np.ndindex(n, n):
        for (dy, dx), weight in zip(offsets, weights, strict=True):
            if 0 <= row - dy < n and 0 <= column - dx < n:
                out[:, row, column] += float(weight) * spectrum[:, row - dy, column - dx]
    return out


# Samples and their covariance (PORTING 4.7, 4.8). A sample, a filter: one full centred spectrum (C, n, n) per block.

Blocks = Sequence[np.ndarray]


def rank_update(matrix: np.ndarray, left: np.ndarray, right: np.ndarray, decay: float, gains: Sequence[float]) -> np.ndarray:
    """R(d, e, u) <- decay R + sum over t of gain_t conj(left_t(d, u)) right_t(e, u)."""
    out = decay * matrix
    for t, gain in enumerate(gains):
        for d, e, u in np.ndindex(*matrix.shape):
            out[d, e, u] += gain * np.conj(left[t, d, u]) * right[t, e, u]
    return out


def multiply_add(matrix: np.ndarray, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums over e of R(d, e) right(e), and over d of conj(R(d, e)) left(d), at every frequency."""
    left_sum, right_sum = np.zeros(left.shape, complex), np.zeros(right.shape, complex)
    for d, e, u in np.ndindex(*matrix.shape):
        left_sum[d, u] += matrix[d, e, u] * right[e, u]
        right_sum[e, u] += np.conj(matrix[d, e, u]) * left[d, u]
    return left_sum, right_sum


def response(sample: Blocks, filter_: Blocks) -> np.ndarray:
    """Sum over blocks and channels of x f (no conjugate), small blocks centred in the largest: 4.4."""
    n = max(block.shape[1] for block in sample)
    return sum(padded((x * f).sum(0), n) for x, f in zip(sample, filter_, strict=True))


def data_term(samples: Sequence[Blocks], weights: Sequence[float], filter_: Blocks) -> list[np.ndarray]:
    """sum over n of w_n conj(x_n) (sum over blocks and channels of x_n f): 4.7."""
    out = [np.zeros(f.shape, complex) for f in filter_]
    for sample, weight in zip(samples, weights, strict=True):
        wanted = response(sample, filter_)
        for block, total in zip(sample, out, strict=True):
            total += weight * np.conj(block) * cut(wanted, block.shape[1])
    return out


def product(a: Blocks, b: Blocks) -> float:
    """<a, b> of 4.8: 2 Re sum a conj(b) over the compact halves, column kx = 0 included and so counted twice."""
    return sum(2 * (half(x) * half(y).conj()).real.sum() for x, y in zip(a, b, strict=True))


class SampleSpace:
    """4.8, keeping every sample and taking every distance anew."""

    def __init__(self, capacity: int, learning_rate: float):
        self.capacity, self.rate = capacity, learning_rate
        self.samples: list[list[np.ndarray]] = []
        self.weights: list[float] = []

    def add(self, new: Blocks, gain: float | None = None) -> str:
        """Take in a sample of weight `gain`, usually the learning rate; which of the four ways it went."""
        new, gain = [np.array(block, complex) for block in new], gain or self.rate
        if len(self.samples) < self.capacity:
            self.weights = [weight * (1 - gain) for weight in self.weights] + [gain if self.samples else 1.0]
            self.samples.append(new)
            return "free"
        weakest = self.weights.index(min(self.weights))
        if self.weights[weakest] < self.rate * (1 - self.rate) ** (2 * self.capacity):
            rest = sum(self.weights) - self.weights[weakest]
            self.weights = [weight * (1 - gain) / rest for weight in self.weights]
            self.samples[weakest], self.weights[weakest] = new, gain
            return "forgotten"
        self.weights = [weight * (1 - gain) for weight in self.weights]
        to_new = [self._distance(sample, new) for sample in self.samples]
        pairs = {(i, j): self._distance(self.samples[i], self.samples[j]) for i in range(self.capacity) for j in range(i)}
        i, j = min(pairs, key=pairs.get)
        if min(to_new) < pairs[i, j]:
            self._merge(to_new.index(min(to_new)), new, gain)
            return "merge new"
        if self.weights[j] > self.weights[i]:
            i, j = j, i
        self._merge(i, self.samples[j], self.weights[j])
        self.samples[j], self.weights[j] = new, gain
        return "merge pair"

    def mean(self) -> list[np.ndarray]:
        """Weighted mean of the samples."""
        return [sum(w * block for w, block in zip(self.weights, blocks, strict=True)) for blocks in zip(*self.samples, strict=True)]

    def _distance(self, a: Blocks, b: Blocks) -> float:
        """g_aa + g_bb - 2 g_ab, which is <a - b, a - b>."""
        apart = [x - y for x, y in zip(a, b, strict=True)]
        return product(apart, apart)

    def _merge(self, place: int, other: Blocks, weight: float) -> None:
        share = self.weights[place] / (self.weights[place] + weight)
        self.samples[place] = [share * a + (1 - share) * b for a, b in zip(self.samples[place], other, strict=True)]
        self.weights[place] += weight


# Solvers (PORTING 4.6, 4.7).


@dataclass
class Kept:
    """What the conjugate gradients leave: p, r_prev, rho."""

    step: np.ndarray
    residual: np.ndarray
    rho: float


def conjugate_gradient(
    apply: Callable, right: np.ndarray, diagonal: np.ndarray, inner: Callable, start: np.ndarray, iterations: int, kept: Kept | None = None,
    fletcher_reeves: bool = False,
) -> tuple[np.ndarray, Kept]:  # fmt: skip
    """The loop of 4.7 without its exits."""
    f, r = start.copy(), right - apply(start)
    for _ in range(iterations):
        z = r / diagonal
        rho, p = inner(r, z), z
        if kept is not None:
            beta = rho / kept.rho if fletcher_reeves else max((rho - inner(kept.residual, z)) / kept.rho, 0)
            p = z + beta * kept.step
        q = apply(p)
        alpha = rho / inner(p, q)
        kept = Kept(p, r, rho)
        f, r = f + alpha * p, r - alpha * q
    return f, kept


def flat(grids: Sequence[np.ndarray], matrices: Sequence[np.ndarray] = ()) -> np.ndarray:
    """Compact halves of full spectra, then real matrices, as one complex vector."""
    return np.concatenate([*(half(grid).ravel() for grid in grids), *(matrix.ravel() for matrix in matrices)]).astype(complex)


def unflat(vector: np.ndarray, grids: Sequence[np.ndarray], matrices: Sequence[np.ndarray] = ()) -> tuple[list, list]:
    """The inverse of `flat`; `grids` and `matrices` only give shapes."""
    shapes = [half(grid).shape for grid in grids] + [matrix.shape for matrix in matrices]
    parts = np.split(vector, np.cumsum([math.prod(shape) for shape in shapes])[:-1])
    parts = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
    return [full(part) for part in parts[: len(grids)]], [part.real for part in parts[len(grids) :]]


def inner(a: np.ndarray, b: np.ndarray, grids: Sequence[np.ndarray], matrices: Sequence[np.ndarray] = ()) -> float:
    """Re(sum_k 2 <a, b> - <a, b> over the column kx = 0) + <P_a, P_b> of vectors made by `flat` (4.6)."""
    total = 0.0
    (left, left_matrices), (right, right_matrices) = unflat(a, grids, matrices), unflat(b, grids, matrices)
    for x, y in zip(left, right, strict=True):
        products = (half(x) * half(y).conj()).real
        total += 2 * products.sum() - products[..., 0].sum()
    return total + sum(float((x * y).sum()) for x, y in zip(left_matrices, right_matrices, strict=True))


def precondition(energy: Sequence[np.ndarray], window: np.ndarray, config: ECOConfig) -> list[np.ndarray]:
    """(1 - r) (d E + (1 - d) mean over channels of E) + r sum w^2, per block, E = |x|^2 (4.6)."""
    own, weight = config.precondition_data, config.precondition_regularisation
    return [(1 - weight) * (own * e + (1 - own) * e.mean(0)) + weight * (window**2).sum() for e in energy]


def learn_jointly(
    spectra: Blocks, projections: Sequence[np.ndarray], label: np.ndarray, window: np.ndarray, config: ECOConfig
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """4.6: filter and projections of a sample of full-dimensional spectra; `label` is the full centred label of the largest block."""
    labels = [cut(label, x.shape[1]) for x in spectra]
    projections, penalty = [p.astype(float) for p in projections], config.projection_regularisation
    filters = [np.zeros((p.shape[1], *x.shape[1:]), complex) for x, p in zip(spectra, projections, strict=True)]

    def project(matrices: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [np.einsum("cd,cyx->dyx", p, x) for x, p in zip(spectra, matrices, strict=True)]

    def gradient(targets: Sequence[np.ndarray]) -> list[np.ndarray]:
        """2 Re(sum over the compact half of conj(x_k f_k) target - the same over its column kx = 0)."""
        out = []
        for x, f, target in zip(spectra, filters, targets, strict=True):
            products = half(np.conj(x[:, None] * f[None]) * target)
            out.append(2 * (products.sum((2, 3)) - products[..., 0].sum(2)).real)
        return out

    def apply(vector: np.ndarray) -> np.ndarray:
        g, q = unflat(vector, filters, projections)
        residual = response(z, g) + response(project(q), filters)
        residuals = [cut(residual, x.shape[1]) for x in spectra]
        grids = [np.conj(x) * r + penalise(f, window) for x, r, f in zip(z, residuals, g, strict=True)]
        return flat(grids, [m + penalty * more for m, more in zip(gradient(residuals), q, strict=True)])

    def metric(a: np.ndarray, b: np.ndarray) -> float:
        return inner(a, b, filters, projections)

    channels = sum(len(x) for x in spectra)
    diagonal = flat(
        precondition([np.abs(x) ** 2 for x in project(projections)], window, config),
        [np.full(p.shape, config.precondition_projection * (2 * (half(y) ** 2).sum().real / channels + penalty))
         for p, y in zip(projections, labels, strict=True)],
    )  # fmt: skip
    for _ in range(config.first_rounds):
        z = project(projections)
        right = flat(
            [np.conj(x) * y for x, y in zip(z, labels, strict=True)],
            [m - penalty * p for m, p in zip(gradient(labels), projections, strict=True)],
        )
        start = flat(filters, [np.zeros(p.shape) for p in projections])
        solution, _ = conjugate_gradient(apply, right, diagonal, metric, start, config.first_iterations, fletcher_reeves=True)
        filters, increments = unflat(solution, filters, projections)
        for f in filters:  # the column kx = 0 is made Hermitian
            middle = f.shape[1] // 2
            f[:, :middle, middle] = np.conj(f[:, :middle:-1, middle])
        projections = [p + more for p, more in zip(projections, increments, strict=True)]
    return filters, projections


def train(
    filters: Blocks, samples: SampleSpace, energy: Blocks, label: np.ndarray, window: np.ndarray, config: ECOConfig, iterations: int,
    kept: Kept | None = None,
) -> tuple[list[np.ndarray], Kept]:  # fmt: skip
    """A later training of 4.7 over explicit samples; rho' of the kept state is already divided."""
    labels = [cut(label, f.shape[1]) for f in filters]
    right = flat([np.conj(mean) * y for mean, y in zip(samples.mean(), labels, strict=True)])

    def apply(vector: np.ndarray) -> np.ndarray:
        f, _ = unflat(vector, filters)
        data = data_term(samples.samples, samples.weights, f)
        return flat([d + penalise(block, window) for d, block in zip(data, f, strict=True)])

    diagonal = flat(precondition(energy, window, config))
    solution, kept = conjugate_gradient(apply, right, diagonal, lambda a, b: inner(a, b, filters), flat(filters), iterations, kept)
    return unflat(solution, filters)[0], kept


# The scale filter (PORTING 5).


class ScaleFilter:
    """In the published form: samples reduced to an orthonormal basis by economy QR. Samples are (features, 17)."""

    def __init__(self, config: ScaleFilterConfig):
        self.config = config
        exponents = [*range(config.scales // 2 + 1), *range(-(config.scales // 2), 0)]
        e = np.array(exponents) * config.interpolated / config.scales
        self.label = np.fft.fft(np.exp(-0.5 * e**2 / (config.sigma * config.interpolated) ** 2))
        self.window = np.hanning(config.scales)
        self.model = None

    def learn(self, sample: np.ndarray) -> None:
        """Update: num, basis, sf_num, den."""
        sample, rate = sample.astype(float), self.config.learning_rate
        self.model = sample if self.model is None else (1 - rate) * self.model + rate * sample
        self.basis = np.linalg.qr(self.model)[0].T
        own = np.linalg.qr(sample)[0].T
        self.numerator = self.label * np.conj(np.fft.fft(self.window * (self.basis @ self.model), axis=1))
        energy = (np.abs(np.fft.fft(self.window * (own @ sample), axis=1)) ** 2).sum(0)
        self.denominator = (1 - rate) * self.denominator + rate * energy if hasattr(self, "denominator") else energy

    def response(self, sample: np.ndarray) -> np.ndarray:
        """Response at the interpolated scales, the present one first."""
        spectrum = (self.numerator * np.fft.fft(self.window * (self.basis @ sample.astype(float)), axis=1)).sum(0)
        spectrum /= self.denominator + self.config.regularisation
        wide, count = self.config.interpolated, self.config.scales
        zeros = np.zeros(wide - count)
        return np.fft.ifft(np.concatenate([spectrum[: count // 2 + 1], zeros, spectrum[count // 2 + 1 :]]) * wide / count).real
