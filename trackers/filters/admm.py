"""Spatial-temporal regularised correlation filter, learnt by a few ADMM iterations (STRCF, Li et al. 2018; PORTING 6).

A filter f minimises 1/2 |sum_d conj(x_d) * f_d - y|^2 + 1/2 sum_d |w f_d|^2 + temporal/2 |f - previous|^2 for one sample x, with a
window w that is small on the target and large elsewhere. Spectra are half-spectra of the plain grid, even or odd.
"""

import math
from collections.abc import Sequence

import numpy as np
from numba import njit

from trackers.fourier import PlainTransform, add_cut, cut_centred, sampled_label
from trackers.strcf_config import ADMMConfig, STRCFConfig

FASTMATH = {"contract", "reassoc", "nsz"}

# Pixels per cell by which the part of a window that lies on the target is measured: the cell's, but for the deep level's, as published.
WINDOW_CELLS = {16: 14}


class STRCFFilter:
    """One filter on every grid that features share, and the sum of their responses.

    Parameters
    ----------
    shapes : sequence of (int, int, int)
        Of the feature blocks: channels, n, n.
    cells : sequence of int
        Pixels per cell of each block; blocks of equal cells share a grid.
    target : (float, float)
        Height and width of the target in the sample, in pixels.
    config : STRCFConfig

    Attributes
    ----------
    side : int
        Side of the response's grid, the finest of all.
    """

    def __init__(self, shapes: Sequence[tuple[int, int, int]], cells: Sequence[int], target: tuple[float, float], config: STRCFConfig):
        finest_first = sorted(set(cells))
        self._members = [[i for i, other in enumerate(cells) if other == cell] for cell in finest_first]
        self.side = max(shape[1] for shape in shapes)
        self.grids = []
        for cell, members in zip(finest_first, self._members, strict=True):
            channels, n = sum(shapes[i][0] for i in members), shapes[members[0]][1]
            label = sampled_label(n, label_sigma(target, cell, config.label_sigma))
            self.grids.append(self._grid(channels, label, [side / WINDOW_CELLS.get(cell, cell) for side in target], config))

    def _grid(self, channels: int, label: np.ndarray, target: Sequence[float], config: STRCFConfig) -> "GridFilter":
        """A new filter on the grid of a label, where the target has `target` (rows, columns) cells."""
        # the area of the response's grid for all: it sets the weight of the coarse grids as published
        return GridFilter(channels, label, target_window(len(label), target, config), self.side**2, config)

    def encode(self, features: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Spectra (C, n, n // 2 + 1) complex64 of a sample on every grid, from its feature blocks (C, n, n)."""
        blocks = (np.concatenate([features[i] for i in members]) for members in self._members)
        return [grid.encode(block) for grid, block in zip(self.grids, blocks, strict=True)]

    def respond(self, sample: Sequence[np.ndarray]) -> np.ndarray:
        """Half-spectrum (side, side // 2 + 1) of the Fourier series of the response to an encoded sample."""
        finest, *coarser = (grid.respond(spectrum) for grid, spectrum in zip(self.grids, sample, strict=True))
        for spectrum in coarser:
            add_cut(cut_centred(spectrum, len(spectrum) - 1 + len(spectrum) % 2), finest)  # without the lone frequency of an even grid
        return finest

    def learn(self, sample: Sequence[np.ndarray]) -> None:
        """Learn an encoded sample, the next one after those before."""
        for grid, spectrum in zip(self.grids, sample, strict=True):
            grid.learn(spectrum)


class GridFilter:
    """The filter of all channels on one grid.

    Parameters
    ----------
    channels : int
    label : ndarray, float32, (n, n // 2 + 1)
        Spectrum of the wanted response, real.
    window : ndarray, float64, (n, n)
        The window w.
    area : int
        Divides the data term.
    config : STRCFConfig
        Another `ADMMConfig` will do for a subclass that learns in another way.

    Attributes
    ----------
    filter : ndarray, complex64, (channels, n, n // 2 + 1), or None
        None before the first sample.
    """

    def __init__(self, channels: int, label: np.ndarray, window: np.ndarray, area: int, config: ADMMConfig):
        n = len(label)
        self._transform = PlainTransform(channels, n)
        self._taper = np.outer(np.hanning(n), np.hanning(n)).astype(np.float32)
        self._label, self._window, self._area, self._config = label, window, area, config
        self.filter: np.ndarray | None = None

    def encode(self, features: np.ndarray) -> np.ndarray:
        """Spectrum of features (channels, n, n), tapered to the borders."""
        return self._transform(features * self._taper)

    def respond(self, sample: np.ndarray) -> np.ndarray:
        """Half-spectrum (n, n // 2 + 1) of the Fourier series of the response."""
        return correlate(self.filter, sample) / np.float32(len(self._label) ** 2)

    def learn(self, sample: np.ndarray) -> None:
        """Learn an encoded sample; the first filter has no past to stay close to."""
        self.filter = self._solve(sample, 0.0 if self.filter is None else self._config.temporal_weight)

    def _solve(self, sample: np.ndarray, temporal: float) -> np.ndarray:
        """The filter for a sample, by some iterations of ADMM, one for each penalty; `temporal` draws it to the present one.

        A twin of the filter keeps to the window, and a multiplier draws the two together.
        """
        past = temporal * self.filter if temporal else np.zeros_like(sample)
        twin, multiplier = np.zeros_like(sample), np.zeros_like(sample)
        *earlier, last = self._config.penalties
        for penalty in earlier:
            filter_ = self._fit(sample, past + penalty * twin - multiplier, penalty + temporal)
            twin = self._confine(penalty * filter_ + multiplier, penalty)
            multiplier += penalty * (filter_ - twin)
        return self._fit(sample, past + last * twin - multiplier, last + temporal)

    def _fit(self, sample: np.ndarray, pull: np.ndarray, weight: float) -> np.ndarray:
        """The filter that fits a sample and is drawn to `pull` / `weight`; see `fit`."""
        flat = (array.reshape(len(array), -1) for array in (sample, pull))
        return fit(*flat, self._label.reshape(-1), np.float32(weight), np.float32(self._area)).reshape(sample.shape)

    def _confine(self, pull: np.ndarray, penalty: float) -> np.ndarray:
        """The twin: `pull` divided by w^2 + `penalty`, in space."""
        return self._transform(self._transform.inverse(pull) / (self._window**2 + penalty).astype(np.float32))


def label_sigma(target: tuple[float, float], cell: int, share: float) -> float:
    """Width of a label in cells. A side counts as one cell at least: the published program divides by zero at thin targets."""
    return math.sqrt(math.prod(max(math.floor(side / cell), 1) for side in target)) * share


def target_window(n: int, target: Sequence[float], config: STRCFConfig) -> np.ndarray:
    """The window w on n x n cells, (n, n) float64: small on the target's cells (see `target_cells`)."""
    window = np.full((n, n), config.window_edge)
    window[target_cells(n, target)] = config.window_centre
    return window


def target_cells(n: int, target: Sequence[float]) -> tuple[slice, ...]:
    """Rows and columns of a rectangle in the middle of n x n cells: `target` (rows, columns) in cells, rounded down.

    It is one cell wide at least; the published program leaves nothing at thin targets.
    """
    sides = [min(max(math.floor(side), 1), n) for side in target]
    return tuple(slice(n // 2 - side // 2, n // 2 - side // 2 + side) for side in sides)


# Products of complex numbers are written out: how numba compiles its own depends on which other function had one first, and a rounding
# that differs from process to process can change a whole track.


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def correlate(filter_: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """Sum over channels of conj(filter) sample, of spectra (channels, n, m) complex64."""
    channels, rows, columns = sample.shape
    out = np.zeros((rows, columns), np.complex64)
    for channel in range(channels):
        for row in range(rows):
            for column in range(columns):
                f, x = filter_[channel, row, column], sample[channel, row, column]
                out[row, column] += complex(f.real * x.real + f.imag * x.imag, f.real * x.imag - f.imag * x.real)
    return out


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def fit(sample: np.ndarray, pull: np.ndarray, label: np.ndarray, weight: float, area: float) -> np.ndarray:
    """Solution f, at every frequency, of (x x^H / area + weight) f = x y / area + pull.

    By Sherman and Morrison f = (pull + x (weight y - x^H pull) / (area weight + x^H x)) / weight; nothing cancels in this form.

    Parameters
    ----------
    sample, pull : ndarray, complex64, (channels, frequencies)
    label : ndarray, float32, (frequencies,)
    weight, area : float32
    """
    channels, frequencies = sample.shape
    energy = np.full(frequencies, area * weight, np.float32)
    real, imaginary = weight * label, np.zeros(frequencies, np.float32)  # of weight y - x^H pull, and then of its quotient
    for channel in range(channels):
        for u in range(frequencies):
            x, p = sample[channel, u], pull[channel, u]
            energy[u] += x.real * x.real + x.imag * x.imag
            real[u] -= x.real * p.real + x.imag * p.imag
            imaginary[u] -= x.real * p.imag - x.imag * p.real
    for u in range(frequencies):
        real[u] /= energy[u]
        imaginary[u] /= energy[u]
    out = np.empty_like(sample)
    for channel in range(channels):
        for u in range(frequencies):
            x, p = sample[channel, u], pull[channel, u]
            f = p.real + x.real * real[u] - x.imag * imaginary[u], p.imag + x.real * imaginary[u] + x.imag * real[u]
            out[channel, u] = complex(f[0] / weight, f[1] / weight)
    return out
