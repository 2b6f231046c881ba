"""The verbs ``cfvgg bench report`` and ``cfvgg bench compare``."""

import argparse
from pathlib import Path

from benchmarks.datasets import NAMES, Dataset, load, otb
from benchmarks.report import contents
from benchmarks.report.conventions import CONVENTIONS
from benchmarks.report.gather import Gathered, gather
from benchmarks.report.published import published
from benchmarks.report.tables import plain
from trackers.errors import UnknownTrackerError


def report_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `report`."""
    _common_arguments(parser)
    parser.add_argument("--trackers", metavar="A,B,...", help="some of those with results (all)")
    parser.add_argument("--attributes", choices=("text", "matlab"), default="text", help="OTB's: project page's or toolkit's (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("report"), metavar="FOLDER", help="where to write (%(default)s)")


def compare_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `compare`."""
    _common_arguments(parser)
    parser.add_argument("trackers", nargs=2, metavar="TRACKER", help="two of those with results")


def _common_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset", choices=NAMES, default="otb", metavar="NAME", help=f"one of {', '.join(NAMES)} (%(default)s)")
    parser.add_argument("--root", type=Path, metavar="FOLDER", help="the data set, or a part of it")
    parser.add_argument(
        "--results", type=Path, action="append", required=True, metavar="FOLDER", help="of bench run or another toolkit; may be repeated"
    )
    parser.add_argument("--convention", choices=tuple(CONVENTIONS), help="by whose rules (the data set's; of VOT with resets)")
    parser.add_argument("--allow-short", action="store_true", help="frames that a file of results lacks are misses, not an error")


def report(arguments: argparse.Namespace) -> None:
    """Print the tables, and write them with plots and a page.

    Raises
    ------
    TrackerError
        If data set or results cannot be read, a tracker is not there, or a file cannot be written.
    """
    from benchmarks.report import write  # needs matplotlib

    dataset = load(arguments.dataset, arguments.root)
    if dataset.convention == "vot" and arguments.convention is None:
        _report_resets(dataset, arguments)
        return
    wanted = arguments.trackers.split(",") if arguments.trackers else None
    gathered = gather(
        arguments.dataset, arguments.root, arguments.results, wanted, arguments.convention, arguments.attributes, arguments.allow_short
    )
    theirs = published(gathered.dataset.directory) if gathered.is_whole else []
    tables, lines = contents.tables(gathered.evaluation, theirs, gathered.robustness), _lines(gathered, arguments)
    if arguments.dataset in otb.SETS:
        lines.append(f"Attributes are those of the {'project page' if arguments.attributes == 'text' else 'MATLAB toolkit'}.")
    write.write(arguments.out, gathered, lines, tables, theirs)
    print("\n\n".join([gathered.title, "\n".join(lines), *map(plain, tables)]))
    print(f"\nwritten: {arguments.out / 'report.html'}, and report.md, report.json, tables as .csv, plots as .png and .pdf beside it")


def _report_resets(dataset: Dataset, arguments: argparse.Namespace) -> None:
    """Print and write the table of VOT's reset-based experiment."""
    from benchmarks.report import write
    from benchmarks.vot import report as vot

    found = {}
    for folder in arguments.results:
        below = folder / dataset.directory
        found |= vot.trackers_in(below if below.is_dir() else folder)
    wanted = arguments.trackers.split(",") if arguments.trackers else list(found)
    if not wanted or not found.keys() >= set(wanted):
        asked, there = f"of {arguments.trackers}" if arguments.trackers else "there", f"; there are {', '.join(found)}" if found else ""
        raise UnknownTrackerError(f"no results of the reset-based experiment {asked}{there}: run it with bench run --protocol vot")
    title = f"{dataset.directory}, {len(dataset.sequences)} of {dataset.total} sequences"
    table = vot.table({tracker: found[tracker] for tracker in wanted}, dataset.sequences, dataset.name)
    lines = [f"{target}: {reason}" for target, reason in dataset.broken.items()]
    write.write_tables(arguments.out, title, dataset, "vot", lines, [table])
    print("\n\n".join([title, *lines, plain(table)]))


def compare(arguments: argparse.Namespace) -> None:
    """Print how much better the first tracker is than the second, on every target and in all.

    Raises
    ------
    TrackerError
        If data set or results cannot be read, or a tracker is not there.
    """
    gathered = gather(
        arguments.dataset, arguments.root, arguments.results, arguments.trackers, arguments.convention, allow_short=arguments.allow_short
    )
    tables = contents.comparison(gathered.evaluation, *arguments.trackers)
    print("\n\n".join([gathered.title, "\n".join(_lines(gathered, arguments)), *map(plain, tables)]))


def _lines(gathered: Gathered, arguments: argparse.Namespace) -> list[str]:
    """What stands above the tables."""
    padded = ["Frames that a file of results lacks count as misses."] if arguments.allow_short else []
    return [f"Scored by the {gathered.convention} convention.", *padded, *gathered.problems]
