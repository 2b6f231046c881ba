"""What the trackers that search around the target at several scales have in common: their options, and where the target is."""

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from cfvgg.forward import Backbone
from cfvgg.weights import Weights, load
from trackers import config as settings
from trackers.confidence import KNOWN_FROM, Confidence, target_cells
from trackers.errors import UnknownOptionError, WeightsError
from trackers.features import colour
from trackers.features.stack import FeatureStack, applicable
from trackers.fourier import Inverse
from trackers.localisation import peak
from trackers.patch import round_half_away
from trackers.scale import ScaleFilter
from trackers.tracker import Box, Target, Tracker

SMALLEST_TARGET = 5  # pixels of the sample; the scale never falls below it


class FeatureTracker(Tracker):
    """A tracker over features of pictures, among them levels of a network.

    Parameters
    ----------
    backbone : path, Weights, Backbone or None
        Network of the features conv1 .. conv5; None stands for the weights shipped with the package.
    preset : str
        A published setting, by the benchmark that it is for.
    published : bool
        Compute what the authors' program computes, to the letter, where the default differs.
    tables : mapping of str to path or ndarray, or None
        Tables of your own for 'colour_names' (32768, C) or 'intensity' (256, C).
    channel_order : {'BGR', 'RGB'}
        Of the pictures.
    seed : int
        For whatever is drawn at random.
    adapt : bool or callable
        Adapt the network to each target on its first frame; needs PyTorch (``pip install cfvgg[train]``). Instead of True, a function of
        your own that takes what `distill.adaptation.adapt` takes first, such as that one with other settings, or with a teacher.
    **options
        Fields of the tracker's configuration.

    Attributes
    ----------
    adaptation : distill.adaptation.Adaptation or None
        How the network was adapted to the present target, and the seconds that `init` spent on it.

    Raises
    ------
    UnknownOptionError, WeightsError
    """

    presets: Mapping[str, Any]
    as_published: Mapping[str, Any] = {}  # options that `published` implies
    brings_network = True  # whether the shipped weights stand in where none are given

    def __init__(
        self,
        backbone: str | os.PathLike | Weights | Backbone | None = None,
        *,
        preset: str = "otb",
        published: bool = False,
        tables: Mapping[str, str | os.PathLike | np.ndarray] | None = None,
        channel_order: str = "BGR",
        seed: int = 0,
        adapt: bool | Callable = False,
        **options,
    ):
        super().__init__(channel_order=channel_order, seed=seed)
        if preset not in list(self.presets):
            raise UnknownOptionError(f"preset={preset!r}; {type(self).__name__} has {', '.join(self.presets)}")
        if not isinstance(published, bool):
            raise UnknownOptionError(f"published={published!r}; True or False is needed")
        self.config = settings.override(self.presets[preset], {**(self.as_published if published else {}), **options})
        self._published = published
        used = {feature.name for feature in self.config.features}
        self._tables = colour.tables(used.intersection(settings.TABLES), tables or {})
        self._backbone = self._network(backbone)
        self._shared, self._adapt = self._backbone, self._adapting(adapt)
        self.adaptation = None

    def _network(self, backbone: str | os.PathLike | Weights | Backbone | None) -> Backbone | None:
        name = type(self).__name__
        if not any(feature.is_level for feature in self.config.features):
            if backbone is not None:
                raise UnknownOptionError(f"backbone={backbone!r}; none of the features of this {name} is of a network")
            return None
        if backbone is None and not self.brings_network:
            raise WeightsError(
                f"{name} needs VGG-M: give the path of its MatConvNet file, {name}('imagenet-vgg-m-2048.mat'), "
                f"or use f{name}, which brings CF-VGG"
            )
        if isinstance(backbone, Backbone):
            return backbone
        if not isinstance(backbone, str | os.PathLike | Weights | None):
            raise UnknownOptionError(f"backbone={backbone!r}; a path, Weights, a Backbone or None is needed")
        return Backbone(backbone if isinstance(backbone, Weights) else load(backbone))

    def _adapting(self, adapt: bool | Callable) -> Callable | None:
        """What adapts a network, or None. Torch comes with it: its import is no part of `init`, and nothing else here needs it."""
        if not isinstance(adapt, bool) and not callable(adapt):
            raise UnknownOptionError(f"adapt={adapt!r}; True, False or a function such as distill.adaptation.adapt is needed")
        if adapt is False:
            return None
        if self._backbone is None:
            raise UnknownOptionError(f"adapt={adapt!r}; {type(self).__name__} has no network to adapt")
        if adapt is not True:
            return adapt
        try:
            from distill.adaptation import adapt as function
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise UnknownOptionError("adapt=True needs PyTorch: pip install cfvgg[train]") from error
        return function

    @abstractmethod
    def _begin(self, image: np.ndarray, box: Box) -> Target:
        """Learn the target in the first picture with the present network."""

    def _start(self, image: np.ndarray, box: Box) -> Target:
        if self._adapt is not None:
            self.adaptation = self._adapt(self._shared.weights, image, box, self._seed)
            self._backbone = Backbone(self.adaptation.weights)
        return self._begin(image, box)


