"""The network's forward pass for tracking: numba and numpy, one thread, no torch.

A convolution is a matrix product whose right side is never built. Once the zero-padded input is split into
stride x stride phase planes, the input of one tap (channel, row, column of the kernel) for all outputs is one
contiguous run of one plane, so each layer is ``out[m] += weight[m, tap] * planes[start[tap] : start[tap] + n]``.
Runs cross the ends of rows; the columns that this makes up beyond the true width are dropped afterwards.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numba import njit

from cfvgg import mean_picture
from cfvgg.architecture import LAYERS, LEVELS, LRN_ALPHA, LRN_KAPPA, minimum_size
from cfvgg.errors import InputError
from cfvgg.linear import FASTMATH
from cfvgg.tiles import ROWS, accumulate, in_tiles
from cfvgg.weights import Weights


class Backbone:
    """A network ready to run on pictures.

    Parameters
    ----------
    weights : Weights
        Filters, biases and mean picture.
    """

    def __init__(self, weights: Weights):
        self.weights = weights
        self.widths = dict(zip(LEVELS, weights.widths, strict=True))
        self._taps = [in_tiles(filters.reshape(len(filters), -1)) for filters in weights.filters]
        self._biases = [in_tiles(bias[:, None]).ravel() for bias in weights.biases]
        self._mean = np.empty((3, 0, 0), np.float32)

    def __call__(self, picture: np.ndarray, levels: Sequence[str] = LEVELS) -> dict[str, np.ndarray]:
        """Compute levels of one picture; nothing behind the last level asked for is computed.

        Parameters
        ----------
        picture : ndarray, uint8, (H, W, 3), (H, W, 1) or (H, W)
            R, G, B, or grey, which counts for all three.
        levels : sequence of str
            Names from `cfvgg.architecture.LEVELS`.

        Returns
        -------
        dict of str to ndarray, float32, (C, h, w)

        Raises
        ------
        InputError
            If a level is unknown, or the picture too small for it.
        """
        unknown = [level for level in levels if level not in LEVELS]
        if unknown or not levels:
            raise InputError(f"levels {list(levels)}; allowed are {', '.join(LEVELS)}")
        depth = max(LEVELS.index(level) for level in levels)
        height, width = picture.shape[:2]
        if min(height, width) < minimum_size(LEVELS[depth]):
            least = minimum_size(LEVELS[depth])
            raise InputError(f"a picture of {height} x {width} is too small for {LEVELS[depth]}: {least} pixels at least")
        if self._mean.shape[1:] != (height, width):
            self._mean = mean_picture.resize(self.weights.mean, height, width)
            self._mean_phases = split_phases(self._mean, LAYERS[0].stride, LAYERS[0].padding)
        phases = picture_phases(np.ascontiguousarray(picture.reshape(height, width, -1)), self._mean_phases)
        outputs = {}
        for number, (layer, taps, bias) in enumerate(zip(LAYERS, self._taps, self._biases, strict=True)):
            planes = convolve(phases, taps, bias, layer.kernel)[: self.widths[layer.name]]
            planes = rectify_normalise(planes) if layer.normalised else rectify(planes)
            outputs[layer.name] = planes
            if number == depth:
                break
            phases = split_phases(pool(planes) if layer.pooled else planes, LAYERS[number + 1].stride, LAYERS[number + 1].padding)
        return {level: outputs[level] for level in levels}


def convolve(phases: np.ndarray, taps: np.ndarray, bias: np.ndarray, kernel: int) -> np.ndarray:
    """Cross-correlate a padded input with filters (out, C kernel kernel) by the stride of its phases.

    Parameters
    ----------
    phases : ndarray, float32, (C, stride, stride, H, W)
        From `split_phases`. `kernel` - 1 is a multiple of the stride.
    taps, bias : ndarray, float32
        As `accumulate` takes them.
    kernel : int

    Returns
    -------
    ndarray, float32, (out, h, w)
        A view whose rows lie apart.
    """
    _, stride, _, phase_rows, phase_columns = phases.shape
    rows, columns = (n - (kernel - 1) // stride for n in (phase_rows, phase_columns))
    out = np.empty((ROWS * len(taps), rows, phase_columns), np.float32)
    starts = tap_starts(phases.shape, kernel)
    accumulate(phases.reshape(-1), starts, taps, bias, out.reshape(len(out), -1), (rows - 1) * phase_columns + columns)
    return out[:, :, :columns]


@lru_cache(maxsize=64)
def tap_starts(shape: tuple[int, ...], kernel: int) -> np.ndarray:
    """Where the input of every tap (channel, row, column of the kernel) begins in phases of a shape, (C kernel kernel,) int64."""
    channel, y, x = np.unravel_index(np.arange(shape[0] * kernel * kernel), (shape[0], kernel, kernel))
    stride = shape[1]
    return np.ravel_multi_index((channel, y % stride, x % stride, y // stride, x // stride), shape)


@njit(cache=True, nogil=True)
def picture_phases(picture: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Phases, as of `split_phases` by a stride of two, of a picture (H, W, 3 or 1) uint8 less the mean picture, whose phases are given."""
    phases = np.zeros(mean.shape, np.float32)
    second, third = (1, 2) if picture.shape[2] == 3 else (0, 0)
    for y in range(picture.shape[0]):
        row = picture[y]
        for phase in range(2):
            place = y % 2, phase, y // 2
            red, green, blue = phases[0][place], phases[1][place], phases[2][place]
            mean_red, mean_green, mean_blue = mean[0][place], mean[1][place], mean[2][place]
            for i in range((picture.shape[1] - phase + 1) // 2):
                x = 2 * i + phase
                red[i] = np.float32(row[x, 0]) - mean_red[i]
                green[i] = np.float32(row[x, second]) - mean_green[i]
                blue[i] = np.float32(row[x, third]) - mean_blue[i]
    return phases


@njit(cache=True, nogil=True)
def split_phases(planes: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """Zero-padded planes (C, H, W) as phases (C, stride, stride, ceil(H' / stride), ceil(W' / stride)), H' = H + 2 padding."""
    channels, height, width = planes.shape
    rows = -(-(height + 2 * padding) // stride)
    columns = -(-(width + 2 * padding) // stride)
    phases = np.zeros((channels, stride, stride, rows, columns), np.float32)
    for channel in range(channels):
        for y in range(height):
            row, source = phases[channel, (y + padding) % stride, :, (y + padding) // stride], planes[channel, y]
            for phase in range(stride):
                first = (phase - padding) % stride
                target = row[phase, (first + padding) // stride :]
                for i in range(-(-(width - first) // stride)):
                    target[i] = source[first + i * stride]
    return phases


@njit(cache=True, nogil=True)
def rectify(planes: np.ndarray) -> np.ndarray:
    """max(x, 0) of planes (C, H, W)."""
    out = np.empty(planes.shape, np.float32)
    for channel in range(planes.shape[0]):
        for y in range(planes.shape[1]):
            for x in range(planes.shape[2]):
                out[channel, y, x] = max(planes[channel, y, x], np.float32(0))
    return out


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def rectify_normalise(planes: np.ndarray) -> np.ndarray:
    """ReLU, then local response normalisation over the five channels around each, of planes (C, H, W).

    x (kappa + alpha sum x^2)^-0.75, the power as 1 / (sqrt(v) sqrt(sqrt(v))), which is exact and many times as fast as pow.
    """
    channels, height, width = planes.shape
    out = np.empty(planes.shape, np.float32)
    squares = np.zeros((channels + 4, width), np.float32)
    for y in range(height):
        for channel in range(channels):
            for x in range(width):
                value = max(planes[channel, y, x], np.float32(0))
                out[channel, y, x] = value
                squares[channel + 2, x] = value * value
        for channel in range(channels):
            s0, s1, s2, s3, s4 = squares[channel], squares[channel + 1], squares[channel + 2], squares[channel + 3], squares[channel + 4]
            for x in range(width):
                root = np.sqrt(np.float32(LRN_KAPPA) + np.float32(LRN_ALPHA) * (s0[x] + s1[x] + s2[x] + s3[x] + s4[x]))
                out[channel, y, x] /= root * np.sqrt(root)
    return out


@njit(cache=True, nogil=True)
def pool(planes: np.ndarray) -> np.ndarray:
    """Maximum over 3 x 3 windows, stride 2, of planes (C, H, W); one row and column at the far end may be missing."""
    channels, height, width = planes.shape
    rows, columns = (height - 2) // 2 + 1, (width - 2) // 2 + 1
    out = np.empty((channels, rows, columns), np.float32)
    best = np.empty(width + 1, np.float32)
    best[width] = -np.inf
    for channel in range(channels):
        for y in range(rows):
            r0, r1, r2 = planes[channel, 2 * y], planes[channel, 2 * y + 1], planes[channel, min(2 * y + 2, height - 1)]
            for x in range(width):
                best[x] = max(r0[x], r1[x], r2[x])
            for x in range(columns):
                out[channel, y, x] = max(best[2 * x], best[2 * x + 1], best[2 * x + 2])
    return out
