"""Many targets on the same frames: by turns in one thread, in one thread for each core, or in one process for each target."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from operator import methodcaller
from typing import Any

import joblib
import numpy as np

from benchmarks import sequences, threads
from benchmarks.peers import Spec, make
from benchmarks.report.tables import Column, Table
from benchmarks.speed.alone import alone, fresh
from benchmarks.speed.timing import WARM_UP, decoded

STARTED = 60  # seconds in which all processes must have begun


def crowd_table(specs: Sequence[Spec], target: sequences.Sequence, counts: Sequence[int], most: int) -> Table:
    """Wall time of a frame, the first one aside, in which so many trackers of a kind follow the same target: a row for each number.

    Parameters
    ----------
    specs : sequence of Spec
    target : Sequence
        All trackers have the same, so that each has as much to do.
    counts : sequence of int
        How many trackers.
    most : int
        Frames, at most.

    Raises
    ------
    TrackerError
        If a picture cannot be read, a tracker cannot be made, or a process dies.
    """
    columns = [Column("tracker"), Column("targets", 0), *(Column(f"{way}, ms", 1) for way in ("one thread", "threads", "processes"))]
    rows = [
        [spec.label, count, *(1000 * way(spec, target, count, most) for way in (by_turns, in_threads, in_processes))]
        for spec in specs
        for count in counts
    ]
    return Table("crowd", f"Wall time of a frame with several targets, {joblib.cpu_count()} cores", columns, rows)


def by_turns(spec: Spec, target: sequences.Sequence, count: int, most: int) -> float:
    """Seconds of a frame, one tracker after the other on one core."""
    return alone(_together, spec, target, count, most, 1)


def in_threads(spec: Spec, target: sequences.Sequence, count: int, most: int) -> float:
    """Seconds of a frame, in one process with a thread for each core; a frame is done when all trackers are."""
    with fresh(1, threads.hold_opencv) as pool:
        return pool.submit(_together, spec, target, count, most, joblib.cpu_count()).result()


def in_processes(spec: Spec, target: sequences.Sequence, count: int, most: int) -> float:
    """Seconds of a frame, with a process for each tracker, which all begin at once; until the last has seen all frames."""
    with get_context("spawn").Manager() as manager, fresh(count, threads.hold_opencv) as pool:
        begin = manager.Barrier(count)
        return max(pool.map(partial(_with_others, spec, target, most), [begin] * count))


def _together(spec: Spec, target: sequences.Sequence, count: int, most: int, workers: int) -> float:
    """Seconds of a frame for all trackers in this process."""
    frames = decoded(target, most)
    following = [_begun(spec, target, frames) for _ in range(count)]
    with ThreadPoolExecutor(workers) as pool:
        # of one thread none besides this one, as a user would do it
        each: Callable[[Callable, Sequence], Any] = map if workers == 1 else pool.map

        def all_updates():
            """Every frame for every tracker."""
            for frame in frames[1:]:
                list(each(methodcaller("update", frame), following))

        return _seconds(all_updates) / (len(frames) - 1)


def _with_others(spec: Spec, target: sequences.Sequence, most: int, begin: Any) -> float:
    """Seconds of a frame for one tracker, once others are as far."""
    frames = decoded(target, most)
    tracker = _begun(spec, target, frames)
    begin.wait(STARTED)
    return _seconds(lambda: [tracker.update(frame) for frame in frames[1:]]) / (len(frames) - 1)


def _begun(spec: Spec, target: sequences.Sequence, frames: Sequence[np.ndarray]) -> Any:
    """A tracker that has learnt the first frame, in a process in which all has been loaded and compiled."""
    tracker = make(spec)
    tracker.init(frames[0], target.boxes[0])
    for frame in frames[1:WARM_UP]:
        tracker.update(frame)
    tracker.init(frames[0], target.boxes[0])
    return tracker


def _seconds(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start
