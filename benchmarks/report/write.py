"""Writes a report: tables as text, plots as pictures, and all of it as one page."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks import files
from benchmarks.datasets import Dataset
from benchmarks.report import keyframes, plots
from benchmarks.report.evaluation import MEASURES, Evaluation
from benchmarks.report.gather import Gathered
from benchmarks.report.page import Plot, Shown, page
from benchmarks.report.published import Published
from benchmarks.report.tables import Table, comma_separated, markdown
from trackers.errors import VideoError


def write(folder: Path, gathered: Gathered, lines: Sequence[str], tables: Sequence[Table], published: Sequence[Published]) -> None:
    """Write ``report.html``, ``report.md``, ``report.json``, a .csv of each table, and a .png and a .pdf of each plot.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    gathered : Gathered
    lines : sequence of str
        What stands above the tables.
    tables : sequence of Table
    published : sequence of Published
        What stands beside ours in plots.

    Raises
    ------
    VideoError
        If a file cannot be written.
    """
    write_tables(folder, gathered.title, gathered.dataset, gathered.convention, lines, tables)
    drawn = _plots(folder, gathered.evaluation, published)
    colours = {tracker: plots.colour(number) for number, tracker in enumerate(gathered.evaluation.tracks)}
    files.write(folder / "report.html", page(gathered.title, lines, tables, drawn, _shown(gathered.evaluation), colours))


def write_tables(folder: Path, title: str, dataset: Dataset, convention: str, lines: Sequence[str], tables: Sequence[Table]) -> None:
    """Write ``report.md``, ``report.json`` and a .csv of each table; see `write`."""
    texts = [f"# {title}", "\n".join(f"- {line}" for line in lines), *map(markdown, tables)]
    files.write(folder / "report.md", "\n\n".join(texts) + "\n")
    numbers = {
        "dataset": dataset.directory,
        "total": dataset.total,
        "missing": dataset.missing,
        "convention": convention,
        "notes": list(lines),
        **{table.name: table.records() for table in tables},
    }
    files.write_json(folder / "report.json", numbers)
    for table in tables:
        files.write(folder / f"{table.name}.csv", comma_separated(table))


def _plots(folder: Path, evaluation: Evaluation, published: Sequence[Published]) -> list[Plot]:
    """Draw all plots, write them as pictures, and return them for the page."""
    hollow = "; hollow: published, of other machines" if published else ""
    figures = {
        "success": ("Success", plots.success(evaluation)),
        "precision": ("Precision", plots.precision(evaluation)),
        "speed": (f"Accuracy and time; dashed: those that no other beats in both{hollow}", plots.speed_accuracy(evaluation, published)),
        "to-the-best": ("Difference to the best, with its 95 % interval", plots.differences(evaluation)),
        "by-attribute": ("AUC by attribute, and the number of its targets", plots.attributes(evaluation)),
        "time": ("Overlap over time: mean and middle half of the targets; thin: the other trackers", plots.over_time(evaluation)),
    }
    drawn = []
    for name, (title, figure) in figures.items():
        if figure is None:
            continue
        for suffix in ("png", "pdf"):
            files.write(folder / f"{name}.{suffix}", plots.picture(figure, suffix))
        drawn.append(Plot(title, plots.svg(figure), wide=figure.get_figwidth() > plots.NARROW[0]))
    return drawn


def _shown(evaluation: Evaluation) -> list[Shown]:
    """Pictures of the worst and the best targets; where one cannot be read, why."""
    shown = []
    for group, targets in zip(("Worst targets", "Best targets"), keyframes.ends(evaluation), strict=True):
        for target in targets:
            tracks = {tracker: found[target.name] for tracker, found in evaluation.tracks.items()}
            scores = ", ".join(f"{tracker} {100 * MEASURES['AUC'](track.values):.1f}" for tracker, track in tracks.items())
            try:
                shown.append(Shown(target.name, group, scores, keyframes.key_frames(target, tracks)))
            except VideoError as error:
                shown.append(Shown(target.name, group, str(error), []))
    return shown
