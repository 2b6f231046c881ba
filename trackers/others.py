"""What a picture shows beside the target: what stood there already when the target was last surely seen is something else."""

import math

import numpy as np

from trackers.opencv import cv2
from trackers.patch import grey, resize, resize_about

APART = 1.5  # sides of what is seen between it and where the target was: what is nearer may have been hidden, or part of it
REACH = 0.5  # sizes of the target by which something else may have moved
SIDE = 16  # pixels along a side of patches that are compared
ALIKE = 0.9  # correlation of patches that show the same
AGAIN = 0.8  # and with what has been taken for something else before
FLAT = 1.0  # standard deviation, in grey values, of a patch that shows nothing
MOST = 5  # things of which it is known where they are


class Others:
    """Other things than the target, by what the picture showed where they are now when the target was elsewhere.

    Look-alikes are told apart by where they are, not by what they look like: patches of grey pixels are compared, not features. One that is
    looked at again and again is known by where it was then, so it may move.
    """

    def __init__(self):
        self._picture: np.ndarray | None = None  # (H, W, 1), in which the target was last surely seen, of every so many pixels one
        self._step = 1  # so many
        self._target = 0.0, 0.0  # where it was, row and column
        self._met: list[tuple[np.ndarray, tuple[float, float]]] = []  # what has been looked at since, with what was around, and where

    def remember(self, image: np.ndarray, target: tuple[float, float], sides: tuple[float, float]) -> None:
        """Take in a picture (H, W, C) in which the target, of a height and a width, surely is at a row and column."""
        self._step = max(int(min(sides) / (2 * SIDE)), 1)
        self._picture, self._target, self._met = self._thinned(image), target, []

    def include(self, image: np.ndarray, position: tuple[float, float], sides: tuple[float, float], angle: float) -> bool:
        """Whether what is seen now was there before, and so is something else.

        Parameters
        ----------
        image : ndarray, uint8, (H, W, C)
        position : (float, float)
            Row and column of the centre of what is seen.
        sides : (float, float)
            Its height and width in pixels.
        angle : float
            By which it is turned, in radians.
        """
        size = math.sqrt(math.prod(sides))
        off = max(abs(p - q) / n for p, q, n in zip(position, self._target, sides, strict=True))
        if self._picture is None or off < APART or size < SIDE:
            return False
        place = position, sides, angle
        around = self._cut(self._thinned(image), *place)
        room = (len(around) - SIDE) // 2
        patch = around[room:-room, room:-room]
        if patch.std() < FLAT:
            return False
        others = [met for met in self._met if math.dist(position, met[1]) >= REACH * size or not _holds(met[0], patch, AGAIN)]
        if len(others) == len(self._met) and not _holds(self._cut(self._picture, *place), patch, ALIKE):
            return False
        self._met = [(around, position), *others][:MOST]
        return True

    def _thinned(self, image: np.ndarray) -> np.ndarray:
        return grey(resize(image, tuple(max(n // self._step, 1) for n in image.shape[:2]), cv2.INTER_NEAREST))

    def _cut(self, picture: np.ndarray, position: tuple[float, float], sides: tuple[float, float], angle: float) -> np.ndarray:
        """A rectangle and `REACH` sizes around it to all sides, such that it alone is `SIDE` pixels high and wide."""
        share, side = 1 + 2 * REACH, round(SIDE * (1 + 2 * REACH))
        centre, sides = tuple(p / self._step for p in position), [tuple(n * share / self._step for n in sides)]
        return resize_about(picture, centre, sides, (side, side), 1, [angle] if angle else None)[0]


def _holds(around: np.ndarray, patch: np.ndarray, enough: float) -> bool:
    """Whether a part of a larger patch correlates enough with a smaller one."""
    return float(cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED).max()) > enough
