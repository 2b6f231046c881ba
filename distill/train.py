"""The training of a student from a teacher of the same shape."""

import json
import os
import time
from dataclasses import asdict, dataclass
from math import cos, isfinite, pi
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from cfvgg import weights
from cfvgg.architecture import LEVELS, channels, minimum_size
from cfvgg.network import Network
from distill import checkpoints
from distill.data.pictures import Pictures, find
from distill.errors import DistillationError
from distill.interrupts import deferred_interrupt
from distill.losses import Levels, channel_spread, fidelity, r_squared
from distill.metrics import Metrics
from distill.students import fresh_student, mean_picture

WIDTHS = channels(64)
CHECKPOINT_SECONDS = 60


@dataclass(frozen=True)
class Config:
    """What decides the result of a training, together with the teacher and the pictures.

    Attributes
    ----------
    steps, batch : int
        Steps of the optimiser, and crops in each.
    learning_rate : float
        Of AdamW at the first step; it falls to zero along half a cosine.
    seed : int
        Of the student's filters, the crops and their changes.
    side : int
        Pixels of a crop.
    validate_every : int
        Steps between two measurements on held-out crops.
    validation_crops : int

    Raises
    ------
    DistillationError
        If `seed` is negative, another value not positive, or `side` too small for the network.
    """

    steps: int = 10_000
    batch: int = 16
    learning_rate: float = 1.5e-3
    seed: int = 0
    side: int = 224
    validate_every: int = 500
    validation_crops: int = 128

    def __post_init__(self):
        smallest = {"seed": 0, "side": minimum_size(LEVELS[-1])}
        for name, value in asdict(self).items():
            if name in smallest and value < smallest[name]:
                raise DistillationError(f"{name} is {value}; it must be at least {smallest[name]}")
            if name not in smallest and not value > 0:
                raise DistillationError(f"{name} is {value}; it must be positive")

    def rate(self, step: int) -> float:
        """Learning rate of a step, 0 .. steps - 1."""
        return self.learning_rate * (1 + cos(pi * step / self.steps)) / 2


class Distillation:
    """A teacher, a student on its way, and the pictures that both see.

    Everything random before the first step comes from one generator made from the seed, everything after it from another: the first
    part is simply done again when a training is resumed.

    Parameters
    ----------
    config : Config
    source : Weights
        The teacher.
    training, held_out : Pictures

    Attributes
    ----------
    student : Network
    step : int
        Steps done.

    Raises
    ------
    DistillationError
        If no picture of one of the sets can be read.
    """

    def __init__(self, config: Config, source: weights.Weights, training: Pictures, held_out: Pictures):
        start, self._rng = np.random.default_rng(config.seed).spawn(2)
        self.config, self.step = config, 0
        self._training = training
        self._teacher = Network(source).requires_grad_(False)
        self._teacher_mean = mean_picture(self._teacher, config.side)
        self._validation = held_out.crops(config.validation_crops, config.side, start)
        sample = training.crops(config.validation_crops, config.side, start)
        self._spreads = channel_spread(self._teach(sample))
        self.student = fresh_student(source, sample, self._spreads, start)
        self._student_mean = mean_picture(self.student, config.side)
        self._optimiser = torch.optim.AdamW(self.student.parameters(), config.learning_rate)

    def advance(self) -> float:
        """Do one step and return its loss.

        Raises
        ------
        DistillationError
            If the loss is no finite number; the student is then as it was before the step.
        """
        crops = self._training.crops(self.config.batch, self.config.side, self._rng)
        for group in self._optimiser.param_groups:
            group["lr"] = self.config.rate(self.step)
        loss = fidelity(self._study(crops), self._teach(crops), self._spreads)
        if not isfinite(loss.item()):
            raise DistillationError(
                f"the loss of step {self.step} is {loss.item()}; try a learning rate below {self.config.learning_rate:g}"
            )
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()
        self.step += 1
        return loss.item()

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """R^2 of every level before its ReLU, on the held-out crops."""
        return r_squared(self._study(self._validation), self._teach(self._validation))

    def save(self, path: Path, settings: dict) -> None:
        """Write a checkpoint; `settings` are those of `distill.checkpoints.save`."""
        checkpoints.save(path, self.student, self._optimiser, self.step, self._rng, settings)

    def restore(self, path: Path, settings: dict) -> None:
        """Go to the state of a checkpoint."""
        self.step = checkpoints.restore(path, self.student, self._optimiser, self._rng, settings)

    def _teach(self, crops: np.ndarray) -> Levels:
        return self._teacher(torch.from_numpy(crops) - self._teacher_mean, rectified=False)

    def _study(self, crops: np.ndarray) -> Levels:
        return self.student(torch.from_numpy(crops) - self._student_mean, rectified=False)


