"""The training of a student."""

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import islice
from math import isfinite
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from cfvgg import weights
from cfvgg.architecture import channels
from cfvgg.network import Network
from distill import checkpoints
from distill.cache import Cache, CachedBatch
from distill.config import Config
from distill.data.clips import Dataset
from distill.data.datasets import open_dataset
from distill.data.pairs import PairBatch, Pairs
from distill.data.store import Store
from distill.data.validation import HARD, validation_pairs
from distill.errors import DistillationError
from distill.interrupts import deferred_interrupt
from distill.lessons import Fidelity, Lesson, read_lesson
from distill.mutual import first_objective
from distill.objective import tensors
from distill.processes import Processes, processes
from distill.record import Record, Values
from distill.validation import localisation

CHECKPOINT_SECONDS = 60
SAMPLE = 64  # pairs on which layers are scaled, spreads measured and lifts fitted
AVERAGE_WARMUP = 10  # the running mean begins as a mean over a tenth of the steps done, so that it soon forgets the start


class Training:
    """A student, its objective, and where it stands.

    What is drawn in a step depends on the seed, its number and the processes alone, so that a training can be resumed anywhere.

    Parameters
    ----------
    config : Config
    lessons : sequence of Lesson
        What the teachers teach; the student may be pruned from one. May be empty where the fidelity has no weight, and is otherwise not
        listened to there.
    dataset : Dataset
    start : Weights or None
        The student to begin with; None: pruned from a teacher, or fresh, see `distill.students.first_student`. A second one always is.
    place : Processes or None
        None: the only process.
    cache : path or None
        Folder of the cached pairs, if the configuration wants any.

    Attributes
    ----------
    objective : Objective
    step, steps : int
        Steps done, and of the whole training.
    seconds : float
        What the training has taken so far; kept by whoever runs it.
    cache : Cache or None
        To be filled before anything is drawn.

    Raises
    ------
    DistillationError
        If teachers, student and data do not fit each other, no picture can be read, or the cache is another one.
    """

    def __init__(
        self,
        config: Config,
        lessons: Sequence[Lesson],
        dataset: Dataset,
        start: weights.Weights | None = None,
        place: Processes | None = None,
        cache: str | os.PathLike | None = None,
    ):
        self.config, self.step, self.steps, self.seconds = config, 0, config.steps, 0.0
        self._place, self._annotations = place or Processes(), len(dataset.broken)
        widths = channels(config.ratio)
        if config.batch % self._place.count:
            raise DistillationError(f"a batch of {config.batch} pairs cannot be shared by {self._place.count} processes")
        if config.needs_teachers and not lessons:
            raise DistillationError("no teacher; what compares the student with one needs at least one, or a weight of 0")
        taught = {level for lesson in lessons for level in lesson.mapping}
        if config.searches_with_teachers and not taught.intersection(config.levels):
            raise DistillationError(f"the teachers teach {', '.join(sorted(taught))}, and are to be compared on {', '.join(config.levels)}")
        if start is not None and start.widths != widths:
            raise DistillationError(f"the student has {start.widths} channels; compression {config.ratio:g} means {widths}")
        if bool(config.cached_pairs) != (cache is not None):
            raise DistillationError("a cache needs both its folder (--cache) and the number of its pairs (--cached-pairs)")
        store = Store()
        self._pairs = Pairs(dataset.training, config.side, config.search_area, store=store)
        self._held_out = validation_pairs(dataset.validation, side=config.side, augmentation=HARD, store=store).first(config.validation)
        rng = np.random.default_rng((config.seed, 0))
        sample = self._pairs.batch(SAMPLE, rng).x
        mixed = self._place.device.type == "cuda" and config.precision == "mixed"
        self.objective = first_objective(config, lessons, start, sample, rng, mixed)
        fidelities = [module for module in self.objective.modules() if isinstance(module, Fidelity)]
        self.cache = None if cache is None else Cache(cache, config, self._pairs, fidelities)
        self.objective.to(self._place.device, memory_format=torch.channels_last)
        self.objective.calibrate(sample)
        self._place.equalise(self.objective.state_dict().values())
        self._trained = [parameter for parameter in self.objective.parameters() if parameter.requires_grad]
        self._means = [parameter.detach().clone() for parameter in self._trained] if config.average else []
        self._optimiser = optimiser(self._trained, config)

    @property
    def student(self) -> Network:
        """The network that is trained; `export` gives what is kept of it."""
        return self.objective.student

    @property
    def unreadable(self) -> int:
        """Pictures and annotations that could not be read so far."""
        return self._annotations + len(self._pairs.broken)

    def draw(self, step: int) -> PairBatch:
        """The pairs of a step that are this process's."""
        share = self.config.batch // self._place.count
        if self.cache is not None:
            return self.cache.batch(step * self.config.batch + self._place.rank * share, share)
        rng = np.random.default_rng((self.config.seed, 1 + step, self._place.rank))
        return self._pairs.batch(share, rng)

    def advance(self, batch: PairBatch) -> dict[str, float]:
        """Do one step and return the parts of its loss, over all processes.

        Raises
        ------
        DistillationError
            If the loss is no finite number; the student is then as it was before the step.
        """
        for group in self._optimiser.param_groups:
            group["lr"] = self.config.rate_at(self.step)
        outputs = batch.outputs if isinstance(batch, CachedBatch) else {}
        known = {name: torch.from_numpy(output).to(self._place.device) for name, output in outputs.items()}
        loss, parts = self.objective(*tensors(batch, self._place.device), known, self.step // self.config.epoch_steps)
        values = torch.stack(list(parts.values()))
        self._place.average([values])
        found = dict(zip(parts, values.tolist(), strict=True))
        if not all(map(isfinite, found.values())):
            raise DistillationError(f"the loss of step {self.step} is {found}; try a rate below {self.config.rate:g}")
        self._optimiser.zero_grad()
        loss.backward()
        self._place.average(parameter.grad for parameter in self._trained if parameter.grad is not None)
        self._optimiser.step()
        self.step += 1
        keep = min(self.config.average, self.step / (self.step + AVERAGE_WARMUP))
        for mean, parameter in zip(self._means, self._trained, strict=False):
            mean.lerp_(parameter.detach(), 1 - keep)
        return found

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The running means take the parameters' places for a while, if there are any."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for index, parameter in enumerate(self._trained[: len(self._means)]):
            parameter.data, self._means[index] = self._means[index], parameter.data

    def validate(self) -> Values:
        """Of held-out pairs: the distances to the teachers, and the share found by every level."""
        with self._averaged():
            found = self.objective.distances(self._held_out.x)
        for suffix, export in self.exports().items():
            found[f"localisation{suffix}"] = localisation(Network(export), self._held_out)
        return {kind: {name: round(value, 5) for name, value in values.items()} for kind, values in found.items()}

    def export(self) -> weights.Weights:
        """The student, averaged if the configuration wants it."""
        return self.exports()[""]

    def exports(self) -> dict[str, weights.Weights]:
        """All students, likewise, by what is added to the names of their files: see `Objective.students`."""
        with self._averaged():
            return {suffix: student.export() for suffix, student in self.objective.students.items()}

    def state(self) -> checkpoints.State:
        """What changes from step to step. "objective" is what `export` gives, and the lifts; "present" the parameters where they differ."""
        with self._averaged():
            averaged = self.objective.state_dict()
        present = [parameter.detach() for parameter in self._trained[: len(self._means)]]
        kept = {"present": present, "optimiser": self._optimiser.state_dict(), "step": self.step, "seconds": self.seconds}
        return {"objective": averaged, **kept}

    def restore(self, state: checkpoints.State) -> None:
        """Go to a state.

        Raises
        ------
        DistillationError
            If it is that of another training.
        """
        try:
            with self._averaged():
                self.objective.load_state_dict(state["objective"])
            with torch.no_grad():
                for parameter, present in zip(self._trained, state["present"], strict=False):
                    parameter.copy_(present)
            self._optimiser.load_state_dict(state["optimiser"])
            self.step, self.seconds = state["step"], state["seconds"]
        except (KeyError, RuntimeError, ValueError) as error:
            raise DistillationError(f"the checkpoint is of another training: {error}") from error


def optimiser(parameters: Sequence[torch.nn.Parameter], config: Config) -> torch.optim.Optimizer:
    """The optimiser of a configuration."""
    if config.optimiser == "adamw":
        return torch.optim.AdamW(parameters, config.rate, weight_decay=config.decay)
    return torch.optim.SGD(parameters, config.rate, config.momentum, weight_decay=config.decay)


@contextmanager
def drawn_ahead(training: Training, workers: int = 1) -> Iterator[Iterator[PairBatch]]:
    """The batches of the steps that are left, drawn by `workers` threads while those before are learnt from."""
    steps = iter(range(training.step, training.config.steps))

    def batches(pool: ThreadPoolExecutor) -> Iterator[PairBatch]:
        """The batches."""
        waiting = deque(pool.submit(training.draw, step) for step in islice(steps, workers))
        while waiting:
            batch = waiting.popleft().result()
            waiting.extend(pool.submit(training.draw, step) for step in islice(steps, 1))
            yield batch

    with ThreadPoolExecutor(workers) as pool:
        yield batches(pool)


def train(
    config: Config,
    teachers: Sequence[str],
    data: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    start: str | os.PathLike | None = None,
    resume: bool = False,
    workers: int = 1,
    cache: str | os.PathLike | None = None,
) -> weights.Weights:
    """Train a CF-VGG, and write its weights.

    Ctrl-C ends the training after the present step and leaves a checkpoint.

    Parameters
    ----------
    config : Config
    teachers : sequence of str
        ``FILE[:level=tap,level=tap,...]``, see `distill.lessons.read_lesson`.
    data : sequence of path
        Folders, see `distill.data.datasets.open_dataset`.
    out : path
        The ``.safetensors`` to write, after every epoch. Beside it lie ``.checkpoint``, the state of the training with the lifts, written
        every minute and after every epoch; ``.jsonl``, a line a step with ``step`` and the parts of the ``loss``, and after each epoch, and
        before the first, ``localisation``, ``fidelity`` and ``r_squared`` on held-out pairs; and ``.png``, their plot.
        A second student's have its compression in their name, as in ``out-16.safetensors``.
    start : path or None
        Weights to begin with; None: pruned from a teacher, or fresh.
    resume : bool
        Go on from the checkpoint of `out`.
    workers : int
        Threads that draw pairs; the result does not depend on them.
    cache : path or None
        Folder for the cached pairs, where the configuration has some: see `distill.cache`.

    Raises
    ------
    WeightsError
        If teacher or start cannot be read, or the weights not written.
    DistillationError
        If teachers, student and data do not fit each other, a file cannot be used, or the loss is no finite number.
    """
    if workers < 1:
        raise DistillationError(f"{workers} threads cannot draw pairs; at least one is needed")
    record = Record(Path(out))
    lessons = [read_lesson(spec, channels(config.ratio)) for spec in teachers]
    dataset = joined([open_dataset(folder) for folder in data])
    begun = None if start is None else replace(weights.load(start), metadata={})
    settings = {
        **asdict(config),
        "levels": " ".join(config.levels),
        "teachers": " ".join(map(str, lessons)),
        "data": " ".join(Path(folder).name for folder in data),
        "clips": f"{len(dataset.training)} to train on, {len(dataset.validation)} held out",
        "start": "" if start is None else Path(start).name,
    }
    with processes() as place:
        if place.first:
            record.check(resume)
        training = Training(config, lessons, dataset, begun, place, cache)
        if resume:
            training.restore(checkpoints.load(record.checkpoint, settings))
        if place.first:
            record.begin(training, settings)
        if training.cache is not None:
            training.cache.fill(place)
        try:
            run(training, record, place, workers)
        finally:
            if place.first:
                record.plot()
    return training.export()


def joined(datasets: Sequence[Dataset]) -> Dataset:
    """Several data sets as one.

    Raises
    ------
    DistillationError
        If there is none, or nothing to train on, or nothing held out.
    """
    if not datasets:
        raise DistillationError("no data; at least one folder is needed")
    training, validation = ([clip for dataset in datasets for clip in getattr(dataset, part)] for part in ("training", "validation"))
    if not training or not validation:
        raise DistillationError(
            f"{len(training)} clips to train on and {len(validation)} held out; at least one of each is needed: "
            "validation.txt in the folder names those held out"
        )
    broken = [path for dataset in datasets for path in dataset.broken]
    return Dataset(" ".join(dataset.kind for dataset in datasets), training, validation, broken)


def run(training: Training, record: Record, place: Processes, workers: int = 1) -> None:
    """Do the steps that are left. After each comes its line of metrics, and then, where one is due, the checkpoint.

    Ctrl-C ends it after the present step, with a checkpoint and KeyboardInterrupt.

    Parameters
    ----------
    training : Training
        Or one of another kind that draws, advances and is recorded alike, such as `distill.classifier.Training`.
    record : Record
    place : Processes
        The first one writes.
    workers : int
        Threads that draw pairs.
    """
    config, saved, began = training.config, time.monotonic(), time.monotonic() - training.seconds
    if training.step == config.steps and place.first:
        record.write(training, training.validate())  # the file may be gone
    bar = tqdm(total=config.steps, initial=training.step, unit="step", disable=None if place.first else True)  # None: on a terminal only
    with bar, deferred_interrupt() as interrupts, drawn_ahead(training, workers) as batches:
        for batch in batches:
            loss = training.advance(batch)
            bar.set_postfix(loss, refresh=False)
            bar.update()
            stop, ended = place.any(bool(interrupts)), training.step % config.epoch_steps == 0
            if place.first:
                training.seconds = time.monotonic() - began
                record.add(training, loss, ended)
                if ended or stop or time.monotonic() - saved > CHECKPOINT_SECONDS:
                    record.save(training)
                    saved = time.monotonic()
            if stop:
                raise KeyboardInterrupt
