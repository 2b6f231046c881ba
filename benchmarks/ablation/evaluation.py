"""Accuracy of the rows: tracking, several times over."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from tqdm import tqdm

import trackers
from benchmarks import sequences
from benchmarks.ablation.results import Results, Scores
from benchmarks.ablation.rows import TRACKERS, Row
from benchmarks.metrics import auc, frame_values
from trackers.opencv import cv2


def nudged(image: np.ndarray, box: np.ndarray, change: int) -> np.ndarray:
    """A picture (H, W, 3) uint8 with one pixel inside a box x, y, w, h moved by one grey value; change 0 leaves it as it is.

    Trackers are chaotic: such a change may move the accuracy on a target by 0.2. The mean of several runs says more than a single one.
    """
    if not change:
        return image
    rng = np.random.default_rng(change)
    x, y = (int(np.clip(rng.uniform(p, p + s), 0, n - 1)) for p, s, n in zip(box[:2], box[2:], image.shape[1::-1], strict=True))
    image = image.copy()
    image[y, x] = np.where(image[y, x] < 255, image[y, x] + 1, 254)
    return image


def evaluate(tracker: trackers.Tracker, sequence: sequences.Sequence, changes: Sequence[int]) -> list[float]:
    """Area under the success curve on one target, once for each change of its first picture: see `nudged`.

    Raises
    ------
    TrackerError
        If a picture cannot be read.
    """
    found = []
    for change in changes:
        frames, box = sequence.frames(), sequence.boxes[0]
        track = tracker.track(chain([nudged(next(frames), box, change)], frames), box)
        found.append(auc(frame_values(track.boxes, sequence)[0]))
    return found


@dataclass(frozen=True)
class Task:
    """A tracker and weights on one target, in some runs."""

    tracker: str
    weights: Path
    adapt: bool
    sequence: sequences.Sequence
    changes: range

    def __call__(self) -> list[float]:
        """Do it."""
        cv2.setNumThreads(1)
        name, options = TRACKERS[self.tracker]
        tracker = trackers.create(name, backbone=self.weights, adapt=self.adapt, **options)
        return evaluate(tracker, self.sequence, self.changes)


def evaluate_rows(
    rows: Sequence[Row], names: Sequence[str], targets: Sequence[sequences.Sequence], runs: int, out: Path, kept: Path, jobs: int = 1
) -> dict[str, dict[str, Scores]]:
    """Scores by tracker and row; those that are on disk already are not measured again.

    Parameters
    ----------
    rows : sequence of Row
        Their weights are ``out/<weights>.safetensors``.
    names : sequence of str
        Keys of `TRACKERS`.
    targets : sequence of Sequence
    runs : int
        Of each target; the first with the pictures as they are.
    out, kept : Path
        Folders of weights, and of scores.
    jobs : int
        Processes.

    Raises
    ------
    TrackerError
        If weights, pictures or earlier scores cannot be read.
    """
    results, tasks = {}, []
    for name in names:
        for row in rows:
            key, weights = (name, row.weights, row.adapt), out / f"{row.weights}.safetensors"
            if key in results:
                continue
            results[key] = Results(kept, row, name, weights)
            for target in targets:
                if changes := range(len(results[key].scores.get(target.name, [])), runs):
                    tasks.append((results[key], Task(name, weights, row.adapt, target, changes)))
    with tqdm(total=len(tasks), unit="target", disable=None) as bar:
        for (known, task), found in _done(tasks, jobs):
            known.add(task.sequence.name, found)
            bar.update()
    scores = {key: {target.name: known.scores[target.name][:runs] for target in targets} for key, known in results.items()}
    return {name: {row.name: scores[name, row.weights, row.adapt] for row in rows} for name in names}


def _done(tasks: list[tuple[Results, Task]], jobs: int) -> Iterator[tuple[tuple[Results, Task], list[float]]]:
    """Tasks with what they found, as they are done."""
    if jobs == 1:
        yield from ((task, task[1]()) for task in tasks)
        return
    # A fork would copy threads and locks of numba and torch.
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        futures = {pool.submit(task[1]): task for task in tasks}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
