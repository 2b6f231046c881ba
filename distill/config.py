"""Settings of a training: checked, and the options of ``cfvgg distill``."""

import dataclasses
from dataclasses import dataclass, field
from math import inf
from typing import Any

from cfvgg.architecture import LEVELS, minimum_size
from distill.errors import DistillationError

OPTIMISERS = ("sgd", "adamw")
PRECISIONS = ("mixed", "full")


def number(default: float, lowest: float, help_: str, below: float = inf) -> Any:
    """A field that takes finite numbers from `lowest` on and `below` another, whole ones if the default is one."""
    return field(default=default, metadata={"lowest": lowest, "below": below, "help": help_})


def choice(options: tuple[str, ...], help_: str) -> Any:
    """A field that takes one of some words, the first by default."""
    return field(default=options[0], metadata={"options": options, "help": help_})


class Schedule:
    """What all configurations of a training share: fields are checked; epochs, pairs, batch, rate and fall, which each has, give the steps.

    Raises
    ------
    DistillationError
        If a value makes no sense.
    """

    warmup = 0

    def __post_init__(self):
        for option in dataclasses.fields(self):
            value, allowed = getattr(self, option.name), option.metadata
            if "lowest" in allowed:
                kind = int if isinstance(option.default, int) else int | float
                if not (isinstance(value, kind) and allowed["lowest"] <= value < allowed["below"]):
                    limit = f"and below {allowed['below']:g}" if allowed["below"] < inf else "and finite"
                    raise DistillationError(
                        f"{option.name} is {value!r}; it must be {'a whole number, ' * (kind is int)}at least {allowed['lowest']:g} {limit}"
                    )
            elif "options" in allowed and value not in allowed["options"]:
                raise DistillationError(f"{option.name} is {value!r}; there are {', '.join(allowed['options'])}")

    @property
    def steps(self) -> int:
        """Of the whole training."""
        return self.epochs * self.epoch_steps

    @property
    def epoch_steps(self) -> int:
        """Of an epoch; there is at least one."""
        return max(self.pairs // self.batch, 1)

    def rate_at(self, step: int) -> float:
        """Learning rate of a step, 0 .. steps - 1."""
        warm = min((step + 1) / (self.warmup + 1), 1.0)
        return warm * self.rate * self.fall ** (-step / max(self.steps - 1, 1))


@dataclass(frozen=True)
class Config(Schedule):
    """What decides the result of a training, together with teachers, data and the student it begins with.

    The defaults are the paper's where it names them: SGD, 50 epochs, momentum 0.9, weight decay 0.005, rates that fall exponentially.

    Raises
    ------
    DistillationError
        If a value makes no sense.
    """

    ratio: float = number(64.0, 1, "compression of the student against VGG-M")
    epochs: int = number(50, 1, "epochs")
    pairs: int = number(3200, 1, "pairs of an epoch")
    batch: int = number(16, 1, "pairs of a step, over all processes")
    optimiser: str = choice(OPTIMISERS, "optimiser")
    rate: float = number(0.003, 1e-12, "learning rate after the warm-up")
    fall: float = number(100.0, 1, "first learning rate over the last; it falls exponentially")
    warmup: int = number(100, 0, "steps in which the learning rate rises, in a line from near zero")
    momentum: float = number(0.9, 0, "of SGD", below=1)
    decay: float = number(0.005, 0, "weight decay")
    average: float = number(0.0, 0, "part that the running mean of the weights keeps in a step; it is what is written; 0: no mean", below=1)
    fidelity: float = number(1.0, 0, "weight of the fidelity to the teachers")
    tracking: float = number(1.0, 0, "weight of the tracking loss")
    levels: tuple[str, ...] = field(default=("conv1", "conv2", "conv5"), metadata={"help": "levels of the tracking loss and of the next"})
    target_response: float = number(0.0, 0, "weight of the difference of the teachers' and the student's activations around the target")
    teacher_soft: float = number(0.0, 0, "weight of the difference of their responses")
    adaptive_hard: float = number(0.0, 0, "weight of the tracking loss above that of the teachers")
    sharing_ratio: float = number(0.0, 0, "compression of a second student, trained along; both also share what they find; 0: none")
    side: int = number(224, minimum_size(LEVELS[-1]), "pixels of a crop")
    search_area: float = number(5.0, 2, "side of a crop over that of the target")
    seed: int = number(0, 0, "of filters, pairs and their changes")
    cached_pairs: int = number(0, 0, "pairs that are drawn once and kept in --cache with what slow teachers make of them; 0: new ones")
    validation: int = number(128, 1, "held-out pairs that are measured after each epoch, at most")
    precision: str = choice(PRECISIONS, "mixed: a GPU computes convolutions in bfloat16")

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "levels", tuple(self.levels))
        if not set(self.levels) <= set(LEVELS) or len(set(self.levels)) < len(self.levels):
            raise DistillationError(f"levels are {', '.join(self.levels)}; there are {', '.join(LEVELS)}, and each counts once")
        if not self.needs_teachers and not (self.tracking and self.levels):
            raise DistillationError("neither fidelity nor tracking loss: there is nothing to learn from")

    @property
    def needs_teachers(self) -> bool:
        """Whether any of the losses compares student and teachers."""
        return bool(self.fidelity or (self.levels and self.searches_with_teachers))

    @property
    def searches_with_teachers(self) -> bool:
        """Whether any of them compares what the two find on the levels of the tracking loss."""
        return bool(self.target_response or self.teacher_soft or self.adaptive_hard or self.sharing_ratio)
