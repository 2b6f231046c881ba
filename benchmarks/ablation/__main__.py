"""Train and track the rows of the paper's Tables III and IV, and print ours beside the published ones."""

import argparse
import sys
from collections.abc import Collection
from pathlib import Path

from benchmarks.ablation.evaluation import evaluate_rows
from benchmarks.ablation.paper import script
from benchmarks.ablation.rows import ROWS, TRACKERS, Row
from benchmarks.ablation.tables import report
from benchmarks.ablation.training import Plan, options, train_row
from benchmarks.datasets import load
from benchmarks.files import write, write_json
from benchmarks.options import whole_numbers
from benchmarks.sequences import Sequence
from trackers.errors import UnknownOptionError

USUAL_TRACKERS = ("fECO", "fDeepSTRCF", "fKCF")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.prog = "python -m benchmarks.ablation"
    parser.add_argument("--data", type=Path, action="append", default=[], metavar="FOLDER", help="pictures to train on; may be repeated")
    parser.add_argument("--teacher", action="append", default=[], metavar="FILE[:LEVEL=TAP,...]", help="see cfvgg distill; may be repeated")
    parser.add_argument(
        "--sequences", type=Path, metavar="FOLDER", help="videos to track in, laid out like OTB; without it, rows are trained only"
    )
    parser.add_argument(
        "--every", default="1", metavar="STEPS", help="of every so many frames one; several, between commas, are targets each (%(default)s)"
    )
    parser.add_argument("--only", metavar="TARGETS", help="some of their targets, between commas")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="weights, scores and tables; what is there is not done again"
    )
    parser.add_argument("--rows", default=",".join(ROWS), help="of the tables, or names of .safetensors in --out (%(default)s)")
    parser.add_argument("--trackers", default=",".join(USUAL_TRACKERS), help=f"of {', '.join(TRACKERS)} (%(default)s)")
    parser.add_argument("--against", metavar="ROW", help="what rows are compared with (both, if it is among them)")
    parser.add_argument("--steps", type=int, default=10_000, help="of each training (%(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="on each target, all but the first with one pixel changed (%(default)s)")
    parser.add_argument("--jobs", type=int, default=1, help="processes that track (%(default)s)")
    parser.add_argument("--classifier-rate", type=float, default=1e-3, help="learning rate of the row tiny (%(default)s)")
    parser.add_argument("--classifier-boxes", type=int, default=150, help="boxes of a class of the row tiny, at least (%(default)s)")
    group = parser.add_argument_group("training of the other rows, as in cfvgg distill")
    for option in options():
        flag, default, known = f"--{option.name.replace('_', '-')}", option.default, option.metadata
        several = {"nargs": "*"} if isinstance(default, tuple) else {"type": type(default), "choices": known.get("options")}
        group.add_argument(flag, default=default, help=f"{known['help']} (%(default)s)", **several)


@script(__doc__, _arguments)
def main(given: argparse.Namespace) -> None:
    """Train, track and report."""
    rows, trackers = chosen_rows(given.rows, given.out), _chosen(given.trackers, TRACKERS, "tracker")
    if given.against is not None and given.against not in [row.name for row in rows]:
        raise UnknownOptionError(f"--against {given.against}: it is none of the rows {', '.join(row.name for row in rows)}")
    if given.runs < 1 or given.jobs < 1:
        raise UnknownOptionError(f"--runs {given.runs} --jobs {given.jobs}; both must be at least 1")
    targets = _targets(given.sequences) if given.sequences is not None else []
    if given.only:
        wanted = _chosen(given.only, [target.name for target in targets], "target")
        targets = [target for target in targets if target.name in wanted]
    steps = _steps(given.every)
    targets = [target.every(step) for target in targets for step in steps]
    settings = {option.name: getattr(given, option.name) for option in options()}
    plan = Plan(given.data, given.teacher, given.steps, settings, {"rate": given.classifier_rate, "boxes": given.classifier_boxes})
    for number, row in enumerate(rows, 1):
        print(f"{number} of {len(rows)}: {row.name}, {row.what}", file=sys.stderr)
        if row.name in ROWS:
            train_row(row, plan, given.out)
    if targets:
        _evaluate(given, rows, trackers, targets)


def chosen_rows(names: str, out: Path) -> list[Row]:
    """The rows of a list of names between commas; a name of no row stands for the weights ``out/<name>.safetensors``, used as they are.

    Raises
    ------
    UnknownOptionError
        If there is no such row, nor such a file.
    """
    rows = []
    for name in names.split(","):
        if name not in ROWS and not (out / f"{name}.safetensors").is_file():
            raise UnknownOptionError(f"no row {name!r}, nor {out / name}.safetensors; rows are {', '.join(ROWS)}")
        rows.append(ROWS.get(name, Row(name, "weights as they are")))
    return rows


def _chosen(names: str, known: Collection[str], kind: str) -> list[str]:
    """The names between commas; UnknownOptionError if one is not known."""
    for name in names.split(","):
        if name not in known:
            raise UnknownOptionError(f"no {kind} {name!r}; there are {', '.join(known)}")
    return names.split(",")


def _steps(text: str) -> list[int]:
    """The numbers between commas; UnknownOptionError if one is none from 1 on, or there twice."""
    wrong = f"--every {text}: different whole numbers from 1 on are needed, between commas, such as 1,2,3"
    steps = whole_numbers(text, wrong)
    if len(set(steps)) < len(steps):
        raise UnknownOptionError(wrong)
    return steps


def _targets(folder: Path) -> list[Sequence]:
    """The sequences in a folder laid out like OTB; what cannot be read is said, and left out."""
    dataset = load("folder", folder)
    for reason in dataset.broken.values():
        print(f"left out: {reason}", file=sys.stderr)
    return dataset.sequences


def _evaluate(given: argparse.Namespace, rows: list[Row], trackers: list[str], targets: list[Sequence]) -> None:
    """Track, print the tables and write them."""
    kept = given.out / "scores" / given.sequences.resolve().name
    scores = evaluate_rows(rows, trackers, targets, given.runs, given.out, kept, given.jobs)
    against = given.against or ("both" if any(row.name == "both" for row in rows) else rows[0].name)
    videos = {target.name: target.video for target in targets}
    text, numbers = report(rows, scores, against, videos)
    print(text)
    write_json(given.out / "ablation.json", {"sequences": given.sequences.name, "videos": videos, "runs": given.runs, "trackers": numbers})
    write(given.out / "ablation.txt", text + "\n")


if __name__ == "__main__":
    sys.exit(main())
