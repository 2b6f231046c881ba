"""The verb ``cfvgg distill``."""

import argparse
import dataclasses
import sys

from cfvgg import weights
from distill.config import Config
from distill.processes import Processes
from distill.train import train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb: files, and every field of the configuration."""
    parser.add_argument(
        "--teacher", action="append", default=[], metavar="FILE[:LEVEL=TAP,...]", help="a teacher, and what it teaches; may be repeated"
    )
    parser.add_argument("--data", action="append", required=True, metavar="FOLDER", help="videos or pictures; may be repeated")
    parser.add_argument("--out", required=True, metavar="FILE", help="the .safetensors to write; checkpoint and metrics lie beside it")
    parser.add_argument("--start", metavar="FILE", help="weights to begin with, instead of pruned or random ones")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint beside --out")
    parser.add_argument("--cache", metavar="FOLDER", help="where to keep pairs that are drawn once (--cached-pairs); it may be reused")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="threads that draw pairs (%(default)s)")
    for option in dataclasses.fields(Config):
        default, flag, options = option.default, f"--{option.name.replace('_', '-')}", option.metadata.get("options")
        if isinstance(default, tuple):
            help_ = f"{option.metadata['help']} ({' '.join(default)})"
            parser.add_argument(flag, default=default, nargs="*", metavar="LEVEL", help=help_)
        else:
            metavar = None if options else option.name.rpartition("_")[2].upper()
            help_ = f"{option.metadata['help']} (%(default)s)"
            parser.add_argument(flag, default=default, type=type(default), choices=options, metavar=metavar, help=help_)


def run(arguments: argparse.Namespace) -> int:
    """Train, and return the exit status: 0, or 130 after Ctrl-C."""
    config = Config(**{option.name: getattr(arguments, option.name) for option in dataclasses.fields(Config)})
    try:
        files = arguments.teacher, arguments.data, arguments.out, arguments.start
        train(config, *files, arguments.resume, arguments.workers, arguments.cache)
    except KeyboardInterrupt:
        print("stopped; go on with --resume", file=sys.stderr)
        return 130
    if Processes().first:
        print(f"wrote {arguments.out}; on held-out pairs: {weights.load(arguments.out).metadata['validation']}")
    return 0
