"""Changes of a crop, uint8, (side, side, 3), R, G, B, that leave everything where it is. All give a new array."""

import numpy as np

from trackers.opencv import cv2

LEVELS = np.arange(256, dtype=np.float32)


def defocus(crop: np.ndarray, sigma: float) -> np.ndarray:
    """Blur by a Gaussian of standard deviation `sigma` in pixels."""
    return cv2.GaussianBlur(crop, (0, 0), sigma)


def smear(crop: np.ndarray, length: float, along_rows: bool) -> np.ndarray:
    """Blur as by a steady motion along the rows or the columns, over `length` pixels, rounded to an odd number: an even one would move."""
    length = 2 * int(length / 2) + 1
    return cv2.blur(crop, (length, 1) if along_rows else (1, length))


def relight(crop: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Multiply red, green and blue by `factors` (3,); what becomes too bright is white."""
    table = np.minimum(np.outer(LEVELS, factors) + 0.5, 255).astype(np.uint8)
    return cv2.LUT(crop, table[:, None])


def grey(crop: np.ndarray) -> np.ndarray:
    """Take the colour away."""
    return cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
