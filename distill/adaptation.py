"""Background-aware adaptation of a backbone to one target, on the first frame of its video (Wang et al. 2020, section IV-B).

A few steps of gradient descent make a correlation filter on the network's levels find the target in changed views of it, and nothing in
the surroundings, while the features stay near those of the network as it came.
"""

import os
import time
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from cfvgg.architecture import LEVELS
from cfvgg.network import Network
from cfvgg.weights import Weights
from distill import checkpoints
from distill.correlation import LABEL_SIGMA, labels, tracking_loss
from distill.errors import DistillationError
from distill.lessons import Fidelity, read_lesson
from distill.losses import Levels, channel_spread, fidelity
from distill.students import mean_picture
from distill.surroundings import Crops, Surroundings

TRACKED = ("conv1", "conv2", "conv5")  # levels of the tracking loss
TINY = 1e-30


@dataclass(frozen=True)
class Config:
    """Settings of an adaptation.

    Attributes
    ----------
    iterations, crops, momentum : int, int, float
        Steps of gradient descent; positives, and negatives, drawn for each. The paper's, as the momentum.
    side, search_area : int, float
        Pixels of a crop, and its side over that of the target, sqrt(w h).
    weight : float
        Of the tracking loss against the fidelity, the paper's lambda, which its text has lost.
    rate : float
        Length of a step, before the momentum, over the norm of the array of parameters that makes it. Plain gradients differ in
        length by orders of magnitude between layers and between targets (You et al., "Large batch training of convolutional networks").
    held_out : int
        Positives, and negatives, that judge the result.
    """

    iterations: int = 8
    crops: int = 32
    momentum: float = 0.9
    side: int = 96
    search_area: float = 2.0
    weight: float = 1.0
    rate: float = 0.0001
    held_out: int = 16


@dataclass(frozen=True)
class Losses:
    """Losses on crops that were not trained on.

    Attributes
    ----------
    positive, negative : float
        Tracking loss on views of the target, and on surroundings: see `distill.correlation.tracking_loss`.
    fidelity : float
        How far the features are from those of the network as it came: see `distill.losses.fidelity`.
    """

    positive: float
    negative: float
    fidelity: float


@dataclass(frozen=True)
class Adaptation:
    """An adapted network, and how it came about.

    Attributes
    ----------
    weights : Weights
        Those given, if the adaptation was undone.
    before, after : Losses
        On held-out crops; `after` is that of the trained network, also where it was undone.
    undone : bool
        The whole loss on the held-out crops had not fallen.
    seconds : float
        Wall time.
    """

    weights: Weights
    before: Losses
    after: Losses
    undone: bool
    seconds: float


class Guide(Protocol):
    """What the features are to stay near; `distill.lessons.Fidelity` is one."""

    @abstractmethod
    def targets(self, pictures: torch.Tensor) -> Levels:
        """What is wanted of pictures (N, 3, H, W), R, G, B, 0 .. 255."""

    @abstractmethod
    def __call__(self, plain: Levels, rectified: Levels, targets: Levels) -> torch.Tensor:
        """How far levels before, and behind, their ReLU are from the targets on the same pictures."""


class Frozen:
    """The guide that every network has: itself, as it came.

    Parameters
    ----------
    weights : Weights
    pictures : tensor (N, 3, H, W)
        Typical ones, R, G, B, 0 .. 255: their features give every channel's weight.
    """

    def __init__(self, weights: Weights, pictures: torch.Tensor):
        self._network = Network(weights)
        self._mean = mean_picture(self._network, pictures.shape[-1])
        self._spreads = channel_spread(self.targets(pictures))

    @torch.no_grad()
    def targets(self, pictures: torch.Tensor) -> Levels:
        """See `Guide`."""
        return self._network(pictures - self._mean, TRACKED)

    def __call__(self, plain: Levels, rectified: Levels, targets: Levels) -> torch.Tensor:
        """See `Guide`."""
        return fidelity(rectified, targets, self._spreads)


def taught(checkpoint: str | os.PathLike, teachers: Sequence[str]) -> Fidelity:
    """The guide that the teachers of a training are, with the lifts that it has learnt.

    Parameters
    ----------
    checkpoint : path
        Of the training that made the network (`distill.train.train`).
    teachers : sequence of str
        As the training was given them: see `distill.lessons.read_lesson`.

    Raises
    ------
    DistillationError, WeightsError
        If a file cannot be read, or the checkpoint is not of a training with these teachers.
    """
    state = checkpoints.load(Path(checkpoint))["objective"]
    widths = [len(state[f"student.convolutions.{number}.weight"]) for number in range(len(LEVELS))]
    guide = Fidelity([read_lesson(spec, widths) for spec in teachers], widths, np.random.default_rng(0))
    learnt = {name.removeprefix("fidelity."): value for name, value in state.items() if name.startswith("fidelity.")}
    try:
        guide.load_state_dict(learnt)
    except RuntimeError as error:
        raise DistillationError(f"{checkpoint} is not of a training with the teachers {', '.join(teachers)}: {error}") from error
    return guide.requires_grad_(False)


