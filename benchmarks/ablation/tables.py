"""Tables of the scores beside the published ones, and how sure their differences are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.ablation.rows import DATASETS, OTHERS, PUBLISHED, Row
from benchmarks.bootstrap import FEWEST, paired_bootstrap

MEASURED = DATASETS.index("OTB-2015")  # the published data set whose differences stand beside ours


@dataclass(frozen=True)
class Difference:
    """Accuracy of a row minus that of another, both as means over targets of the means over runs.

    Attributes
    ----------
    mean : float
    interval : (float, float) or None
        Of 95 %; None where there are too few videos.
    """

    mean: float
    interval: tuple[float, float] | None

    @property
    def order(self) -> str:
        """'above' or 'below' where the interval excludes zero, else 'open'."""
        if self.interval is None:
            return "open"
        low, high = self.interval
        return "above" if low > 0 else "below" if high < 0 else "open"


def mean(scores: Mapping[str, Sequence[float]]) -> float:
    """Mean over targets of the means over runs."""
    return float(np.mean([np.mean(runs) for runs in scores.values()]))


def difference(scores: Mapping[str, Sequence[float]], others: Mapping[str, Sequence[float]], videos: Mapping[str, str]) -> Difference:
    """Compare the scores of two rows by target; `videos` has the video of each target, as targets of one video are no two witnesses."""
    differences = [np.mean(runs) - np.mean(others[target]) for target, runs in scores.items()]
    groups = [videos[target] for target in scores]
    interval = paired_bootstrap(differences, groups=groups) if len(set(groups)) >= FEWEST else None
    return Difference(float(np.mean(differences)), interval)


def published(tracker: str, row: str) -> str:
    """Published accuracies in percent on OTB-2013, OTB-2015 and TC-128; empty where there is none."""
    found = PUBLISHED.get(tracker, {}).get(row)
    return " / ".join("-" if value is None else f"{value:.1f}" for value in found) if found else ""


def published_difference(tracker: str, row: str, against: str) -> str:
    """Published accuracy minus that of another row, in percent, on OTB-2015; empty where one of them is not published."""
    found = PUBLISHED.get(tracker, {})
    if row == against or row not in found or against not in found:
        return ""
    return f"{found[row][MEASURED] - found[against][MEASURED]:+.1f}"


def table(
    tracker: str, rows: Sequence[Row], scores: Mapping[str, Mapping[str, Sequence[float]]], against: str, videos: Mapping[str, str]
) -> str:
    """One tracker's rows as a simple table of reStructuredText, in percent.

    Parameters
    ----------
    tracker : str
    rows : sequence of Row
    scores : mapping
        By row and target: one for each run.
    against : str
        Name of the row that others are compared with.
    videos : mapping of str to str
        Video of every target.
    """
    lines = [("row", "network", "AUC", f"minus {against}", "95 % interval", "order", "published", f"minus {against}")]
    for row in rows:
        ours = [f"{100 * mean(scores[row.name]):.1f}"]
        if row.name == against:
            ours += ["", "", ""]
        else:
            found = difference(scores[row.name], scores[against], videos)
            interval = "{:+.1f} to {:+.1f}".format(*(100 * bound for bound in found.interval)) if found.interval else "too few videos"
            ours += [f"{100 * found.mean:+.1f}", interval, found.order]
        lines.append((row.name, row.what, *ours, published(tracker, row.name), published_difference(tracker, row.name, against)))
    for name in sorted(PUBLISHED.get(tracker, {}).keys() & OTHERS.keys()):
        lines.append((name, OTHERS[name], "", "", "", "", published(tracker, name), published_difference(tracker, name, against)))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = "  ".join("=" * width for width in widths)
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([rule, text[0], rule, *text[1:], rule])


def report(
    rows: Sequence[Row], scores: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]], against: str, videos: Mapping[str, str]
) -> tuple[str, dict]:
    """Tables of all trackers with what can be said of them, and all numbers behind them.

    Parameters
    ----------
    rows : sequence of Row
    scores : mapping
        By tracker, row and target: one for each run, from `benchmarks.ablation.evaluation.evaluate_rows`.
    against, videos
        See `table`.

    Returns
    -------
    text : str
    numbers : dict
        By tracker and row: ``mean``; ``difference``, ``interval`` and ``order`` against the named row; ``published``, three numbers or
        None; ``auc`` by target.
    """
    parts, numbers = [], {}
    for tracker, found in scores.items():
        runs = sorted({len(runs) for each in found.values() for runs in each.values()})
        parts += [f"{tracker}: AUC in percent; targets: {len(videos)}, runs of each: {'-'.join(map(str, runs))}", ""]
        parts += [table(tracker, rows, found, against, videos), ""]
        numbers[tracker] = {}
        for row in rows:
            compared = difference(found[row.name], found[against], videos)
            numbers[tracker][row.name] = {
                "mean": mean(found[row.name]),
                "against": against,
                "difference": compared.mean,
                "interval": compared.interval,
                "order": compared.order,
                "published": PUBLISHED.get(tracker, {}).get(row.name),
                "auc": found[row.name],
            }
    return "\n".join([*parts, *_notes(against)]), numbers


def _notes(against: str) -> list[str]:
    return [
        f"Published: {', '.join(DATASETS)} as a whole, so that only differences compare; theirs are those on {DATASETS[MEASURED]}. Of fKCF",
        "the published text names no data set. An order, above or below, is claimed only where the interval (paired bootstrap over videos)",
        f"excludes zero; everything else is open. Intervals are those of other videos, not of other trainings. All against {against}.",
    ]
