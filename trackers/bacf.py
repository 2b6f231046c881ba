"""BACF: a filter of the target's size, learnt from all of its surroundings, on FHOG."""

from collections.abc import Mapping

import numpy as np

from trackers import confidence
from trackers import strcf_config as settings
from trackers.feature_tracker import FeatureTracker
from trackers.filters.bacf import BACFFilter
from trackers.strcf import STRCFTarget
from trackers.strcf_config import BACFConfig
from trackers.tracker import Box


class BACF(FeatureTracker):
    """Background-aware correlation filter (Kiani Galoogahi et al. 2017) on FHOG. Needs no network.

    Parameters are those of `FeatureTracker`; options are the fields of `trackers.strcf_config.BACFConfig`. With `published`
    boxes are rounded to whole pixels and may leave the picture.
    Nothing is drawn at random. Where a search area has fewer than 150 x 150 pixels the authors' program takes smaller cells; here the
    picture is enlarged instead, as STRCF does.
    """

    presets: Mapping[str, BACFConfig] = settings.BACF
    as_published = settings.ADMM_PUBLISHED

    def _begin(self, image: np.ndarray, box: Box) -> "BACFTarget":
        return BACFTarget(image, box, self.config, self._backbone, self._tables, self._published)


class BACFTarget(STRCFTarget):
    """One target that BACF follows: STRCF's steps with another filter; parameters are `STRCFTarget`'s."""

    filter_kind = BACFFilter
    _scoring = confidence.BACF
