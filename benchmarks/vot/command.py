"""The verbs ``cfvgg bench trax`` and ``cfvgg bench vot-workspace``."""

import argparse
import sys
from contextlib import redirect_stdout
from pathlib import Path

from benchmarks import datasets, peers
from benchmarks.vot import workspace as workspaces
from trackers.errors import UnknownOptionError

MODELS = "folder of the networks that opencv:Nano needs"


def trax_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``trax``."""
    parser.add_argument("tracker", metavar="TRACKER", help="such as fECO, opencv:CSRT or module:factory")
    parser.add_argument("--models", type=Path, metavar="FOLDER", help=MODELS)


def trax(arguments: argparse.Namespace) -> None:
    """Serve one tracker until the client quits; stdout is the client's alone."""
    from benchmarks.vot.server import serve

    specs = peers.parse(arguments.tracker, arguments.models)
    if len(specs) > 1:
        raise UnknownOptionError(f"{arguments.tracker!r} are {len(specs)} trackers; trax serves one")
    with redirect_stdout(sys.stderr):
        serve(specs[0])


def workspace_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``vot-workspace``."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the workspace to write")
    parser.add_argument("--stack", default="vot2017", help="experiments, as the toolkit calls them (%(default)s)")
    parser.add_argument("--root", type=Path, required=True, metavar="VOTDIR", help="folder of the sequences")
    parser.add_argument("--trackers", required=True, metavar="NAME,...", help="such as fECO,opencv:CSRT")
    parser.add_argument("--models", type=Path, metavar="FOLDER", help=MODELS)


def workspace(arguments: argparse.Namespace) -> None:
    """Write a workspace, and say how to use it."""
    specs = peers.parse(arguments.trackers, arguments.models)
    for spec in specs:
        peers.make(spec)  # what cannot be made is to be known here, not in the toolkit
    dataset = datasets.load("vot", arguments.root)
    for name, reason in dataset.broken.items():
        print(f"left out {name}: {reason}", file=sys.stderr)
    workspaces.create(arguments.folder, arguments.stack, dataset.sequences, specs)
    names = " ".join(map(workspaces.identifier, specs))
    print(f"{len(dataset.sequences)} sequences; go on in the toolkit's environment:\nvot evaluate --workspace {arguments.folder} {names}")
