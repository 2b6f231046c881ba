"""A very long run: ``python -m benchmarks.robustness.soak`` prints whether memory and times grow."""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import threads
from cfvgg.files import whole

if __name__ == "__main__":
    threads.hold_libraries()

import numpy as np
import psutil

from benchmarks import peers, synthetic
from trackers.errors import TrackerError, UnknownOptionError, VideoError
from trackers.opencv import cv2

SCENE = synthetic.Scene(frames=100, size=(240, 320), occlusion=0, scale=0.2)
BLOCK = 1000  # updates between two looks at the memory, and over which times are compared
MEGABYTE = 1e6


@dataclass(frozen=True)
class Soak:
    """What was seen in a long run.

    Attributes
    ----------
    updates : ndarray, int, (M,)
        How many were done at each look at the memory.
    memory : ndarray, float64, (M,)
        Resident bytes then.
    seconds : ndarray, float64, (N,)
        CPU time of every update.
    """

    updates: np.ndarray
    memory: np.ndarray
    seconds: np.ndarray

    @property
    def slope(self) -> float:
        """Bytes for each update: a line through the second half, for caches fill first."""
        half = len(self.updates) // 2
        return float(np.polyfit(self.updates[half:], self.memory[half:], 1)[0])

    def medians(self) -> tuple[float, float]:
        """Seconds of an update among the first, and among the last `BLOCK`."""
        return float(np.median(self.seconds[:BLOCK])), float(np.median(self.seconds[-BLOCK:]))


def soak(tracker: peers.Trackable, updates: int, reinitialisations: int) -> Soak:
    """Run a tracker over a video to and fro, and begin anew on the true box after every so many updates.

    Parameters
    ----------
    tracker : Trackable
    updates, reinitialisations : int
        How many; from 4 blocks of updates on the slope means something.
    """
    video, process = synthetic.sequence(SCENE), psutil.Process()
    frames, boxes = list(video.frames), video.boxes
    period = max(updates // (reinitialisations + 1), 1)
    looks, memory, seconds = [], [], np.zeros(updates)
    for number in range(updates):
        if number % period == 0 and number // period <= reinitialisations:
            at = _to_and_fro(number, len(frames))
            tracker.init(frames[at], boxes[at])
        frame = frames[_to_and_fro(number + 1, len(frames))]
        start = time.thread_time()
        tracker.update(frame)
        seconds[number] = time.thread_time() - start
        if (number + 1) % BLOCK == 0:
            looks.append(number + 1)
            memory.append(process.memory_info().rss)
    return Soak(np.array(looks), np.array(memory, float), seconds)


def draw(found: Soak, label: str, path: Path) -> None:
    """A figure: resident memory, and the median update of each block.

    Raises
    ------
    VideoError
        If the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure((8, 5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    above.plot(found.updates, found.memory / MEGABYTE)
    above.set(title=label, ylabel="resident memory [MB]", ylim=(0, 1.1 * found.memory.max() / MEGABYTE))
    below.plot(found.updates, 1000 * np.median(found.seconds[: len(found.updates) * BLOCK].reshape(-1, BLOCK), axis=1))
    below.set(xlabel="updates", ylabel=f"median update of {BLOCK} [ms]", ylim=(0, None))
    try:
        with whole(path) as file:
            figure.savefig(file, format=path.suffix[1:])
    except (OSError, ValueError) as error:
        raise VideoError(f"cannot write {path}: {error}") from error


def main(arguments: list[str] | None = None) -> int:
    """Run a tracker for long, and print memory and times."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.robustness.soak", description=__doc__)
    parser.add_argument("--tracker", default="MOSSE", help="as for cfvgg bench run (%(default)s)")
    parser.add_argument("--updates", type=int, default=100_000, metavar="N", help="(%(default)s)")
    parser.add_argument("--reinitialisations", type=int, default=1000, metavar="N", help="(%(default)s)")
    parser.add_argument("--models", type=Path, metavar="FOLDER", help=f"where {' and '.join(peers.NANO)} of opencv:Nano are")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="draw memory and times over the updates")
    given = parser.parse_args(arguments)
    threads.hold_opencv()
    try:
        if given.updates < 4 * BLOCK or not 0 <= given.reinitialisations < given.updates:
            raise UnknownOptionError(f"--updates {given.updates}; at least {4 * BLOCK}, and more than --reinitialisations, are needed")
        (spec,) = peers.parse(given.tracker, given.models)
        found = soak(peers.make(spec), given.updates, given.reinitialisations)
        if given.figure:
            draw(found, spec.label, given.figure)
    except (TrackerError, cv2.error) as error:  # some of OpenCV's trackers do not last
        print(error, file=sys.stderr)
        return 1
    first, last = found.medians()
    print(f"{spec.label}: {given.updates} updates, {given.reinitialisations} reinitialisations")
    begin, highest, end = found.memory[[0, found.memory.argmax(), -1]] / MEGABYTE
    print(f"resident memory: {begin:.1f} MB after {BLOCK} updates, at most {highest:.1f} MB, {end:.1f} MB at the end")
    print(f"  slope over the second half: {BLOCK * found.slope / 1e3:+.3f} kB per {BLOCK} updates")
    print(f"median update: {1000 * first:.3f} ms of the first {BLOCK}, {1000 * last:.3f} ms of the last, ratio {last / first:.3f}")
    return 0


def _to_and_fro(number: int, length: int) -> int:
    """0, 1, ... length - 1, length - 2, ... 1, 0, 1, ..."""
    number %= 2 * (length - 1)
    return min(number, 2 * (length - 1) - number)


if __name__ == "__main__":
    sys.exit(main())
