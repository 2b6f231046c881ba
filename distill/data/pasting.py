"""Pasting of foreign things into a crop: look-alikes beside the target, and something that hides a part of it.

Boxes in a crop are (row, column) centres and (height, width) sizes in its pixels.
"""

import numpy as np

from trackers.opencv import cv2

TRIES = 16  # places that are tried for a thing
MASK_SIDE = 64
MASK_EDGE = 0.2  # of the mask's half, over which it fades


def _soft_mask() -> np.ndarray:
    """Opacity, float32, (MASK_SIDE, MASK_SIDE): a rounded square that fades at its edge, so that no straight line betrays it."""
    axis = np.abs(np.linspace(-1, 1, MASK_SIDE, dtype=np.float32)) ** 4
    radius = (axis[:, None] + axis) ** 0.25
    return np.clip((1 - radius) / MASK_EDGE, 0, 1)


MASK = _soft_mask()


def paste(crop: np.ndarray, thing: np.ndarray, centre: np.ndarray) -> None:
    """Blend a picture of a thing (h, w, 3) into a crop (side, side, 3), both uint8, around `centre`; what is outside is cut off."""
    shape = np.array(thing.shape[:2])
    first = np.rint(centre - (shape - 1) / 2).astype(int)
    low, high = np.maximum(first, 0), np.minimum(first + shape, crop.shape[:2])
    if (low >= high).any():
        return
    (top, left), (bottom, right) = (low - first).tolist(), (high - first).tolist()
    mask = cv2.resize(MASK, thing.shape[1::-1], interpolation=cv2.INTER_LINEAR)[top:bottom, left:right, None]
    under = crop[low[0] : high[0], low[1] : high[1]]
    under[:] = under + mask * (thing[top:bottom, left:right].astype(np.float32) - under) + 0.5


def free_place(side: int, size: np.ndarray, target: tuple[np.ndarray, np.ndarray], overlap: float, rng: np.random.Generator):
    """A random place beside the target.

    Parameters
    ----------
    side : int
        Of the crop, which the thing's centre does not leave.
    size : ndarray, (2,)
        Height and width of the thing.
    target : (ndarray, ndarray), (2,) each
        Centre and size of the target.
    overlap : float
        Share of the smaller of the two that the other may cover at most.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, (2,), or None
        Centre; None if no place was found.
    """
    centres = rng.uniform(0, side - 1, (TRIES, 2))
    covered = shared(centres, size, *target) / min(size.prod(), target[1].prod())
    found = centres[covered <= overlap]
    return found[0] if len(found) else None


def shared(centres: np.ndarray, size: np.ndarray, centre: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Area that boxes around `centres` (N, 2) of one `size` share with one of size `other` around `centre`: (N,)."""
    sides = (size + other) / 2 - np.abs(centres - centre)
    return np.clip(sides, 0, np.minimum(size, other)).prod(-1)


def hidden_part(centre: np.ndarray, size: np.ndarray, share: float, edge: int) -> tuple[np.ndarray, np.ndarray]:
    """Centre and size of the part of a box that something hides, which comes in from an edge.

    Parameters
    ----------
    centre, size : ndarray, (2,)
        Of the box.
    share : float
        Of the box's area.
    edge : int
        0 top, 1 left, 2 bottom, 3 right.
    """
    axis, sign = edge % 2, 1 if edge >= 2 else -1
    part, middle = size.copy(), centre.copy()
    part[axis] *= share
    middle[axis] += sign * (size[axis] - part[axis]) / 2
    return middle, part
