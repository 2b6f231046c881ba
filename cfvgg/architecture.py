"""The one table of layers from which VGG-M and every compression of it are made.

Source: Wang et al. 2020, Figure 3 and Table III; MatConvNet's ``imagenet-vgg-m`` for the geometry.
A *level* is what a tracker taps: the output of a convolution after its ReLU, and after its local response
normalisation where it has one, before pooling.
"""

from dataclasses import dataclass
from functools import cache
from math import isfinite, prod, sqrt

import numpy as np

from cfvgg.errors import WeightsError


@dataclass(frozen=True)
class Layer:
    """One convolution and what follows it (MatConvNet semantics: cross-correlation, floor of the output size).

    Attributes
    ----------
    name : str
        Name of the convolution, and of the level it gives.
    channels : int
        Output channels in VGG-M.
    kernel, stride, padding : int
        Side of the square kernel, step, and zeros on each of the four sides.
    normalised : bool
        Local response normalisation after the ReLU.
    pooled : bool
        Max pooling 3 x 3, stride 2, padded with -inf by one row below and one column to the right.
    """

    name: str
    channels: int
    kernel: int
    stride: int
    padding: int
    normalised: bool = False
    pooled: bool = False

    def size(self, side: int) -> int:
        """Side of the output for an input of `side` pixels."""
        return (side + 2 * self.padding - self.kernel) // self.stride + 1


LAYERS = (
    Layer("conv1", 96, 7, 2, 0, normalised=True, pooled=True),
    Layer("conv2", 256, 5, 2, 1, normalised=True, pooled=True),
    Layer("conv3", 512, 3, 1, 1),
    Layer("conv4", 512, 3, 1, 1),
    Layer("conv5", 512, 3, 1, 1),
)
LEVELS = tuple(layer.name for layer in LAYERS)

# MatConvNet's vl_nnnormalize (N, kappa, alpha, beta); alpha is not divided by N.
LRN_WINDOW, LRN_KAPPA, LRN_ALPHA, LRN_BETA = 5, 2.0, 1e-4, 0.75

# The ratios of the paper's Table III; 64 is CF-VGG.
RATIOS = (1, 16, 32, 64, 96)


def channels(ratio: float) -> tuple[int, ...]:
    """Output channels of the five layers at a compression `ratio` (>= 1): 1 / sqrt(ratio) of VGG-M's, halves rounded up.

    Raises
    ------
    WeightsError
        If `ratio` is no number of at least 1.
    """
    if not isfinite(ratio) or ratio < 1:
        raise WeightsError(f"compression ratio {ratio} is not a number >= 1; the paper's are {', '.join(map(str, RATIOS))}")
    return tuple(max(int(layer.channels / sqrt(ratio) + 0.5), 1) for layer in LAYERS)


def pooled_size(side: int) -> int:
    """Side after max pooling 3 x 3, stride 2, one row or column of padding at the far end."""
    return (side + 1 - 3) // 2 + 1


def level_sizes(side: int) -> dict[str, int]:
    """Side of every level, in cells, for an input of `side` pixels. Sides below 1 mean that the input is too small."""
    sizes = {}
    for layer in LAYERS:
        side = layer.size(side)
        sizes[layer.name] = side
        side = pooled_size(side) if layer.pooled else side
    return sizes


def grids() -> dict[str, tuple[int, float]]:
    """Stride and centre of the first cell of every level, in input pixels (0-based)."""
    stride, centre, found = 1, 0.0, {}
    for layer in LAYERS:
        centre += stride * ((layer.kernel - 1) / 2 - layer.padding)
        stride *= layer.stride
        found[layer.name] = (stride, centre)
        if layer.pooled:
            centre += stride  # the first 3 x 3 window has no padding before it
            stride *= 2
    return found


STRIDES = {level: stride for level, (stride, _) in grids().items()}


@cache
def minimum_size(level: str) -> int:
    """Smallest input side, in pixels, for which `level` has at least one cell."""
    return next(side for side in range(1, 1000) if min(list(level_sizes(side).values())[: LEVELS.index(level) + 1]) >= 1)


def filter_shapes(widths: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """Shapes (out, in, kernel, kernel) of the filters of a network with the given output channels."""
    return [(out, n, layer.kernel, layer.kernel) for layer, out, n in zip(LAYERS, widths, (3, *widths[:-1]), strict=True)]


def parameters(widths: tuple[int, ...]) -> int:
    """Number of weights and biases."""
    return sum(prod(shape) + shape[0] for shape in filter_shapes(widths))


def flops(widths: tuple[int, ...], side: int = 224) -> int:
    """Floating-point operations of the convolutions for a `side` x `side` picture.

    2 H_out W_out (C_in K^2 + 1) C_out for each layer, as the paper counts them.
    """
    sizes = level_sizes(side)
    cells = np.array([sizes[layer.name] ** 2 for layer in LAYERS])
    work = np.array([(n * k * k + 1) * out for out, n, k, _ in filter_shapes(widths)])
    return int(2 * (cells * work).sum())
