"""The tables of a report."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from benchmarks.bootstrap import FEWEST, RESAMPLES
from benchmarks.report.evaluation import MEASURES, TIE, Evaluation
from benchmarks.report.published import Published
from benchmarks.report.tables import Column, Table, percent


def overall(evaluation: Evaluation) -> Table:
    """Accuracy and speed of each tracker, the best first."""
    columns = [Column("tracker"), percent("AUC"), percent("from"), percent("to"), *map(percent, list(MEASURES)[1:])]
    columns += [Column("fps", 1), Column("ms", 2), Column("p95 ms", 2), Column("first ms", 1)]
    rows = []
    for tracker in evaluation.tracks:
        means = [evaluation.mean(tracker, name) for name in MEASURES]
        interval = evaluation.interval(evaluation.values(tracker)) or (None, None)
        speed = evaluation.speed(tracker)
        times = (speed.fps, speed.median, speed.p95, speed.first) if speed else (None,) * 4
        rows.append([tracker, means[0], *interval, *means[1:], *times])
    note = (
        "Means over targets in percent; from and to: 95 % interval of the AUC, by resamples of the videos. fps: frames by the sum of their "
        "times; ms: the median update; first ms: the median initialisation, which fps leaves out. Times are those of the files of results."
    )
    return Table("overall", "Accuracy and speed", columns, rows, note)


def differences(evaluation: Evaluation, pairs: Iterable[tuple[str, str]]) -> Table:
    """How much better the first tracker of each pair is than the second."""
    columns = [Column("tracker"), Column("minus"), percent("AUC", signed=True), percent("from", signed=True), percent("to", signed=True)]
    columns += [Column("verdict"), *(Column(name, 0) for name in ("win", "tie", "loss")), Column("p", 4)]
    rows = []
    for tracker, other in pairs:
        found = evaluation.difference(tracker, other)
        interval = found.interval or (None, None)
        rows.append([tracker, other, found.mean, *interval, found.verdict, found.wins, found.ties, found.losses, found.p])
    videos = len(set(evaluation.videos))
    interval = f"No interval: {videos} videos are fewer than {FEWEST}."
    if videos >= FEWEST:
        interval = f"From and to: 95 % interval by {RESAMPLES:,} paired resamples of the {videos} videos; open: it holds zero."
    note = (
        f"Means over targets of the differences of AUC, in percent. {interval} Tie: a difference below {100 * TIE:g}. "
        "p: sign test of wins and losses."
    )
    return Table("differences", "Differences between trackers", columns, rows, note)


def attributes(evaluation: Evaluation, published: Sequence[Published] = ()) -> Table:
    """AUC on the targets that have an attribute, in the order of the paper's tables; with what was published of the same trackers."""
    theirs = {f"{row.tracker} (published)": row for row in published if row.attributes and row.same(list(evaluation.tracks))}
    columns = [Column("attribute"), Column("n", 0), *map(percent, evaluation.tracks), *map(percent, theirs)]
    values = [evaluation.values(tracker) for tracker in evaluation.tracks]
    rows = []
    for name, places in evaluation.attributes.items():
        ours = [float(of_tracker[places].mean()) for of_tracker in values]
        rows.append([name, len(places), *ours, *(row.attributes[name] for row in theirs.values())])
    rows.append(["all", len(evaluation.targets), *map(evaluation.mean, evaluation.tracks), *(row.auc for row in theirs.values())])
    return Table("attributes", "AUC by attribute", columns, rows, "Percent; n: targets that have the attribute.")


def targets(evaluation: Evaluation) -> Table:
    """AUC on each target, the worst first."""
    columns = [Column("target"), Column("frames", 0), Column("attributes"), percent("mean"), *map(percent, evaluation.tracks)]
    values = np.array([evaluation.values(tracker) for tracker in evaluation.tracks])
    named = {target.name: [name for name in evaluation.attributes if name in target.attributes] for target in evaluation.targets}
    rows = [
        [target.name, len(target), " ".join(named[target.name]), float(values[:, place].mean()), *values[:, place].tolist()]
        for place, target in enumerate(evaluation.targets)
    ]
    rows.sort(key=lambda row: row[3])
    return Table("targets", "AUC on each target", columns, rows, "Percent, the worst first; mean: of the trackers.")


def published_table(evaluation: Evaluation, published: Sequence[Published]) -> Table:
    """What was published on the whole data set, beside ours of the same name."""
    columns = [Column("tracker"), Column("variant"), percent("AUC"), percent("P20"), Column("fps", 0), Column("source")]
    columns += [percent("here"), percent("here minus published", signed=True)]
    rows = []
    for row in published:
        ours = row.same(list(evaluation.tracks))
        here = evaluation.mean(ours) if ours else None
        rows.append([row.tracker, row.variant, row.auc, row.p20, row.fps, row.source, here, here - row.auc if ours else None])
    note = "Percent. Here: the AUC of the tracker of the same name in this report. The speeds are those of other machines."
    return Table("published", "Published", columns, rows, note)


def robustness(evaluation: Evaluation, found: Mapping[str, Mapping[str, float | None]]) -> Table:
    """AUC of trackers that began with the true box, with shifted ones and in later frames."""
    rows = [[tracker, evaluation.mean(tracker), found[tracker]["sre"], found[tracker]["tre"]] for tracker in evaluation.tracks]
    note = "Percent. OPE: from the true box in the first frame; SRE: from 12 boxes near it; TRE: from true boxes in 20 frames."
    return Table("robustness", "AUC from other beginnings", [Column("tracker"), *map(percent, ("OPE", "SRE", "TRE"))], rows, note)


def tables(
    evaluation: Evaluation, published: Sequence[Published] = (), shifted: Mapping[str, Mapping[str, float | None]] | None = None
) -> list[Table]:
    """All that say something, in the order of a report: `shifted` has AUC by tracker and protocol."""
    found = [overall(evaluation)]
    if published:
        found.append(published_table(evaluation, published))
    if len(evaluation.tracks) > 1:
        found.append(differences(evaluation, combinations(evaluation.tracks, 2)))
    if any(value is not None for of_tracker in (shifted or {}).values() for value in of_tracker.values()):
        found.append(robustness(evaluation, shifted))
    if evaluation.attributes:
        found.append(attributes(evaluation, published))
    return [*found, targets(evaluation)]


def comparison(evaluation: Evaluation, tracker: str, other: str) -> list[Table]:
    """Two trackers on each target, the greatest loss first, and in all."""
    values = evaluation.values(tracker), evaluation.values(other)
    rows = [[target.name, float(one), float(two), float(one - two)] for target, one, two in zip(evaluation.targets, *values, strict=True)]
    rows.sort(key=lambda row: row[3])
    columns = [Column("target"), percent(tracker), percent(other), percent("difference", signed=True)]
    return [Table("targets", "AUC on each target", columns, rows), differences(evaluation, [(tracker, other)])]