@dataclass(frozen=True)
class Detection:
    """Where a response says that a target is.

    Attributes
    ----------
    place : (float, float)
        Row and column of the centre of the sample.
    scale : float
        Of the sample: pixels of the picture per pixel of it.
    features : sequence of ndarray, float32, (C, n, m)
    sample : object
        What the filter makes of them.
    response : ndarray, (H, W)
    position : (float, float)
        Row and column of the target's centre.
    height : float
        Of the response's peak.
    """

    place: tuple[float, float]
    scale: float
    features: Sequence[np.ndarray]
    sample: Any
    response: np.ndarray
    position: tuple[float, float]
    height: float


class PlacedTarget(ABC):
    """A target with a place in the picture.

    Attributes
    ----------
    position : (float, float)
        Row and column of its centre.
    scale : float
        Pixels of the picture per pixel of the sample.
    """

    position: tuple[float, float]
    scale: float
    _base: tuple[float, float]  # height and width at scale one
    _shape: tuple[int, int]  # of the picture
    _sample_sides: tuple[float, float]  # height and width of a sample, in its pixels

    def __init__(self, image: np.ndarray):
        self._coloured = is_coloured(image)

    @abstractmethod
    def _detect(self, image: np.ndarray, position: tuple[float, float]) -> Detection:
        """Look for the target around a position."""

    @abstractmethod
    def _take(self, image: np.ndarray, found: Detection) -> None:
        """Go where the target was found, and learn it there."""

    def follow(self, image: np.ndarray) -> tuple[Box, float]:
        """Box in the next picture, and a score in [0, 1]: see `trackers.confidence`."""
        image = self._channels(image)
        found = self._detect(image, self.position)
        cells = self._cells(found.features, found.place, found.scale, found.position)
        score = self._confidence.score(found.response, cells)
        self._take(image, found)
        if score >= KNOWN_FROM:
            self._confidence.learn(cells)
        return self._box(), score

    def _cells(
        self, features: Sequence[np.ndarray], place: tuple[float, float], scale: float, position: tuple[float, float]
    ) -> list[np.ndarray]:
        """What each block of features around `place` shows of the target at `position`: see `target_cells`."""
        cut = []
        for block in features:
            cells = [n / side for n, side in zip(block.shape[1:], self._sample_sides, strict=True)]  # per pixel
            middle = ((n - 1) / 2 + (p - q) / scale * k for n, p, q, k in zip(block.shape[1:], position, place, cells, strict=True))
            cut.append(target_cells(block, tuple(middle), tuple(n * k for n, k in zip(self._base, cells, strict=True))))
        return cut

    def _know(self, features: Sequence[np.ndarray], place: tuple[float, float]) -> None:
        """Remember what the target looks like on the first frame, from features around `place`."""
        self._confidence = Confidence(self._cells(features, place, self.scale, self.position))

    def _channels(self, image: np.ndarray) -> np.ndarray:
        """The picture with the channels that the first one had: one of a grey sequence, else three."""
        return np.repeat(image, 3, axis=2) if self._coloured and image.shape[2] == 1 else image if self._coloured else image[:, :, :1]

    def _sides(self) -> tuple[float, float]:
        """Height and width of the target."""
        return tuple(n * self.scale for n in self._base)

    def _limited(self) -> tuple[float, float]:
        """The position, so that the box still touches the picture: a target that has left it comes back at its border."""
        return tuple(min(max(p, -n / 2), m - 1 + n / 2) for p, n, m in zip(self.position, self._sides(), self._shape, strict=True))

    def _box(self) -> Box:
        (row, column), (height, width) = self.position, self._sides()
        return column - (width - 1) / 2, row - (height - 1) / 2, width, height


