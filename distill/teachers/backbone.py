"""VGG-M and CF-VGG as teachers: networks of the student's own layers, of any width."""

from collections.abc import Sequence

import numpy as np
import torch

from cfvgg.architecture import LAYERS, LEVELS, channels, filter_shapes, grids
from cfvgg.mean_picture import resize
from cfvgg.network import Network
from cfvgg.weights import Weights
from distill.teachers.base import MEAN_COLOUR, Tap, Teacher, colour

# MatConvNet's names of what follows the convolutions: the levels as trackers tap them.
RECTIFIED = {layer.name: f"{'norm' if layer.normalised else 'relu'}{number}" for number, layer in enumerate(LAYERS, 1)}


class Backbone(Teacher):
    """VGG-M of any width, or its first layers.

    The taps conv1 .. conv5 are the plain outputs of the convolutions; norm1, norm2, relu3, relu4, relu5 are the levels behind their
    ReLU and, where there is one, their normalisation.

    Parameters
    ----------
    weights : Weights
    levels : sequence of str
        The first ones, as far as `weights` are those of a trained network: see `first_layers`.

    Attributes
    ----------
    weights, levels
        As given.
    """

    kind = "vgg-m"

    def __init__(self, weights: Weights, levels: Sequence[str] = LEVELS):
        super().__init__()
        self.weights, self.levels = weights, tuple(levels)
        self.unrectified = self.levels
        self.network = Network(weights)
        self._means: dict[tuple[int, int], torch.Tensor] = {}
        self.freeze()

    @classmethod
    def first_layers(
        cls,
        filters: Sequence[np.ndarray],
        biases: Sequence[np.ndarray],
        mean: np.ndarray | None = None,
        metadata: dict[str, str] | None = None,
    ) -> "Backbone":
        """A teacher of the levels for which there are filters, at least one; the parameters are those of `Weights`.

        Parameters
        ----------
        filters, biases : sequence of ndarray
        mean : ndarray, float32, (3, h, w)
            ImageNet's mean colour by default.
        metadata : dict of str to str

        Raises
        ------
        WeightsError
            If the shapes are not those of the layers.
        """
        depth = len(filters)
        # The layers that are missing are filled up with zeros, so that the network is whole; they are never computed.
        shapes = filter_shapes((*(len(weight) for weight in filters), *channels(1)[depth:]))[depth:]
        filters = (*filters, *(np.zeros(shape, np.float32) for shape in shapes))
        biases = (*biases, *(np.zeros(shape[0], np.float32) for shape in shapes))
        mean = colour(MEAN_COLOUR).numpy() if mean is None else mean
        return cls(Weights(filters, biases, mean, metadata or {}), LEVELS[:depth])

    def taps(self, height: int, width: int) -> dict[str, Tap]:
        """See `Teacher.taps`; the same for every size."""
        found = {}
        for level, count in zip(self.levels, self.weights.widths, strict=False):
            stride, centre = grids()[level]
            found[level] = found[RECTIFIED[level]] = Tap(count, stride, (centre, centre))
        return found

    def compute(self, pictures: torch.Tensor, names: Sequence[str]) -> dict[str, torch.Tensor]:
        """See `Teacher.compute`."""
        levels = [level for level in self.levels if level in names or RECTIFIED[level] in names]
        plain, rectified = self.network.both(pictures - self._mean(pictures), levels)
        return {**plain, **{RECTIFIED[level]: output for level, output in rectified.items()}}

    def default_mapping(self, widths: Sequence[int]) -> dict[str, str]:
        """Plain outputs where the student has as many channels, so that they are compared one by one; else the levels behind the ReLU."""
        own = zip(self.levels, self.weights.widths, widths, strict=False)
        return {level: level if channels == wanted else RECTIFIED[level] for level, channels, wanted in own}

    def _mean(self, pictures: torch.Tensor) -> torch.Tensor:
        size = tuple(pictures.shape[-2:])
        if size not in self._means:
            self._means = {size: torch.from_numpy(resize(self.weights.mean, *size))}  # one: trainings have one size
        self._means[size] = self._means[size].to(pictures.device)
        return self._means[size]
