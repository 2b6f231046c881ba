"""Plots of an evaluation. They are drawn without pyplot: nothing of the user's settings or windows is touched."""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchmarks.metrics import ERROR_THRESHOLDS, OVERLAP_THRESHOLDS
from benchmarks.report.evaluation import BINS, Evaluation
from benchmarks.report.published import Published

# Legible on white and on black; the next eight trackers have the same ones, dashed.
COLOURS = ("#3b82f6", "#ef6c00", "#16a34a", "#db2777", "#8b5cf6", "#0891b2", "#a16207", "#dc2626")
STYLES = ("-", "--", ":", "-.")
INK = "#1b1f24"  # lines and letters; on the page they take the colour of its text

NARROW, WIDE = (5.4, 3.9), (10, 3.4)  # inches
BESIDE = [(x, y) for y in (6, -12, 16, -22, 28, -34) for x in (6, -6)]  # of a point, where its name may stand, in points
LONGEST = 26  # letters of a name

STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.grid": True,
    "font.size": 10,
    "grid.alpha": 0.15,
    "grid.color": INK,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "cfvgg",
    "text.color": INK,
    "text.parse_math": False,  # a tracker's name may hold a dollar
    "xtick.color": INK,
    "ytick.color": INK,
}


def colour(number: int) -> str:
    """That of a tracker, by its place in the evaluation."""
    return COLOURS[number % len(COLOURS)]


