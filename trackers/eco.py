"""ECO and its relatives: fECO (CF-VGG and FHOG), ECO (VGG-M and FHOG), ECOHC (FHOG and colours)."""

import math
import os
from collections.abc import Mapping

import numpy as np

from cfvgg.forward import Backbone
from cfvgg.weights import Weights
from trackers import config as settings
from trackers.augmentation import views
from trackers.config import ECOConfig
from trackers.errors import UnknownOptionError
from trackers.feature_tracker import FeatureTracker
from trackers.features.fhog import CHANNELS
from trackers.features.sizes import odd_sizes
from trackers.features.stack import FeatureStack
from trackers.filters.eco import ECOFilter
from trackers.filters.regularisation import Penalty, penalty_filter
from trackers.fourier import gaussian_label
from trackers.patch import decimation, middle_patch, offset_within, sample_patch
from trackers.search import SearchTarget
from trackers.target import Detection
from trackers.tracker import Box


class ECOTracker(FeatureTracker):
    """ECO (Danelljan et al. 2017) with any of its features; see `fECO`, `ECO` and `ECOHC`.

    Parameters are those of `FeatureTracker`; options are the fields of `trackers.config.ECOConfig`. With `published` samples are as large
    as in the authors' program and lie half a pixel off where their side is even, there are no changed views of the first frame, colours
    do not say where the target is, samples are compared by all frequencies, boxes are rounded to whole pixels, may leave the picture and
    keep their ratio of sides, and the scale may jump from one end of its range to the other.
    Nothing is drawn at random.
    """

    presets: Mapping[str, ECOConfig]
    as_published = settings.ECO_PUBLISHED

    def __init__(self, backbone: str | os.PathLike | Weights | Backbone | None = None, **options):
        super().__init__(backbone, **options)
        channels = {"fhog": CHANNELS, "grey": 1, **{name: table.shape[1] for name, table in self._tables.items()}}
        channels |= self._backbone.widths if self._backbone else {}
        for feature in self.config.features:
            if feature.dimension > channels[feature.name]:
                raise UnknownOptionError(f"{feature}; {feature.name} has {channels[feature.name]} channels to project")

    def _begin(self, image: np.ndarray, box: Box) -> "ECOTarget":
        return ECOTarget(image, box, self.config, self._backbone, self._tables, self._published)


class fECO(ECOTracker):
    """ECO on CF-VGG's conv1 and conv5 and FHOG (Wang et al. 2020). Presets: otb, tc128, vot."""

    presets = settings.FECO


class ECO(ECOTracker):
    """ECO on VGG-M's conv1 and conv5 and FHOG; `backbone` is the path of VGG-M's MatConvNet file, which you must have."""

    presets = settings.ECO
    brings_network = False


class ECOHC(ECOTracker):
    """ECO on hand-crafted features: FHOG and colour names, or an intensity table on grey sequences. Needs no network."""

    presets = settings.ECOHC


class ECOTarget(SearchTarget):
    """One target that ECO follows: position, scale, filter.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, C)
        First picture; it decides whether the sequence is treated as coloured.
    box : (float, float, float, float)
    config : ECOConfig
    backbone : Backbone or None
    tables : mapping of str to ndarray
    published : bool
        See `ECOTracker`.
    """

    def __init__(
        self,
        image: np.ndarray,
        box: Box,
        config: ECOConfig,
        backbone: Backbone | None,
        tables: Mapping[str, np.ndarray],
        published: bool,
    ):
        super().__init__(image, box, config, published)
        features = self._config.features
        sizes = odd_sizes(features, self._side)
        self._support = sizes.support
        output = max(n + 1 - n % 2 for n in sizes.grids)
        sigma = math.sqrt(math.prod(max(math.floor(side), 1) for side in self._base)) * config.label_sigma / (self._support / output)
        penalty = Penalty(penalty_filter(self._support, self._base, config))
        filter_ = ECOFilter(sizes.grids, gaussian_label(output, sigma, output), penalty, self._config)
        stack = FeatureStack(features, sizes, backbone, tables, sample_patch if published else middle_patch)
        self._prepare(stack, filter_, self._support, output)
        self._learn_first(self._channels(image), sizes.side)
        self._frame, self._untrained = 1, 0

    def _learn_first(self, image: np.ndarray, side: int) -> None:
        """Learn filter, projection and scale filter from the first picture; `side` is that of the sample."""
        place = self._rounded()
        phase = self._phase(place, self.scale, 0.0)
        features = self._features(image, place, self.scale)
        self._filter.initialise(features, phase)
        if self._config.augmentation_iterations:
            step, target = decimation(self.scale), math.sqrt(math.prod(self._base)) * self.scale
            changed, middle = views(image, self.position, place, side * self.scale, target, step)
            self._filter.augment([self._features(view, (middle, middle), self.scale / step) for view in changed], phase)
        self._learn_beside(image)
        self._know(features, place)

    def _take(self, image: np.ndarray, found: Detection) -> None:
        """Add the sample to the memory, train when it is time, and update the scale filter."""
        self._frame += 1
        self._rescale(image)
        place, scale, angle, sample = found.place, found.scale, found.angle, found.sample
        if not self._config.reuse_detection:
            place, scale, angle = self._rounded(), self.scale, self._angle
            sample = self._filter.encode(self._features(image, place, scale, angle))
        newest = self._filter.remember(sample, self._phase(place, scale, angle))
        self._train(newest)
        self._learn_beside(image)

    def _train(self, newest: np.ndarray) -> None:
        """Begin a training when it is time; its iterations follow at once, or a part of them in each frame until the next."""
        config = self._config
        early = self._frame < config.skip_until
        spread = config.spread_training and not early and config.train_gap > 0
        if early or self._untrained >= config.train_gap:
            self._filter.train(newest)
            self._untrained = 0
            if not spread:
                self._filter.iterate(config.iterations)
        else:
            self._untrained += 1
            if spread:
                self._filter.iterate(math.ceil(config.iterations / config.train_gap))

    def _phase(self, place: tuple[int, int], scale: float, angle: float) -> tuple[float, float]:
        """Offset of the target from the centre of a sample at `place`, `scale` and `angle`, in radians of the sample's period."""
        return tuple(2 * math.pi * d / (scale * self._support) for d in offset_within(self.position, place, angle))
