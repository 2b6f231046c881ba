"""Several features of one sample, each on its own grid."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from cfvgg.architecture import STRIDES
from cfvgg.forward import Backbone
from cfvgg.linear import inner_products
from trackers.config import Feature
from trackers.features import colour
from trackers.features.fhog import fhog
from trackers.features.sizes import SampleSizes
from trackers.opencv import cv2
from trackers.patch import round_half_away, sample_patch, turned_patch

Patch = Callable[[np.ndarray, tuple[float, float], float, int], np.ndarray]
Normalisation = Callable[[np.ndarray, Feature], np.ndarray]


def unit_energy(block: np.ndarray, _: Feature) -> np.ndarray:
    """Every block of unit mean energy: see `normalise`."""
    return normalise(block)


def stretched_levels(block: np.ndarray, feature: Feature) -> np.ndarray:
    """Every channel of a level of the network from 0 to 1, other features as they are (STRCF; PORTING 6.1)."""
    return stretch(block) if feature.is_level else block


class FeatureStack:
    """Extracts the features of a configuration.

    Parameters
    ----------
    features : sequence of Feature
        Those that apply to the sequence: see `applicable`.
    sizes : SampleSizes
        Of these features.
    backbone : Backbone or None
        Needed where a feature is a level of the network.
    tables : dict of str to ndarray
        Look-up tables of 'colour_names' (32768, C) and 'intensity' (256, C), where they are used.
    patch : callable
        Crops and resizes, like `sample_patch`.
    normalisation : callable
        (block, feature) -> block, like `unit_energy`.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        sizes: SampleSizes,
        backbone: Backbone | None,
        tables: Mapping[str, np.ndarray],
        patch: Patch = sample_patch,
        normalisation: Normalisation = unit_energy,
    ):
        self._features, self._sizes, self._backbone, self._tables = tuple(features), sizes, backbone, tables
        self._patch, self._normalised = patch, normalisation
        self._levels = [feature.name for feature in features if feature.is_level]

    def __call__(self, image: np.ndarray, centre: tuple[float, float], scale: float, angle: float = 0.0) -> list[np.ndarray]:
        """Features around a place, normalised.

        Parameters
        ----------
        image : ndarray, uint8, (H, W, C)
            C = 3 (R, G, B) or 1.
        centre : (float, float)
            Row and column, 0-based.
        scale : float
            Pixels of the picture per pixel of the sample.
        angle : float
            By which the sample is turned: see `trackers.patch.turned_patch`.

        Returns
        -------
        list of ndarray, float32, (C, n, n)
            In the order of the features.
        """
        maps, cut = {}, partial(turned_patch, angle=angle) if angle else self._patch
        if self._levels:
            patch = cut(image, centre, self._sizes.network * scale, self._sizes.network)
            maps = self._backbone(patch, self._levels)
        if len(self._levels) < len(self._features):
            patch = cut(image, centre, self._sizes.support * scale, self._sizes.support)
        blocks = []
        for feature, grid in zip(self._features, self._sizes.grids, strict=True):
            if feature.is_level:
                stride = STRIDES[feature.name]
                block = average(central(maps[feature.name], round_half_away(self._sizes.support / stride)), feature.cell // stride)
            elif feature.name == "fhog":
                block = fhog(patch, feature.cell)
            elif feature.name == "grey":
                block = colour.grey(patch if patch.shape[2] == 3 else patch[:, :, 0], feature.cell)
            else:
                pixels = patch if feature.name == "colour_names" else patch[:, :, 0]
                block = colour.table_means(pixels, self._tables[feature.name], feature.cell)
            blocks.append(self._normalised(block[:, :grid, :grid], feature))
        return blocks


def applicable(features: Sequence[Feature], coloured: bool) -> tuple[Feature, ...]:
    """The features that make sense for a colour or a grey sequence."""
    return tuple(feature for feature in features if feature.name != ("intensity" if coloured else "colour_names"))


def central(block: np.ndarray, side: int) -> np.ndarray:
    """The middle `side` x `side` cells of a level (C, H, W); one cell further up and left where the margin is odd."""
    top, left = ((n - side) // 2 for n in block.shape[1:])
    return block[:, top : top + side, left : left + side]


def average(block: np.ndarray, factor: int) -> np.ndarray:
    """Means over factor x factor cells of (C, H, W); what does not fill a cell is dropped."""
    if factor == 1:
        return block
    rows, columns = (n // factor for n in block.shape[1:])
    cut = np.ascontiguousarray(block[:, : rows * factor, : columns * factor])
    means = cv2.resize(cut.reshape(-1, columns * factor), (columns, len(block) * rows), interpolation=cv2.INTER_AREA)
    return means.reshape(-1, rows, columns)


def normalise(block: np.ndarray) -> np.ndarray:
    """Scale a block (C, H, W) to a mean square of one (ECO's ``normalize_power`` 2)."""
    numbers = block.reshape(1, -1)
    energy = float(inner_products(numbers, numbers)[0, 0])
    return block * np.float32(np.sqrt(block.size / (energy + 2.2e-16)))


def stretch(block: np.ndarray) -> np.ndarray:
    """Every channel of a block (C, H, W) from 0 (its lowest value) to almost 1 (its highest)."""
    lowest, highest = block.min((1, 2), keepdims=True), block.max((1, 2), keepdims=True)
    # the difference first: 1e-7 beside a large value would be lost
    return (block - lowest) / (highest - lowest + np.float32(1e-7))
