"""Students before their first step."""

from collections.abc import Sequence

import numpy as np
import torch

from cfvgg.architecture import LAYERS, LEVELS, channels, filter_shapes
from cfvgg.mean_picture import resize
from cfvgg.network import Network
from cfvgg.pruning import prune
from cfvgg.weights import Weights
from distill.losses import Levels, channel_spread
from distill.teachers.backbone import Backbone
from distill.teachers.base import MEAN_COLOUR, Teacher, colour

MEAN_SIDE = 14  # cells of the student's mean picture; the published 224 x 224 one changes the features by 0.2 % only

# Standard deviations of the published CF-VGG's plain outputs on crops of pictures. The normalisation of conv1 and conv2 is not linear, so
# that a student without a teacher of its shape does best to begin at the same working point.
SPREADS = {"conv1": 42.0, "conv2": 6.4, "conv3": 0.9, "conv4": 0.36, "conv5": 0.14}


def centred_filters(shape: tuple[int, int, int, int], rng: np.random.Generator) -> np.ndarray:
    """Random filters (out, in, kernel, kernel), float32, each of mean zero.

    Inputs behind a ReLU are positive: a filter whose mean is not zero answers with one sign nearly everywhere, and half of them start dead.
    """
    filters = rng.standard_normal(shape)
    return (filters - filters.mean(axis=(1, 2, 3), keepdims=True)).astype(np.float32)


def fresh_student(teacher: Weights, pictures: np.ndarray, spreads: Levels, rng: np.random.Generator) -> Network:
    """A student of the teacher's widths with random filters, scaled so that each layer varies as much as the teacher's.

    Parameters
    ----------
    teacher : Weights
        Gives widths and mean picture; none of its filters.
    pictures : ndarray, uint8, (N, 3, side, side)
        R, G, B; the batch on which the layers are scaled.
    spreads : dict of str to tensor (C,)
        Of the teacher's channels, from `distill.losses.channel_spread`.
    rng : numpy.random.Generator
    """
    wanted = {level: spread.square().mean().sqrt() for level, spread in spreads.items()}
    return random_student(teacher.widths, teacher.mean, pictures, wanted, rng)


def random_student(
    widths: Sequence[int], mean: np.ndarray, pictures: np.ndarray, spreads: dict[str, float], rng: np.random.Generator
) -> Network:
    """A student with random filters, scaled layer by layer.

    Parameters
    ----------
    widths : sequence of int
        Channels of the five layers.
    mean : ndarray, float32, (3, h, w)
        Mean picture; the student gets it at 14 x 14 cells.
    pictures : ndarray, uint8, (N, 3, side, side)
        R, G, B; the batch on which the layers are scaled.
    spreads : dict of str to float
        Standard deviation of each level before its ReLU, root mean square over channels; `SPREADS` suits.
    rng : numpy.random.Generator
    """
    shapes = filter_shapes(tuple(widths))
    filters = tuple(centred_filters(shape, rng) for shape in shapes)
    biases = tuple(np.zeros(shape[0], np.float32) for shape in shapes)
    student = Network(Weights(filters, biases, resize(mean, MEAN_SIDE, MEAN_SIDE)))
    _scale(student, pictures, spreads)
    return student


def pruned_student(
    teacher: Weights, ratio: float, pictures: np.ndarray, rng: np.random.Generator, levels: Sequence[str] = LEVELS
) -> Network:
    """A student that keeps some of the filters of VGG-M, chosen at random (Wang et al. 2020, section IV).

    Parameters
    ----------
    teacher : Weights
    ratio : float
        Compression against the full VGG-M.
    pictures : ndarray, uint8, (N, 3, side, side)
        R, G, B; the batch on which the layers that the teacher lacks are scaled.
    rng : numpy.random.Generator
        Says which filters are kept.
    levels : sequence of str
        The first ones, for which the teacher has filters; those behind them begin at random, scaled to `SPREADS`.

    Raises
    ------
    WeightsError
        If a layer of the teacher has fewer filters than are to be kept.
    """
    kept = prune(teacher, ratio, seed=int(rng.integers(1 << 31)))
    depth = len(levels)
    fresh = tuple(centred_filters(shape, rng) for shape in filter_shapes(kept.widths)[depth:])
    student = Network(Weights(kept.filters[:depth] + fresh, kept.biases, resize(teacher.mean, MEAN_SIDE, MEAN_SIDE), kept.metadata))
    _scale(student, pictures, {level: SPREADS[level] for level in LEVELS[depth:]})
    return student


def first_student(teachers: Sequence[Teacher], ratio: float, pictures: np.ndarray, rng: np.random.Generator) -> Network:
    """The best student to begin with: pruned from the first teacher that is a wider VGG-M, else fresh.

    A fresh one takes spreads and mean picture from a teacher of its own shape, where there is one.

    Parameters
    ----------
    teachers : sequence of Teacher
    ratio : float
        Compression against the full VGG-M, 1 or more.
    pictures : ndarray, uint8, (N, 3, side, side)
        R, G, B; the batch on which layers are scaled.
    rng : numpy.random.Generator

    Raises
    ------
    WeightsError
        If `ratio` is below 1.
    """
    widths = channels(ratio)
    backbones = [teacher for teacher in teachers if isinstance(teacher, Backbone)]
    for teacher in backbones:
        if all(given > kept for given, kept in zip(teacher.weights.widths[: len(teacher.levels)], widths, strict=False)):
            return pruned_student(teacher.weights, ratio, pictures, rng, teacher.levels)
    for teacher in backbones:
        if teacher.levels == LEVELS and teacher.weights.widths == widths:
            return fresh_student(teacher.weights, pictures, channel_spread(teacher(torch.from_numpy(pictures), LEVELS)), rng)
    mean = backbones[0].weights.mean if backbones else colour(MEAN_COLOUR).numpy()
    return random_student(widths, mean, pictures, SPREADS, rng)


def mean_picture(network: Network, side: int) -> torch.Tensor:
    """The network's mean picture at `side` pixels: float32, (3, side, side)."""
    return torch.from_numpy(resize(network.mean.numpy(), side, side))


@torch.no_grad()
def _scale(student: Network, pictures: np.ndarray, spreads: dict[str, float]) -> None:
    """Scale the filters of some layers, from the first on, until their plain outputs on pictures vary as they should."""
    inputs = torch.from_numpy(pictures) - mean_picture(student, pictures.shape[-1])
    for layer, convolution in zip(LAYERS, student.convolutions, strict=True):
        if layer.name in spreads:
            output = student(inputs, (layer.name,), rectified=False)[layer.name]
            convolution.weight *= spreads[layer.name] / output.var(dim=(0, 2, 3)).mean().sqrt()
