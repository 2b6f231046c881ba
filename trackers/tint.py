"""What colour a target has: what has another one may be something else."""

import math

import numpy as np

from trackers.opencv import cv2

MIDDLE = 0.6  # of a box's height and width, in which its colour is seen
DARK = 4  # grey values that are added to each channel, so that noise in the dark has no colour
RATE = 0.1  # at which the known colour follows the target
USUAL = 0.05  # by how much that of the target differs from it anyway


class Tint:
    """The mean colour of a target, whatever its brightness."""

    def __init__(self):
        self._known: np.ndarray | None = None

    def learn(self, image: np.ndarray, position: tuple[float, float], sides: tuple[float, float]) -> None:
        """Take in a picture (H, W, C), R, G, B or grey, in which the target, of a height and a width, surely is at a row and column."""
        tint = tint_at(image, position, sides)
        if tint is not None:
            self._known = tint if self._known is None else self._known + RATE * (tint - self._known)

    def difference(self, image: np.ndarray, position: tuple[float, float], sides: tuple[float, float]) -> float:
        """By how much the colour of what is seen at a row and column is another: the larger change of both logarithms, less `USUAL`.

        It is at least 0, and that where no colour is known, as in grey pictures.
        """
        tint = tint_at(image, position, sides)
        return 0.0 if tint is None or self._known is None else max(float(np.abs(tint - self._known).max()) - USUAL, 0.0)


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
