"""Trackers over the targets of a data set: by several processes or a cluster, and nothing twice."""

import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import joblib
import numpy as np
from joblib.parallel import get_active_backend
from tqdm import tqdm

from benchmarks import datasets, peers, protocols, provenance, results, sequences, threads
from benchmarks.vot import runner as vot
from benchmarks.vot.files import write_run
from trackers.errors import TrackerError

PROTOCOLS = (*protocols.PROTOCOLS, "vot")


class Task(Protocol):
    """What is done in one go, perhaps by another machine; its result is written by the process that asked for it.

    Attributes
    ----------
    name : str
        For messages.
    """

    name: str

    def is_done(self) -> bool:
        """Whether the result is written."""

    def __call__(self) -> Any:
        """Do it, and return the result."""

    def keep(self, result: Any) -> None:
        """Write the result, whole or not at all."""


@dataclass(frozen=True)
class Pass:
    """A tracker on a target from one start to the end; boxes and times go to the tracker's folder, in a layout of `results.LAYOUTS`."""

    spec: peers.Spec
    sequence: sequences.Sequence
    start: protocols.Start
    folder: Path
    layout: str

    @property
    def name(self) -> str:
        """Tracker, target, and the number of the start where there are several."""
        number = "" if self.start.protocol == "ope" else f", {self.start.protocol} {self.start.number}"
        return f"{self.spec.label} on {self.sequence.name}{number}"

    def is_done(self) -> bool:
        """Whether boxes of all frames are written."""
        return results.is_done(self.folder, self.sequence, self.start, self.layout)

    def __call__(self) -> tuple[np.ndarray, np.ndarray]:
        """Boxes and seconds, see `track`."""
        return track(peers.make(self.spec), self.sequence.since(self.start.frame), self.start.box)

    def keep(self, result: tuple[np.ndarray, np.ndarray]) -> None:
        """Write boxes and seconds."""
        results.write_result(self.folder, self.sequence, *result, self.start, self.layout)


@dataclass(frozen=True)
class Supervised:
    """A tracker once on a target by VOT's protocol; done when it has been repeated often enough."""

    spec: peers.Spec
    sequence: sequences.Sequence
    folder: Path

    @property
    def name(self) -> str:
        """Tracker and target."""
        return f"{self.spec.label} on {self.sequence.name}"

    def is_done(self) -> bool:
        """Whether no further run is needed."""
        return vot.is_done(self.folder, self.sequence)

    def __call__(self) -> tuple:
        """Trajectory and seconds of a run."""
        return vot.supervised(partial(peers.make, self.spec), self.sequence)

    def keep(self, result: tuple) -> None:
        """Add a run to those that are written."""
        write_run(self.folder, self.sequence.name, *result)


def run(
    dataset: datasets.Dataset, specs: Sequence[peers.Spec], folder: Path, jobs: int | None = None, protocol: str = "ope"
) -> dict[str, str]:
    """Run trackers over a data set, and write what is not written yet.

    What fails does not stop the rest. Every result is written as soon as it comes, so this may be cut off at any time, and called again.

    Parameters
    ----------
    dataset : Dataset
    specs : sequence of Spec
    folder : Path
        Of results: those of a tracker go to ``folder/<directory of the data set>/<label>``, see `benchmarks.results` and
        `benchmarks.provenance`.
    jobs : int or None
        Processes; 1 is this one. None is what `joblib.parallel_config` says, whose backend may be a cluster that reads the same pictures.
    protocol : str
        One of `PROTOCOLS`.

    Returns
    -------
    dict of str to str
        What failed (a target, a tracker, or one on the other), with the reason.
    """
    failures, tasks = dict(dataset.broken), []
    for spec in specs:
        place = folder / dataset.directory / spec.label
        try:
            provenance.check(place, spec)
        except Exception as error:  # trackers of others raise what they like
            failures[spec.label] = _reason(error)
            continue
        asked = []
        for sequence in dataset.sequences:
            try:
                asked += _tasks(spec, sequence, place, dataset.layout, protocol)
            except TrackerError as error:
                failures[sequence.name] = str(error)
        if not all(task.is_done() for task in asked):
            provenance.record(place, spec, dataset=dataset.name, protocol=protocol)
        tasks += asked
    with tqdm(total=len(tasks), initial=sum(task.is_done() for task in tasks), unit="run", disable=None) as bar:
        while waiting := [task for task in tasks if task.name not in failures and not task.is_done()]:
            for task, result, error in _outcomes(waiting, jobs):
                if error:
                    failures[task.name] = error
                else:
                    task.keep(result)
                bar.update(task.is_done())
    return failures


