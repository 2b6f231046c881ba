"""Background-aware adaptation of a backbone to one target, on the first frame of its video (Wang et al. 2020, section IV-B).

A few steps of gradient descent make a correlation filter on the network's levels find the target in changed views of it, and nothing in
the surroundings, while the features stay near those of the network as it came.
"""

import math
import time
from dataclasses import dataclass

import numpy as np
import torch

from cfvgg.mean_picture import resize as resize_mean
from cfvgg.network import Network
from cfvgg.weights import Weights
from distill.correlation import labels, tracking_loss
from distill.losses import Levels, channel_spread, fidelity
from trackers.opencv import cv2
from trackers.patch import crop, resize, round_half_away

LEVELS = ("conv1", "conv2", "conv5")
REACH = 5.0  # target sizes between the target and the centres of the negatives, at most
SHIFT = 0.4  # of a positive, in target sizes, at most
FLIPPED, BLURRED, BRIGHTENED = 0.5, 0.3, 0.7  # how often each change is made
BLUR_SIGMA = (0.5, 2.0)  # pixels of the crop
BRIGHTNESS = (0.6, 1.4)
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


class Surroundings:
    """The target and what is around it, resized so that crops of one size hold the target in one size.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, C)
        R, G, B or grey.
    box : (float, float, float, float)
    config : Config
    """

    def __init__(self, image: np.ndarray, box: tuple[float, float, float, float], config: Config):
        x, y, width, height = box
        size, centre, limit = np.array([height, width]), np.array([y + (height - 1) / 2, x + (width - 1) / 2]), np.array(image.shape[:2])
        self._side, self.target = config.side, config.side / config.search_area
        pixels = max(math.sqrt(width * height), 1.0)  # less would be magnified without bound
        scale, reach = self.target / pixels, (REACH + config.search_area / 2) * pixels
        start = np.clip(np.floor(centre - reach), 0, limit - 1).astype(int)
        end = np.clip(np.ceil(centre + reach) + 1, start + 1, limit).astype(int)
        shape = np.maximum(np.rint((end - start) * scale), 1).astype(int)
        cut = image[start[0] : end[0], start[1] : end[1]]
        self._picture = resize(cut, tuple(shape.tolist()), cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        factors = shape / (end - start)
        self._centre, self._half = (centre - start + 0.5) * factors - 0.5, size * factors / 2
        self._places = self._empty_places()

    def template(self) -> tuple[np.ndarray, np.ndarray]:
        """The crop (side, side, C) around the target, and the target's place (row, column) in it."""
        first = self._first(self._centre)
        return crop(self._picture, first, (self._side, self._side)), self._centre - first

    def positive(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A changed view of the target (side, side, C), and the target's place (row, column) in it."""
        first = self._first(self._centre + rng.uniform(-SHIFT, SHIFT, 2) * self.target)
        view, place = crop(self._picture, first, (self._side, self._side)), self._centre - first
        if rng.random() < FLIPPED:
            view, place = view[:, ::-1], np.array([place[0], self._side - 1 - place[1]])
        return vary(view, rng), place

    def negative(self, rng: np.random.Generator) -> np.ndarray:
        """A changed view (side, side, C) of what is around the target."""
        centre = self._places[rng.integers(len(self._places))]
        view = crop(self._picture, self._first(centre), (self._side, self._side))
        return vary(view[:, ::-1] if rng.random() < FLIPPED else view, rng)

    @property
    def has_negatives(self) -> bool:
        """Whether there is anything but the target in the picture."""
        return len(self._places) > 0

    def _empty_places(self) -> np.ndarray:
        """Centres (N, 2) of crops without the target; where the picture has no room for them, of boxes of its size without it."""
        rows, columns = (np.arange(0, n, 4) for n in self._picture.shape[:2])
        grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 2)
        distance = np.abs(grid - self._centre)
        near = (distance <= REACH * self.target).all(1)
        for half in (np.full(2, self._side / 2), self._half):
            found = grid[near & (distance >= half + self._half).any(1)]
            if len(found):
                break
        return found

    def _first(self, centre: np.ndarray) -> tuple[int, int]:
        return tuple(round_half_away(c - (self._side - 1) / 2) for c in centre.tolist())


def vary(view: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur, and brighten or darken, a crop (side, side, C) uint8, each by chance."""
    shape = view.shape
    if rng.random() < BLURRED:
        view = cv2.GaussianBlur(view, (0, 0), rng.uniform(*BLUR_SIGMA))
    if rng.random() < BRIGHTENED:
        view = cv2.convertScaleAbs(view, alpha=rng.uniform(*BRIGHTNESS))
    return view.reshape(shape)


class Crops:
    """A template, changed views of the target, and surroundings, as one batch.

    Parameters
    ----------
    surroundings : Surroundings
    count : int
        Positives, and as many negatives where there are any.
    mean : ndarray, float32, (3, side, side)
    rng : numpy.random.Generator

    Attributes
    ----------
    pictures : tensor (1 + N, 3, side, side)
        The template is the first, and then the positives come.
    shifts : tensor (count, 2)
        Of the target in the positives against the template; rows and columns, in pixels.
    """

    def __init__(self, surroundings: Surroundings, count: int, mean: np.ndarray, rng: np.random.Generator):
        template, place = surroundings.template()
        views, places = zip(*(surroundings.positive(rng) for _ in range(count)), strict=True)
        negatives = [surroundings.negative(rng) for _ in range(count)] if surroundings.has_negatives else []
        pictures = np.stack([template, *views, *negatives]).transpose(0, 3, 1, 2) - mean
        self.pictures = torch.from_numpy(pictures).contiguous(memory_format=torch.channels_last)
        self.shifts = torch.from_numpy((np.stack(places) - place).astype(np.float32))


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
    surroundings = Surroundings(image, box, config)
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
