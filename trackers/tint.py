"""What colour a target has: what is found elsewhere, and has another one, is something else."""

import math

import numpy as np

from trackers.opencv import cv2

MIDDLE = 0.6  # of a box's height and width, in which its colour is seen
DARK = 4  # grey values that are added to each channel, so that noise in the dark has no colour
RATE = 0.1  # at which colour and spread follow the target
LEAST, TIMES = 0.1, 4  # logarithm of a ratio of channels by which another colour differs, at least; times what is usual for the target


class Tint:
    """The mean colour of a target, whatever its brightness, and how much it changes."""

    def __init__(self):
        self._usual: np.ndarray | None = None
        self._spread = 0.0  # mean difference from the usual colour

    def learn(self, image: np.ndarray, position: tuple[float, float], sides: tuple[float, float]) -> None:
        """Take in a picture (H, W, C), R, G, B or grey, in which the target, of a height and a width, surely is at a row and column."""
        tint = tint_at(image, position, sides)
        if tint is None:
            return
        if self._usual is None:
            self._usual = tint
        self._spread += RATE * (self._difference(tint) - self._spread)
        self._usual = self._usual + RATE * (tint - self._usual)

    def differs(self, image: np.ndarray, position: tuple[float, float], sides: tuple[float, float]) -> bool:
        """Whether what is seen at a row and column has another colour; False where nothing is known of that, as in grey pictures."""
        tint = tint_at(image, position, sides)
        known = tint is not None and self._usual is not None
        return known and self._difference(tint) > max(LEAST, TIMES * self._spread)

    def _difference(self, tint: np.ndarray) -> float:
        return float(np.abs(tint - self._usual).max())


def tint_at(image: np.ndarray, position: tuple[float, float], sides: tuple[float, float]) -> np.ndarray | None:
    """Logarithms of red and blue over green, (2,), of the mean of what is in the middle of a box; None in grey or outside the picture.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, C)
    position : (float, float)
        Row and column of the box's centre.
    sides : (float, float)
        Its height and width in pixels.
    """
    ends = [(int(p - MIDDLE * n / 2), int(p + MIDDLE * n / 2) + 1) for p, n in zip(position, sides, strict=True)]
    middle = image[tuple(slice(max(first, 0), max(end, 0)) for first, end in ends)]
    if middle.size == 0 or middle.shape[2] == 1:
        return None
    red, green, blue, _ = (math.log(mean + DARK) for mean in cv2.mean(middle))
    return np.array([red - green, blue - green])
