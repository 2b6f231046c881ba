"""How sure it is that a target is where it was found: what it looks like there, and how far the response stands out."""

import math
from collections.abc import Sequence

import numpy as np

from trackers.patch import round_half_away

# The score is a logistic function of the logarithm of the peak-to-sidelobe ratio and of the likeness, fitted to hard versions of
# development sequences: see docs/robustness.rst.
OFFSET, SHARPNESS, LIKENESS = -4.1, 0.33, 5.9

LOBE = 0.15  # of the response's side, to either side of the peak: what belongs to it
RATE = 0.1  # at which the known appearance follows the target, in frames that are surely of it
KNOWN_FROM = 0.5  # score of such frames


class Confidence:
    """A score for where a target was found; it learns what the target looks like.

    Parameters
    ----------
    cells : sequence of ndarray, (C, h, w)
        What the target's features are on the first frame: one block for each kind; see `target_cells`.
    """

    def __init__(self, cells: Sequence[np.ndarray]):
        self._known = [_unit(block) for block in cells]

    def score(self, response: np.ndarray, cells: Sequence[np.ndarray]) -> float:
        """Score in [0, 1] of a response (H, W) and the features of what is taken for the target."""
        evidence = OFFSET + SHARPNESS * math.log(max(peak_to_sidelobe(response), 1.0)) + LIKENESS * self.likeness(cells)
        return 1 / (1 + math.exp(-evidence))

    def likeness(self, cells: Sequence[np.ndarray]) -> float:
        """Mean over the blocks of the cosine between their features and the known ones, in [-1, 1]."""
        cosines = [float(np.vdot(_unit(block), _unit(known))) for block, known in zip(cells, self._known, strict=True)]
        return sum(cosines) / len(cosines)

    def learn(self, cells: Sequence[np.ndarray]) -> None:
        """Take in what the target looks like now."""
        self._known = [known + np.float32(RATE) * (_unit(block) - known) for block, known in zip(cells, self._known, strict=True)]


def target_cells(block: np.ndarray, centre: tuple[float, float], size: tuple[float, float]) -> np.ndarray:
    """The target out of a block (C, n, m), (C, h, w): bilinear between the cells.

    Parameters
    ----------
    block : ndarray, (C, n, m)
    centre : (float, float)
        Row and column of the target's centre, in cells; a target that reaches out of the block is moved into it.
    size : (float, float)
        Its height and width in cells.
    """
    for axis, (middle, side) in enumerate(zip(centre, size, strict=True), start=1):
        n = block.shape[axis]
        count = min(max(round_half_away(side), 1), n)
        first = min(max(middle - (count - 1) / 2, 0.0), n - count)
        whole = min(int(first), n - count)
        share, cells = np.float32(first - whole), np.take(block, range(whole, min(whole + count + 1, n)), axis)
        near, far = (np.take(cells, range(shift, shift + count), axis) for shift in (0, cells.shape[axis] - count))
        block = near + share * (far - near)
    return block


def peak_to_sidelobe(response: np.ndarray) -> float:
    """By how many standard deviations the highest value of a periodic response (H, W) exceeds the mean of all but its lobe; 0 if flat."""
    place = np.unravel_index(np.argmax(response), response.shape)
    near = [np.arange(at - int(LOBE * n), at + int(LOBE * n) + 1) % n for at, n in zip(place, response.shape, strict=True)]
    lobe, whole = response[np.ix_(*near)].astype(np.float64), response.astype(np.float64)
    count = whole.size - lobe.size
    mean = (whole.sum() - lobe.sum()) / count
    variance = ((whole**2).sum() - (lobe**2).sum()) / count - mean**2
    return float((whole[place] - mean) / math.sqrt(variance)) if variance > 0 else 0.0


def _unit(cells: np.ndarray) -> np.ndarray:
    """Without each channel's mean, and of length one; zeros if flat."""
    cells = cells - cells.mean((1, 2), keepdims=True)
    length = float(np.linalg.norm(cells))
    return cells / np.float32(length) if length > 0 else cells
