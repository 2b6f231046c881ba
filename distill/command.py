"""The verb ``cfvgg distill``."""

import argparse
import json
import sys

from distill.train import Config, train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument("--teacher", required=True, metavar="FILE", help="weights of a published CF-VGG, .mat or .safetensors")
    parser.add_argument("--data", required=True, metavar="FOLDER", help="pictures to train on, with a validation.txt")
    parser.add_argument("--out", required=True, metavar="FILE", help="the .safetensors to write; checkpoint and metrics lie beside it")
    parser.add_argument("--steps", type=int, default=Config.steps, metavar="N", help="steps of the optimiser (%(default)s)")
    parser.add_argument("--seed", type=int, default=Config.seed, metavar="S", help="of filters and crops (%(default)s)")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint beside --out")


def run(arguments: argparse.Namespace) -> int:
    """Train, and return the exit status: 0, or 130 after Ctrl-C."""
    try:
        result = train(
            Config(steps=arguments.steps, seed=arguments.seed), arguments.teacher, arguments.data, arguments.out, arguments.resume
        )
    except KeyboardInterrupt:
        print("stopped; go on with --resume", file=sys.stderr)
        return 130
    found = json.loads(result.metadata["validation_r_squared"])
    print(f"wrote {arguments.out}; R^2 on held-out crops: " + ", ".join(f"{level} {value}" for level, value in found.items()))
    return 0
