"""Pictures in which the target was surely seen, and where in them is what is seen now: the camera may have moved since."""

import math

import numpy as np

from trackers.opencv import cv2
from trackers.patch import grey, resize, resize_about

SIDE = 16  # pixels along a side of patches that are compared
REACH = 0.5  # sizes of what is seen by which it may have moved
ALIKE = 0.9  # correlation of patches that show the same
APART = 1.0  # sides of what is seen between it and where the target was: what is nearer may have been hidden, or part of it
WIDE = 128  # pixels along the longer side of pictures by which the camera is followed
CLEAR = 0.1  # height of the peak of their phase correlation, of 1 for equal pictures, below which it says nothing


class Past:
    """A picture in which the target was surely seen, and where.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, C)
    target : (float, float)
        Row and column of its centre.
    sides : (float, float)
        Its height and width in pixels.

    Attributes
    ----------
    step : int
        Pixels of the picture of which one is kept, along rows and columns.
    size : float
        Side in pixels of a square as large as the target.
    """

    def __init__(self, image: np.ndarray, target: tuple[float, float], sides: tuple[float, float]):
        self.step, self.size = max(int(min(sides) / (2 * SIDE)), 1), math.sqrt(math.prod(sides))
        self._picture, self._target = thinned(image, self.step), target
        self._wide: np.ndarray | None = None  # the same, smaller, made when it is needed
        self._moved: tuple[float, float] | None = (0.0, 0.0)  # by which what stands still has moved since; None if that is not known

    def same(self, other: "Past") -> bool:
        """Whether both pictures are one."""
        return np.array_equal(self._picture, other._picture)

    def forget_camera(self) -> None:
        """Say no more where in it anything is that is seen now, until the camera is followed again."""
        self._moved = None

    def follow_camera(self, now: np.ndarray) -> None:
        """See how far the camera has moved since, from a picture made by `wide`.

        That is the peak of the phase correlation of both, to which what moves on its own adds little; where none stands out, what was known
        holds. Shifts that differ by a side of the picture look the same: the one nearest to the last is taken.
        """
        last = self._moved or (0.0, 0.0)
        if self._wide is None:
            self._wide = wide(self._picture)
        (across, down), height = cv2.phaseCorrelate(self._wide, now, cv2.createHanningWindow(now.shape[::-1], cv2.CV_32F))
        if height > CLEAR:
            shape = [n * self.step for n in self._picture.shape[:2]]
            moved = [shift * n / side for shift, n, side in zip((down, across), shape, now.shape, strict=True)]
            self._moved = tuple(m + n * round((known - m) / n) for m, known, n in zip(moved, last, shape, strict=True))

    def place(self, position: tuple[float, float]) -> tuple[float, float]:
        """Row and column in it of what stands still and is now at `position`."""
        return tuple(p - moved for p, moved in zip(position, self._moved, strict=True))

    def distance(self, position: tuple[float, float]) -> float:
        """Pixels between what stands still and is now at `position` and where the target was; 0 if it is not known how the camera moved."""
        return math.dist(self.place(position), self._target) if self._moved is not None else 0.0

    def apart(self, position: tuple[float, float], sides: tuple[float, float]) -> bool:
        """Whether the target was surely elsewhere than what stands still and is now at `position`, of a height and a width."""
        if self._moved is None:
            return False
        return max(abs(p - q) / n for p, q, n in zip(self.place(position), self._target, sides, strict=True)) >= APART

    def shows(self, patch: np.ndarray, position: tuple[float, float], sides: tuple[float, float], angle: float) -> bool:
        """Whether a patch (`SIDE`, `SIDE`, 1), now at `position`, is about there in it."""
        return holds(cut(self._picture, self.step, self.place(position), sides, angle), patch, ALIKE)


def thinned(image: np.ndarray, step: int) -> np.ndarray:
    """Every so many pixels of a picture (H, W, C), grey: uint8, (H / step, W / step, 1)."""
    return grey(resize(image, tuple(max(n // step, 1) for n in image.shape[:2]), cv2.INTER_NEAREST))


def wide(picture: np.ndarray) -> np.ndarray:
    """A grey picture (H, W, 1) with about `WIDE` pixels along its longer side, float32; their numbers suit a Fourier transform."""
    share = min(WIDE / max(picture.shape), 1.0)
    shape = tuple(cv2.getOptimalDFTSize(max(round(n * share), 2)) for n in picture.shape[:2])
    return resize(picture, shape, cv2.INTER_AREA)[:, :, 0].astype(np.float32)


def cut(picture: np.ndarray, step: int, position: tuple[float, float], sides: tuple[float, float], angle: float) -> np.ndarray:
    """A rectangle of a picture by `thinned`, and `REACH` of it more to all sides, such that it alone is `SIDE` pixels high and wide.

    Its centre and sides are pixels of the picture as it was, its angle radians.
    """
    share, side = 1 + 2 * REACH, round(SIDE * (1 + 2 * REACH))
    centre, sides = tuple(p / step for p in position), [tuple(n * share / step for n in sides)]
    return resize_about(picture, centre, sides, (side, side), 1, [angle] if angle else None)[0]


def holds(around: np.ndarray, patch: np.ndarray, enough: float) -> bool:
    """Whether a part of a larger patch correlates enough with a smaller one."""
    return float(cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED).max()) > enough
