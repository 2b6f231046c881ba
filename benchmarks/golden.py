"""Accuracy that must not change by accident: ``python -m benchmarks.golden`` compares it with what ``golden.json`` remembers."""

import argparse
import json
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from benchmarks import threads

if __name__ == "__main__":
    threads.hold_libraries()

import numpy as np
from tqdm import tqdm

import trackers
from benchmarks import datasets
from benchmarks.files import write_json
from benchmarks.metrics import auc, overlap
from trackers.errors import TrackerError

FILE = Path(__file__).with_name("golden.json")
TRACKERS = ("fECO", "ECOHC", "fDeepSTRCF", "STRCF", "BACF", "fKCF", "KCF", "MOSSE")

# How far the mean may be off. Rounding that differs, as between two processors, sends the ECO family on other ways.
ALLOWED, ALLOWED_ECO = 0.006, 0.03
ECO_FAMILY = ("fECO", "ECOHC")

# A few targets by data set on which the trackers do not hang by a hair, and how many of their frames. The full set is all that is there.
QUICK = {"synthetic": ("Motion", "Rotation", "Scale"), "otb": ("Deer", "Jumping", "Walking2")}
FRAMES = 30

Scores = dict[str, dict[str, float]]  # AUC by tracker and target


def measure(dataset: datasets.Dataset, names: Iterable[str] | None = None, frames: int | None = None) -> Scores:
    """Areas under the success curve of all `TRACKERS`.

    Parameters
    ----------
    dataset : Dataset
    names : iterable of str or None
        Of targets; None stands for all.
    frames : int or None
        Of each, from the first on; None stands for all.

    Raises
    ------
    TrackerError
        If a target is not there, or a picture cannot be read.
    """
    scores = {name: {} for name in TRACKERS}
    for sequence in tqdm([dataset[name] for name in names] if names else dataset.sequences, unit="target", disable=None):
        pictures = list(islice(sequence.frames(), frames))
        for name in TRACKERS:
            boxes = trackers.create(name).track(pictures, sequence.boxes[0]).boxes
            scores[name][sequence.name] = round(auc(overlap(boxes, sequence.boxes[: len(pictures)])), 6)
    return scores


def deviations(found: Scores, remembered: Scores) -> list[str]:
    """A line for each tracker whose mean over the targets is farther off than allowed; none if all is as it was."""
    lines = []
    for name, scores in found.items():
        allowed = ALLOWED_ECO if name in ECO_FAMILY else ALLOWED
        before = remembered.get(name, {})
        if before.keys() != scores.keys():
            lines.append(f"{name}: targets are {', '.join(scores)}; remembered are {', '.join(before) or 'none'}")
        elif abs(change := np.mean([*scores.values()]) - np.mean([*before.values()])) > allowed:
            targets = ", ".join(f"{target} {before[target]:.3f} -> {score:.3f}" for target, score in scores.items())
            lines.append(f"{name}: mean AUC changed by {change:+.4f}, allowed is {allowed}: {targets}")
    return lines


def remembered(which: str, part: str) -> Scores:
    """What is remembered of a data set; nothing, if nothing is.

    Parameters
    ----------
    which : str
        ``quick`` or ``full``.
    part : str
        Data set.
    """
    content = json.loads(FILE.read_text()) if FILE.is_file() else {}
    return content.get(which, {}).get(part, {})


def remember(which: str, part: str, scores: Scores) -> None:
    """Replace what is remembered of a data set.

    Raises
    ------
    VideoError
        If the file cannot be written.
    """
    content = json.loads(FILE.read_text()) if FILE.is_file() else {}
    content.setdefault(which, {})[part] = scores
    write_json(FILE, content)


def main(arguments: list[str] | None = None) -> int:
    """Print what deviates; the exit code is 1 if something does."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.golden", description=__doc__)
    parser.add_argument("--root", type=Path, metavar="FOLDER", help="OTB, or a part of it; without it, synthetic videos alone are used")
    parser.add_argument("--full", action="store_true", help="all targets and frames instead of a few (minutes)")
    parser.add_argument("--write", action="store_true", help="remember this accuracy from now on")
    given = parser.parse_args(arguments)
    threads.hold_opencv()
    which, lines = "full" if given.full else "quick", []
    try:
        for part in QUICK if given.root else ("synthetic",):
            dataset = datasets.load(part, given.root)
            found = measure(dataset) if given.full else measure(dataset, QUICK[part], FRAMES)
            for name, scores in found.items():
                print(f"{part:12}{name:12}mean AUC {np.mean([*scores.values()]):.4f} of {len(scores)} targets")
            if given.write:
                remember(which, part, found)
            else:
                lines += deviations(found, remembered(which, part))
    except TrackerError as error:
        lines.append(str(error))
    print(*lines, sep="\n", end="\n" * bool(lines), file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
