"""KCF (Henriques et al. 2015) on FHOG or grey, fKCF on a level of the network, and what trackers with one filter on one window share."""

import math
import os
from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Protocol

import numpy as np

from cfvgg.architecture import LEVELS, grids
from cfvgg.forward import Backbone
from cfvgg.weights import Weights
from trackers import config as settings
from trackers import kcf_config
from trackers.confidence import HANDCRAFTED_WINDOW, LEVEL_WINDOW, Scoring
from trackers.errors import UnknownOptionError
from trackers.feature_tracker import FeatureTracker
from trackers.features import colour
from trackers.features.fhog import fhog
from trackers.features.stack import average, normalise
from trackers.filters import ridge
from trackers.followed import FollowedTarget, Sighting
from trackers.kcf_config import KCFConfig, WindowConfig
from trackers.opencv import cv2
from trackers.patch import crop, decimation, offset_within, resize, resize_about, round_half_away
from trackers.scale import parabola_vertex, scale_filter
from trackers.target import SMALLEST_TARGET, Detection
from trackers.tracker import Box

FEWEST_CELLS = 4  # of a side of the window, so that a cosine window leaves something
LARGEST_WINDOW = 2048  # pixels of a side of the sample, which only absurd targets reach
# Height of the response to a picture with nothing in it, over that on the first frame. Learning a flat one would drown all that a kernel
# filter knows.
BLANK_BELOW = 0.03
HALVED_FROM = 100  # pixels of sqrt(w h) from which the published program works on a picture of half the size

# Taps of MATLAB's imresize to half the size: Keys' cubic, a = -0.5, stretched to twice its width.
_HALVING = np.array([-3, -9, 29, 111, 111, 29, -9, -3], np.float32) / 256


class KCF(FeatureTracker):
    """Kernelised correlation filter.

    Parameters
    ----------
    backbone : path, Weights, Backbone or None
        Network of fKCF; None stands for the weights shipped with the package.
    preset : str or None
        A published setting, by its feature; None is the first: 'fhog' or 'grey'.
    published : bool
        Compute what the authors' program computes, where the default differs: grey pictures, of half the size for large targets,
        positions in whole cells of whole pixels that may leave the picture, and no pause on blank pictures.
    channel_order : {'BGR', 'RGB'}
        Of the pictures.
    seed : int
        KCF draws nothing at random; kept for all trackers alike.
    **options
        Fields of `trackers.kcf_config.KCFConfig`.

    Raises
    ------
    UnknownOptionError, WeightsError
    """

    presets: Mapping[str, KCFConfig] = kcf_config.KCF
    as_published = kcf_config.KCF_PUBLISHED
    kinds = ("fhog", "grey")  # of features

    def __init__(self, backbone: str | os.PathLike | Weights | Backbone | None = None, *, preset: str | None = None, **options):
        super().__init__(backbone, preset=next(iter(self.presets)) if preset is None else preset, **options)
        name = self.config.feature
        if name not in self.kinds:
            raise UnknownOptionError(f"feature={name!r}; {type(self).__name__} has {', '.join(self.kinds)}")
        if self._published and name in LEVELS:
            raise UnknownOptionError("published=True; of fKCF no program was published")

    def _begin(self, image: np.ndarray, box: Box) -> "WindowTarget":
        config = self.config
        if config.context:
            filter_ = ridge.ContextFilter(config.regularisation, config.context_regularisation)
        else:
            kernels = {
                "gaussian": partial(ridge.gaussian, sigma=config.kernel_sigma),
                "polynomial": partial(ridge.polynomial, power=config.kernel_power),
                "linear": ridge.linear,
            }
            filter_ = ridge.KernelFilter(kernels[config.kernel], config.regularisation)
        name = config.feature
        features = Level(self._backbone, name) if name in LEVELS else Fhog() if name == "fhog" else Grey()
        target = PublishedTarget if self._published else WindowTarget
        return target(image, box, config, features, filter_)


