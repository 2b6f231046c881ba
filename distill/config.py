"""Settings of a training: checked, and the options of ``cfvgg distill``."""

import dataclasses
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from cfvgg.architecture import LEVELS, minimum_size
from distill.errors import DistillationError

OPTIMISERS = ("sgd", "adamw")


def number(default: float, lowest: float, help_: str) -> Any:
    """A field that takes finite numbers from `lowest` on, integers if the default is one."""
    return field(default=default, metadata={"lowest": lowest, "help": help_})


@dataclass(frozen=True)
class Config:
    """What decides the result of a training, together with teachers, data and the student it begins with.

    The defaults are the paper's where it names them (50 epochs, momentum 0.9, weight decay 0.005, rates that fall exponentially).

    Raises
    ------
    DistillationError
        If a value makes no sense.
    """

    ratio: float = number(64.0, 1, "compression of the student against VGG-M")
    epochs: int = number(50, 1, "epochs")
    pairs: int = number(3200, 1, "pairs of an epoch")
    batch: int = number(16, 1, "pairs of a step, over all processes")
    optimiser: str = field(default="sgd", metadata={"help": f"one of {', '.join(OPTIMISERS)}"})
    rate: float = number(0.01, 1e-12, "learning rate of the first step")
    fall: float = number(100.0, 1, "first learning rate over the last; it falls exponentially")
    momentum: float = number(0.9, 0, "of SGD")
    decay: float = number(0.005, 0, "weight decay")
    fidelity: float = number(1.0, 0, "weight of the fidelity to the teachers")
    tracking: float = number(1.0, 0, "weight of the tracking loss")
    levels: tuple[str, ...] = field(default=("conv1", "conv2", "conv5"), metadata={"help": "levels of the tracking loss"})
    side: int = number(224, minimum_size(LEVELS[-1]), "pixels of a crop")
    search_area: float = number(5.0, 1, "side of a crop over that of the target")
    seed: int = number(0, 0, "of filters, pairs and their changes")
    validation: int = number(128, 1, "held-out pairs that are measured after each epoch")

    def __post_init__(self):
        for option in dataclasses.fields(self):
            value, lowest = getattr(self, option.name), option.metadata.get("lowest")
            if lowest is not None and not (isfinite(value) and value >= lowest):
                raise DistillationError(f"{option.name} is {value}; it must be at least {lowest:g}")
        if self.optimiser not in OPTIMISERS:
            raise DistillationError(f"optimiser is {self.optimiser!r}; there are {', '.join(OPTIMISERS)}")
        object.__setattr__(self, "levels", tuple(self.levels))
        unknown = [level for level in self.levels if level not in LEVELS]
        if unknown:
            raise DistillationError(f"levels are {', '.join(self.levels)}; there are {', '.join(LEVELS)}")
        if not self.fidelity and not (self.tracking and self.levels):
            raise DistillationError("neither fidelity nor tracking loss: there is nothing to learn from")

    @property
    def steps(self) -> int:
        """Of the whole training; an epoch has at least one."""
        return self.epochs * self.epoch_steps

    @property
    def epoch_steps(self) -> int:
        """Of an epoch."""
        return max(self.pairs // self.batch, 1)

    def rate_at(self, step: int) -> float:
        """Learning rate of a step, 0 .. steps - 1."""
        return self.rate * self.fall ** (-step / max(self.steps - 1, 1))