class Objective:
    """The loss of an adaptation.

    Parameters
    ----------
    guide : Guide
    mean : tensor (3, side, side)
        Mean picture of the network.
    target : float
        Pixels of the target's side, in a crop.
    weight : float
        Of the tracking loss.
    """

    def __init__(self, guide: Guide, mean: torch.Tensor, target: float, weight: float):
        self._guide, self._mean, self._sigma, self._weight = guide, mean, LABEL_SIGMA * target, weight

    def __call__(self, network: Network, crops: Crops) -> tuple[torch.Tensor, Losses]:
        """The loss, and what it consists of."""
        plain, rectified = network.both(crops.pictures - self._mean)
        distance = self._guide(plain, rectified, self._guide.targets(crops.pictures))
        errors = self._errors({level: rectified[level] for level in TRACKED}, crops.shifts)
        positive, negative = errors[: len(crops.shifts)], errors[len(crops.shifts) :]
        positive, negative = positive.mean(), negative.mean() if len(negative) else torch.zeros(())
        return distance + self._weight * (positive + negative), Losses(positive.item(), negative.item(), distance.item())

    def _errors(self, found: Levels, shifts: torch.Tensor) -> torch.Tensor:
        z, x = ({level: block[part] for level, block in found.items()} for part in (slice(1), slice(1, None)))
        y, positive = (labels(found, self._sigma, places) for places in (torch.zeros(1, 2), shifts))
        g = {level: torch.zeros(len(x[level]), *block.shape[1:]) for level, block in positive.items()}
        for level, block in positive.items():
            g[level][: len(shifts)] = block
        return tracking_loss(z, x, y, g)


def adapt(
    weights: Weights,
    image: np.ndarray,
    box: tuple[float, float, float, float],
    seed: int = 0,
    config: Config | None = None,
    guide: Guide | None = None,
) -> Adaptation:
    """Adapt a network to a target.

    Parameters
    ----------
    weights : Weights
        Stay as they are.
    image : ndarray, uint8, (H, W, 3) or (H, W, 1)
        First picture, R, G, B or grey.
    box : (float, float, float, float)
        x, y, w, h of the target; meets the picture.
    seed : int
        Of the crops. The same gives the same network, bit for bit, on one kind of machine.
    config : Config
    guide : Guide or None
        What the features are to stay near: from `taught`; None: those of the network as it came.
    """
    start = time.perf_counter()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the order of sums, and with it the last bits, would depend on their number
    try:
        with torch.enable_grad():
            adapted, before, after, undone = _adapt(weights, image, box, np.random.default_rng(seed), config or Config(), guide)
    finally:
        torch.set_num_threads(threads)
    return Adaptation(adapted, before, after, undone, time.perf_counter() - start)


def _adapt(
    weights: Weights,
    image: np.ndarray,
    box: tuple[float, float, float, float],
    rng: np.random.Generator,
    config: Config,
    guide: Guide | None,
) -> tuple[Weights, Losses, Losses, bool]:
    surroundings = Surroundings(image, box, config.side, config.search_area)
    network = Network(weights)
    held_out = Crops(surroundings, config.held_out, rng)
    guide = guide or Frozen(weights, held_out.pictures)
    objective = Objective(guide, mean_picture(network, config.side), surroundings.target, config.weight)
    with torch.no_grad():
        first, before = objective(network, held_out)
    arrays = list(network.parameters())
    velocities = [torch.zeros_like(array) for array in arrays]
    for _ in range(config.iterations):
        loss, _ = objective(network, Crops(surroundings, config.crops, rng))
        gradients = torch.autograd.grad(loss, arrays)
        with torch.no_grad():  # SGD by hand: the first step of torch's own takes a second to import what it does not use
            for array, velocity, gradient in zip(arrays, velocities, gradients, strict=True):
                velocity.mul_(config.momentum).add_(gradient * array.norm() / gradient.norm().clamp(min=TINY))
                array -= config.rate * velocity
    with torch.no_grad():
        last, after = objective(network, held_out)
    undone = not last < first  # also where it is no number
    return weights if undone else network.export(adapted="to the first frame of a video"), before, after, undone