class fKCF(KCF):
    """KCF on one level of CF-VGG or VGG-M (Wang et al. 2020, Table V). Presets: conv2 (the default), conv1, conv5."""

    presets = kcf_config.FKCF
    kinds = LEVELS


class Features(Protocol):
    """Features of a window.

    Attributes
    ----------
    cell : int
        Pixels per cell.
    margin : int
        Pixels by which the patch must be larger than the cells that come of it.
    scoring : Scoring
        What their likeness says.
    """

    cell: int
    margin: int
    scoring: Scoring

    @abstractmethod
    def __call__(self, patch: np.ndarray) -> np.ndarray:
        """Cells (C, h, w) float32 of a patch (h cell + margin, w cell + margin, 1 or 3) uint8."""


class Fhog:
    """FHOG in cells of four pixels."""

    cell, margin, scoring = 4, 0, HANDCRAFTED_WINDOW

    def __call__(self, patch: np.ndarray) -> np.ndarray:
        return fhog(patch, self.cell)


class Grey:
    """Grey values over 255, less their mean."""

    cell, margin, scoring = 1, 0, HANDCRAFTED_WINDOW

    def __call__(self, patch: np.ndarray) -> np.ndarray:
        values = colour.grey(patch if patch.shape[2] == 3 else patch[:, :, 0], self.cell)
        return values - values.mean()


class Level:
    """A level of a network in the cells that the ECO family uses, scaled to a mean square of one.

    The margin makes the patch so large that the level's cells, whose receptive fields begin inside of it, lie in its middle.
    """

    scoring = LEVEL_WINDOW

    def __init__(self, backbone: Backbone, level: str):
        stride, first = grids()[level]
        self.cell, self.margin = settings.FEATURES[level].cell, int(2 * first + 1) - stride
        self._backbone, self._level, self._pooling = backbone, level, self.cell // stride

    def __call__(self, patch: np.ndarray) -> np.ndarray:
        cells = self._backbone(patch, [self._level])[self._level]
        return normalise(average(cells, self._pooling))


class Filter(Protocol):
    """What learns samples (C, H, W) and responds to them; see `trackers.filters.ridge.KernelFilter`."""

    @abstractmethod
    def learn(self, sample: np.ndarray, label: np.ndarray, surroundings: list[np.ndarray], rate: float) -> None:
        """Take in a sample."""

    @abstractmethod
    def respond(self, sample: np.ndarray) -> np.ndarray:
        """Response (H, W) to a sample."""


