"""STRCF and its relatives: fDeepSTRCF (CF-VGG and FHOG), DeepSTRCF (VGG-M, FHOG and colours), STRCF (FHOG and colours)."""

from collections.abc import Mapping

import numpy as np

from cfvgg.forward import Backbone
from trackers import strcf_config as settings
from trackers.confidence import DEEP_STRCF
from trackers.feature_tracker import FeatureTracker
from trackers.features.sizes import exact_sizes
from trackers.features.stack import FeatureStack, stretched_levels
from trackers.filters.admm import STRCFFilter
from trackers.patch import whole_patch
from trackers.search import SearchTarget
from trackers.strcf_config import STRCFConfig
from trackers.target import Detection
from trackers.tracker import Box


class STRCFTracker(FeatureTracker):
    """Spatial-temporal regularised correlation filter (Li et al. 2018); see `fDeepSTRCF`, `DeepSTRCF` and `STRCF`.

    Parameters are those of `FeatureTracker`; options are the fields of `trackers.strcf_config.STRCFConfig`. With `published`
    samples are as large as in the authors' programs, colours do not say where the target is, and boxes are rounded to whole pixels and
    may leave the picture.
    Nothing is drawn at random.
    """

    presets: Mapping[str, STRCFConfig]
    as_published = settings.STRCF_PUBLISHED

    def _begin(self, image: np.ndarray, box: Box) -> "STRCFTarget":
        return STRCFTarget(image, box, self.config, self._backbone, self._tables, self._published)


class fDeepSTRCF(STRCFTracker):
    """STRCF on CF-VGG's conv3, grey and FHOG (Wang et al. 2020). Presets: otb, tc128."""

    presets = settings.FDEEPSTRCF


class DeepSTRCF(STRCFTracker):
    """STRCF on VGG-M's conv3, grey, FHOG and colour names; `backbone` is the path of VGG-M's MatConvNet file, which you must have."""

    presets = settings.DEEPSTRCF
    brings_network = False


class STRCF(STRCFTracker):
    """STRCF on grey, FHOG and, in colour sequences, colour names. Needs no network."""

    presets = settings.STRCF


class STRCFTarget(SearchTarget):
    """One target that STRCF follows.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, C)
        First picture; it decides whether the sequence is treated as coloured.
    box : (float, float, float, float)
    config : STRCFConfig
    backbone : Backbone or None
    tables : mapping of str to ndarray
    published : bool
        See `STRCFTracker`.
    """

    filter_kind = STRCFFilter  # what learns and responds

    def __init__(
        self,
        image: np.ndarray,
        box: Box,
        config: STRCFConfig,
        backbone: Backbone | None,
        tables: Mapping[str, np.ndarray],
        published: bool,
    ):
        super().__init__(image, box, config, published)
        image = self._channels(image)
        if backbone is not None:
            self._scoring = DEEP_STRCF
        features = self._config.features
        sizes = exact_sizes(features, self._side)
        stack = FeatureStack(features, sizes, backbone, tables, whole_patch, stretched_levels)
        first = stack(image, self._rounded(), self.scale)
        filter_ = self.filter_kind([block.shape for block in first], [feature.cell for feature in features], self._base, config)
        self._prepare(stack, filter_, sizes.support, filter_.side)
        sample = filter_.encode(first)
        filter_.learn(sample)
        self._learn_beside(image)
        self._know(first, self._rounded())

    def _take(self, image: np.ndarray, _: Detection) -> None:
        self._rescale(image)
        self._filter.learn(self._filter.encode(self._features(image, self._rounded(), self.scale, self._angle)))
        self._learn_beside(image)