class Filter(Protocol):
    """What finds a target: samples from features, and the response to a sample."""

    @abstractmethod
    def encode(self, features: Sequence[np.ndarray]) -> Any:
        """A sample from its feature blocks (C, n, n)."""

    @abstractmethod
    def respond(self, sample: Any) -> np.ndarray:
        """Half-spectrum (n, n // 2 + 1) of the response to a sample."""


class SearchTarget(PlacedTarget):
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
        super().__init__(image)
        self._published = published
        features = applicable(config.features, self._coloured)
        if not features:
            kind = "colour" if self._coloured else "grey"
            raise UnknownOptionError(f"features={[f.name for f in config.features]}: none of them is for {kind} sequences")
        self._config = settings.override(config, {"features": features})
        self._shape = image.shape[:2]

        x, y, width, height = box
        self._first_sides = height, width
        self.position = (y + (height - 1) / 2, x + (width - 1) / 2)
        area, (smallest, largest) = height * width * config.search_area**2, config.sample_side
        self.scale = math.sqrt(area / min(max(area, smallest**2), largest**2))
        self._base = (height / self.scale, width / self.scale)
        self._side = math.sqrt(math.prod(self._base)) * config.search_area

    def _prepare(self, features: FeatureStack, filter_: Filter, support: int, output: int) -> None:
        """Set features and filter; `support` pixels of the sample are `output` cells of the response."""
        self._features, self._filter, self._inverse = features, filter_, Inverse(output)
        self._cell, self._sample_sides = support / output, (support, support)
        config, self._scale_filter, step = self._config, None, self._config.scale_step
        self._factors = [step ** (k - config.scales // 2) for k in range(config.scales)]
        if config.scale_filter is not None:
            self._scale_filter = ScaleFilter(self._first_sides, self._base, config.scale_filter, wrap=self._published)
            step = config.scale_filter.step
        self._scale_limits = (
            step ** math.ceil(math.log(SMALLEST_TARGET / support, step)),
            step ** math.floor(math.log(min(n / side for n, side in zip(self._shape, self._base, strict=True)), step)),
        )

    def _detect(self, image: np.ndarray, position: tuple[float, float]) -> Detection:
        """Look for the target around a position, at the scale at which the response is highest."""
        place, found = tuple(map(round_half_away, position)), []
        for factor in self._factors:
            scale = self.scale * factor
            features = self._features(image, place, scale)
            sample = self._filter.encode(features)
            spectrum = self._filter.respond(sample)
            response = self._inverse(spectrum)
            *shift, height = peak(spectrum, response)
            there = tuple(p + d * self._cell * scale for p, d in zip(place, shift, strict=True))
            found.append(Detection(place, scale, features, sample, response.copy(), there, height))
        return max(found, key=lambda detection: detection.height)

    def _rescale(self, image: np.ndarray, sampled_scale: float) -> None:
        """Change the scale to that of the scale filter, or else of the sample, and keep box and scale within their limits.

        A target that has left the picture comes back at its border.
        """
        scale = sampled_scale
        if self._scale_filter is not None:
            scale = self.scale * self._scale_filter.change(image, self.position, self.scale)
        self.scale = max(min(scale, self._scale_limits[1]), self._scale_limits[0])
        if not self._published:
            self.position = self._limited()

    def _learn_scale(self, image: np.ndarray) -> None:
        """Update the scale filter, where there is one, with the target as it was found."""
        if self._scale_filter is not None:
            self._scale_filter.learn(image, self.position, self.scale)

    def _rounded(self) -> tuple[int, int]:
        return tuple(round_half_away(p) for p in self.position)

    def _box(self) -> Box:
        box = super()._box()
        return tuple(float(round_half_away(v)) for v in box) if self._published else box


def is_coloured(image: np.ndarray) -> bool:
    """Whether the channels of a picture (H, W, C) differ anywhere."""
    return image.shape[2] == 3 and bool(np.any(image[:, :, 0] != image[:, :, 1]) or np.any(image[:, :, 1] != image[:, :, 2]))
