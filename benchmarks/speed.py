"""Accuracy and CPU time of trackers side by side, on one core: ``python -m benchmarks.speed``."""

import os

if __name__ == "__main__":  # before numpy and numba are imported, for they look but once
    os.environ |= {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB")}

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

import trackers
from benchmarks.metrics import auc, overlap
from benchmarks.synthetic import Scene, sequence
from trackers.errors import TrackerError, UnknownTrackerError, VideoError
from trackers.opencv import cv2
from trackers.video import open_source

SCENES = (
    Scene(),
    Scene(target="astronaut", background="launch", size=(240, 320), seed=2),
    Scene(target="cat", background="gravel", size=(480, 640), seed=1),
)
WARM_UP = 5  # frames: what is compiled or planned once per process is no tracker's first frame

Target = tuple[Iterable[np.ndarray], np.ndarray]  # frames, and the true box (N, 4) in each


class Peer:
    """One of OpenCV's trackers; they take whole numbers, and keep their last box here when they give up."""

    def __init__(self, name: str):
        if not hasattr(cv2, f"Tracker{name}_create"):
            raise UnknownTrackerError(f"OpenCV here has no Tracker{name}; CSRT and KCF come with opencv-contrib-python")
        self._create = getattr(cv2, f"Tracker{name}_create")

    def init(self, image: np.ndarray, box: Iterable[float]) -> None:
        """Begin with the target in `box`, x, y, w, h, rounded."""
        self._tracker, self._box = self._create(), tuple(round(float(v)) for v in box)
        self._tracker.init(image, self._box)

    def update(self, image: np.ndarray) -> tuple[bool, tuple[float, ...]]:
        """Whether the target was found, and its box or the last one."""
        ok, box = self._tracker.update(image)
        self._box = tuple(box) if ok else self._box
        return ok, self._box


def synthetic_targets() -> Iterator[Target]:
    """The targets of `SCENES`; their frames are rendered between the measurements."""
    for scene in SCENES:
        yield (video := sequence(scene)).frames, video.boxes


def otb_targets(root: Path) -> Iterator[Target]:
    """The targets of a folder of OTB sequences (``<name>/img/*.jpg``, ``<name>/groundtruth_rect*.txt``)."""
    annotations = sorted(root.glob("*/groundtruth_rect*.txt"))
    if not annotations:
        raise VideoError(f"no OTB sequence in {root} (looked for */groundtruth_rect*.txt)")
    for path in annotations:
        rows = [re.split(r"[,\s]+", line.strip()) for line in path.read_text().splitlines() if line.strip()]
        yield open_source(path.parent / "img"), np.array(rows, float) - (1, 1, 0, 0)  # OTB counts pixels from 1


def measure(tracker: trackers.Tracker | Peer, frames: Iterable[np.ndarray], truth: np.ndarray) -> tuple[float, np.ndarray]:
    """Area under the success curve of one run, and the CPU time of each of its frames in seconds, (N,)."""
    boxes, seconds = [truth[0]], []
    for number, frame in enumerate(islice(frames, len(truth))):
        start = time.process_time()
        if number == 0:
            tracker.init(frame, truth[0])
        else:
            boxes.append(tracker.update(frame)[1])
        seconds.append(time.process_time() - start)
    return auc(overlap(boxes, truth)), np.array(seconds)


def main(arguments: list[str] | None = None) -> int:
    """Print the table; the exit code is 1 if something is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--root", type=Path, help="folder of OTB sequences; without it three synthetic ones are used")
    parser.add_argument("--trackers", default="fECO,ECOHC", help="of this project (default %(default)s)")
    parser.add_argument("--peers", default="CSRT,KCF", help="of OpenCV (default %(default)s)")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    try:
        print(table(options.trackers.split(","), options.peers.split(","), options.root))
    except TrackerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def table(names: list[str], peers: list[str], root: Path | None) -> str:
    """Run all trackers by turns over all targets: a line for each."""
    makers: dict[str, Callable] = {name: trackers.create for name in names if name} | {name: Peer for name in peers if name}
    runs = {name: [] for name in makers}
    for number, (frames, truth) in enumerate(tqdm(list(otb_targets(root) if root else synthetic_targets()), disable=None)):
        for name, make in makers.items():
            if number == 0:
                measure(make(name), frames, truth[:WARM_UP])
            runs[name].append(measure(make(name), frames, truth))
    lines = ["CPU time on one core, ms per frame", f"{'':12}{'median':>9}{'95 %':>9}{'first':>9}{'mean AUC':>10}"]
    for name, results in runs.items():
        first = np.median([seconds[0] for _, seconds in results])
        updates = np.concatenate([seconds[1:] for _, seconds in results])
        times = "".join(f"{1000 * value:9.2f}" for value in (np.median(updates), np.percentile(updates, 95), first))
        lines.append(f"{name:12}{times}{np.mean([area for area, _ in results]):10.3f}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
