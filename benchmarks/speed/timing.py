"""Times of trackers that take turns on the same frames."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from tqdm import tqdm

from benchmarks import sequences
from benchmarks.peers import Spec, Trackable, make

WARM_UP = 10  # frames: what is compiled, planned or loaded once per process is no tracker's first frame


@dataclass(frozen=True)
class Timing:
    """One run of a tracker on one target. Times are the process's CPU time, which other programs on the machine change little.

    Attributes
    ----------
    first : float
        Seconds of `init`, with the adaptation of the network where there is one.
    adaptation : float
        Seconds of wall time of that; 0 where there is none.
    updates : ndarray, float64, (N - 1,)
        Seconds of each `update`.
    busy : float
        CPU time of all updates over their wall time: above 1 several threads ran, below 1 the core was shared.
    """

    first: float
    adaptation: float
    updates: np.ndarray
    busy: float


def measure(tracker: Trackable, frames: Sequence[np.ndarray], box: Iterable[float]) -> Timing:
    """Run a tracker over frames, N of (H, W, 3) uint8; nothing but the tracker is timed."""
    start = time.process_time()
    tracker.init(frames[0], box)
    first = time.process_time() - start
    adaptation = getattr(getattr(tracker, "adaptation", None), "seconds", 0.0)
    return Timing(first, adaptation, *timed_updates(tracker, frames[1:]))


def timed_updates(tracker: Trackable, frames: Sequence[np.ndarray]) -> tuple[np.ndarray, float]:
    """CPU time of the update with each of N frames in seconds, (N,), and that of all over their wall time."""
    seconds, begin = np.empty(len(frames)), time.perf_counter()
    for number, frame in enumerate(frames):
        start = time.process_time()
        tracker.update(frame)
        seconds[number] = time.process_time() - start
    return seconds, seconds.sum() / (time.perf_counter() - begin)


def decoded(sequence: sequences.Sequence, most: int) -> list[np.ndarray]:
    """The first frames of a target, at most so many."""
    return list(islice(sequence.frames(), most))


def take_turns(specs: Sequence[Spec], targets: Sequence[sequences.Sequence], rounds: int, most: int) -> dict[str, list[list[Timing]]]:
    """Timings by the trackers' labels, of every target and round.

    Frames are decoded beforehand. On a target the trackers run one after the other, in each round in another order, so that what disturbs
    the machine for a while disturbs them alike.

    Parameters
    ----------
    specs : sequence of Spec
    targets : sequence of Sequence
    rounds : int
    most : int
        Frames of a target, at least 2.

    Raises
    ------
    TrackerError
        If a picture cannot be read, or a tracker cannot be made.
    """
    runs = {spec.label: [[] for _ in targets] for spec in specs}
    for number, target in enumerate(tqdm(targets, unit="target", disable=None)):
        frames, box = decoded(target, most), target.boxes[0]
        if number == 0:
            for spec in specs:
                measure(make(spec), frames[:WARM_UP], box)
        for turn in range(rounds):
            first = turn % len(specs)
            for spec in [*specs[first:], *specs[:first]]:
                runs[spec.label][number].append(measure(make(spec), frames, box))
    return runs
