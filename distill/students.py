"""Students before their first step."""

import numpy as np
import torch

from cfvgg.architecture import LAYERS, filter_shapes
from cfvgg.mean_picture import resize
from cfvgg.network import Network
from cfvgg.weights import Weights
from distill.losses import Levels

MEAN_SIDE = 14  # cells of the student's mean picture; the published 224 x 224 one changes the features by 0.2 % only


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
    shapes = filter_shapes(teacher.widths)
    filters = tuple(centred_filters(shape, rng) for shape in shapes)
    biases = tuple(np.zeros(shape[0], np.float32) for shape in shapes)
    student = Network(Weights(filters, biases, resize(teacher.mean, MEAN_SIDE, MEAN_SIDE)))
    inputs = torch.from_numpy(pictures) - mean_picture(student, pictures.shape[-1])
    with torch.no_grad():
        for layer, convolution in zip(LAYERS, student.convolutions, strict=True):
            output = student(inputs, (layer.name,), rectified=False)[layer.name]
            wanted = spreads[layer.name].square().mean().sqrt()
            convolution.weight *= wanted / output.var(dim=(0, 2, 3)).mean().sqrt()
    return student


def mean_picture(network: Network, side: int) -> torch.Tensor:
    """The network's mean picture at `side` pixels: float32, (3, side, side)."""
    return torch.from_numpy(resize(network.mean.numpy(), side, side))
