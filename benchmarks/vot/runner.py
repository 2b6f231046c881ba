"""The reset-based experiment, in this process."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.peers import Trackable
from benchmarks.regions import bounding_rectangles, raster_overlap
from benchmarks.sequences import Sequence
from benchmarks.vot.files import FAILED, INITIALISED, SKIPPED, Trajectory, runs

REPETITIONS = 15
ENOUGH = 3  # runs, if they are equal
SKIP = 5  # frames from a failure to the next initialisation


def is_done(folder: Path, sequence: Sequence, repetitions: int = REPETITIONS) -> bool:
    """Whether a tracker has all its runs on a sequence, or `ENOUGH` equal ones."""
    done = runs(folder, sequence.name)
    return len(done) >= repetitions or (len(done) >= ENOUGH and len({path.read_bytes() for path in done}) == 1)


def supervised(make: Callable[[], Trackable], sequence: Sequence, init: str = "area") -> tuple[Trajectory, np.ndarray]:
    """Run a tracker once; where its box has no overlap with the truth, a new one begins five frames later.

    Parameters
    ----------
    make : callable
        Makes the tracker; called at each beginning.
    sequence : Sequence
        Of N frames.
    init : {'area', 'bbox'}
        The box that a tracker begins with where the truth is a polygon: that of `sequence`, which has the same area, or the polygon's
        bounds, as a tracker has them from TraX.

    Returns
    -------
    trajectory : list of N ndarray
        See `benchmarks.vot.files`.
    seconds : ndarray, float64, (N,)
        CPU time of each frame; NaN for those that were skipped.
    """
    truth = regions(sequence)
    boxes = _as_by_trax(truth) if init == "bbox" and truth is sequence.polygons else sequence.boxes
    trajectory, seconds, begin = [], np.full(len(truth), np.nan), 0
    for number, image in enumerate(sequence.frames()):
        if number < begin:
            trajectory.append(np.array([SKIPPED]))
            continue
        if number == begin:
            tracker, row = make(), np.array([INITIALISED])
            start = time.thread_time()
            tracker.init(image, boxes[number])
        else:
            start = time.thread_time()
            row = np.array(tracker.update(image)[1], float)
        seconds[number] = time.thread_time() - start
        if number > begin and raster_overlap(row, truth[number], image.shape[1::-1]) <= 0:
            row, begin = np.array([FAILED]), number + SKIP
        trajectory.append(row)
    return trajectory, seconds


def regions(sequence: Sequence) -> np.ndarray:
    """The truth that overlaps are taken with: polygons (N, 8), or boxes (N, 4) where there are none."""
    return sequence.boxes if sequence.polygons is None else sequence.polygons


def _as_by_trax(polygons: np.ndarray) -> np.ndarray:
    """Bounds (N, 4) as TraX sends them: in single precision and with four decimals, of which a chaotic tracker feels the last."""
    bounds = bounding_rectangles(polygons.astype(np.float32)).astype(float)
    return np.round(bounds, 4).astype(np.float32).astype(float)
