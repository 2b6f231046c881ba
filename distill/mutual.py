"""Mutual learning: two students of unlike size in one training, each after the teachers and after the other (`distill.sharing`)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from cfvgg.architecture import channels
from cfvgg.network import Network
from cfvgg.weights import Weights
from distill.config import Config
from distill.lessons import Fidelity, Lesson
from distill.losses import Levels
from distill.objective import Objective, Search
from distill.sharing import decay, discounts, sharing, sharing_weights
from distill.siamese import response_loss
from distill.students import first_student

SECOND = 3  # what random numbers are for, behind the seed and a zero; `distill.cache` has others


class MutualObjective(Objective):
    """The objectives of two students that also follow each other's responses: (31) of Shen et al. 2022.

    What is of the second has its compression in its name: "tracking-16". The state is that of the first, with the second's as "second".

    Parameters
    ----------
    first, second : Objective
        With the same teachers, which are run once for both.
    config : Config
    """

    def __init__(self, first: Objective, second: Objective, config: Config):
        super().__init__(first.student, first.fidelity, config, first.mixed)
        self.second, self._suffix = second, f"-{config.sharing_ratio:g}"
        self._betas = discounts([1 / config.ratio, 1 / config.sharing_ratio])

    @property
    def students(self) -> dict[str, Network]:
        """See `Objective.students`."""
        return {**super().students, self._suffix: self.second.student}

    def ask(self, pictures: torch.Tensor, known: Levels | None = None, mixed: bool = False) -> Levels:
        """See `Objective.ask`; for both."""
        return self.second.ask(pictures, super().ask(pictures, known, mixed), mixed)

    def _parts(self, pictures: torch.Tensor, shift: torch.Tensor, asked: Levels, epoch: int) -> dict[str, torch.Tensor]:
        (parts, search), (others, other) = (objective._losses(pictures, shift, asked) for objective in (self, self.second))
        parts["sharing"], others["sharing"] = self._shared(search, other, epoch).mean(1)
        return {**parts, **self._suffixed(others)}

    def _shared(self, first: Search, second: Search, epoch: int) -> torch.Tensor:
        """Sharing loss of the first student and of the second on every pair, (2, N)."""
        found, truth = [first.found, second.found], {level: first.g[level] for level in first.taught}
        *losses, bound = (response_loss(responses, truth, first.y) for responses in (*found, first.taught))
        weights = sharing_weights(torch.stack(losses), bound, self._betas, decay(epoch, self._config.epochs))
        return sharing(found, first.y, weights)

    def _calibrate(self, pictures: torch.Tensor, asked: Levels) -> None:
        super()._calibrate(pictures, asked)
        self.second._calibrate(pictures, asked)

    def _distances(self, pictures: torch.Tensor, asked: Levels) -> dict[str, dict[str, torch.Tensor | float]]:
        return {**super()._distances(pictures, asked), **self._suffixed(self.second._distances(pictures, asked))}

    def _suffixed(self, values: dict[str, Any]) -> dict[str, Any]:
        return {name + self._suffix: value for name, value in values.items()}


def first_objective(
    config: Config, lessons: Sequence[Lesson], start: Weights | None, sample: np.ndarray, rng: np.random.Generator, mixed: bool
) -> Objective:
    """The objective before the first step: of one student, or of two that share; arguments as of `Training` and `Objective`."""

    def begun(ratio: float, lessons: Sequence[Lesson], start: Weights | None, rng: np.random.Generator) -> Objective:
        """Of one."""
        student = first_student([lesson.teacher for lesson in lessons], ratio, sample, rng) if start is None else Network(start)
        return Objective(student, Fidelity(lessons, channels(ratio), rng) if config.needs_teachers else None, config, mixed)

    first = begun(config.ratio, lessons, start, rng)
    if not config.sharing_ratio:
        return first
    others = [lesson.for_another(channels(config.ratio), channels(config.sharing_ratio)) for lesson in lessons]
    second = begun(config.sharing_ratio, others, None, np.random.default_rng((config.seed, 0, SECOND)))
    return MutualObjective(first, second, config)
