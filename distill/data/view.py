"""A square crop around a target: moved, scaled, turned and mirrored in one go."""

import math

import numpy as np

from trackers.opencv import cv2


def view(
    picture: np.ndarray, centre: np.ndarray, scale: float, place: np.ndarray, side: int, degrees: float = 0.0, mirrored: bool = False
) -> np.ndarray:
    """The crop in which a point of the picture comes to lie at a given place.

    Parameters
    ----------
    picture : ndarray, uint8, (H, W, 3)
        Beyond it, its border is replicated.
    centre : ndarray, (2,)
        Row and column of the point.
    scale : float
        Pixels of the picture that make one of the crop. Where that is 1.5 and more, the nearest whole number of them is averaged first:
        bilinear interpolation alone would skip some.
    place : ndarray, (2,)
        Row and column of the point in the crop.
    side : int
        Pixels of the crop.
    degrees : float
        By how much the crop is turned about the point, in the picture plane.
    mirrored : bool
        Left and right exchanged about the point.

    Returns
    -------
    ndarray, uint8, (side, side, 3)
    """
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turn = scale * np.array([[cosine, -sine], [sine, cosine]])  # from the crop to the picture; x before y, as OpenCV has it
    if mirrored:
        turn[:, 0] *= -1
    origin = centre[::-1] - turn @ place[::-1]
    step = int(scale + 0.5)
    if step > 1:
        picture, first = _averaged(picture, origin, turn, side, step)
        turn, origin = turn / step, (origin - first + 0.5) / step - 0.5
    matrix = np.column_stack([turn, origin])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _averaged(picture: np.ndarray, origin: np.ndarray, turn: np.ndarray, side: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    """The part of the picture that a crop needs, shrunk `step` times, and the x and y of its first pixel in the picture."""
    corners = origin + np.array([(0, 0), (side, 0), (0, side), (side, side)]) @ turn.T
    limit = np.array(picture.shape[1::-1])
    first = np.clip(np.floor(corners.min(0)) - 2 * step, 0, limit - 1).astype(int)
    last = np.clip(np.ceil(corners.max(0)) + 2 * step, first + 1, limit).astype(int)
    size = np.maximum((last - first) // step, 1)  # what is left over at the far border is replicated instead
    (x, y), (width, height) = first.tolist(), (size * step).tolist()
    return cv2.resize(picture[y : y + height, x : x + width], size.tolist(), interpolation=cv2.INTER_AREA), first
