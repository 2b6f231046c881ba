"""What colour a target has: what has another one may be something else."""

import math

import numpy as np

from trackers.opencv import cv2

MIDDLE = 0.6  # of a box's height and width, in which its colour is seen
DARK = 4  # grey values that are added to each channel, so that noise in the dark has no colour
RATE = 0.1  # at which the known colour, and its usual change, follow the target
USUAL = 0.05  # its usual change at first
LEAST = 0.02  # added to that, so that a colour that has hardly changed so far is not another one at once


class Tint:
    """The mean colour of a target, whatever its brightness, and how much it usually changes."""

    def __init__(self):
        self._known: np.ndarray | None = None
        self._usual = np.full(2, USUAL)

    def learn(self, image: np.ndarray, position: tuple[float, float], sides: tuple[float, float]) -> None:
        """Take in a picture (H, W, C), R, G, B or grey, in which the target, of a height and a width, surely is at a row and column."""
        tint = tint_at(image, position, sides)
        if tint is None:
            return
        if self._known is None:
            self._known = tint
        self._usual = self._usual + RATE * (np.abs(tint - self._known) - self._usual)
        self._known = self._known + RATE * (tint - self._known)

    def change(self, image: np.ndarray, position: tuple[float, float], sides: tuple[float, float]) -> float:
        """How many times as far as usual the colour of what is seen at a row and column is from the known one: the larger one of both
        logarithms.

        It is at least 0, and that where no colour is known, as in grey pictures.
        """
        tint = tint_at(image, position, sides)
        return 0.0 if tint is None or self._known is None else float((np.abs(tint - self._known) / (self._usual + LEAST)).max())


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
