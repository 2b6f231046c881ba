"""ECO and its relatives: fECO (CF-VGG and FHOG), ECO (VGG-M and FHOG), ECOHC (FHOG and colours)."""

import math
import os
from collections.abc import Mapping

import numpy as np

from cfvgg.forward import Backbone
from cfvgg.weights import Weights, load
from trackers import config as settings
from trackers.augmentation import views
from trackers.config import ECOConfig
from trackers.errors import UnknownOptionError, WeightsError
from trackers.features import colour
from trackers.features.fhog import CHANNELS
from trackers.features.sizes import odd_sizes
from trackers.features.stack import FeatureStack, applicable
from trackers.filters.eco import ECOFilter
from trackers.filters.regularisation import Penalty, penalty_filter
from trackers.fourier import Inverse, gaussian_label
from trackers.localisation import peak
from trackers.patch import decimation, round_half_away
from trackers.scale import ScaleFilter
from trackers.tracker import Box, Tracker

SMALLEST_TARGET = 5  # pixels of the sample; the scale never falls below it


class ECOTracker(Tracker):
    """ECO (Danelljan et al. 2017) with any of its features; see `fECO`, `ECO` and `ECOHC`.

    Parameters
    ----------
    backbone : path, Weights, Backbone or None
        Network of the features conv1 .. conv5; None stands for the weights shipped with the package.
    preset : str
        A published setting, by the benchmark that it is for.
    published : bool
        Compute what the authors' program computes, to the letter, where the default differs: no changed views of the first frame,
        boxes rounded to whole pixels that may leave the picture, and a scale that may jump from one end of its range to the other.
    tables : mapping of str to path or ndarray, or None
        Tables of your own for 'colour_names' (32768, C) or 'intensity' (256, C).
    channel_order : {'BGR', 'RGB'}
        Of the pictures.
    seed : int
        ECO draws nothing at random; kept for all trackers alike.
    **options
        Fields of `trackers.config.ECOConfig`.

    Raises
    ------
    UnknownOptionError, WeightsError
    """

    presets: Mapping[str, ECOConfig]

    def __init__(
        self,
        backbone: str | os.PathLike | Weights | Backbone | None = None,
        *,
        preset: str = "otb",
        published: bool = False,
        tables: Mapping[str, str | os.PathLike | np.ndarray] | None = None,
        channel_order: str = "BGR",
        seed: int = 0,
        **options,
    ):
        super().__init__(channel_order=channel_order, seed=seed)
        if preset not in list(self.presets):
            raise UnknownOptionError(f"preset={preset!r}; {type(self).__name__} has {', '.join(self.presets)}")
        if not isinstance(published, bool):
            raise UnknownOptionError(f"published={published!r}; True or False is needed")
        self.config = settings.override(self.presets[preset], options)
        self._published = published
        used = {feature.name for feature in self.config.features}
        self._tables = colour.tables(used.intersection(settings.TABLES), tables or {})
        self._backbone = self._network(backbone) if any(feature.is_level for feature in self.config.features) else None
        channels = {"fhog": CHANNELS, **{name: table.shape[1] for name, table in self._tables.items()}}
        channels |= self._backbone.widths if self._backbone else {}
        for feature in self.config.features:
            if feature.dimension > channels[feature.name]:
                raise UnknownOptionError(f"{feature}; {feature.name} has {channels[feature.name]} channels to project")

    def _network(self, backbone: str | os.PathLike | Weights | Backbone | None) -> Backbone:
        if isinstance(backbone, Backbone):
            return backbone
        if not isinstance(backbone, str | os.PathLike | Weights | None):
            raise UnknownOptionError(f"backbone={backbone!r}; a path, Weights, a Backbone or None is needed")
        return Backbone(backbone if isinstance(backbone, Weights) else load(backbone))

    def _start(self, image: np.ndarray, box: Box) -> "ECOTarget":
        return ECOTarget(image, box, self.config, self._backbone, self._tables, self._published)


class fECO(ECOTracker):
    """ECO on CF-VGG's conv1 and conv5 and FHOG (Wang et al. 2020). Presets: otb, tc128, vot."""

    presets = settings.FECO


class ECO(ECOTracker):
    """ECO on VGG-M's conv1 and conv5 and FHOG; `backbone` is the path of VGG-M's MatConvNet file, which you must have."""

    presets = settings.ECO

    def _network(self, backbone: str | os.PathLike | Weights | Backbone | None) -> Backbone:
        if backbone is None:
            raise WeightsError(
                "ECO needs VGG-M: give the path of its MatConvNet file, ECO('imagenet-vgg-m-2048.mat'), or use fECO, which brings CF-VGG"
            )
        return super()._network(backbone)


class ECOHC(ECOTracker):
    """ECO on hand-crafted features: FHOG and colour names, or an intensity table on grey sequences. Needs no network."""

    presets = settings.ECOHC


