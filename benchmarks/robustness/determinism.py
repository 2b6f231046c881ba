"""Whether results repeat: ``python -m benchmarks.robustness.determinism`` prints in how many frames they differ, by way to run."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks import threads

if __name__ == "__main__":
    threads.hold_libraries()

from benchmarks import peers
from benchmarks.report.tables import Column, Table, plain
from benchmarks.robustness import hard
from benchmarks.robustness.answers import answers
from benchmarks.robustness.hard import HardClip
from trackers.errors import TrackerError
from trackers.opencv import cv2

SEED = 100  # of the scene, whose target is gone for a while
MANY, THREADS = 8, 4


def transcript(spec: peers.Spec, clip: HardClip) -> Iterator[str]:
    """What a tracker says of each frame of a clip but the first: ``ok``, the box and, where it has one, the score, to the last bit."""
    cv2.setRNGSeed(0)
    tracker = peers.make(spec)
    for answer in answers(tracker, clip.frames(), clip.boxes[0]):
        yield repr((answer, getattr(tracker, "score", None)))


def alone(spec: peers.Spec, clip: HardClip) -> list[str]:
    """One tracker, to the end."""
    return list(transcript(spec, clip))


def interleaved(spec: peers.Spec, clip: HardClip) -> list[list[str]]:
    """Two of them, by turns."""
    return list(map(list, zip(*zip(transcript(spec, clip), transcript(spec, clip), strict=True), strict=True)))


def threaded(spec: peers.Spec, clip: HardClip) -> list[list[str]]:
    """`MANY` of them on `THREADS` threads."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda _: alone(spec, clip), range(MANY)))


def elsewhere(spec: peers.Spec, clip: HardClip, cores: int) -> list[list[str]]:
    """One in a new process, which may use so many cores."""
    threads.hold_libraries(cores)  # of that process; this one's are loaded
    try:
        with ProcessPoolExecutor(1, get_context("spawn"), _confine, (cores,)) as pool:
            return [pool.submit(alone, spec, clip).result()]
    finally:
        threads.hold_libraries()


def _confine(cores: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    threads.hold_opencv(cores)


def differing(spec: peers.Spec, clip: HardClip) -> list[int]:
    """For each way to run a tracker, in how many frames it says something else than the first time, at most."""
    first = alone(spec, clip)
    ways = [alone(spec, clip)], interleaved(spec, clip), threaded(spec, clip), elsewhere(spec, clip, 1), elsewhere(spec, clip, 2)
    return [max(sum(a != b for a, b in zip(one, first, strict=True)) for one in way) for way in ways]


def table(specs: Sequence[peers.Spec], clip: HardClip) -> Table:
    """A row for each tracker, and a column for each way to run it."""
    ways = "again", "by turns", f"{MANY} on {THREADS} threads", "new process, 1 core", "2 cores"
    rows = [[spec.label, *differing(spec, clip)] for spec in specs]
    title = f"Frames of {len(clip.boxes) - 1} in which a tracker says something else than the first time"
    return Table("determinism", title, [Column("tracker"), *(Column(way, 0) for way in ways)], rows)


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.robustness.determinism", description=__doc__)
    parser.add_argument("--trackers", required=True, metavar="TRACKERS", help="between commas, as for cfvgg bench run")
    parser.add_argument("--models", type=Path, metavar="FOLDER", help=f"where {' and '.join(peers.NANO)} of opencv:Nano are")
    given = parser.parse_args(arguments)
    threads.hold_opencv()
    try:
        (clip,) = hard.vanishing([SEED])
        print(plain(table(peers.parse(given.trackers, given.models), clip)))
    except TrackerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
