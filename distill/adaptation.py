"""Background-aware adaptation of a backbone to one target, on the first frame of its video (Wang et al. 2020, section IV-B).

A few steps of gradient descent make a correlation filter on the network's levels find the target in changed views of it, and nothing in
the surroundings, while the features stay near those of the network as it came.
"""

import time
from dataclasses import dataclass

import numpy as np
import torch

from cfvgg.mean_picture import resize as resize_mean
from cfvgg.network import Network
from cfvgg.weights import Weights
from distill.correlation import labels, tracking_loss
from distill.losses import Levels, channel_spread, fidelity
from distill.surroundings import Crops, Surroundings

LEVELS = ("conv1", "conv2", "conv5")
LABEL_SIGMA = 0.1  # of the side of the target
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


class Objective:
    """The loss of an adaptation.

    Parameters
    ----------
    frozen : Network
        The network as it came.
    typical : Crops
        Their features give every channel's weight in the fidelity.
    target : float
        Pixels of the target's side, in a crop.
    weight : float
        Of the tracking loss.
    """

    def __init__(self, frozen: Network, typical: Crops, target: float, weight: float):
        self._frozen, self._sigma, self._weight = frozen, LABEL_SIGMA * target, weight
        self._spreads = channel_spread(self._wanted(typical))

    @torch.no_grad()
    def _wanted(self, crops: Crops) -> Levels:
        return self._frozen(crops.pictures, LEVELS)

    def __call__(self, network: Network, crops: Crops) -> tuple[torch.Tensor, Losses]:
        """The loss, and what it consists of."""
        found = network(crops.pictures, LEVELS)
        distance = fidelity(found, self._wanted(crops), self._spreads)
        errors = self._errors(found, crops.shifts)
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
    weights: Weights, image: np.ndarray, box: tuple[float, float, float, float], seed: int = 0, config: Config | None = None
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
    """
    start = time.perf_counter()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the order of sums, and with it the last bits, would depend on their number
    try:
        with torch.enable_grad():
            adapted, before, after, undone = _adapt(weights, image, box, np.random.default_rng(seed), config or Config())
    finally:
        torch.set_num_threads(threads)
    return Adaptation(adapted, before, after, undone, time.perf_counter() - start)


def _adapt(
    weights: Weights, image: np.ndarray, box: tuple[float, float, float, float], rng: np.random.Generator, config: Config
) -> tuple[Weights, Losses, Losses, bool]:
    surroundings = Surroundings(image, box, config.side, config.search_area)
    mean = resize_mean(weights.mean, config.side, config.side)
    network = Network(weights)
    held_out = Crops(surroundings, config.held_out, mean, rng)
    objective = Objective(Network(weights), held_out, surroundings.target, config.weight)
    with torch.no_grad():
        first, before = objective(network, held_out)
    arrays = list(network.parameters())
    velocities = [torch.zeros_like(array) for array in arrays]
    for _ in range(config.iterations):
        loss, _ = objective(network, Crops(surroundings, config.crops, mean, rng))
        gradients = torch.autograd.grad(loss, arrays)
        with torch.no_grad():  # SGD by hand: the first step of torch's own takes a second to import what it does not use
            for array, velocity, gradient in zip(arrays, velocities, gradients, strict=True):
                velocity.mul_(config.momentum).add_(gradient * array.norm() / gradient.norm().clamp(min=TINY))
                array -= config.rate * velocity
    with torch.no_grad():
        last, after = objective(network, held_out)
    undone = not last < first  # also where it is no number
    return weights if undone else network.export(adapted="to the first frame of a video"), before, after, undone
