"""How sure it is that a target is where it was found: what it looks like there, what colour it has, and how far the response stands out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from trackers.patch import round_half_away

DOUBTFUL_BELOW, LOST_BELOW = 0.15, 0.05  # scores of a target that is doubtful, and lost, whatever is usual for it


@dataclass(frozen=True)
class Scoring:
    """How a score comes of what is seen: fitted to hard versions of development sequences, see docs/robustness.rst.

    Attributes
    ----------
    offset, sharpness, likeness : float
        The score is the logistic function of offset + sharpness ln(peak-to-sidelobe ratio) + likeness times the likeness + `COLOUR` times
        how strange the colour is. Without the last it is called colourless.
    drop : float
        Share of its usual score below which a target is doubtful. What comes in its place still has more of that where a score is mostly
        of the response, or of one kind of features.
    lost : float
        Share of its level below which a target that has been lost for a while stays so; see `Verdict`.
    """

    offset: float
    sharpness: float
    likeness: float
    drop: float = 0.5
    lost: float = 0.25


# By what it is that looks alike, and by how far the response of the filter stands out.
SEVERAL = Scoring(-4.1, 0.33, 5.9)  # ECO's and STRCF's on several kinds of features
DEEP_STRCF = Scoring(-5.5, 0.75, 7.7, drop=0.65, lost=0.3)
BACF = Scoring(-6.8, 2.0, 9.0, drop=0.65, lost=0.5)
HANDCRAFTED_WINDOW = Scoring(-3.15, 0.18, 7.05, lost=0.4)
LEVEL_WINDOW = Scoring(-5.5, 1.2, 3.1, lost=0.35)
MOSSE = Scoring(-5.2, 0.7, 5.8, drop=0.65, lost=0.32)

# A target is said to be lost with a score below a share of its level, and until it is above one that rises to twice that: when it has gone,
# the likeliest of many places is taken for it, which is seldom without any likeness. The level falls slowly, so as not to follow that.
AT_ONCE = 0.5  # of `Scoring.lost`
RISING = 10  # frames
FADING = 0.02

COLOUR = -1.5  # of the score, see `Scoring`
# A colour is as strange as its change exceeds so many times the usual one (`trackers.tint`): that of what was found elsewhere, or has been
# doubted; and that of a target that is where it was expected, which may turn, or go into other light.
TOLERANCE_ELSEWHERE, TOLERANCE_HERE = 1.0, 2.0

# Of the evidence for a target at which a filter looks that has not learnt for a while, and so has not learnt what is there instead:
# how far the response stands out says more then.
LIKENESS_TO_SHARPNESS, COLOUR_TO_SHARPNESS = 3.0, -1.0
EVIDENCE = 7.0  # that is usual for a target of which nothing has been seen but the first frame

LOBE = 0.15  # of the response's side, to either side of the peak: what belongs to it
RATE = 0.1  # at which the known appearance, and what is usual, follow the target
KNOWN_FROM = 0.5  # score of frames that surely show the target, and what it looks like


class Confidence:
    """Scores and evidence for where a target was found; it learns what the target looks like.

    Parameters
    ----------
    scoring : Scoring
    cells : sequence of ndarray, float32, (C, h, w)
        What the target's features are on the first frame: one block for each kind, each from `target_cells`.

    Attributes
    ----------
    usual_evidence : float
        Running mean of the evidence for what is believed to be the target.
    """

    def __init__(self, scoring: Scoring, cells: Sequence[np.ndarray]):
        self._scoring, self._known = scoring, list(cells)
        self._usual: float | None = None  # score
        self.usual_evidence = EVIDENCE

    def judge(self, response: np.ndarray, cells: Sequence[np.ndarray], strangeness: float) -> tuple[float, float, float]:
        """Score and colourless score, both in [0, 1], and evidence.

        Parameters
        ----------
        response : ndarray, float32, (H, W)
        cells : sequence of ndarray, float32, (C, h, w)
            Features of what is taken for the target.
        strangeness : float
            Of its colour, at least 0.
        """
        scoring, sharpness, likeness = self._scoring, math.log(max(peak_to_sidelobe(response), 1.0)), self.likeness(cells)
        logit = scoring.offset + scoring.sharpness * sharpness + scoring.likeness * likeness
        evidence = sharpness + LIKENESS_TO_SHARPNESS * likeness + COLOUR_TO_SHARPNESS * strangeness
        return _logistic(logit + COLOUR * strangeness), _logistic(logit), evidence

    def likeness(self, cells: Sequence[np.ndarray]) -> float:
        """Mean over the blocks of the cosine between their features and the known ones, in [-1, 1]; 0 for a flat one."""
        return sum(map(cosine, cells, self._known)) / len(self._known)

    def doubts(self, score: float) -> bool:
        """Whether a score is too low for a target, or much lower than it was before."""
        return self.falls_below(self._scoring.drop, score)

    def falls_below(self, share: float, score: float) -> bool:
        """Whether a score is too low for a target, or below a share of what is usual."""
        return score < max(DOUBTFUL_BELOW, share * (self._usual or 0.0))

    def learn(self, score: float, cells: Sequence[np.ndarray], evidence: float) -> None:
        """Take in the score, the features and the evidence of what is believed to be the target."""
        self._usual = score if self._usual is None else self._usual + RATE * (score - self._usual)
        self.usual_evidence += RATE * (evidence - self.usual_evidence)
        if score >= KNOWN_FROM:
            self._known = [known + np.float32(RATE) * (block - known) for block, known in zip(cells, self._known, strict=True)]


class Verdict:
    """Whether a target is lost, by its scores, with hysteresis; `Confidence.doubts` is quicker, for it costs little to look again.

    Parameters
    ----------
    scoring : Scoring
        By which it is scored.
    """

    def __init__(self, scoring: Scoring):
        self._scoring, self._level = scoring, 0.0
        self._lost = 0  # frames in a row

    def __call__(self, score: float) -> bool:
        """Take in the score of the next frame."""
        share = self._scoring.lost * (AT_ONCE + (1 - AT_ONCE) * min(self._lost / RISING, 1))
        if score < max(LOST_BELOW, share * self._level):
            self._lost += 1
            return True
        self._lost = 0
        rate = 1.0 if self._level == 0 else RATE if score > self._level else FADING
        self._level += rate * (score - self._level)
        return False


def _logistic(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def target_cells(block: np.ndarray, centre: tuple[float, float], size: tuple[float, float]) -> np.ndarray:
    """The target out of a block of features, bilinear between the cells, less each channel's mean, and of length one.

    Parameters
    ----------
    block : ndarray, float32, (C, n, m)
    centre : (float, float)
        Row and column of the target's centre, in cells; a target that reaches out of the block is moved into it.
    size : (float, float)
        Its height and width in cells.

    Returns
    -------
    ndarray, float32, (C, h, w)
        Zeros if the target is flat.
    """
    counts = [min(max(round_half_away(side), 1), n) for side, n in zip(size, block.shape[1:], strict=True)]
    limits = [(middle - (count - 1) / 2, n - count) for middle, count, n in zip(centre, counts, block.shape[1:], strict=True)]
    top, left = (float(min(max(first, 0), last)) for first, last in limits)
    return unit_cells(block, top, left, counts[0], counts[1])


@njit(cache=True, nogil=True)
def unit_cells(block: np.ndarray, top: float, left: float, rows: int, columns: int) -> np.ndarray:
    """`target_cells` of `rows` x `columns` cells whose first is at (top, left)."""
    out = np.empty((len(block), rows, columns), np.float32)
    row, column = min(int(top), block.shape[1] - rows), min(int(left), block.shape[2] - columns)
    down, right = int(row + rows < block.shape[1]), int(column + columns < block.shape[2])  # whether there are cells to go between
    share_y, share_x, energy = np.float32(top - row), np.float32(left - column), 0.0
    for channel in range(len(block)):
        total = 0.0
        for y in range(rows):
            near, far = block[channel, row + y], block[channel, row + y + down]
            for x in range(columns):
                at, beside = column + x, column + x + right
                upper = near[at] + share_x * (near[beside] - near[at])
                lower = far[at] + share_x * (far[beside] - far[at])
                out[channel, y, x] = upper + share_y * (lower - upper)
                total += out[channel, y, x]
        mean = np.float32(total / (rows * columns))
        for y in range(rows):
            for x in range(columns):
                out[channel, y, x] -= mean
                energy += out[channel, y, x] ** 2
    return out / np.float32(np.sqrt(energy)) if energy > 0 else out


@njit(cache=True, nogil=True)
def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Cosine of the angle between two contiguous arrays of one shape; 0 if one of them is zero."""
    a, b, product, energy_a, energy_b = a.ravel(), b.ravel(), 0.0, 0.0, 0.0
    for i in range(a.size):
        product += a[i] * b[i]
        energy_a += a[i] * a[i]
        energy_b += b[i] * b[i]
    return product / np.sqrt(energy_a * energy_b) if energy_a > 0 and energy_b > 0 else 0.0


def peak_to_sidelobe(response: np.ndarray) -> float:
    """By how many standard deviations the highest value of a periodic response (H, W) exceeds the mean of all but its lobe; 0 if flat."""
    place = divmod(int(np.argmax(response)), response.shape[1])
    height = float(response[place])
    mean, deviation = sidelobe(response, *place, *(int(LOBE * n) for n in response.shape))
    return (height - mean) / deviation if deviation > 0 else 0.0


@njit(cache=True, nogil=True)
def sidelobe(response: np.ndarray, row: int, column: int, rows: int, columns: int) -> tuple[float, float]:
    """Mean and standard deviation of what is more than `rows` or `columns` away from (row, column), across the borders."""
    height, width = response.shape
    total = squares = 0.0
    for y in range(height):
        for x in range(width):
            value = np.float64(response[y, x])
            total += value
            squares += value * value
    for dy in range(-rows, rows + 1):
        for dx in range(-columns, columns + 1):
            value = np.float64(response[(row + dy) % height, (column + dx) % width])
            total -= value
            squares -= value * value
    count = height * width - (2 * rows + 1) * (2 * columns + 1)
    mean = total / count
    return mean, np.sqrt(max(squares / count - mean * mean, 0.0))
