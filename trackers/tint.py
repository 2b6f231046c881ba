"""What colour a target has: what has another one may be something else."""

import math

import numpy as np

from trackers.opencv import cv2

MIDDLE = 0.6  # of a box's height and width, in which its colour is seen
DARK = 4  # grey values that are added to each channel, so that noise in the dark has no colour
RATE = 0.1  # at which the known colour, and its usual change, follow the target
USUAL = 0.05  # its usual change at first
LEAST = 0.02  # added to that, so that a colour that has hardly changed so far is not another one at once
STEP = 8  # pixels of the whole picture of which one is looked at, along rows and columns


class Tint:
    """The mean colour of a target, whatever its brightness, and how much it usually changes.

    Where the light or the white balance changes, so does the whole picture: what then has the colour that the target should have by now is
    no more strange than what still has its old one.
    """

    def __init__(self):
        self._known: np.ndarray | None = None  # (2, 2): of the target, and of the whole picture
        self._usual = np.full(2, USUAL)  # of the target

    def learn(self, image: np.ndarray, position: tuple[float, float], sides: tuple[float, float], rate: float = RATE) -> None:
        """Take in a picture (H, W, C), R, G, B or grey, in which the target, of a height and a width, is at a row and column.

        `rate` is the share of it in what is known afterwards: less than usual where it is not sure that it is the target.
        """
        tint = tint_at(image, position, sides)
        if tint is None:
            return
        tints = np.stack([tint, tint_of(image[::STEP, ::STEP])])
        if self._known is None:
            self._known = tints
        self._usual = self._usual + rate * (np.abs(tint - self._known[0]) - self._usual)
        self._known = self._known + rate * (tints - self._known)

    def change(self, image: np.ndarray, position: tuple[float, float], sides: tuple[float, float]) -> float:
        """How many times as far as usual the colour of what is seen at a row and column is from the known one: the larger one of both
        logarithms; the same beside the change of the whole picture, if that is less.

        It is at least 0, and that where no colour is known, as in grey pictures.
        """
        tint = tint_at(image, position, sides)
        if tint is None or self._known is None:
            return 0.0
        differs = tint - self._known[0]
        changed = tint_of(image[::STEP, ::STEP]) - self._known[1]
        return min(float((np.abs(by) / (self._usual + LEAST)).max()) for by in (differs, differs - changed))


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
    return None if middle.size == 0 or middle.shape[2] == 1 else tint_of(middle)


def tint_of(image: np.ndarray) -> np.ndarray:
    """Logarithms of red and blue over green, (2,), of the mean of a picture (H, W, 3), uint8, R, G, B."""
    red, green, blue, _ = (math.log(mean + DARK) for mean in cv2.mean(image))
    return np.array([red - green, blue - green])
