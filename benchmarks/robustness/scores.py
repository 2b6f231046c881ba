"""How good `score` and `ok` are, and the coefficients behind them: ``python -m benchmarks.robustness.scores measure``, or ``fit``."""

import argparse
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks import threads

if __name__ == "__main__":
    threads.hold_libraries()

import joblib
import numpy as np
import scipy.optimize
import scipy.special
import scipy.stats

import trackers
from benchmarks import datasets, files, peers
from benchmarks.metrics import overlap
from benchmarks.report.tables import Column, Table, percent, plain
from benchmarks.robustness import hard
from benchmarks.robustness.answers import answers
from benchmarks.robustness.hard import HardClip
from trackers import confidence
from trackers.confidence import Confidence, Scoring
from trackers.errors import TrackerError, UnknownOptionError, VideoError
from trackers.opencv import cv2

FOUND = 0.5  # overlap above which a target is found
OPEN = 0.3  # share of its width that may be behind something where a target is in full view
GRACE = 10  # frame without the target, counted from 1, from which on `ok` must not be True
BINS = 10  # of scores

CONSTANTS = {value: name for name, value in vars(confidence).items() if isinstance(value, Scoring)}


# What trackers say


@dataclass(frozen=True, eq=False)
class Said:
    """What a tracker said of the frames of a clip whose truth is known, all but the first, M.

    Attributes
    ----------
    found : ndarray, bool, (M,)
        Whether the target was visible, and its box above an overlap of `FOUND`.
    gone : ndarray, int, (M,)
        For how many frames in a row, this one among them, the target has not been visible.
    ok : ndarray, bool, (M,)
    scores : ndarray, float64, (M,)
        NaN of a tracker that has none.
    covered : ndarray, float64, (M,)
        See `HardClip`; 0 where that is not known.
    """

    found: np.ndarray
    gone: np.ndarray
    ok: np.ndarray
    scores: np.ndarray
    covered: np.ndarray


@dataclass(frozen=True, eq=False)
class Signs:
    """What a tracker's scores are made of in the frames of a clip whose truth is known, all but the first, M.

    Attributes
    ----------
    tracker, video : str
    scoring : Scoring
        By which it scores.
    values : ndarray, float64, (M, 3)
        Logarithm of the peak-to-sidelobe ratio, likeness, and strangeness of the colour.
    found : ndarray, bool, (M,)
        See `Said`.
    """

    tracker: str
    video: str
    scoring: Scoring
    values: np.ndarray
    found: np.ndarray


class Witness:
    """Stands in for a target's `Confidence`, and notes what it judges by: `values` of the last response, as in `Signs`."""

    values: tuple[float, float, float]

    def __init__(self, known: Confidence):
        self._known = known

    def judge(self, response: np.ndarray, cells: Sequence[np.ndarray], strangeness: float) -> tuple[float, float, float]:
        """As `Confidence` does."""
        self.values = math.log(max(confidence.peak_to_sidelobe(response), 1.0)), self._known.likeness(cells), strangeness
        return self._known.judge(response, cells, strangeness)

    def __getattr__(self, name: str):
        return getattr(self._known, name)