class WindowTarget(FollowedTarget):
    """One target that a filter on one window follows: position, scale, filter.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, C)
        First picture; it decides whether the sequence is treated as coloured.
    box : (float, float, float, float)
    config : WindowConfig
    features : Features
    filter_ : Filter
        A new one.
    """

    refines = True  # the peak between cells
    trusts_from = BLANK_BELOW

    def __init__(self, image: np.ndarray, box: Box, config: WindowConfig, features: Features, filter_: Filter):
        super().__init__(image, config.recovery)
        self._scoring, self._cell = features.scoring, features.cell
        self._config, self._features, self._filter = config, features, filter_
        self.scale, self._base = self._begin(box)
        self.position = self._centre(box)
        window = [min(math.floor(n * config.search_area), LARGEST_WINDOW) for n in self._base]
        self._grid = tuple(max(n // features.cell, FEWEST_CELLS) for n in window)
        self._patch_shape = self._patch_sides(window)
        self._sigma = math.sqrt(math.prod(self._base)) * config.label_sigma / features.cell
        self._window = np.outer(*map(np.hanning, self._grid)).astype(np.float32)

        picture = self._channels(image)
        self._shape = picture.shape[:2]
        if config.scale_filter is not None:
            self._scale_filter = scale_filter(self._sides(), self._base, config.scale_filter)
            lowest = SMALLEST_TARGET / max(self._patch_shape)
            self._scale_limits = lowest, max(min(n / side for n, side in zip(self._shape, self._base, strict=True)), lowest)
        else:
            self._scales = (1.0,)
        self._sample_sides = tuple(n * features.cell for n in self._grid)
        self._learn_first(picture)
        block, centre = self._block(picture, self.position, self.scale)
        self._blank = self.trusts_from * float(self._filter.respond(block * self._window).max())
        self._know([block], centre)

    def _begin(self, box: Box) -> tuple[float, tuple[float, float]]:
        """Scale, and size of the target at scale one, (height, width) in pixels of the sample."""
        _, _, width, height = box
        side, (smallest, largest) = math.sqrt(height * width), self._config.target_side
        scale = side / min(max(side, smallest), largest)
        return scale, (height / scale, width / scale)

    def _patch_sides(self, window: list[int]) -> tuple[int, ...]:
        """Height and width of a patch; `window` is what the search area comes to."""
        return tuple(n * self._features.cell + self._features.margin for n in self._grid)

    def _learn_first(self, picture: np.ndarray) -> None:
        self._learn(picture, *self._sample(picture, self.position), 1.0)

    def _look(self, image: np.ndarray, position: tuple[float, float], scale: float) -> Detection:
        block, centre = self._block(image, position, scale)
        sample = block * self._window
        response = self._filter.respond(sample)
        shift, height = peak(response, self.refines)
        return Detection(centre, scale, self._angle, [block], sample, response, self._at(centre, shift, scale, self._angle), height)

    def _adopt(self, image: np.ndarray, seen: Sighting) -> None:
        """Go where something was seen, and let the filters learn it, unless the picture is blank."""
        if seen.found.height >= self._blank:
            super()._adopt(image, seen)

    def _take(self, image: np.ndarray, found: Detection) -> None:
        self._rescale(image)
        self.position = self._limited()
        self._learn(image, *self._sample(image, self.position), self._config.learning_rate)

    def _learn(self, picture: np.ndarray, sample: np.ndarray, centre: tuple[float, float], rate: float) -> None:
        self._filter.learn(sample, self._label(centre), self._surroundings(picture), rate)
        self._learn_beside(picture)

    def _label(self, centre: tuple[float, float]) -> np.ndarray:
        """Label of a sample taken at `centre`: its peak is where the target is."""
        offset = offset_within(self.position, centre, self._angle)
        return ridge.gaussian_label(self._grid, self._sigma, tuple(d / (self._features.cell * self.scale) for d in offset))

    def _surroundings(self, picture: np.ndarray) -> list[np.ndarray]:
        """Samples all around the target, one target away from it."""
        angles = 2 * math.pi * np.arange(self._config.context) / max(self._config.context, 1)
        (row, column), (height, width) = self.position, self._sides()
        return [self._sample(picture, (row + height * math.sin(a), column + width * math.cos(a)))[0] for a in angles.tolist()]

    def _sample(self, picture: np.ndarray, position: tuple[float, float]) -> tuple[np.ndarray, tuple[float, float]]:
        """Windowed features (C, H, W) around a position, and the centre in pixels of what they show."""
        block, centre = self._block(picture, position, self.scale)
        return block * self._window, centre

    def _block(self, picture: np.ndarray, position: tuple[float, float], scale: float) -> tuple[np.ndarray, tuple[float, float]]:
        """Features around a position at a scale, and the centre in pixels of what they show."""
        patch, centre = self._patch(picture, position, scale)
        rows, columns = self._grid
        return self._features(patch)[:, :rows, :columns], centre

    def _patch(self, picture: np.ndarray, position: tuple[float, float], scale: float) -> tuple[np.ndarray, tuple[float, float]]:
        """The window (H, W, C) around a position in the size of the sample, and its centre."""
        step = decimation(scale)
        if self._angle:
            sides = [tuple(n * scale for n in self._patch_shape)]
            return resize_about(picture, position, sides, self._patch_shape, step, [self._angle])[0], position
        shape = tuple(max(round_half_away(n * scale / step), 1) for n in self._patch_shape)
        first = tuple(round_half_away(p) + step * (1 - n // 2) for p, n in zip(position, shape, strict=True))
        interpolation = cv2.INTER_AREA if shape[0] > self._patch_shape[0] else cv2.INTER_LINEAR
        patch = resize(crop(picture, first, shape, step), self._patch_shape, interpolation)
        return patch, tuple(p + step * (n - 1) / 2 for p, n in zip(first, shape, strict=True))


class PublishedTarget(WindowTarget):
    """A target as the authors' program follows it: positions are whole, and lie half a box right of and below the box's corner."""

    refines = False
    trusts_from = 0.0

    def _begin(self, box: Box) -> tuple[float, tuple[float, float]]:
        _, _, *self._size = box
        width, height = self._size
        self._halved = math.sqrt(height * width) >= HALVED_FROM
        return 1.0, (max(height // 2, 1), max(width // 2, 1)) if self._halved else (height, width)

    def _centre(self, box: Box) -> tuple[float, float]:
        x, y, width, height = box
        middle = y + height // 2, x + width // 2
        return tuple((p - 1) // 2 for p in middle) if self._halved else middle

    def _patch_sides(self, window: list[int]) -> tuple[int, ...]:
        return tuple(map(max, window, super()._patch_sides(window)))  # with the pixels that fill no cell

    def _patch(self, picture: np.ndarray, position: tuple[float, float], scale: float) -> tuple[np.ndarray, tuple[float, float]]:
        return super()._patch(picture, position, scale)[0], tuple(map(round_half_away, position))

    def _limited(self) -> tuple[float, float]:
        return self.position

    def _channels(self, image: np.ndarray) -> np.ndarray:
        grey = to_grey(image)
        return (halved(grey) if self._halved else grey)[:, :, None]

    def _box(self) -> Box:
        row, column = (2.0 * p + 1 if self._halved else p for p in self.position)
        width, height = (n * self.scale for n in self._size)
        return column - width / 2, row - height / 2, width, height


def peak(response: np.ndarray, refine: bool) -> tuple[tuple[float, float], float]:
    """Shift (rows, columns) in cells and height of the highest value of a response (H, W), shift zero at [0, 0].

    Of equals the first column's counts, as MATLAB's; `refine` puts a parabola through it and its neighbours along either axis.
    """
    found = divmod(int(np.argmax(response.T)), response.shape[0])[::-1]
    lines = response[:, found[1]], response[found[0]]
    shift = []
    for line, at in zip(lines, found, strict=True):
        n = len(line)
        around = [(at - 1) % n, at, (at + 1) % n]
        vertex = parabola_vertex(np.array([-1.0, 0.0, 1.0]), line[around].astype(np.float64)) if refine else 0.0
        shift.append((at + n // 2) % n - n // 2 + vertex)
    return tuple(shift), float(response[found])


def to_grey(image: np.ndarray) -> np.ndarray:
    """MATLAB's ``rgb2gray``: (H, W) uint8 of a picture (H, W, 3 or 1)."""
    if image.shape[2] == 1:
        return image[:, :, 0]
    return cv2.transform(np.ascontiguousarray(image), np.array([colour.LUMA]))


def halved(grey: np.ndarray) -> np.ndarray:
    """MATLAB's ``imresize(grey, 0.5)``: (ceil(H / 2), ceil(W / 2)) uint8, rounded after either axis."""
    rows = cv2.filter2D(np.ascontiguousarray(grey), -1, _HALVING[:, None], anchor=(0, 3), borderType=cv2.BORDER_REFLECT)[::2]
    return cv2.filter2D(np.ascontiguousarray(rows), -1, _HALVING[None], anchor=(3, 0), borderType=cv2.BORDER_REFLECT)[:, ::2]