def _styled(draw: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(draw)
    def drawn(*arguments) -> Any:
        """The figure, in the style of all."""
        with rc_context(STYLE):
            return draw(*arguments)

    return drawn


@_styled
def success(evaluation: Evaluation) -> Figure:
    """Share of frames by the overlap that they exceed, with the area under each curve."""
    return _curves(evaluation, "success", OVERLAP_THRESHOLDS, "AUC", "overlap threshold", "success rate, %")


@_styled
def precision(evaluation: Evaluation) -> Figure:
    """Share of frames by the centre error that they do not exceed, with that at 20 pixels."""
    return _curves(evaluation, "precision", ERROR_THRESHOLDS, "P20", "centre error threshold, pixels", "precision, %")


def _curves(evaluation: Evaluation, kind: str, thresholds: np.ndarray, score: str, x: str, y: str) -> Figure:
    figure, axes = _axes(NARROW, len(evaluation.tracks))
    for tracker in sorted(evaluation.tracks, key=lambda tracker: -evaluation.mean(tracker, score)):
        number = list(evaluation.tracks).index(tracker)
        label = f"{100 * evaluation.mean(tracker, score):.1f}  {_short(tracker)}"
        axes.plot(thresholds, 100 * evaluation.curve(tracker, kind), label=label, **_line(number))
    axes.set(xlabel=x, ylabel=y, xlim=thresholds[[0, -1]], ylim=(0, 100))
    _legend(figure, axes)
    return figure


@_styled
def attributes(evaluation: Evaluation) -> Figure | None:
    """AUC on the targets that have an attribute; None if none is that of two targets."""
    groups = [(name, places) for name, places in evaluation.attributes.items() if len(places) > 1]
    if not groups:
        return None
    figure, axes = _axes(WIDE, len(evaluation.tracks), columns=3)
    width = 0.84 / len(evaluation.tracks)
    middles = np.arange(len(groups))
    for number, tracker in enumerate(evaluation.tracks):
        values = evaluation.values(tracker)
        heights = [100 * values[places].mean() for _, places in groups]
        offsets = middles + (number - (len(evaluation.tracks) - 1) / 2) * width
        axes.bar(offsets, heights, 0.9 * width, color=colour(number), label=_short(tracker), alpha=1 - 0.4 * (number // len(COLOURS) % 2))
    axes.set(ylabel="AUC, %", ylim=(0, 100))
    axes.set_xticks(middles, [f"{name}\n{len(places)}" for name, places in groups])
    axes.grid(False, axis="x")
    _legend(figure, axes, columns=3)
    return figure


@_styled
def over_time(evaluation: Evaluation) -> Figure:
    """Mean overlap and the middle half of the targets over the time of a video; a panel for each tracker, with the others in grey."""
    times = (np.arange(BINS) + 0.5) / BINS * 100
    tracks = {name: np.array([track.over_time() for track in found.values()]) for name, found in evaluation.tracks.items()}
    rows = -(-len(tracks) // 3)
    figure = Figure(figsize=(WIDE[0], 0.5 + 2.3 * rows), layout="constrained")
    panels = figure.subplots(rows, 3, sharex=True, sharey=True, squeeze=False).flat
    for number, (name, found) in enumerate(tracks.items()):
        axes = panels[number]
        for other in tracks.values():
            axes.plot(times, np.nanmean(other, axis=0), color=INK, alpha=0.25, linewidth=0.8)
        low, high = np.nanpercentile(found, (25, 75), axis=0)
        axes.fill_between(times, low, high, color=colour(number), alpha=0.2, linewidth=0)
        axes.plot(times, np.nanmean(found, axis=0), color=colour(number), linewidth=2)
        axes.set_title(_short(name), fontsize=10)
        axes.set(ylim=(0, 1), xlim=(0, 100))
    for axes in panels[len(tracks) :]:
        axes.set_visible(False)
    figure.supxlabel("share of the video, %", fontsize=10)
    figure.supylabel("overlap", fontsize=10)
    return figure


@_styled
def speed_accuracy(evaluation: Evaluation, published: Sequence[Published] = ()) -> Figure | None:
    """AUC with its interval by the median time of an update; hollow: published, of other machines. None if no tracker has times."""
    speeds = {tracker: evaluation.speed(tracker) for tracker in evaluation.tracks}
    points = {tracker: (speed.median, 100 * evaluation.mean(tracker)) for tracker, speed in speeds.items() if speed}
    if not points:
        return None
    figure, axes = _axes(NARROW, 0)
    for tracker, point in points.items():
        interval = evaluation.interval(evaluation.values(tracker))
        error = np.abs(100 * np.array(interval)[:, None] - point[1]) if interval else None
        axes.errorbar(*point, error, fmt="o", color=colour(list(speeds).index(tracker)), capsize=3, markersize=7, elinewidth=1)
    theirs = {row.tracker: (1000 / row.fps, 100 * row.auc) for row in reversed(published) if row.fps}  # of variants the best
    for point in theirs.values():
        axes.plot(*point, "o", markerfacecolor="none", color=INK, alpha=0.6)
    axes.plot(*zip(*pareto(list(points.values())), strict=True), color=INK, alpha=0.5, linewidth=1, linestyle="--", zorder=0)
    axes.set(xlabel="median time of an update, ms", ylabel="AUC, %", xscale="log")
    axes.margins(x=0.2)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    _names(axes, points, fontsize=9)
    _names(axes, theirs, fontsize=8, alpha=0.8)
    return figure


@_styled
def differences(evaluation: Evaluation) -> Figure | None:
    """AUC minus that of the best tracker, with its interval; None where there is no other, or are too few videos."""
    best, *others = evaluation.tracks
    found = [evaluation.difference(tracker, best) for tracker in others]
    if not found or found[0].interval is None:
        return None
    figure, axes = _axes(NARROW, 0)
    for place, each in enumerate(found):
        middle, (low, high) = 100 * each.mean, (100 * bound for bound in each.interval)
        axes.errorbar(middle, place, xerr=[[middle - low], [high - middle]], fmt="o", color=colour(place + 1), capsize=3, markersize=7)
    axes.axvline(0, color=INK, linewidth=1)
    axes.set(xlabel=f"AUC minus that of {_short(best)}, %", ylim=(len(found) - 0.5, -0.5))
    axes.set_yticks(range(len(found)), [_short(tracker) for tracker in others])
    axes.grid(False, axis="y")
    return figure


def pareto(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points (time, accuracy) that no other beats in both, the fastest first."""
    front: list[tuple[float, float]] = []
    for point in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or point[1] > front[-1][1]:
            front.append(point)
    return front


@_styled
def picture(figure: Figure, kind: str) -> bytes:
    """A file of a kind, such as ``png`` or ``pdf``."""
    content = io.BytesIO()
    figure.savefig(content, format=kind, dpi=150)
    return content.getvalue()


@_styled
def svg(figure: Figure) -> str:
    """An element ``<svg>`` for a page of HTML: its letters are text, its ink is the page's, and it names no address."""
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    found = text.getvalue()
    found = re.sub(r"<metadata>.*?</metadata>", "", found[found.index("<svg") :], flags=re.DOTALL)
    found = re.sub(r' xmlns(:\w+)?="[^"]*"', "", found)
    found = re.sub(r' (width|height)="[\d.]+pt"', "", found, count=2)
    found = re.sub(r'<g id="[^"]*">', "<g>", found)  # several pictures of one page would share their names
    return found.replace(INK, "currentColor")


def _names(axes: Axes, points: Mapping[str, tuple[float, float]], **style) -> None:
    """Write the name of each point where it covers no other name, as far as there is such a place."""
    taken = []
    for name, point in sorted(points.items(), key=lambda item: item[1]):
        for x, y in BESIDE:
            written = axes.annotate(_short(name), point, (x, y), textcoords="offset points", ha="left" if x > 0 else "right", **style)
            box = written.get_window_extent()
            if not any(box.overlaps(other) for other in taken):
                break
            if (x, y) != BESIDE[-1]:
                written.remove()
        taken.append(box)


def _short(name: str) -> str:
    """A tracker's name without its middle, where a plot has no room for it."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST // 2]}\N{HORIZONTAL ELLIPSIS}{name[-LONGEST // 2 + 1 :]}"


def _line(number: int) -> dict:
    return {"color": colour(number), "linestyle": STYLES[number // len(COLOURS) % len(STYLES)], "linewidth": 1.8}


def _axes(size: tuple[float, float], labels: int, columns: int = 2) -> tuple[Figure, Axes]:
    """A figure with one plot, and room below for a legend."""
    figure = Figure(figsize=(size[0], size[1] + 0.2 * -(-labels // columns)), layout="constrained")
    return figure, figure.subplots()


def _legend(figure: Figure, axes: Axes, columns: int = 2) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(columns, len(labels)))