def track(tracker: peers.Trackable, sequence: sequences.Sequence, box: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Run a tracker over a sequence.

    Parameters
    ----------
    tracker : Trackable
    sequence : Sequence
        Of N frames.
    box : four numbers
        Given on the first frame.

    Returns
    -------
    boxes : ndarray, float64, (N, 4)
        x, y, w, h; the first is the given one.
    seconds : ndarray, float64, (N,)
        CPU time of every frame, `init` for the first.

    Raises
    ------
    TrackerError
        If a picture cannot be read; further, whatever the tracker raises.
    """
    boxes, seconds = [np.asarray(box, float)], []
    for number, image in enumerate(sequence.frames()):
        start = time.thread_time()
        if number == 0:
            tracker.init(image, box)
        else:
            boxes.append(np.array(tracker.update(image)[1], float).reshape(4))
        seconds.append(time.thread_time() - start)
    return np.stack(boxes), np.array(seconds)


def _tasks(spec: peers.Spec, sequence: sequences.Sequence, folder: Path, layout: str, protocol: str) -> list[Task]:
    """All runs of a tracker on a target; TrackerError if the first picture is needed and cannot be read."""
    if protocol == "vot":
        return [Supervised(spec, sequence, folder)]
    shape = next(sequence.frames()).shape if protocol == "sre" else None
    return [Pass(spec, sequence, start, folder, layout) for start in protocols.starts(sequence, protocol, shape)]


def _outcomes(tasks: Sequence[Task], jobs: int | None) -> Iterator[tuple[Task, Any, str]]:
    """Tasks as they are done, each with its result, or with what went wrong.

    A tracker may take the process with it that runs it, and joblib then gives up all that is under way. That is done again, each alone, to
    find the one at fault; what was not begun is left.
    """
    under_way = {}

    def handed_out():
        """What joblib runs; each is noted as it begins."""
        for number, task in enumerate(tasks):
            under_way[number] = task
            yield joblib.delayed(_attempt)(number, task)

    try:
        for number, result, error in _as_they_come(handed_out(), jobs):
            yield under_way.pop(number), result, error
    except Exception:  # not of a task: those become reasons
        if not under_way:
            raise
    for number, task in list(under_way.items()):
        try:
            ((_, result, error),) = joblib.Parallel(2)([joblib.delayed(_attempt)(number, task)])
        except Exception as lost:
            result, error = None, f"its process died: {_reason(lost)}"
        yield task, result, error


def _as_they_come(calls: Iterator, jobs: int | None) -> Iterator:
    """Results in the order in which they come; of a backend that can only give several together, such as Ray's, one for each process."""
    if get_active_backend()[0].supports_return_generator:
        yield from joblib.Parallel(jobs, return_as="generator_unordered")(calls)
    else:
        with joblib.Parallel(jobs) as parallel:
            while several := list(islice(calls, joblib.effective_n_jobs(jobs))):
                yield from parallel(several)


def _attempt(number: int, task: Task) -> tuple[int, Any, str]:
    """Do a task; whatever it raises becomes a reason."""
    threads.hold_opencv()
    try:
        return number, task(), ""
    except Exception as error:
        return number, None, _reason(error)


def _reason(error: Exception) -> str:
    """One line: a message of this project, or what was raised by others, and where."""
    message = " ".join(str(error).split())
    if isinstance(error, TrackerError):
        return message
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {message} ({place.filename}, line {place.lineno})"
