"""The verb ``cfvgg bench`` and the verbs below it. Each module is imported when its verb is chosen, after the threads are held."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from benchmarks import threads


@dataclass(frozen=True)
class Verb:
    """A verb below ``bench``: the module that declares its arguments and runs it, by functions of these names."""

    summary: str
    example: str
    module: str
    arguments: str = "add_arguments"
    run: str = "run"

    def function(self, name: str) -> Callable:
        """A function of the module."""
        threads.hold_libraries()
        return getattr(import_module(self.module), name)


VERBS = {
    "run": Verb(
        "run trackers over a data set; what is done already is not done again",
        "cfvgg bench run --dataset otb --root OTB --trackers fECO,ECOHC,opencv:CSRT --results results --jobs 4",
        "benchmarks.run_command",
    ),
    "report": Verb(
        "make tables, plots and a page of results",
        "cfvgg bench report --dataset otb --root OTB --results results",
        "benchmarks.report.command",
        "report_arguments",
        "report",
    ),
    "compare": Verb(
        "compare two trackers, with the interval of the difference",
        "cfvgg bench compare --dataset otb --root OTB --results results fECO ECOHC",
        "benchmarks.report.command",
        "compare_arguments",
        "compare",
    ),
    "speed": Verb(
        "time trackers by turns on one core",
        "cfvgg bench speed --dataset synthetic --trackers fECO,fKCF,opencv:CSRT",
        "benchmarks.speed.command",
    ),
    "trax": Verb(
        "serve a tracker to the VOT toolkit",
        "cfvgg bench trax fECO",
        "benchmarks.vot.command",
        "trax_arguments",
        "trax",
    ),
    "vot-workspace": Verb(
        "write a workspace of the VOT toolkit",
        "cfvgg bench vot-workspace workspace --stack vot2017 --root VOT2017 --trackers fECO",
        "benchmarks.vot.command",
        "workspace_arguments",
        "workspace",
    ),
}


class _Parser(argparse.ArgumentParser):
    """That of a verb, which learns its arguments when it is chosen."""

    verb: Verb | None = None

    def parse_known_args(self, args=None, namespace=None):
        """As in the base class, but that the arguments are declared first."""
        if self.verb is not None:
            self.verb.function(self.verb.arguments)(self)
        return super().parse_known_args(args, namespace)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(dest="bench", required=True, metavar="VERB", parser_class=_Parser)
    for name, verb in VERBS.items():
        description = verb.summary[0].upper() + verb.summary[1:] + "."
        verbs.add_parser(name, help=verb.summary, description=description, epilog=f"example: {verb.example}").verb = verb


def run(arguments: argparse.Namespace) -> int | None:
    """Run the chosen verb and return its exit code."""
    verb = VERBS[arguments.bench]
    return verb.function(verb.run)(arguments)
