"""The verb ``cfvgg bench run``."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks import datasets, peers, runner
from trackers.errors import UnknownOptionError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument("--dataset", required=True, choices=datasets.NAMES, metavar="NAME", help=", ".join(datasets.NAMES))
    parser.add_argument("--root", type=Path, metavar="FOLDER", help="where the data set is, or a part of it; synthetic needs none")
    parser.add_argument(
        "--trackers",
        required=True,
        metavar="TRACKERS",
        help=f"between commas: names of this project; opencv:NAME, where NAME is {', '.join(peers.OPENCV)}; module:factory of your own. "
        'Options follow as JSON, a label may stand before: exact=ECOHC{"published": true}',
    )
    parser.add_argument("--results", type=Path, required=True, metavar="FOLDER", help="where results go; what is there is not done again")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes of one thread; -1: one for each core (%(default)s)")
    parser.add_argument(
        "--protocol",
        choices=runner.PROTOCOLS,
        default="ope",
        help="one pass; starts that are shifted in space (12) or in time (20); VOT's resets (%(default)s)",
    )
    parser.add_argument("--sequences", metavar="NAMES", help="some targets, between commas (all)")
    parser.add_argument("--models", type=Path, metavar="FOLDER", help=f"where {' and '.join(peers.NANO)} of opencv:Nano are")


def run(arguments: argparse.Namespace) -> int:
    """Run the trackers, and name what failed; the exit code is 1 if anything did."""
    specs = peers.parse(arguments.trackers, arguments.models)
    if arguments.jobs == 0:
        raise UnknownOptionError("--jobs 0; at least 1 is needed, or -1 for one for each core")
    dataset = datasets.load(arguments.dataset, arguments.root)
    if arguments.sequences:
        dataset = _part(dataset, arguments.sequences.split(","))
    if dataset.missing:
        missing = f"{len(dataset.missing)} of {dataset.total} targets are not in {arguments.root}"
        print(f"{missing}: {', '.join(dataset.missing)}", file=sys.stderr)
    try:
        failures = runner.run(dataset, specs, arguments.results, arguments.jobs, arguments.protocol)
    except KeyboardInterrupt:
        print("cfvgg: stopped; the same command goes on", file=sys.stderr)
        return 130
    print(arguments.results / dataset.directory)
    if failures:
        print(f"cfvgg: {len(failures)} failed:", *(f"  {name}: {reason}" for name, reason in failures.items()), sep="\n", file=sys.stderr)
    return 1 if failures else 0


def _part(dataset: datasets.Dataset, names: list[str]) -> datasets.Dataset:
    """Some targets of a data set; UnknownOptionError if it has none of such a name."""
    targets = [*(sequence.name for sequence in dataset.sequences), *dataset.missing, *dataset.broken]
    wanted = {datasets.canonical(name, targets) for name in names}
    return replace(
        dataset,
        total=len(wanted),
        sequences=[sequence for sequence in dataset.sequences if sequence.name in wanted],
        missing=[name for name in dataset.missing if name in wanted],
        broken={name: reason for name, reason in dataset.broken.items() if name in wanted},
    )
