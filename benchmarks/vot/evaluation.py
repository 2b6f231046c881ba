"""Accuracy, robustness and expected average overlap of runs with resets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from benchmarks.regions import raster_overlap
from benchmarks.vot.files import FAILED, INITIALISED, Trajectory, codes

BURN_IN = 10  # frames from each initialisation on that do not count for accuracy

# Lengths in frames, first and last, over which a year's expected average overlap is the mean.
INTERVALS = {"vot2015": (108, 371), "vot2016": (108, 371), "vot2017": (100, 356), "vot2018": (100, 356)}


@dataclass(frozen=True, eq=False)
class Run:
    """One run over a sequence of N frames.

    Attributes
    ----------
    codes : ndarray, int, (N,)
        What happened in each frame; see `benchmarks.vot.files`.
    overlaps : ndarray, float64, (N,)
        With the truth; NaN in frames without a region.
    """

    codes: np.ndarray
    overlaps: np.ndarray

    @classmethod
    def of(cls, trajectory: Trajectory, truth: np.ndarray, size: tuple[int, int], overlap: Callable[..., float] = raster_overlap) -> "Run":
        """Compare a trajectory with the truth, boxes (N, 4) or polygons (N, 2 K), in pictures of that width and height."""
        values = [overlap(found, true, size) if len(found) > 1 else np.nan for found, true in zip(trajectory, truth, strict=True)]
        return cls(codes(trajectory), np.array(values))

    @property
    def failures(self) -> int:
        """How often the target was lost."""
        return int((self.codes == FAILED).sum())

    def settled(self) -> np.ndarray:
        """The overlaps without the burn-in, (N,): NaN in the first `BURN_IN` frames from each initialisation on."""
        overlaps = self.overlaps.copy()
        for start in np.flatnonzero(self.codes == INITIALISED):
            overlaps[start : start + BURN_IN] = np.nan
        return overlaps

    def fragments(self) -> list[tuple[np.ndarray, bool]]:
        """Overlaps from each initialisation, that frame included as zero, to the failure or the end, and whether it was a failure."""
        starts, ends = (np.flatnonzero(self.codes == code) for code in (INITIALISED, FAILED))
        return [(np.nan_to_num(self.overlaps[start:end]), end is not None) for start, end in zip_longest(starts, ends)]


Runs = Sequence[Sequence[Run]]  # for each sequence the repeated runs


def pooled_accuracy(runs: Runs) -> float:
    """Mean overlap over all frames of all sequences, of each frame that over the runs that count it; NaN if none counts any."""
    return _mean(np.concatenate([_mean_of_columns(np.stack([run.settled() for run in repeated])) for repeated in runs]))


def failures(runs: Runs) -> float:
    """Failures on all sequences together, of each the mean over its runs."""
    return float(sum(np.mean([run.failures for run in repeated]) for repeated in runs))


def weighted_accuracy(runs: Runs) -> float:
    """Accuracy of each sequence, weighted by its length, as in the VOT toolkit 0.7.4: a run without a frame that counts has 0."""
    means = [np.mean([np.nan_to_num(_mean(run.settled())) for run in repeated]) for repeated in runs]
    return float(np.average(means, weights=[len(repeated[0].codes) for repeated in runs]))


def weighted_robustness(runs: Runs) -> float:
    """Failures on each sequence, weighted by its length, as in the VOT toolkit 0.7.4."""
    means = [np.mean([run.failures for run in repeated]) for repeated in runs]
    return float(np.average(means, weights=[len(repeated[0].codes) for repeated in runs]))


def expected_overlap_curve(runs: Runs, convention: str = "matlab") -> np.ndarray:
    """Expected average overlap of sequences of 1, 2 .. L frames, (L,); 0 for a single frame.

    Runs are cut at failures. A fragment that ends in a failure goes on with zeros for ever; another exists up to its length.

    Parameters
    ----------
    runs : sequence of sequence of Run
        For each sequence the repeated runs. VOT's MATLAB toolkit takes their overlaps in pictures one pixel smaller.
    convention : {'matlab', 'toolkit'}
        ``matlab``: up to the longest sequence, all sequences weigh alike. ``toolkit``: as 0.7.4, up to the longest fragment, all runs
        weigh alike.

    Returns
    -------
    ndarray, float64, (L,)
        NaN where no fragment is so long.
    """
    matlab = convention == "matlab"
    pieces = [(*piece, 1 / len(repeated) if matlab else 1) for repeated in runs for run in repeated for piece in run.fragments()]
    length = max(len(repeated[0].codes) for repeated in runs) if matlab else max(len(overlaps) for overlaps, _, _ in pieces)
    total, weights = np.zeros(length), np.zeros(length)
    for overlaps, failed, weight in pieces:
        exists = length if failed else len(overlaps)
        sums = np.zeros(exists)
        sums[1 : len(overlaps)] = overlaps[1:]
        total[:exists] += weight * sums.cumsum() / np.maximum(np.arange(exists), 1)
        weights[:exists] += weight
    return np.divide(total, weights, out=np.full(length, np.nan), where=weights > 0)


def expected_overlap(curve: np.ndarray, interval: tuple[int, int], convention: str = "matlab") -> float:
    """Mean of the curve over the interval of lengths.

    Parameters
    ----------
    curve : ndarray, (L,)
        From `expected_overlap_curve`.
    interval : (int, int)
        One of `INTERVALS`.
    convention : {'matlab', 'toolkit'}
        ``matlab``: lengths low .. high, NaN if the curve does not reach them. ``toolkit``: as 0.7.4, lengths low + 1 .. high + 1, of which
        those count that the curve has.
    """
    low, high = interval
    if convention == "matlab":
        return float(curve[low - 1 : high].mean()) if len(curve) >= high else np.nan
    return float(curve[low : high + 1].mean()) if len(curve) > low else np.nan


def _mean(values: np.ndarray) -> float:
    """Of what is not NaN; NaN if all is."""
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if len(kept) else np.nan


def _mean_of_columns(values: np.ndarray) -> np.ndarray:
    """`_mean` of each column."""
    counts = (~np.isnan(values)).sum(axis=0)
    return np.divide(np.nansum(values, axis=0), counts, out=np.full(values.shape[1], np.nan), where=counts > 0)
