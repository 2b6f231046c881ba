"""What a report is made from: trackers on the targets that all of them have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.stats import binomtest

from benchmarks import sequences
from benchmarks.bootstrap import FEWEST, paired_bootstrap
from benchmarks.datasets.otb import ATTRIBUTES
from benchmarks.metrics import INVALID, average_overlap
from benchmarks.report.conventions import Values

TIE = 0.005  # of AUC
BINS = 50  # of a video's time
_ORDER = {name: place for place, name in enumerate(ATTRIBUTES)}


@dataclass(frozen=True, eq=False)
class Track:
    """One tracker on one target of N frames.

    Attributes
    ----------
    boxes : ndarray, (N, 4)
        x, y, w, h, 0-based.
    seconds : ndarray, (N,), or None
        What each frame took; the first is that of the initialisation.
    values : Values
        Against the truth.
    """

    boxes: np.ndarray
    seconds: np.ndarray | None
    values: Values

    def over_time(self) -> np.ndarray:
        """Mean overlap in each of `BINS` equal parts of the video; a short video has frames in several parts. NaN: none is annotated."""
        overlaps = self.values.overlaps
        edges = np.arange(BINS + 1) * len(overlaps) // BINS
        overlaps = np.where(overlaps == INVALID, np.nan, np.nan_to_num(overlaps))
        return np.array([_mean(overlaps[first : max(last, first + 1)]) for first, last in pairwise(edges)])


MEASURES = {
    "AUC": lambda values: values.success.mean(),
    "P20": lambda values: values.precision[20],
    "Pnorm@0.2": lambda values: values.normalised[20],
    "Pnorm-AUC": lambda values: values.normalised.mean(),
    "SR0.5": lambda values: values.success[10],
    "AO": lambda values: average_overlap(values.overlaps),
}


@dataclass(frozen=True)
class Speed:
    """What updates of a tracker took on all targets together.

    Attributes
    ----------
    fps : float
        Frames by the sum of their times; both without first frames.
    median, p95 : float
        Milliseconds of an update.
    first : float
        Milliseconds of an initialisation; median over targets.
    """

    fps: float
    median: float
    p95: float
    first: float


@dataclass(frozen=True)
class Difference:
    """How much better one tracker is than another.

    Attributes
    ----------
    mean : float
        Of the differences of AUC over targets.
    interval : (float, float) or None
        Of 95 %; None where there are too few videos.
    wins, ties, losses : int
        Targets; a tie is a difference below `TIE`.
    p : float
        Of the sign test, a second opinion.
    """

    mean: float
    interval: tuple[float, float] | None
    wins: int
    ties: int
    losses: int
    p: float

    @property
    def verdict(self) -> str:
        """'better' or 'worse' where the interval excludes zero, else 'open'."""
        low, high = self.interval or (-1, 1)
        return "better" if low > 0 else "worse" if high < 0 else "open"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Trackers on the targets that all of them have.

    Attributes
    ----------
    targets : sequence of Sequence
    tracks : mapping of str to mapping of str to Track
        By tracker, the best by AUC first, and name of the target; those of `targets` and no others.
    """

    targets: Sequence[sequences.Sequence]
    tracks: Mapping[str, Mapping[str, Track]]

    @classmethod
    def of(cls, targets: Sequence[sequences.Sequence], tracks: Mapping[str, Mapping[str, Track]]) -> "Evaluation":
        """Keep the targets that all trackers have, and put the trackers in order."""
        common = [target for target in targets if all(target.name in found for found in tracks.values())]
        evaluation = cls(common, tracks)
        order = sorted(tracks, key=lambda tracker: -_mean(evaluation.values(tracker)))
        return cls(common, {tracker: {target.name: tracks[tracker][target.name] for target in common} for tracker in order})

    @cached_property
    def videos(self) -> list[str]:
        """That of each target."""
        return [target.video for target in self.targets]

    @cached_property
    def attributes(self) -> dict[str, np.ndarray]:
        """Places of the targets (n,) that have each attribute, in the order of the paper's tables; others behind by name."""
        names = {name for target in self.targets for name in target.attributes}
        names = sorted(names, key=lambda name: (_ORDER.get(name, len(_ORDER)), name))
        return {name: np.flatnonzero([name in target.attributes for target in self.targets]) for name in names}

    def values(self, tracker: str, name: str = "AUC") -> np.ndarray:
        """One of `MEASURES` for each target, (S,), in [0, 1]."""
        return np.array([MEASURES[name](self.tracks[tracker][target.name].values) for target in self.targets])

    def mean(self, tracker: str, name: str = "AUC") -> float:
        """One of `MEASURES` as the mean over targets."""
        return float(self.values(tracker, name).mean())

    def interval(self, values: np.ndarray) -> tuple[float, float] | None:
        """The 95 % interval of the mean of one value (S,) for each target; None where there are too few videos."""
        return paired_bootstrap(values, groups=self.videos) if len(set(self.videos)) >= FEWEST else None

    def difference(self, tracker: str, other: str) -> Difference:
        """Compare two trackers."""
        differences = self.values(tracker) - self.values(other)
        wins, losses = int((differences >= TIE).sum()), int((differences <= -TIE).sum())
        p = float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0
        return Difference(float(differences.mean()), self.interval(differences), wins, len(differences) - wins - losses, losses, p)

    def speed(self, tracker: str) -> Speed | None:
        """None where times of some target are missing."""
        found = [track.seconds for track in self.tracks[tracker].values()]
        if any(seconds is None for seconds in found):
            return None
        updates = np.concatenate([seconds[1:] for seconds in found])
        if not updates.sum():
            return None
        median, p95 = 1000 * np.percentile(updates, (50, 95))
        first = 1000 * np.median([seconds[0] for seconds in found])
        return Speed(float(len(updates) / updates.sum()), float(median), float(p95), float(first))

    def curve(self, tracker: str, kind: str) -> np.ndarray:
        """Mean over targets of the curve ``success`` (21,) or ``precision`` (51,)."""
        return np.mean([getattr(track.values, kind) for track in self.tracks[tracker].values()], axis=0)


def _mean(values: np.ndarray) -> float:
    """Of what is not NaN; NaN if all is."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else np.nan
