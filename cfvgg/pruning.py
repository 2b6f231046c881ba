"""A smaller network from a larger one by keeping some of its filters (Wang et al. 2020, section IV)."""

import numpy as np

from cfvgg.architecture import LAYERS, channels
from cfvgg.errors import WeightsError
from cfvgg.weights import Weights


def prune(weights: Weights, ratio: float, seed: int = 0) -> Weights:
    """Keep a random 1 / sqrt(ratio) of VGG-M's filters in each layer, and the matching channels in the next.

    Parameters
    ----------
    weights : Weights
        The teacher.
    ratio : float
        Compression against the full VGG-M (not against `weights`), e.g. 64 for CF-VGG.
    seed : int
        Which filters are kept.

    Raises
    ------
    WeightsError
        If a layer of `weights` has fewer filters than are to be kept.
    """
    rng = np.random.default_rng(seed)
    filters, biases, inputs = [], [], np.arange(3)
    for layer, weight, bias, kept in zip(LAYERS, weights.filters, weights.biases, channels(ratio), strict=True):
        if kept > len(weight):
            raise WeightsError(f"{layer.name} has {len(weight)} filters; a compression of {ratio:g} keeps {kept}")
        chosen = np.sort(rng.choice(len(weight), kept, replace=False))
        filters.append(np.ascontiguousarray(weight[chosen][:, inputs]))
        biases.append(bias[chosen])
        inputs = chosen
    return Weights(tuple(filters), tuple(biases), weights.mean, {**weights.metadata, "pruned": f"ratio {ratio:g}, seed {seed}"})