class ECOTarget:
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
        self._published, self._coloured = published, is_coloured(image)
        features = applicable(config.features, self._coloured)
        if not features:
            kind = "colour" if self._coloured else "grey"
            raise UnknownOptionError(f"features={[f.name for f in config.features]}: none of them is for {kind} sequences")
        self._config = settings.override(config, {"features": features})
        self._shape = image.shape[:2]

        x, y, width, height = box
        self.position = (y + (height - 1) / 2, x + (width - 1) / 2)
        area, (smallest, largest) = height * width * config.search_area**2, config.sample_side
        self.scale = math.sqrt(area / min(max(area, smallest**2), largest**2))
        self._base = (height / self.scale, width / self.scale)
        sizes = odd_sizes(features, math.sqrt(math.prod(self._base)) * config.search_area)
        self._support = sizes.support
        output = max(n + 1 - n % 2 for n in sizes.grids)
        self._cell = self._support / output
        sigma = math.sqrt(math.prod(max(math.floor(side), 1) for side in self._base)) * config.label_sigma / self._cell

        self._features = FeatureStack(features, sizes, backbone, tables)
        penalty = Penalty(penalty_filter(self._support, self._base, config))
        self._filter = ECOFilter(sizes.grids, gaussian_label(output, sigma, output), penalty, self._config)
        self._inverse = Inverse(output)
        self._factors = [config.scale_step ** (k - config.scales // 2) for k in range(config.scales)]
        self._scale_filter, step = None, config.scale_step
        if config.scale_filter is not None:
            self._scale_filter = ScaleFilter((height, width), self._base, config.scale_filter, wrap=published)
            step = config.scale_filter.step
        self._scale_limits = (
            step ** math.ceil(math.log(SMALLEST_TARGET / self._support, step)),
            step ** math.floor(math.log(min(n / side for n, side in zip(self._shape, self._base, strict=True)), step)),
        )
        self._learn_first(self._channels(image), sizes.side)
        self._frame, self._untrained = 1, 0

    def _learn_first(self, image: np.ndarray, side: int) -> None:
        """Learn filter, projection and scale filter from the first picture; `side` is that of the sample."""
        place = self._rounded()
        angle = self._angle(place, self.scale)
        features = self._features(image, place, self.scale)
        self._filter.initialise(features, angle)
        if self._config.augmentation_iterations and not self._published:
            step, target = decimation(self.scale), math.sqrt(math.prod(self._base)) * self.scale
            changed, middle = views(image, self.position, place, side * self.scale, target, step)
            self._filter.augment([self._features(view, (middle, middle), self.scale / step) for view in changed], angle)
        if self._scale_filter is not None:
            self._scale_filter.learn(image, self.position, self.scale)
        self._full_height = self._peak(self._filter.encode(features))[1]

    def follow(self, image: np.ndarray) -> tuple[Box, float]:
        """Box in the next picture, and the height of the response there over that on the first frame, cut to [0, 1]."""
        image = self._channels(image)
        self._frame += 1
        place = self._rounded()
        sample, sampled_scale, shift, height = self._detect(image, place)
        self.position = tuple(p + d * self._cell * sampled_scale for p, d in zip(place, shift, strict=True))
        change = sampled_scale / self.scale
        if self._scale_filter is not None:
            change = self._scale_filter.change(image, self.position, self.scale)
        self.scale = max(min(self.scale * change, self._scale_limits[1]), self._scale_limits[0])
        if not self._published:
            self.position = self._limited()
        self._learn(image, place, sample, sampled_scale)
        return self._box(), min(max(height / self._full_height, 0.0), 1.0) if self._full_height > 0 else 0.0

    def _detect(self, image: np.ndarray, place: tuple[int, int]) -> tuple[np.ndarray, float, tuple[float, float], float]:
        """The sample, its scale, and the response's peak (shift in cells, height) at the scale where it is highest."""
        found = []
        for factor in self._factors:
            sample = self._filter.encode(self._features(image, place, self.scale * factor))
            found.append((sample, self.scale * factor, *self._peak(sample)))
        return max(found, key=lambda candidate: candidate[3])

    def _peak(self, sample: np.ndarray) -> tuple[tuple[float, float], float]:
        """Shift in cells and height of the response's peak."""
        spectrum = self._filter.respond(sample)
        row, column, height = peak(spectrum, self._inverse(spectrum))
        return (row, column), height

    def _learn(self, image: np.ndarray, place: tuple[int, int], sample: np.ndarray, sampled_scale: float) -> None:
        """Add this frame's sample to the memory, train when it is time, and update the scale filter."""
        config = self._config
        if not config.reuse_detection:
            place, sampled_scale = self._rounded(), self.scale
            sample = self._filter.encode(self._features(image, place, sampled_scale))
        newest = self._filter.remember(sample, self._angle(place, sampled_scale))
        if self._frame < config.skip_until or self._untrained >= config.train_gap:
            self._filter.train(newest)
            self._untrained = 0
        else:
            self._untrained += 1
        if self._scale_filter is not None:
            self._scale_filter.learn(image, self.position, self.scale)

    def _angle(self, place: tuple[int, int], scale: float) -> tuple[float, float]:
        """Offset of the target from the centre of a sample at `place` and `scale`, in radians of the sample's period."""
        return tuple(2 * math.pi * (p - q) / (scale * self._support) for p, q in zip(self.position, place, strict=True))

    def _limited(self) -> tuple[float, float]:
        """The position, so that the box still touches the picture: a target that has left it comes back at its border."""
        reach = [side * self.scale / 2 for side in self._base]
        return tuple(min(max(p, -r), n - 1 + r) for p, r, n in zip(self.position, reach, self._shape, strict=True))

    def _rounded(self) -> tuple[int, int]:
        return tuple(round_half_away(p) for p in self.position)

    def _channels(self, image: np.ndarray) -> np.ndarray:
        """The picture with the channels that the first one had: one of a grey sequence, else three."""
        return np.repeat(image, 3, axis=2) if self._coloured and image.shape[2] == 1 else image if self._coloured else image[:, :, :1]

    def _box(self) -> Box:
        height, width = (side * self.scale for side in self._base)
        row, column = self.position
        box = (column - (width - 1) / 2, row - (height - 1) / 2, width, height)
        return tuple(float(round_half_away(v)) for v in box) if self._published else box


def is_coloured(image: np.ndarray) -> bool:
    """Whether the channels of a picture (H, W, C) differ anywhere."""
    return image.shape[2] == 3 and bool(np.any(image[:, :, 0] != image[:, :, 1]) or np.any(image[:, :, 1] != image[:, :, 2]))
