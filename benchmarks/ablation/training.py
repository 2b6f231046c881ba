"""The networks of the rows: from one starting point, with equal numbers of steps."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from benchmarks.ablation.rows import Row
from benchmarks.files import write_json
from cfvgg import weights
from cfvgg.architecture import channels
from distill import classifier
from distill.config import Config
from distill.data.datasets import open_dataset
from distill.data.pairs import Pairs
from distill.errors import DistillationError
from distill.students import SPREADS, random_student
from distill.teachers.base import MEAN_COLOUR, colour
from distill.train import SAMPLE, joined, train

MOST_EPOCHS = 20  # an epoch is what metrics are written after
OWN = ("ratio", "epochs", "pairs", "levels", "sharing_ratio", "cached_pairs")  # of `Config`; set by the rows, or follow from the steps
CLASSIFIED = ("batch", "side", "seed")  # of `Config`; those of the classifier are the same


@dataclass(frozen=True)
class Plan:
    """What the trainings of all rows have in common.

    Attributes
    ----------
    data : sequence of path
        Folders of pictures, see `distill.data.datasets.open_dataset`.
    teachers : sequence of str
        See `distill.lessons.read_lesson`.
    steps : int
    settings : dict of str to object
        Other fields of `distill.config.Config` than `OWN`.
    classifier : dict of str to object
        Fields of `distill.classifier.Config` that only the classifier has.
    """

    data: Sequence[str | os.PathLike]
    teachers: Sequence[str]
    steps: int
    settings: dict
    classifier: dict

    def config(self, row: Row) -> Config | classifier.Config:
        """Settings of a row's training; the steps are exactly as many as asked for.

        Raises
        ------
        DistillationError
            If a value makes no sense.
        """
        if self.steps < 1:
            raise DistillationError(f"steps is {self.steps}; it must be at least 1")
        shared = Config(**self.settings)
        epochs = max(number for number in range(1, MOST_EPOCHS + 1) if self.steps % number == 0)
        schedule = {"epochs": epochs, "pairs": self.steps // epochs * shared.batch}
        if row.classifier:
            return classifier.Config(**schedule, **{name: getattr(shared, name) for name in CLASSIFIED}, **self.classifier)
        return Config(**{**self.settings, **schedule, **row.changes})

    @property
    def named(self) -> dict[str, str]:
        """All of it, such that a folder can be moved."""
        places = {"data": [Path(folder).name for folder in self.data], "teachers": [Path(spec).name for spec in self.teachers]}
        return {name: str(value) for name, value in {**asdict(self), **places}.items()}


def train_row(row: Row, plan: Plan, out: Path) -> None:
    """Train a row's network, ``out/<row>.safetensors``, or go on where that was cut off; nothing is done where it is finished.

    The starting point of all rows of one compression is ``out/start-<ratio>.safetensors``: random filters, if no such file is there.

    Raises
    ------
    DistillationError
        If the rows in `out` were trained with another plan, or the training cannot start or go on.
    WeightsError
        If a teacher or the starting point cannot be read.
    """
    path = out / f"{row.weights}.safetensors"
    if finished(path):
        return
    config = plan.config(row)
    if not plan.data:
        raise DistillationError(f"{path} is not there, or not finished, and there is no --data to train it on")
    _same_plan(plan, out)
    start, resume = _start(config, plan, out), path.with_suffix(".checkpoint").is_file()
    if row.classifier:
        classifier.train(config, plan.data, path, start, resume)
    else:
        train(config, plan.teachers, plan.data, path, start, resume)


def finished(path: Path) -> bool:
    """Whether a file of weights is there, and not that of a training under way, which is written after every epoch.

    Raises
    ------
    WeightsError
        If it cannot be read.
    """
    if not path.is_file():
        return False
    done, under_way, steps = weights.load(path).metadata.get("steps", "").partition(" of ")
    return not under_way or done == steps


def _same_plan(plan: Plan, out: Path) -> None:
    """Note the plan in a folder; error if another one is there already."""
    path = out / "plan.json"
    try:
        if path.is_file():
            before = json.loads(path.read_text())
            differing = [name for name in {**before, **plan.named} if before.get(name) != plan.named.get(name)]
            if differing:
                changes = "; ".join(f"{name} was {before.get(name)}, is now {plan.named.get(name)}" for name in differing)
                raise DistillationError(f"the rows in {out} were trained otherwise, so choose another folder: {changes}")
        else:
            write_json(path, plan.named)
    except (OSError, json.JSONDecodeError) as error:
        raise DistillationError(f"cannot use {path}: {error}") from error


def _start(config: Config | classifier.Config, plan: Plan, out: Path) -> Path:
    """The starting point of a compression; without anything of a teacher, as the pretrained row must have none."""
    path = out / f"start-{config.ratio:g}.safetensors"
    if not path.is_file():
        rng = np.random.default_rng((config.seed, 0))
        pairs = Pairs(joined([open_dataset(folder) for folder in plan.data]).training, config.side)
        student = random_student(channels(config.ratio), colour(MEAN_COLOUR).numpy(), pairs.batch(SAMPLE, rng).x, SPREADS, rng)
        weights.save(student.export(source="random filters, the starting point of an ablation"), path)
    return path


def options() -> list:
    """The fields of `distill.config.Config` that are free, as a command line declares them."""
    return [option for option in fields(Config) if option.name not in OWN]
