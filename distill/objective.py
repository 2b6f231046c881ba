"""The joint objective of the training: fidelity to the teachers, and the tracking loss on pairs (Wang et al. 2020, equation 8).

And, where they have a weight, the losses of Shen et al. 2022 (`distill.siamese`).
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

import numpy as np
import torch

from cfvgg.architecture import LEVELS
from cfvgg.network import Network
from distill.config import Config
from distill.correlation import LABEL_SIGMA, labels, responses, tracking_loss
from distill.data.pairs import PairBatch
from distill.lessons import Fidelity
from distill.losses import Levels
from distill.siamese import adaptive_hard, target_response, teacher_soft
from distill.students import mean_picture

MEASURED = 32  # pictures at a time: VGG-M's levels of a hundred take gigabytes


class Search:
    """The target of each z, searched in its x by filters on the levels of the tracking loss.

    Parameters
    ----------
    rectified : dict of str to tensor (2 N, C, h, w)
        The student's levels of z and, behind them, of x.
    teacher : function
        Gives the teachers' levels likewise, as far as there are any; called only where they are asked for.
    shift : tensor, float32, (N, 2)
        Of the target in x against z: rows and columns, in pixels.
    config : Config

    Attributes
    ----------
    z, x : dict of str to tensor (N, C, h, w)
        Those levels of the student that the configuration names.
    y, g : dict of str to tensor (1, h, w) and (N, h, w)
        Labels of z and wanted responses to x.
    """

    def __init__(self, rectified: Levels, teacher: Callable[[], Levels], shift: torch.Tensor, config: Config):
        self._levels, self._teacher, self._count = config.levels, teacher, len(shift)
        self.z, self.x = self._halves(rectified)
        sigma = LABEL_SIGMA * config.side / config.search_area
        self.y, self.g = (labels(self.z, sigma, places) for places in (torch.zeros_like(shift[:1]), shift))

    def _halves(self, levels: Mapping[str, torch.Tensor]) -> tuple[Levels, Levels]:
        kept = [level for level in self._levels if level in levels]
        return tuple({level: levels[level][half] for level in kept} for half in (slice(self._count), slice(self._count, None)))

    @cached_property
    def teacher(self) -> tuple[Levels, Levels]:
        """The teachers' z and x."""
        return self._halves(self._teacher())

    @cached_property
    def found(self) -> Levels:
        """The student's responses to x, (N, h, w), on the levels that a teacher teaches."""
        return responses({level: self.z[level] for level in self.teacher[0]}, self.x, self.y)

    @cached_property
    def taught(self) -> Levels:
        """The teachers' responses to x."""
        return responses(*self.teacher, self.y)


