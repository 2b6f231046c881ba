"""``cfvgg bench speed``."""

import argparse
import sys
from pathlib import Path

import trackers
from benchmarks.datasets import NAMES, Sequence, load
from benchmarks.files import write_json
from benchmarks.options import whole_numbers
from benchmarks.peers import Spec, parse
from benchmarks.provenance import environment
from benchmarks.report.tables import Table, plain
from benchmarks.speed.alone import alone, place
from benchmarks.speed.cost import cost
from benchmarks.speed.crowd import crowd_table
from benchmarks.speed.stages import profile
from benchmarks.speed.tables import ratio_table, speed_table, stage_table
from benchmarks.speed.timing import take_turns
from trackers.errors import UnknownOptionError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--dataset", choices=NAMES, default="synthetic", help="(%(default)s)")
    parser.add_argument("--root", type=Path, metavar="FOLDER", help="where the data set is")
    parser.add_argument("--sequences", metavar="NAMES", help="some of its targets, between commas")
    parser.add_argument("--trackers", default="fECO,ECOHC", help="as in cfvgg bench run; fECO{\"adapt\":true} adapts (%(default)s)")
    parser.add_argument("--peers", default="CSRT,KCF", help="of OpenCV, to compare with: CSRT, KCF, Nano, ... (%(default)s)")
    parser.add_argument("--models", type=Path, metavar="FOLDER", help="models of OpenCV's Nano")
    parser.add_argument("--rounds", type=int, default=3, help="(%(default)s)")
    parser.add_argument("--frames", type=int, default=100, help="of each target, at most (%(default)s)")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--stages", action="store_true", help="where the time of updates goes, instead; of trackers of this project")
    kind.add_argument("--paper", action="store_true", help="what Tables I, III and V of Wang et al. 2020 have of speed, instead")
    kind.add_argument("--crowd", metavar="NUMBERS", help="how long a frame takes with so many targets, such as 1,4,16, instead")
    parser.add_argument("--out", type=Path, metavar="FILE", help="JSON to write, with all digits and the machine")


def run(arguments: argparse.Namespace) -> None:
    """Measure, and print the tables.

    Raises
    ------
    TrackerError
        If an option makes no sense, or a tracker or a target is missing or broken.
    """
    if arguments.rounds < 1 or arguments.frames < 2:
        raise UnknownOptionError(f"--rounds {arguments.rounds} --frames {arguments.frames}; at least 1 and 2 are needed")
    dataset = load(arguments.dataset, arguments.root)
    for name, reason in dataset.broken.items():
        print(f"{name} is left out: {reason}", file=sys.stderr)
    targets = [dataset[name] for name in arguments.sequences.split(",")] if arguments.sequences else dataset.sequences
    specs = parse(arguments.trackers)
    peers = [Spec(f"OpenCV {name}", f"opencv:{name}", models=arguments.models) for name in arguments.peers.split(",") if name]
    if arguments.crowd:
        wrong = f"--crowd {arguments.crowd}; numbers of targets between commas are needed, such as 1,4,16"
        found = [crowd_table([*specs, *peers], targets[0], whole_numbers(arguments.crowd, wrong), arguments.frames)]
    else:
        measure = stage_tables if arguments.stages else paper_tables if arguments.paper else speed_tables
        found = measure(specs, peers, targets, arguments.rounds, arguments.frames)
    print("\n\n".join(map(plain, found)))
    if arguments.out:
        tables = {table.name: table.records() for table in found}
        write_json(arguments.out, {**environment(), "dataset": dataset.name, "targets": [each.name for each in targets], **tables})


def speed_tables(specs: list[Spec], peers: list[Spec], targets: list[Sequence], rounds: int, frames: int) -> list[Table]:
    """Trackers by turns with their peers, the costs of each, and how many times as fast as the peers they are."""
    runs, where = alone(_by_turns, [*specs, *peers], targets, rounds, frames)
    costs = {spec.label: cost(spec, targets[0], frames) for spec in (*specs, *peers)}
    names, others = [target.name for target in targets], [peer.label for peer in peers]
    return [speed_table(runs, costs, where), *(ratio_table(spec.label, runs, others, names) for spec in specs if peers)]


def stage_tables(specs: list[Spec], _: list[Spec], targets: list[Sequence], rounds: int, frames: int) -> list[Table]:
    """Stages of our trackers."""
    ours = [spec for spec in specs if spec.name in trackers.names()]
    if not ours:
        raise UnknownOptionError(f"--stages are those of {', '.join(trackers.names())}; none of them is among the trackers")
    return [stage_table({spec.label: alone(profile, spec, targets, rounds, frames) for spec in ours})]


def paper_tables(_: list[Spec], __: list[Spec], targets: list[Sequence], rounds: int, frames: int) -> list[Table]:
    """The paper's trackers and networks."""
    from benchmarks.speed import paper  # torch makes the random networks

    return [paper.features(10 * rounds), *(paper.trackers(table, targets, rounds, frames) for table in paper.TABLES)]


def _by_turns(*arguments) -> tuple[dict, str]:
    """Timings, and where they were taken."""
    return take_turns(*arguments), place()
