"""What the scripts of the paper's tables and figures share (Wang et al. 2020)."""

import argparse
import io
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks import peers, runner
from benchmarks.datasets import NAMES, Dataset, load
from benchmarks.datasets.otb import ATTRIBUTES
from benchmarks.files import write
from benchmarks.report.evaluation import Evaluation
from benchmarks.report.gather import Gathered, gather
from benchmarks.report.published import Published
from benchmarks.report.tables import Column, Table, percent, plain
from trackers.errors import TrackerError, VideoError

NOT_PUBLISHED = "Not published here: the text at hand has no such figure."

Declare = Callable[[argparse.ArgumentParser], None]


def script(what: str, *declare: Declare) -> Callable[[Callable], Callable]:
    """Make a function of the arguments a main program: from a command line to an exit code, 1 if something is missing or wrong."""

    def made(function: Callable[[argparse.Namespace], None]) -> Callable:
        """The main program."""

        def main(arguments: list[str] | None = None) -> int:
            """Run the script."""
            parser = argparse.ArgumentParser(description=what)
            for each in declare:
                each(parser)
            try:
                function(parser.parse_args(arguments))
            except TrackerError as error:
                print(error, file=sys.stderr)
                return 1
            except KeyboardInterrupt:
                print("stopped; the same command goes on", file=sys.stderr)
                return 130
            return 0

        return main

    return made


def dataset(usual: str) -> Declare:
    """Arguments of a data set."""

    def declare(parser: argparse.ArgumentParser) -> None:
        """To a parser."""
        parser.add_argument("--dataset", choices=NAMES, default=usual, metavar="NAME", help="(%(default)s)")
        parser.add_argument("--sequences", type=Path, metavar="FOLDER", help="where the data set is, or a part of it")

    return declare


def tracking(trackers: str, large: dict[str, tuple[str, dict[str, Any]]] | None = None) -> Declare:
    """Arguments of tracking: the usual trackers, and by label those (name, options) that run on VGG-M where its file is given."""

    def declare(parser: argparse.ArgumentParser) -> None:
        """To a parser."""
        parser.add_argument("--trackers", default=trackers, help="as in cfvgg bench run (%(default)s)")
        parser.add_argument("--models", type=Path, metavar="FOLDER", help="models of OpenCV's Nano")
        parser.add_argument(
            "--results",
            type=Path,
            nargs="+",
            default=[Path("results")],
            metavar="FOLDER",
            help="of cfvgg bench run, where trackers run that have no results yet; and others, of any toolkit, that are read",
        )
        parser.add_argument("--jobs", type=int, default=1, help="processes that track (%(default)s)")
        parser.set_defaults(large=large or {}, vgg_m=None)
        if large:
            parser.add_argument("--vgg-m", type=Path, metavar="FILE", help=f"VGG-M's MatConvNet file, for {', '.join(large)}")

    return declare


def timing(parser: argparse.ArgumentParser) -> None:
    """Arguments of timing."""
    parser.add_argument("--rounds", type=int, default=3, help="of timing; 0: none (%(default)s)")
    parser.add_argument("--frames", type=int, default=30, help="of each target that are timed, at most (%(default)s)")


def training(parser: argparse.ArgumentParser) -> None:
    """Arguments of what was trained."""
    parser.add_argument(
        "--ablation", type=Path, default=Path("ablation"), metavar="FOLDER", help="--out of python -m benchmarks.ablation (%(default)s)"
    )


def drawing(name: str) -> Declare:
    """Arguments of a figure."""
    return lambda parser: parser.add_argument("--out", type=Path, default=Path(name), metavar="FILE", help="(%(default)s)")


def targets(given: argparse.Namespace) -> Dataset:
    """The data set; what it lacks is printed."""
    found = load(given.dataset, given.sequences)
    if found.missing or found.broken:
        print(f"{len(found.sequences)} of {found.total} targets of {found.directory}: not comparable with what is published for all")
    for name, reason in found.broken.items():
        print(f"{name} is left out: {reason}")
    return found


def tracked(given: argparse.Namespace) -> Gathered:
    """Results of all trackers there are; those of the arguments run first, where they have none."""
    found, specs = targets(given), peers.parse(given.trackers, given.models)
    if given.vgg_m:
        backbone = {"backbone": str(given.vgg_m)}
        specs += [peers.Spec(label, name, options | backbone) for label, (name, options) in given.large.items()]
    elif given.large:
        print(f"{', '.join(given.large)}: need VGG-M, see --vgg-m")
    for name, reason in runner.run(found, specs, given.results[0], given.jobs).items():
        print(f"{name} failed: {reason}")
    gathered = gather(given.dataset, given.sequences, given.results)
    print(*gathered.problems, "", sep="\n")
    return gathered


def trained(folder: Path) -> dict[str, dict[str, float]]:
    """AUC by tracker and row of an ablation; nothing where there is none.

    Raises
    ------
    VideoError
        If the file is not what an ablation writes.
    """
    path = folder / "ablation.json"
    if not path.is_file():
        print(f"no trained rows in {folder}: python -m benchmarks.ablation --data ... --teacher ... --sequences ... --out {folder}\n")
        return {}
    try:
        found = json.loads(path.read_text())["trackers"]
        return {tracker: {row: each["mean"] for row, each in rows.items()} for tracker, rows in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise VideoError(f"{path} is not what python -m benchmarks.ablation writes: {error}") from error


def attribute_columns() -> list[Column]:
    """The columns of Tables VII and VIII."""
    return [Column("tracker"), Column(""), *map(percent, (*ATTRIBUTES, "Overall"))]


def our_attributes(evaluation: Evaluation, tracker: str) -> list[float | None]:
    """AUC of a tracker on the targets that have each attribute, None where there is none, and on all."""
    values = evaluation.values(tracker)
    places = (evaluation.attributes.get(name) for name in ATTRIBUTES)
    return [*(None if found is None else float(values[found].mean()) for found in places), float(values.mean())]


def counts(evaluation: Evaluation) -> str:
    """How many targets have each attribute."""
    return ", ".join(f"{name} {len(evaluation.attributes.get(name, ()))}" for name in ATTRIBUTES)


def published_attributes(row: Published) -> list[float]:
    """The published ones, and that on all targets."""
    return [*(row.attributes[name] for name in ATTRIBUTES), row.auc]


def show(*tables: Table) -> None:
    """Print tables."""
    print("\n\n".join(map(plain, tables)))


def save(figure: Any, path: Path) -> None:
    """Write a figure of matplotlib as .png, whole or not at all, and say so.

    Raises
    ------
    VideoError
        If that fails.
    """
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=150)
    write(path, picture.getvalue())
    print(f"written: {path}")


def lacking(names: Iterable[str], there: Iterable[str]) -> None:
    """Say which of the names are not there."""
    if missing := [name for name in names if name not in set(there)]:
        print(f"not there: {', '.join(missing)}")