class Objective(torch.nn.Module):
    """A student on its way, and what it is measured by.

    All is computed in the precision of its parameters.

    Parameters
    ----------
    student : Network
    fidelity : Fidelity or None
        None where it has no weight.
    config : Config
    mixed : bool
        Networks run in bfloat16 in training. The losses stay in full precision, since the filter divides by small energies.
    """

    def __init__(self, student: Network, fidelity: Fidelity | None, config: Config, mixed: bool = False):
        super().__init__()
        self.student, self.fidelity = student, fidelity
        self.mixed, self._config = mixed, config
        self.register_buffer("_mean", mean_picture(student, config.side), persistent=False)

    @property
    def students(self) -> dict[str, Network]:
        """All that are trained, by what tells their files and measures from those of the first: nothing, for the first itself."""
        return {"": self.student}

    def forward(
        self, z: torch.Tensor, x: torch.Tensor, shift: torch.Tensor, known: Levels | None = None, epoch: int = 0
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss of some pairs, and its parts by name.

        Parameters
        ----------
        z, x : tensor, uint8, (N, 3, side, side)
            R, G, B. The target is in the middle of z.
        shift : tensor, float32, (N, 2)
            Of the target in x against z: rows and columns, in pixels.
        known : dict of str to tensor (2 N, D, h, w)
            What teachers make of z and, behind them, of x, by the names of `Fidelity.outputs`, as far as it is known; the rest are run.
        epoch : int
            Of the training: the sharing of two students (`distill.sharing`) fades with it.
        """
        pictures = torch.cat([z, x])
        parts = self._parts(pictures, shift.to(self._mean), self.ask(pictures, known, self.mixed), epoch)
        return sum(parts.values()), {name: part.detach() for name, part in parts.items()}

    def ask(self, pictures: torch.Tensor, known: Levels | None = None, mixed: bool = False) -> Levels:
        """`Fidelity.outputs` of pictures, with those that are `known`."""
        known = known or {}
        if self.fidelity is None:
            return known
        missing = {pair.output for pair in self.fidelity.pairs}.difference(known)
        with torch.autocast(pictures.device.type, torch.bfloat16, enabled=mixed):
            return {**known, **self.fidelity.outputs(pictures.to(self._mean), missing)}

    def _parts(self, pictures: torch.Tensor, shift: torch.Tensor, asked: Levels, epoch: int) -> dict[str, torch.Tensor]:
        """The parts of the loss, by name."""
        return self._losses(pictures, shift, asked)[0]

    def _losses(self, pictures: torch.Tensor, shift: torch.Tensor, asked: Levels) -> tuple[dict[str, torch.Tensor], Search]:
        """This student's parts of the loss, and where they have searched."""
        plain, rectified, targets = self._outputs(pictures, asked, self.mixed)
        parts = {}
        if self._config.fidelity:
            parts["fidelity"] = self._config.fidelity * self.fidelity(plain, rectified, targets)
        search = Search(rectified, lambda: self.fidelity.levels(targets), shift, self._config)
        for name, loss in self._searches(search):
            parts[name] = getattr(self._config, name) * loss.mean()
        return parts, search

    def _outputs(self, pictures: torch.Tensor, asked: Levels, mixed: bool = False) -> tuple[Levels, Levels, Levels]:
        """The student's levels before and behind the ReLU, and the teachers' targets."""
        with torch.autocast(pictures.device.type, torch.bfloat16, enabled=mixed):
            plain, rectified = self.student.both(pictures.to(self._mean) - self._mean, LEVELS)
        targets = {} if self.fidelity is None else self.fidelity.named(asked)
        return tuple({name: block.to(self._mean) for name, block in found.items()} for found in (plain, rectified, targets))

    def _searches(self, search: Search) -> Iterator[tuple[str, torch.Tensor]]:
        """Those losses, by their names in the configuration, that search the target of each z in its x: for every pair, (N,)."""
        config = self._config
        if config.tracking and config.levels:
            yield "tracking", tracking_loss(search.z, search.x, search.y, search.g)
        if config.target_response:
            yield "target_response", target_response(search.z, search.x, *search.teacher)
        if config.teacher_soft:
            yield "teacher_soft", teacher_soft(search.found, search.taught, search.y)
        if config.adaptive_hard:
            yield "adaptive_hard", adaptive_hard(search.found, search.taught, search.g, search.y)

    @torch.no_grad()
    def calibrate(self, pictures: np.ndarray) -> None:
        """Measure the teachers' spreads on pictures (N, 3, side, side) uint8, and fit the lifts; see `Fidelity.calibrate`."""
        pictures = torch.from_numpy(pictures).to(self._mean.device)
        self._calibrate(pictures, self.ask(pictures))

    def _calibrate(self, pictures: torch.Tensor, asked: Levels) -> None:
        if self.fidelity is not None:
            _, rectified, targets = self._outputs(pictures, asked)
            self.fidelity.calibrate(targets, rectified)

    @torch.no_grad()
    def distances(self, pictures: np.ndarray) -> dict[str, dict[str, float]]:
        """How far the student is from its teachers on pictures (N, 3, side, side), uint8, by pair of teacher and level.

        Returns
        -------
        dict
            "fidelity": `distill.losses.fidelity`; "r_squared": part of the teacher's variance that is explained, as a mean over parts
            of the pictures. Empty without teachers.
        """
        found: dict[str, dict[str, float]] = {}
        for block in torch.from_numpy(pictures).to(self._mean.device).split(MEASURED):
            share = len(block) / len(pictures)
            for kind, values in self._distances(block, self.ask(block)).items():
                sums = found.setdefault(kind, dict.fromkeys(values, 0.0))
                for name, value in values.items():
                    sums[name] += share * float(value)
        return found

    def _distances(self, pictures: torch.Tensor, asked: Levels) -> dict[str, dict[str, torch.Tensor | float]]:
        if self.fidelity is None:
            return {}
        outputs = self._outputs(pictures, asked)
        return {"fidelity": self.fidelity.errors(*outputs), "r_squared": self.fidelity.r_squared(*outputs)}


def tensors(batch: PairBatch, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """z, x and shift of a batch as `Objective` takes them."""
    return tuple(torch.from_numpy(array).to(device) for array in (batch.z, batch.x, batch.shift))
