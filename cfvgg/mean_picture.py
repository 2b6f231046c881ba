"""The mean picture at the size of the network's input, by MATLAB's ``imresize`` (bicubic, antialiased)."""

import numpy as np


def resize(mean: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize a mean picture (3, h, w) to (3, height, width), float32. A constant (3, 1, 1) is repeated.

    Separable bicubic with a = -0.5, the kernel widened when shrinking, borders mirrored (PORTING 1 of the published program).
    """
    mean = np.asarray(mean, np.float64)
    rows, columns = _weights(mean.shape[1], height), _weights(mean.shape[2], width)
    return np.ascontiguousarray(rows @ mean @ columns.T, np.float32)


def _weights(source: int, target: int) -> np.ndarray:
    """Matrix (target, source) of one axis; each row sums to one."""
    scale = target / source
    stretch = max(1 / scale, 1.0)
    centres = (np.arange(target) + 0.5) / scale - 0.5
    reach = int(np.ceil(2 * stretch)) + 1
    taps = np.floor(centres)[:, None].astype(int) + np.arange(-reach, reach + 1)
    weights = _cubic((centres[:, None] - taps) / stretch)
    weights /= weights.sum(1, keepdims=True)
    folded = taps % (2 * source)
    folded = np.where(folded < source, folded, 2 * source - 1 - folded)
    matrix = np.zeros((target, source))
    np.add.at(matrix, (np.arange(target)[:, None], folded), weights)
    return matrix


def _cubic(x: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution kernel, a = -0.5."""
    x = np.abs(x)
    return np.where(x <= 1, 1.5 * x**3 - 2.5 * x**2 + 1, np.where(x < 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0.0))
