"""Targets that are looked for at one or several scales by a filter on several blocks of features: ECO's and STRCF's."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from trackers import config as settings
from trackers.errors import UnknownOptionError
from trackers.features.stack import FeatureStack, applicable
from trackers.filters.colour_model import ColourModel
from trackers.followed import FollowedTarget
from trackers.fourier import Inverse, series
from trackers.localisation import peak
from trackers.patch import round_half_away
from trackers.scale import scale_filter
from trackers.target import SMALLEST_TARGET, Detection
from trackers.tracker import Box


class Filter(Protocol):
    """What finds a target: samples from features, and the response to a sample."""

    @abstractmethod
    def encode(self, features: Sequence[np.ndarray]) -> Any:
        """A sample from its feature blocks (C, n, n)."""

    @abstractmethod
    def respond(self, sample: Any) -> np.ndarray:
        """Half-spectrum (n, n // 2 + 1) of the response to a sample."""


class SearchTarget(FollowedTarget):
    """A target that is looked for around its last place: position, scale, box, and the search itself.

    A subclass sets what the search needs by `_prepare`, learns, and remembers what the target looks like by `_know`.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, C)
        First picture; it decides whether the sequence is treated as coloured.
    box : (float, float, float, float)
    config : ECOConfig, STRCFConfig or BACFConfig
    published : bool
        Round boxes to whole pixels and let them leave the picture.
    """

    def __init__(self, image: np.ndarray, box: Box, config: Any, published: bool):
        super().__init__(image, config.recovery)
        self._published = published
        features = applicable(config.features, self._coloured)
        if not features:
            kind = "colour" if self._coloured else "grey"
            raise UnknownOptionError(f"features={[f.name for f in config.features]}: none of them is for {kind} sequences")
        self._config = settings.override(config, {"features": features})
        self._shape = image.shape[:2]

        _, _, width, height = box
        self._first_sides = height, width
        self.position = self._centre(box)
        area, (smallest, largest) = height * width * config.search_area**2, config.sample_side
        self.scale = math.sqrt(area / min(max(area, smallest**2), largest**2))
        self._base = (height / self.scale, width / self.scale)
        self._side = math.sqrt(math.prod(self._base)) * config.search_area

    def _prepare(self, features: FeatureStack, filter_: Filter, support: int, output: int) -> None:
        """Set features and filter; `support` pixels of the sample are `output` cells of the response."""
        self._features, self._filter, self._inverse = features, filter_, Inverse(output)
        self._cell, self._sample_sides = support / output, (support, support)
        self._colours = ColourModel(support, output) if self._coloured and self._config.colour_share else None
        config, step = self._config, self._config.scale_step
        count = 1 if config.scale_filter else config.scales
        self._factors = [step ** (k - count // 2) for k in range(count)]
        if config.scale_filter is not None:
            self._scale_filter = scale_filter(self._first_sides, self._base, config.scale_filter, wrap=self._published)
            step = config.scale_filter.step
        self._scale_limits = (
            step ** math.ceil(math.log(SMALLEST_TARGET / support, step)),
            step ** math.floor(math.log(min(n / side for n, side in zip(self._shape, self._base, strict=True)), step)),
        )

    def _look(self, image: np.ndarray, position: tuple[float, float], scale: float) -> Detection:
        place = tuple(map(round_half_away, position))
        angle = self._angle
        features = self._features(image, place, scale, angle)
        sample = self._filter.encode(features)
        spectrum = self._filter.respond(sample)
        response = self._inverse(spectrum).copy()  # scores are of the filter's alone, to which they were fitted
        *shift, height = peak(*self._with_colours(spectrum, response, image, place, scale))
        return Detection(place, scale, angle, features, sample, response, self._at(place, shift, scale, angle), height)

    def _with_colours(
        self, spectrum: np.ndarray, response: np.ndarray, image: np.ndarray, place: tuple[int, int], scale: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """The filter's response, where it is to be sought for its peak: mixed with that of the colours, where there are some."""
        if self._colours is None:
            return spectrum, response
        share = np.float32(self._config.colour_share)
        mixed = (1 - share) * response + share * self._colours.respond(image, place, scale, self._upright(), self._angle)
        return series(mixed), mixed

    def _learn_beside(self, image: np.ndarray) -> None:
        """And the colours of the target, where they count."""
        super()._learn_beside(image)
        if self._colours is not None:
            self._colours.learn(image, self.position, self.scale, self._upright(), self._angle)

    def _detect(self, image: np.ndarray) -> Detection:
        """Look for the target around its last place, at the scale at which the response is highest."""
        found = [self._look(image, self.position, self.scale * factor) for factor in self._factors]
        return max(found, key=lambda detection: detection.height)

    def _rescale(self, image: np.ndarray) -> None:
        """Keep the box in touch with the picture, too."""
        super()._rescale(image)
        if not self._published:
            self.position = self._limited()

    def _rounded(self) -> tuple[int, int]:
        return tuple(round_half_away(p) for p in self.position)

    def _box(self) -> Box:
        box = super()._box()
        return tuple(float(round_half_away(v)) for v in box) if self._published else box
