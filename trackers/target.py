"""What all targets have in common: where they are, and how they are looked for."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trackers.confidence import target_cells
from trackers.patch import offset_within, turned
from trackers.scale import ScaleFilter, ShapeFilter
from trackers.tracker import Box

SMALLEST_TARGET = 5  # pixels of the sample; the scale never falls below it


@dataclass(frozen=True)
class Detection:
    """Where a response says that a target is.

    Attributes
    ----------
    place : (float, float)
        Row and column of the centre of the sample.
    scale : float
        Of the sample: pixels of the picture per pixel of it.
    angle : float
        By which the sample is turned, in radians.
    features : sequence of ndarray, float32, (C, n, m)
    sample : object
        What the filter makes of them.
    response : ndarray, (H, W)
    position : (float, float)
        Row and column of the target's centre.
    height : float
        Of the response's peak.
    """

    place: tuple[float, float]
    scale: float
    angle: float
    features: Sequence[np.ndarray]
    sample: Any
    response: np.ndarray
    position: tuple[float, float]
    height: float


class PlacedTarget(ABC):
    """A target with a place in the picture.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, C)
        First picture; it decides whether the sequence is treated as coloured.

    Attributes
    ----------
    position : (float, float)
        Row and column of its centre.
    scale : float
        Pixels of the picture per pixel of the sample.
    """

    position: tuple[float, float]
    scale: float
    _features: Any  # of a picture; they know nothing of the target
    _base: tuple[float, float]  # height and width at scale one
    _cell: float  # pixels of the sample per cell of the response
    _shape: tuple[int, int]  # of the picture
    _sample_sides: tuple[float, float]  # height and width of a sample, in its pixels
    _scale_filter: ScaleFilter | ShapeFilter | None = None
    _scale_limits = 0.0, math.inf

    def __init__(self, image: np.ndarray):
        self._coloured = is_coloured(image)

    @abstractmethod
    def _look(self, image: np.ndarray, position: tuple[float, float], scale: float) -> Detection:
        """Look for the target around a position at one scale."""

    def _detect(self, image: np.ndarray) -> Detection:
        """Look for the target around its last place."""
        return self._look(image, self.position, self.scale)

    @abstractmethod
    def _take(self, image: np.ndarray, found: Detection) -> None:
        """Learn the target where it was found, which is where it now is, and find out its size."""

    def _within(self, place: tuple[float, float]) -> tuple[float, float]:
        """The nearest place in the picture."""
        return tuple(min(max(p, 0), n - 1) for p, n in zip(place, self._shape, strict=True))

    def _at(self, place: tuple[float, float], shift: tuple[float, float], scale: float, angle: float) -> tuple[float, float]:
        """Row and column in the picture of what is off the middle of a response by some cells."""
        return tuple(p + d * self._cell * scale for p, d in zip(place, turned(shift, angle), strict=True))

    def _rescale(self, image: np.ndarray) -> None:
        """Change the scale to that of the scale filter, where there is one, and keep it within its limits."""
        scale, (lowest, highest) = self.scale, self._scale_limits
        if self._scale_filter is not None:
            scale *= self._scale_filter.change(image, self.position, self.scale)
        self.scale = max(min(scale, highest), lowest)

    def _learn_beside(self, image: np.ndarray) -> None:
        """Update what helps the filter, the scale filter where there is one, with the target as it was found."""
        if self._scale_filter is not None:
            self._scale_filter.learn(image, self.position, self.scale)

    def _cells(
        self, features: Sequence[np.ndarray], place: tuple[float, float], scale: float, angle: float, position: tuple[float, float]
    ) -> list[np.ndarray]:
        """What each block of features around `place` shows of the target at `position`: see `target_cells`."""
        cut, offset = [], offset_within(position, place, angle)
        for block in features:
            cells = [n / side for n, side in zip(block.shape[1:], self._sample_sides, strict=True)]  # per pixel
            middle = ((n - 1) / 2 + d / scale * k for n, d, k in zip(block.shape[1:], offset, cells, strict=True))
            cut.append(target_cells(block, tuple(middle), tuple(n * k for n, k in zip(self._base, cells, strict=True))))
        return cut

    def _channels(self, image: np.ndarray) -> np.ndarray:
        """The picture with the channels that the first one had: one of a grey sequence, else three."""
        return np.repeat(image, 3, axis=2) if self._coloured and image.shape[2] == 1 else image if self._coloured else image[:, :, :1]

    def _centre(self, box: Box) -> tuple[float, float]:
        """Row and column of a box's centre."""
        x, y, width, height = box
        return y + (height - 1) / 2, x + (width - 1) / 2

    @property
    def _angle(self) -> float:
        """By which the target has turned since the first picture, in radians, from the x axis towards the y axis."""
        return self._scale_filter.angle if self._scale_filter else 0.0

    def _upright(self) -> tuple[float, float]:
        """Height and width of the target at scale one, before it is turned."""
        aspect = self._scale_filter.aspect if self._scale_filter else 1.0
        return self._base[0] * aspect, self._base[1] / aspect

    def _sides(self) -> tuple[float, float]:
        """Height and width of the box: of the ellipse that the target's sides hold, as it is turned."""
        angle, (height, width) = self._angle, (side * self.scale for side in self._upright())
        return math.hypot(height * math.cos(angle), width * math.sin(angle)), math.hypot(width * math.cos(angle), height * math.sin(angle))

    def _limited(self) -> tuple[float, float]:
        """The position, so that the box still touches the picture: a target that has left it comes back at its border."""
        return tuple(min(max(p, -n / 2), m - 1 + n / 2) for p, n, m in zip(self.position, self._sides(), self._shape, strict=True))

    def _box(self) -> Box:
        (row, column), (height, width) = self.position, self._sides()
        return column - (width - 1) / 2, row - (height - 1) / 2, width, height


def is_coloured(image: np.ndarray) -> bool:
    """Whether the channels of a picture (H, W, C) differ anywhere."""
    return image.shape[2] == 3 and bool(np.any(image[:, :, 0] != image[:, :, 1]) or np.any(image[:, :, 1] != image[:, :, 2]))
