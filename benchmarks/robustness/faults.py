"""Faults in the middle of a video: ``python -m benchmarks.robustness.faults`` prints the mean overlap of the frames after each."""

import argparse
import sys
from collections.abc import Sequence
from itertools import islice, product
from pathlib import Path
from zlib import crc32

from benchmarks import threads

if __name__ == "__main__":
    threads.hold_libraries()

import joblib
import numpy as np

from benchmarks import datasets, peers, sequences
from benchmarks.metrics import average_overlap, overlap
from benchmarks.report.tables import Column, Table, plain
from benchmarks.robustness.answers import answers
from benchmarks.robustness.corruption import AFTER, BEFORE, FAULTS, LONGEST, Clip
from trackers.errors import TrackerError, UnknownOptionError
from trackers.opencv import cv2

LENGTH = BEFORE + LONGEST + AFTER


def starts(sequence: sequences.Sequence) -> np.ndarray:
    """Frames at which a clip of `LENGTH` frames may begin: annotated, and so are those that count."""
    possible = np.arange(len(sequence) - LENGTH + 1)
    return possible[[sequence.usable[start] and sequence.valid[start + LENGTH - AFTER : start + LENGTH].all() for start in possible]]


def cut(sequence: sequences.Sequence, seed: int) -> Clip:
    """A clip of a sequence, the same for the same seed."""
    start = int(_generator(seed, sequence.name).choice(starts(sequence)))
    part = sequence.since(start)
    return Clip(list(islice(part.frames(), LENGTH)), part.boxes[:LENGTH])


def follow(tracker: peers.Trackable, clip: Clip) -> np.ndarray:
    """Boxes (N, 4) of a tracker that begins on the first true one; NaN where it raised an error, and behind one with which it began."""
    found = answers(tracker, clip.frames, clip.boxes[0])
    return np.array([clip.boxes[0], *((np.nan,) * 4 if answer is None else answer[1] for answer in found)], float)


def measure(spec: peers.Spec, sequence: sequences.Sequence, seed: int) -> list[float]:
    """Mean overlap of the last `AFTER` frames of a clip with each of `FAULTS`; an error in a frame counts as no overlap."""
    threads.hold_opencv()
    clip, means = cut(sequence, seed), []
    for name, fault in FAULTS.items():
        faulty = fault(clip, _generator(seed, sequence.name, name))
        cv2.setRNGSeed(seed)
        boxes = follow(peers.make(spec), faulty)
        means.append(average_overlap(overlap(boxes[-AFTER:], faulty.boxes[-AFTER:])))
    return means


def table(specs: Sequence[peers.Spec], targets: Sequence[sequences.Sequence], seeds: int, jobs: int = 1) -> Table:
    """A row for each tracker, and a column for each fault: the mean over targets and seeds, which count alike."""
    tasks = list(product(specs, targets, range(seeds)))
    means = np.reshape(joblib.Parallel(jobs)(joblib.delayed(measure)(*task) for task in tasks), (len(specs), -1, len(FAULTS)))
    rows = [[spec.label, *row] for spec, row in zip(specs, means.mean(axis=1).tolist(), strict=True)]
    columns = [Column("tracker"), *(Column(name, 3) for name in FAULTS)]
    title = f"Mean overlap of the {AFTER} frames after a fault: {len(targets)} targets, {seeds} seeds"
    return Table("faults", title, columns, rows)


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.robustness.faults", description=__doc__)
    parser.add_argument("--dataset", default="synthetic", choices=datasets.NAMES, metavar="NAME", help="(%(default)s)")
    parser.add_argument("--root", type=Path, metavar="FOLDER", help="where the data set is, or a part of it; synthetic needs none")
    parser.add_argument("--trackers", required=True, metavar="TRACKERS", help="between commas, as for cfvgg bench run")
    parser.add_argument("--models", type=Path, metavar="FOLDER", help=f"where {' and '.join(peers.NANO)} of opencv:Nano are")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="clips of each target (%(default)s)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes of one thread; -1: one for each core (%(default)s)")
    given = parser.parse_args(arguments)
    try:
        if given.seeds < 1 or given.jobs == 0:
            raise UnknownOptionError(f"--seeds {given.seeds} --jobs {given.jobs}; at least one clip and one process are needed")
        specs = peers.parse(given.trackers, given.models)
        found = datasets.load(given.dataset, given.root).sequences
        targets = [sequence for sequence in found if starts(sequence).size]
        if short := [sequence.name for sequence in found if sequence not in targets]:
            print(f"without {LENGTH} frames that would do: {', '.join(short)}", file=sys.stderr)
        if not targets:
            raise UnknownOptionError(f"no target of {given.dataset} has {LENGTH} frames that would do")
        print(plain(table(specs, targets, given.seeds, given.jobs)))
    except TrackerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _generator(seed: int, *names: str) -> np.random.Generator:
    """Random numbers of their own for every use."""
    return np.random.default_rng([seed, *(crc32(name.encode()) for name in names)])


if __name__ == "__main__":
    sys.exit(main())
