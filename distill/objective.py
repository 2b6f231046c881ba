"""The joint objective of the training: fidelity to the teachers, and the tracking loss on pairs (Wang et al. 2020, equation 8).

And, where they have a weight, the losses of Shen et al. 2022 (`distill.siamese`).
"""

from collections.abc import Iterator, Mapping

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
        self._config, self._mixed = config, mixed
        self.register_buffer("_mean", mean_picture(student, config.side), persistent=False)

    def forward(self, z: torch.Tensor, x: torch.Tensor, shift: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss of some pairs, and its parts by name.

        Parameters
        ----------
        z, x : tensor, uint8, (N, 3, side, side)
            R, G, B. The target is in the middle of z.
        shift : tensor, float32, (N, 2)
            Of the target in x against z: rows and columns, in pixels.
        """
        plain, rectified, targets = self._outputs(torch.cat([z, x]), self._mixed)
        parts = {}
        if self._config.fidelity:
            parts["fidelity"] = self._config.fidelity * self.fidelity(plain, rectified, targets)
        for name, loss in self._searches(rectified, targets, shift.to(self._mean)):
            parts[name] = getattr(self._config, name) * loss.mean()
        return sum(parts.values()), {name: part.detach() for name, part in parts.items()}

    def _outputs(self, pictures: torch.Tensor, mixed: bool = False) -> tuple[Levels, Levels, Levels]:
        """The student's levels before and behind the ReLU, and the teachers' targets."""
        pictures = pictures.to(self._mean)
        with torch.autocast(pictures.device.type, torch.bfloat16, enabled=mixed):
            plain, rectified = self.student.both(pictures - self._mean, LEVELS)
            targets = {} if self.fidelity is None else self.fidelity.targets(pictures)
        return tuple({name: block.to(self._mean) for name, block in found.items()} for found in (plain, rectified, targets))

    def _searches(self, rectified: Levels, targets: Levels, shift: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
        """Those losses, by their names in the configuration, that search the target of each z in its x: for every pair, (N,)."""
        config = self._config
        z, x = self._halves(rectified, len(shift))
        sigma = LABEL_SIGMA * config.side / config.search_area
        y, g = (labels(z, sigma, places) for places in (torch.zeros_like(shift[:1]), shift))
        if config.tracking and config.levels:
            yield "tracking", tracking_loss(z, x, y, g)
        if not (config.target_response or config.teacher_soft or config.adaptive_hard):
            return
        teacher_z, teacher_x = self._halves(self.fidelity.levels(targets), len(shift))
        if config.target_response:
            yield "target_response", target_response(z, x, teacher_z, teacher_x)
        student, teacher = responses({level: z[level] for level in teacher_z}, x, y), responses(teacher_z, teacher_x, y)
        if config.teacher_soft:
            yield "teacher_soft", teacher_soft(student, teacher, y)
        if config.adaptive_hard:
            yield "adaptive_hard", adaptive_hard(student, teacher, g, y)

    def _halves(self, levels: Mapping[str, torch.Tensor], count: int) -> tuple[Levels, Levels]:
        """Levels of the `count` z and of the x behind them, as far as they are among those of the tracking loss."""
        kept = [level for level in self._config.levels if level in levels]
        return tuple({level: levels[level][half] for level in kept} for half in (slice(count), slice(count, None)))

    @torch.no_grad()
    def calibrate(self, pictures: np.ndarray) -> None:
        """Measure the teachers' spreads on pictures (N, 3, side, side) uint8, and fit the lifts; see `Fidelity.calibrate`."""
        if self.fidelity is not None:
            _, rectified, targets = self._outputs(torch.from_numpy(pictures))
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
        if self.fidelity is None:
            return found
        for block in torch.from_numpy(pictures).to(self._mean.device).split(MEASURED):
            outputs = self._outputs(block)
            share = len(block) / len(pictures)
            for kind, values in (("fidelity", self.fidelity.errors(*outputs)), ("r_squared", self.fidelity.r_squared(*outputs))):
                sums = found.setdefault(kind, dict.fromkeys(values, 0.0))
                for name, value in values.items():
                    sums[name] += share * float(value)
        return found


def tensors(batch: PairBatch, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """z, x and shift of a batch as `Objective` takes them."""
    return tuple(torch.from_numpy(array).to(device) for array in (batch.z, batch.x, batch.shift))
