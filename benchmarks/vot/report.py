"""The table of the reset-based experiment."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks import sequences as data
from benchmarks.regions import polygon_overlap, raster_overlap
from benchmarks.report.tables import Column, Table
from benchmarks.vot import evaluation, files
from benchmarks.vot.runner import regions

COLUMNS = (
    Column("tracker"),
    Column("A", 3),
    Column("A of areas", 3),
    Column("F", 1),
    Column("R", 3),
    Column("F per sequence", 3),
    Column("EAO", 4),
    Column("A toolkit", 4),
    Column("R toolkit", 4),
    Column("EAO toolkit", 4),
    Column("fps", 1),
)
NOTE = (
    "A: accuracy, mean overlap in whole pixels, without ten frames from each initialisation on; of areas: with exact polygons. "
    "F: failures. R: failures per 100 frames. EAO: expected average overlap over lengths of {low} to {high} frames, if there is a sequence "
    "as long. Toolkit: as the VOT toolkit 0.7.4 has them; its R is the failures per sequence, weighted by length."
)


def trackers_in(folder: Path) -> dict[str, Path]:
    """Folders of trackers with results of the reset-based experiment, by name."""
    return {path.parent.name: path.parent for path in sorted(folder.glob("*/baseline"))}


def table(trackers: Mapping[str, Path], sequences: Sequence[data.Sequence], name: str = "vot2017") -> Table:
    """Accuracy, robustness and expected average overlap.

    Parameters
    ----------
    trackers : mapping of str to Path
        Folders of trackers, from `trackers_in`; with results of this project or of another toolkit.
    sequences : sequence of Sequence
        Only these count.
    name : str
        The data set, a key of `benchmarks.vot.evaluation.INTERVALS`; of others VOT2017's interval is taken.

    Returns
    -------
    Table
        The best by EAO first, or where that is not defined by the toolkit's; trackers that lack a sequence are left out, and named in
        the note.

    Raises
    ------
    VideoError
        If a file of results or a picture cannot be read.
    """
    interval = evaluation.INTERVALS.get(name, evaluation.INTERVALS["vot2017"])
    sizes = [next(iter(sequence.frames())).shape[1::-1] for sequence in sequences]
    rows, incomplete = [], []
    for tracker, place in trackers.items():
        found = [[files.read_run(path, len(sequence)) for path in files.runs(place, sequence.name)] for sequence in sequences]
        if all(found):
            rows.append([tracker, *_scores(found, sequences, sizes, interval), _frames_per_second(place, sequences)])
        else:
            incomplete.append(f"{tracker} ({sum(map(bool, found))} of {len(sequences)} sequences)")
    ranks = [place for place, column in enumerate(COLUMNS) if column.name.startswith("EAO")]
    rows.sort(key=lambda row: [-(row[place] or 0) for place in ranks])
    note = NOTE.format(low=interval[0], high=interval[1]) + (f" Left out: {', '.join(incomplete)}." if incomplete else "")
    return Table("vot", f"Reset-based experiment, {len(sequences)} sequences", COLUMNS, rows, note)


def _scores(found: list[list[files.Trajectory]], sequences: Sequence[data.Sequence], sizes: list, interval: tuple) -> list[float | None]:
    """What stands between the first and the last of `COLUMNS`; None for what is not defined."""

    def compared(overlap: Callable[..., float], smaller: int = 0) -> evaluation.Runs:
        """Every run beside its truth, by an overlap, in pictures of a smaller size."""
        bounds = [(width - smaller, height - smaller) for width, height in sizes]
        each = zip(found, map(regions, sequences), bounds, strict=True)
        return [[evaluation.Run.of(trajectory, truth, size, overlap) for trajectory in runs] for runs, truth, size in each]

    runs = compared(raster_overlap)
    lost, frames = evaluation.failures(runs), sum(map(len, sequences))
    curves = {
        "matlab": evaluation.expected_overlap_curve(compared(raster_overlap, smaller=1), "matlab"),
        "toolkit": evaluation.expected_overlap_curve(runs, "toolkit"),
    }
    matlab, toolkit = (evaluation.expected_overlap(curve, interval, convention) for convention, curve in curves.items())
    scores = [
        evaluation.pooled_accuracy(runs),
        evaluation.pooled_accuracy(compared(polygon_overlap)),
        lost,
        100 * lost / frames,
        lost / len(sequences),
        matlab,
        evaluation.weighted_accuracy(runs),
        evaluation.weighted_robustness(runs),
        toolkit,
    ]
    return [None if np.isnan(score) else score for score in scores]


def _frames_per_second(folder: Path, sequences: Sequence[data.Sequence]) -> float | None:
    """Frames by the sum of their times, initialisations included; None where times of a sequence are missing."""
    times = [files.read_seconds(folder, sequence.name) for sequence in sequences]
    return None if any(found is None for found in times) else sum(map(len, times)) / float(np.concatenate(times).sum())