def train(
    config: Config, teacher: str | os.PathLike, data: str | os.PathLike, out: str | os.PathLike, resume: bool = False
) -> weights.Weights:
    """Train a CF-VGG to give the outputs of a published one, and write its weights.

    Ctrl-C ends the training after the present step and leaves a checkpoint.

    Parameters
    ----------
    config : Config
    teacher : path
        Weights of a CF-VGG (compression 64).
    data : path
        Folder of pictures, see `distill.data.pictures.find`.
    out : path
        The ``.safetensors`` to write. Beside it lie ``.checkpoint``, the state of the training, and ``.jsonl``, one line of metrics
        every `config.validate_every` steps: ``step``, ``loss`` (mean since the last line or the resumption), ``r_squared`` of each
        level on the held-out crops, ``unreadable`` pictures so far.
    resume : bool
        Go on from the checkpoint of `out`.

    Raises
    ------
    WeightsError
        If the teacher cannot be read.
    DistillationError
        If the teacher is of another width, pictures, checkpoint or `out` cannot be used, or the loss is no finite number.
    """
    teacher, data, out = Path(teacher), Path(data), Path(out)
    if out.suffix != ".safetensors":
        raise DistillationError(f"{out}: weights are written as .safetensors")
    source = weights.load(teacher)
    if source.widths != WIDTHS:
        raise DistillationError(f"the teacher {teacher} has {source.widths} channels; the student has {WIDTHS}, and the two must be alike")
    training, held_out = find(data)
    distillation = Distillation(config, source, training, held_out)
    settings = {**asdict(config), "teacher": teacher.name, "data": data.name}
    checkpoint, metrics = out.with_suffix(".checkpoint"), Metrics(out.with_suffix(".jsonl"))
    if resume:
        distillation.restore(checkpoint, settings)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        metrics.rewind(distillation.step)
    except OSError as error:
        raise DistillationError(f"cannot write beside {out}: {error}") from error

    losses, saved = [], time.monotonic()
    progress = tqdm(total=config.steps, initial=distillation.step, unit="step", disable=None)  # None: shown on a terminal only
    with progress, deferred_interrupt() as interrupts:
        while distillation.step < config.steps:
            losses.append(distillation.advance())
            progress.update()
            if distillation.step % config.validate_every == 0:
                found = distillation.validate()
                metrics.add(distillation.step, loss=float(np.mean(losses)), r_squared=found, unreadable=len(training.broken))
                losses.clear()
            if interrupts or time.monotonic() - saved > CHECKPOINT_SECONDS:
                distillation.save(checkpoint, settings)
                saved = time.monotonic()
            if interrupts:
                raise KeyboardInterrupt
    distillation.save(checkpoint, settings)

    command = f"cfvgg distill --teacher {teacher.name} --data {data.name} --out {out.name} --steps {config.steps} --seed {config.seed}"
    found = {level: round(value, 4) for level, value in distillation.validate().items()}
    result = distillation.student.export(
        source="distilled from random filters by the fidelity loss on the outputs before the ReLU",
        command=command,
        settings=json.dumps(settings),
        pictures=f"{len(training.files)} to train on, {len(held_out.files)} held out",
        validation_r_squared=json.dumps(found),
    )
    weights.save(result, out)
    return result