def labels(clip: HardClip, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether boxes (N - 1, 4) of all frames but the first find the target, and whether that is known; both bool, (N - 1,)."""
    visible, overlaps = clip.visible[1:], overlap(boxes, clip.boxes[1:])
    return visible & (overlaps > FOUND), ~visible | np.isfinite(overlaps)


def listen(spec: peers.Spec, clip: HardClip) -> Said:
    """Follow a clip; a frame in which a tracker raises an error, or all if it cannot begin, is one in which it is lost where it was."""
    threads.hold_opencv()
    tracker, box, rows = peers.make(spec), tuple(clip.boxes[0]), []
    cv2.setRNGSeed(0)
    for answer in answers(tracker, clip.frames(), clip.boxes[0]):
        ok, box = answer or (False, box)
        rows.append((*box, ok, _score(tracker)))
    heard = np.array(rows, float).reshape(-1, 6)
    found, known = labels(clip, heard[:, :4])
    frame = np.arange(1, len(clip.boxes))
    gone = frame - np.maximum.accumulate(np.where(clip.visible[1:], frame, 0))
    covered = np.zeros(len(frame)) if clip.covered is None else clip.covered[1:]
    return Said(found[known], gone[known], heard[known, 4] > 0, heard[known, 5], covered[known])


def signs(spec: peers.Spec, clip: HardClip) -> Signs:
    """Follow a clip without recovery, for then there are frames with wrong boxes, and see what the scores are made of.

    What is like the target is learnt from frames with good scores, by the coefficients as they are, so new ones may ask for another fit.
    """
    threads.hold_opencv()
    tracker, frames = peers.make(replace(spec, options={**spec.options, "recovery": False})), clip.frames()
    tracker.init(next(frames), clip.boxes[0])
    target = tracker._target  # a score's parts concern nobody but this fit, so trackers have no way to ask for them
    target._confidence = witness = Witness(target._confidence)
    rows = [(*tracker.update(frame)[1], *witness.values) for frame in frames]
    rows = np.array(rows).reshape(-1, 7)
    found, known = labels(clip, rows[:, :4])
    return Signs(spec.label, clip.video, target._scoring, rows[known, 4:], found[known])


def _score(tracker: peers.Trackable) -> float:
    """That of the last frame; NaN where a tracker has none. Of OpenCV's trackers only the networks have one; others answer -1."""
    if isinstance(tracker, peers.OpenCV):
        return tracker._tracker.getTrackingScore() if tracker.files else math.nan
    return getattr(tracker, "score", math.nan)


# Statistics


def roc_auc(scores: np.ndarray, found: np.ndarray) -> float:
    """Area under the receiver operating characteristic: how often a found target has the higher score of two; a tie is half a win.

    Parameters
    ----------
    scores : ndarray, (M,)
    found : ndarray, bool, (M,)

    Returns
    -------
    float
        In [0, 1]; NaN where all are found, or none, or a score is NaN.
    """
    hits, misses = int(found.sum()), int((~found).sum())
    if not hits or not misses:
        return math.nan
    ranks = scipy.stats.rankdata(scores)
    return float((ranks[found].sum() - hits * (hits + 1) / 2) / (hits * misses))


def reliability(scores: np.ndarray, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean score, and share of found targets, in each of `BINS` equal parts of [0, 1] that has scores (M,) in it."""
    place = np.minimum((scores * BINS).astype(int), BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    filled = counts > 0
    means, shares = (np.bincount(place, values, BINS)[filled] / counts[filled] for values in (scores, found))
    return means, shares


def logistic(values: np.ndarray, found: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted logistic regression.

    Parameters
    ----------
    values : ndarray, (M, K)
    found : ndarray, bool, (M,)
    weights : ndarray, (M,)
        Of the rows.

    Returns
    -------
    ndarray, (K + 1,)
        Offset and coefficients of the logarithm of the odds of `found`.
    """
    rows, sign = np.column_stack([np.ones(len(values)), values]), np.where(found, 1.0, -1.0)

    def loss(coefficients: np.ndarray) -> tuple[float, np.ndarray]:
        """Negative log-likelihood, and its gradient."""
        margins = sign * (rows @ coefficients)
        slopes = weights * sign * scipy.special.expit(-margins)
        return weights @ np.logaddexp(0, -margins), -slopes @ rows

    return scipy.optimize.minimize(loss, np.zeros(rows.shape[1]), jac=True, options={"gtol": 1e-8 * weights.sum()}).x


def fitted(samples: Sequence[Signs]) -> Scoring:
    """Coefficients for samples of one or more trackers, of each of which what is found and what is not weigh alike.

    Raises
    ------
    UnknownOptionError
        If a tracker always found its target, or never.
    """
    names = sorted({sample.tracker for sample in samples})
    found = np.concatenate([sample.found for sample in samples])
    group = np.concatenate([2 * names.index(sample.tracker) + sample.found for sample in samples])
    counts = np.bincount(group, minlength=2 * len(names))
    if not counts.all():
        bad = [names[number // 2] for number in np.flatnonzero(counts == 0)]
        raise UnknownOptionError(f"nothing to fit for {', '.join(bad)}: frames in which the target is found, and others, are needed")
    return Scoring(*logistic(np.concatenate([sample.values for sample in samples]), found, 1 / counts[group]).tolist())


def left_out(samples: Sequence[Signs]) -> dict[str, float]:
    """ROC-AUC by tracker, when each video is scored by coefficients that are fitted to the others, of all trackers together."""
    scored: dict[str, list] = {sample.tracker: [] for sample in samples}
    for video in sorted({sample.video for sample in samples}):
        scoring = fitted([sample for sample in samples if sample.video != video])
        for sample in samples:
            if sample.video == video:
                scored[sample.tracker].append((sample.values @ _slopes(scoring) + scoring.offset, sample.found))
    return {tracker: roc_auc(*map(np.concatenate, zip(*parts, strict=True))) for tracker, parts in scored.items()}


# Tables and the figure


def measured(said: Sequence[tuple[str, Said]], title: str) -> Table:
    """A row for each tracker."""
    names = Column("tracker"), Column("frames", 0), Column("found", 0)
    columns = [*names, Column("ROC-AUC", 3), percent("false ok, %"), percent("false lost, %"), percent("in full view, %")]
    rows = []
    for label, one in said:
        area, in_view = roc_auc(one.scores, one.found), one.found & (one.covered <= OPEN)
        shares = _share(one.ok[one.gone >= GRACE]), _share(~one.ok[one.found]), _share(~one.ok[in_view])
        rows.append([label, len(one.found), int(one.found.sum()), None if math.isnan(area) else area, *shares])
    note = (
        f"found: an overlap above {FOUND}; false ok: from the {GRACE}th frame without the target on; false lost: of those found; "
        f"in full view: of those of them that are not more than {OPEN:.0%} behind something."
    )
    return Table("scores", title, columns, rows, note)


def fits(samples: Sequence[Signs]) -> list[Table]:
    """What the constants of `trackers.confidence` should be by these samples, and what they are; and how well that does on others."""
    rows, kept = [], []
    for scoring in dict.fromkeys(sample.scoring for sample in samples):
        name, own = CONSTANTS[scoring], [sample for sample in samples if sample.scoring == scoring]
        new, areas = fitted(own), left_out(own)
        for label, values in ((f"{name}, fitted", new), (f"{name}, as it is", scoring)):
            rows.append([label, values.offset, *_slopes(values)])
        for tracker, area in areas.items():
            found = np.concatenate([sample.found for sample in own if sample.tracker == tracker])
            kept.append([tracker, name, len(found), found.mean(), area])
    head = [Column("constant"), Column("offset", 2, signed=True), Column("sharpness", 2), Column("likeness", 2), Column("colour", 2)]
    others = [Column("tracker"), Column("constant"), Column("frames", 0), percent("found, %"), Column("ROC-AUC", 3)]
    return [
        Table("coefficients", "Coefficients", head, rows),
        Table("left-out", "Each video scored by coefficients that were fitted to the others", others, kept),
    ]


def draw(said: Sequence[tuple[str, Said]], path: Path) -> None:
    """A figure: how often targets are found by the score, a line for each tracker that has one.

    Raises
    ------
    VideoError
        If the file cannot be written.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    from benchmarks.report import plots

    with rc_context(plots.STYLE):
        figure = Figure((6.5, 5), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=plots.INK, alpha=0.4, linewidth=1)
        for number, (label, one) in enumerate(said):
            if np.isfinite(one.scores).all():
                style = "o" + plots.STYLES[number // len(plots.COLOURS) % len(plots.STYLES)]
                axes.plot(*reliability(one.scores, one.found), style, color=plots.colour(number), label=label, markersize=4, clip_on=False)
        axes.set(xlabel="score", ylabel=f"share of overlaps above {FOUND}", xlim=(0, 1), ylim=(0, 1))
        figure.legend(loc="outside right upper")
        try:
            content = plots.picture(figure, path.suffix[1:])
        except ValueError as error:
            raise VideoError(f"cannot write {path}: {error}") from error
    files.write(path, content)


def main(arguments: list[str] | None = None) -> int:
    """Print the tables of a verb."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.robustness.scores", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    measure = verbs.add_parser("measure", help="how good scores and ok are on generated sequences that no fit has used, or on a data set")
    measure.add_argument("--dataset", choices=datasets.NAMES, metavar="NAME", help="instead of the generated sequences")
    measure.add_argument("--models", type=Path, metavar="FOLDER", help=f"where {' and '.join(peers.NANO)} of opencv:Nano are")
    measure.add_argument("--figure", type=Path, metavar="FILE", help="draw how often targets are found by the score")
    fit = verbs.add_parser("fit", help="coefficients of scores from hard versions of a data set and generated sequences")
    fit.add_argument("--dataset", default="folder", choices=datasets.NAMES, metavar="NAME", help="(%(default)s)")
    for verb in (measure, fit):
        verb.add_argument("--root", type=Path, metavar="FOLDER", help="where the data set is, or a part of it")
        verb.add_argument("--trackers", required=True, metavar="TRACKERS", help="between commas, as for cfvgg bench run")
        verb.add_argument("--jobs", type=int, default=1, metavar="N", help="processes of one thread; -1: one for each core (%(default)s)")
    given = parser.parse_args(arguments)
    try:
        if given.jobs == 0:
            raise UnknownOptionError("--jobs 0; at least one process is needed")
        for table in _measure(given) if given.verb == "measure" else _fit(given):
            print(plain(table), end="\n\n")
    except TrackerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _measure(given: argparse.Namespace) -> list[Table]:
    specs = peers.parse(given.trackers, given.models)
    if given.dataset:
        clips = [hard.plain(sequence) for sequence in datasets.load(given.dataset, given.root).sequences]
        parts = {given.dataset: range(len(clips))}
    else:
        clips = list(hard.vanishing(hard.UNSEEN))
        alone = [number for number, seed in enumerate(hard.UNSEEN) if not hard.look_alikes(seed)]
        parts = {"Generated sequences that no fit has used": range(len(clips)), "Those of them without look-alikes": alone}
    heard, count = _all(listen, specs, clips, given.jobs), len(specs)
    said = {
        title: [(spec.label, _joined([heard[count * place + number] for place in places])) for number, spec in enumerate(specs)]
        for title, places in parts.items()
    }
    if given.figure:
        draw(next(iter(said.values())), given.figure)
    return [measured(rows, f"{title}: {len(parts[title])} targets") for title, rows in said.items()]


def _fit(given: argparse.Namespace) -> list[Table]:
    specs = peers.parse(given.trackers)
    if foreign := [spec.label for spec in specs if spec.name not in trackers.names()]:
        raise UnknownOptionError(f"--trackers {', '.join(foreign)}; only scores of {', '.join(trackers.names())} can be fitted")
    clips = [*hard.hard(datasets.load(given.dataset, given.root).sequences), *hard.vanishing(hard.FITTED)]
    return fits(_all(signs, specs, clips, given.jobs))


def _all(function: Callable[[peers.Spec, HardClip], Any], specs: Sequence[peers.Spec], clips: Iterable[HardClip], jobs: int) -> list:
    """What a function says of each clip and each tracker, the trackers of one clip one behind the other."""
    return joblib.Parallel(jobs)(joblib.delayed(function)(spec, clip) for clip, spec in product(clips, specs))


def _slopes(scoring: Scoring) -> tuple[float, float, float]:
    return scoring.sharpness, scoring.likeness, confidence.COLOUR


def _joined(parts: Sequence[Said]) -> Said:
    return Said(*(np.concatenate([getattr(part, name) for part in parts]) for name in Said.__dataclass_fields__))


def _share(hits: np.ndarray) -> float | None:
    return float(hits.mean()) if len(hits) else None


if __name__ == "__main__":
    sys.exit(main())
