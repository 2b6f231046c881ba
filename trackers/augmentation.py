"""Changed views of the first frame, so that a filter learnt from one picture bears flips, rotations and blur.

After Bhat et al., "Unveiling the power of deep tracking", 2018.
"""

import math

import numpy as np

from trackers.opencv import cv2
from trackers.patch import crop

ROTATIONS = (15, -15, 35, -35)  # degrees
BLUR = 1 / 40  # standard deviation over the side of the target
MOTION = 1 / 5  # length of the motion blur over the side of the target


def views(
    image: np.ndarray, position: tuple[float, float], place: tuple[int, int], side: float, target: float, step: int
) -> tuple[list[np.ndarray], int]:
    """The surroundings of a target, changed about its centre: mirrored, rotated four ways, blurred, and blurred by motion.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, C)
    position : (float, float)
        Row and column of the target's centre.
    place : (int, int)
        Row and column that are the middle of the views.
    side, target : float
        Sides in pixels of the square that is needed and of the target, sqrt(w h).
    step : int
        Every so many pixels one is taken.

    Returns
    -------
    list of ndarray, uint8, (n, n, C)
    middle : int
        Row, and column, of `place` in them.
    """
    middle = math.ceil(side / step / math.sqrt(2)) + 1  # so that a rotated square is filled
    around = crop(image, (place[0] - step * middle, place[1] - step * middle), (2 * middle + 1, 2 * middle + 1), step)
    row, column = (middle + (p - q) / step for p, q in zip(position, place, strict=True))
    mirror = np.array([[-1.0, 0.0, 2 * column], [0.0, 1.0, 0.0]])
    turns = [cv2.getRotationMatrix2D((column, row), degrees, 1.0) for degrees in ROTATIONS]
    warped = [cv2.warpAffine(around, matrix, around.shape[1::-1], borderMode=cv2.BORDER_REPLICATE) for matrix in (mirror, *turns)]
    length = 2 * round(target / step * MOTION / 2) + 1
    blurred = [cv2.GaussianBlur(around, (0, 0), max(target / step * BLUR, 0.5)), cv2.blur(around, (length, 1))]
    return [view.reshape(around.shape) for view in (*warped, *blurred)], middle
