"""The joint objective of the training: fidelity to the teachers, and the tracking loss on pairs (Wang et al. 2020, equation 8)."""

from collections.abc import Mapping

import numpy as np
import torch

from cfvgg.architecture import LEVELS
from cfvgg.network import Network
from distill.config import Config
from distill.correlation import labels, tracking_loss
from distill.data.pairs import PairBatch
from distill.lessons import Fidelity
from distill.students import mean_picture

LABEL_SIGMA = 0.1  # of the side of the target


class Objective(torch.nn.Module):
    """A student on its way, and what it is measured by.

    Parameters
    ----------
    student : Network
    fidelity : Fidelity or None
        None where it has no weight.
    config : Config
    """

    def __init__(self, student: Network, fidelity: Fidelity | None, config: Config):
        super().__init__()
        self.student, self.fidelity = student, fidelity
        self._config = config
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
        pictures = torch.cat([z, x]).float()
        plain, rectified = self.student.both(pictures - self._mean, LEVELS)
        parts = {}
        if self.fidelity is not None:
            parts["fidelity"] = self._config.fidelity * self.fidelity(plain, rectified, self.fidelity.targets(pictures))
        if self._config.tracking and self._config.levels:
            levels = {level: rectified[level].float() for level in self._config.levels}
            parts["tracking"] = self._config.tracking * self._tracking(levels, shift)
        return sum(parts.values()), {name: part.detach() for name, part in parts.items()}

    def _tracking(self, levels: Mapping[str, torch.Tensor], shift: torch.Tensor) -> torch.Tensor:
        z, x = ({level: block[part] for level, block in levels.items()} for part in (slice(len(shift)), slice(len(shift), None)))
        sigma = LABEL_SIGMA * self._config.side / self._config.search_area
        y, g = (labels(levels, sigma, places) for places in (torch.zeros_like(shift[:1]), shift))
        return tracking_loss(z, x, y, g).mean()

    @torch.no_grad()
    def calibrate(self, pictures: np.ndarray) -> None:
        """Measure the teachers' spreads on pictures (N, 3, side, side) uint8, and fit the lifts; see `Fidelity.calibrate`."""
        if self.fidelity is not None:
            batch = torch.from_numpy(pictures).float()
            self.fidelity.calibrate(self.fidelity.targets(batch), self.student(batch - self._mean))

    @torch.no_grad()
    def r_squared(self, pictures: torch.Tensor) -> dict[str, float]:
        """Part of the teachers' variance that is explained, by pair of teacher and level, on pictures (N, 3, side, side)."""
        if self.fidelity is None:
            return {}
        pictures = pictures.float()
        return self.fidelity.r_squared(*self.student.both(pictures - self._mean), self.fidelity.targets(pictures))


def tensors(batch: PairBatch, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """z, x and shift of a batch as `Objective` takes them."""
    return tuple(torch.from_numpy(array).to(device) for array in (batch.z, batch.x, batch.shift))
