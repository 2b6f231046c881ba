"""The training of a student."""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from math import isfinite
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from cfvgg import weights
from cfvgg.architecture import channels
from cfvgg.network import Network
from distill import checkpoints
from distill.config import Config
from distill.data.clips import Dataset
from distill.data.datasets import open_dataset
from distill.data.pairs import PairBatch, Pairs
from distill.data.store import Store
from distill.data.validation import HARD, validation_pairs
from distill.errors import DistillationError
from distill.interrupts import deferred_interrupt
from distill.lessons import Fidelity, Lesson, read_lesson
from distill.metrics import Metrics, plot
from distill.objective import Objective, tensors
from distill.processes import Processes, processes
from distill.students import first_student
from distill.validation import localisation

CHECKPOINT_SECONDS = 60
SAMPLE = 64  # pairs on which layers are scaled, spreads measured and lifts fitted


class Training:
    """A student, its objective, and where it stands.

    What is drawn in a step depends on the seed and its number alone, so that a training can be resumed anywhere.

    Parameters
    ----------
    config : Config
    lessons : sequence of Lesson
        What the teachers teach; may be empty where the fidelity has no weight.
    dataset : Dataset
    start : Weights or None
        The student to begin with; None: pruned from a teacher, or fresh.
    place : Processes or None
        None: the only process.

    Attributes
    ----------
    objective : Objective
    step : int
        Steps done.

    Raises
    ------
    DistillationError
        If teachers, student and data do not fit each other, or no picture can be read.
    """

    def __init__(
        self,
        config: Config,
        lessons: Sequence[Lesson],
        dataset: Dataset,
        start: weights.Weights | None = None,
        place: Processes | None = None,
    ):
        self.config, self.step, self._place = config, 0, place or Processes()
        if config.batch % self._place.count:
            raise DistillationError(f"a batch of {config.batch} pairs cannot be shared by {self._place.count} processes")
        widths = channels(config.ratio)
        if start is not None and start.widths != widths:
            raise DistillationError(f"the student has {start.widths} channels; compression {config.ratio:g} means {widths}")
        store = Store()
        self._pairs = Pairs(dataset.training, config.side, config.search_area, store=store)
        held_out = validation_pairs(dataset.validation, side=config.side, augmentation=HARD, store=store)
        self._held_out = held_out.first(config.validation)
        rng = np.random.default_rng((config.seed, 0))
        sample = self._pairs.batch(SAMPLE, rng).x
        student = first_student([lesson.teacher for lesson in lessons], config.ratio, sample, rng) if start is None else Network(start)
        fidelity = Fidelity(lessons, widths, rng) if config.fidelity else None
        self.objective = Objective(student, fidelity, config)
        self.objective.calibrate(sample)
        self.objective.to(self._place.device, memory_format=torch.channels_last)
        self._shared = self._place.shared(self.objective)
        trained = [parameter for parameter in self.objective.parameters() if parameter.requires_grad]
        self._optimiser = optimiser(trained, config)

    @property
    def student(self) -> Network:
        """The network that is trained."""
        return self.objective.student

    @property
    def broken(self) -> int:
        """Pictures that could not be read so far."""
        return len(self._pairs.broken)

    def draw(self, step: int) -> PairBatch:
        """The pairs of a step that are this process's."""
        rng = np.random.default_rng((self.config.seed, 1 + step, self._place.rank))
        return self._pairs.batch(self.config.batch // self._place.count, rng)

    def advance(self, batch: PairBatch) -> dict[str, float]:
        """Do one step and return the parts of its loss.

        Raises
        ------
        DistillationError
            If the loss is no finite number; the student is then as it was before the step.
        """
        for group in self._optimiser.param_groups:
            group["lr"] = self.config.rate_at(self.step)
        device = self._place.device
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            loss, parts = self._shared(*tensors(batch, device))
        found = {name: part.item() for name, part in parts.items()}
        if not all(map(isfinite, found.values())):
            raise DistillationError(f"the loss of step {self.step} is {found}; try a rate below {self.config.rate:g}")
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()
        self.step += 1
        return found

    @torch.no_grad()
    def validate(self) -> dict[str, dict[str, float]]:
        """How well the held-out pairs are found by every level, and what is explained of the teachers on them."""
        x = torch.from_numpy(self._held_out.x).to(self._place.device)
        found = {"localisation": localisation(self.student, self._held_out), "r_squared": self.objective.r_squared(x)}
        return {kind: {name: round(value, 5) for name, value in values.items()} for kind, values in found.items() if values}

    def state(self) -> checkpoints.State:
        """What changes from step to step; the lifts are in it."""
        return {"objective": self.objective.state_dict(), "optimiser": self._optimiser.state_dict(), "step": self.step}

    def restore(self, state: checkpoints.State) -> None:
        """Go to a state."""
        self.objective.load_state_dict(state["objective"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]


def optimiser(parameters: Sequence[torch.nn.Parameter], config: Config) -> torch.optim.Optimizer:
    """The optimiser of a configuration."""
    if config.optimiser == "adamw":
        return torch.optim.AdamW(parameters, config.rate, weight_decay=config.decay)
    return torch.optim.SGD(parameters, config.rate, config.momentum, weight_decay=config.decay)


@contextmanager
def drawn_ahead(training: Training) -> Iterator[Iterator[PairBatch]]:
    """The batches of the steps that are left, each drawn while the one before is learnt from."""

    def batches(pool: ThreadPoolExecutor) -> Iterator[PairBatch]:
        """The batches."""
        following = pool.submit(training.draw, training.step)
        for step in range(training.step + 1, training.config.steps):
            batch = following.result()
            following = pool.submit(training.draw, step)
            yield batch
        yield following.result()

    with ThreadPoolExecutor(1) as pool:
        yield batches(pool)


def train(
    config: Config,
    teachers: Sequence[str],
    data: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    start: str | os.PathLike | None = None,
    resume: bool = False,
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
        The ``.safetensors`` to write. Beside it lie ``.checkpoint``, the state of the training with the lifts; ``.jsonl``, one line of
        metrics an epoch (``step``, ``loss``: mean of its parts, ``localisation`` and ``r_squared`` on held-out pairs, ``unreadable``
        pictures so far); and ``.png``, their plot.
    start : path or None
        Weights to begin with; None: pruned from a teacher, or fresh.
    resume : bool
        Go on from the checkpoint of `out`.

    Raises
    ------
    WeightsError
        If teacher or start cannot be read.
    DistillationError
        If teachers, student and data do not fit each other, a file cannot be used, or the loss is no finite number.
    """
    out = Path(out)
    if out.suffix != ".safetensors":
        raise DistillationError(f"{out}: weights are written as .safetensors")
    lessons = [read_lesson(spec, channels(config.ratio)) for spec in teachers] if config.fidelity else []
    dataset = joined([open_dataset(folder) for folder in data])
    begun = None if start is None else weights.load(start)
    named = {"teachers": " ".join(map(str, lessons)), "data": " ".join(Path(folder).name for folder in data)}
    settings = {**asdict(config), "levels": " ".join(config.levels), **named, "start": "" if start is None else Path(start).name}
    checkpoint, metrics = out.with_suffix(".checkpoint"), Metrics(out.with_suffix(".jsonl"))
    with processes() as place:
        training = Training(config, lessons, dataset, begun, place)
        if resume:
            training.restore(checkpoints.load(checkpoint, settings))
        if place.first:
            try:
                out.parent.mkdir(parents=True, exist_ok=True)
                metrics.rewind(training.step)
            except OSError as error:
                raise DistillationError(f"cannot write beside {out}: {error}") from error
        _run(training, checkpoint, metrics, settings, place)
        found = training.validate()
    result = training.student.export(
        source="trained by cfvgg distill", settings=str(settings), teachers=named["teachers"], validation=str(found),
        pictures=f"{len(dataset.training)} clips to train on, {len(dataset.validation)} held out",
    )  # fmt: skip
    if place.first:
        weights.save(result, out)
        plot(metrics.path, out.with_suffix(".png"))
    return result


def joined(datasets: Sequence[Dataset]) -> Dataset:
    """Several data sets as one."""
    if not datasets:
        raise DistillationError("no data; at least one folder is needed")
    clips = ([clip for dataset in datasets for clip in getattr(dataset, part)] for part in ("training", "validation"))
    return Dataset(" ".join(dataset.kind for dataset in datasets), *clips, [path for dataset in datasets for path in dataset.broken])


def _run(training: Training, checkpoint: Path, metrics: Metrics, settings: dict, place: Processes) -> None:
    """Do the steps that are left, with metrics after every epoch and a checkpoint now and then."""
    config, losses, saved = training.config, [], time.monotonic()
    if training.step >= config.steps:
        return
    bar = tqdm(total=config.steps, initial=training.step, unit="step", disable=None if place.first else True)  # None: on a terminal only
    with bar, deferred_interrupt() as interrupts, drawn_ahead(training) as batches:
        for batch in batches:
            losses.append(training.advance(batch))
            bar.update()
            if training.step % config.epoch_steps == 0 and place.first:
                mean = {name: float(np.mean([loss[name] for loss in losses])) for name in losses[0]}
                metrics.add(training.step, loss=mean, **training.validate(), unreadable=training.broken)
                losses.clear()
            due = interrupts or training.step == config.steps or time.monotonic() - saved > CHECKPOINT_SECONDS
            if due and place.first:
                checkpoints.save(checkpoint, {**training.state(), "settings": settings})
                saved = time.monotonic()
            if interrupts:
                raise KeyboardInterrupt
