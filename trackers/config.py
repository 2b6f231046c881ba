"""Every constant of every published setting. A tracker's options are the fields of its configuration.

Sources: the settings in force in the authors' programs (PORTING 7), ECO's public code for ECO and ECOHC.
"""

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cfvgg.architecture import LEVELS, STRIDES
from trackers.errors import UnknownOptionError


@dataclass(frozen=True)
class Feature:
    """One feature of a sample.

    Attributes
    ----------
    name : str
        'conv1' .. 'conv5', 'fhog', 'grey', 'colour_names' (colour sequences only) or 'intensity' (grey sequences only).
    dimension : int
        Channels that are left after projection, where a tracker projects.
    cell : int
        Pixels per cell; a level of the network is averaged down to it.
    """

    name: str
    dimension: int
    cell: int

    @property
    def is_level(self) -> bool:
        """Whether a network computes it."""
        return self.name in LEVELS


# Features that are read from a look-up table.
TABLES = ("colour_names", "intensity")

# What a bare name stands for when a user chooses features.
FEATURES = {
    feature.name: feature
    for feature in (
        Feature("conv1", 3, 4),
        Feature("conv2", 8, 8),
        Feature("conv3", 12, 16),
        Feature("conv4", 12, 16),
        Feature("conv5", 12, 16),
        Feature("fhog", 10, 4),
        Feature("grey", 1, 4),
        Feature("colour_names", 3, 4),
        Feature("intensity", 3, 4),
    )
}


def between(default: float, lowest: float, highest: float) -> Any:
    """A field of a configuration that takes numbers from `lowest` to `highest`; integers only if it is declared int."""
    return field(default=default, metadata={"range": (lowest, highest)})


@dataclass(frozen=True)
class Configuration:
    """Checks the numbers and the switches of a configuration.

    Raises
    ------
    UnknownOptionError
        If a field made by `between` is no number of its range, or one declared bool is neither True nor False.
    """

    def __post_init__(self):
        for option in dataclasses.fields(self):
            value, whole = getattr(self, option.name), option.type is int
            lowest, highest = option.metadata.get("range", (value, value))
            fits = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
            if "range" in option.metadata and not (fits and lowest <= value <= highest):
                kind = "an integer" if whole else "a number"
                raise UnknownOptionError(f"{option.name}={value!r}; {kind} from {lowest} to {highest} is needed")
            if option.type is bool and not isinstance(value, bool):
                raise UnknownOptionError(f"{option.name}={value!r}; True or False is needed")


@dataclass(frozen=True)
class TargetConfig(Configuration):
    """What trackers of all kinds have in common.

    Attributes
    ----------
    recovery : bool
        Look again, and farther, for an unsure target; keep what was known of one before it became doubtful, and look for it by that: see
        `trackers.recovery`.
    """

    recovery: bool = True


@dataclass(frozen=True)
class ScaleFilterConfig(Configuration):
    """The scale filter of fDSST (PORTING 5); `sigma` counts in interpolated scales.

    With `aspect` two such filters follow scale and ratio of sides, over patches whose sides need not be whole pixels; small targets are
    enlarged. With `angle` a third one follows turns in the plane of the picture, as of a camera that rolls, and samples turn with the
    target. Without them, as published.
    """

    scales: int = between(17, 3, 99)
    interpolated: int = between(33, 3, 199)
    step: float = between(1.02, 1.0001, 2)
    sigma: float = between(1 / 16, 1e-3, 10)
    learning_rate: float = between(0.025, 0, 1)
    regularisation: float = between(0.01, 0, 1e6)
    model_area: int = between(512, 64, 10_000)
    cell: int = between(4, 1, 16)
    aspect: bool = False
    angle: bool = False

    def __post_init__(self):
        super().__post_init__()
        if self.angle and not self.aspect:
            raise UnknownOptionError("angle=True with aspect=False; the angle is followed with the ratio of sides only")


# Follows the ratio of sides too.
SHAPE_FILTER = ScaleFilterConfig(scales=9, interpolated=43, sigma=0.048, learning_rate=0.05, model_area=1024, aspect=True)


@dataclass(frozen=True)
class ECOConfig(TargetConfig):
    """ECO and its relatives; the defaults are fECO's for OTB.

    Attributes
    ----------
    features : tuple of Feature, or of names
        What a sample is made of; order as published: levels of the network first.
    search_area : float
        Side of the search area over the target's, sqrt(w h).
    sample_side : (int, int)
        Limits in pixels of the side of the sample to which the search area is resized.
    label_sigma : float
        Width of the label over the target's size.
    colour_share : float
        Of the response of the colours (`trackers.filters.colour_model`) in that of which the peak is sought; 0: without, as published.
    learning_rate, samples : float, int
        Weight of a new sample; size of the sample space.
    train_gap, skip_until : int
        Frames between trainings; the frame up to which every frame trains.
    reuse_detection : bool
        Learn from the sample that was used for detection instead of a new one at the new place.
    iterations : int
        Conjugate gradient iterations of a training.
    spread_training : bool
        Spread them over the frames until the next training, so that all frames take alike; as published they follow at once.
    first_rounds, first_iterations : int
        Gauss-Newton rounds on the first frame, and iterations of each.
    augmentation_iterations : int
        Iterations on the first frame with changed views of it (`trackers.augmentation`); 0: without, as published.
    compared : int
        Side of the grid of lowest frequencies by which samples are compared when two are to be merged; 0: all, as published.
    projection_regularisation, forgetting : float
        Penalty on the projection; how many trainings' worth of frames the direction is remembered (exponent of 1 - learning_rate).
    precondition_data, precondition_regularisation, precondition_projection : float
        The preconditioner.
    penalty_centre, penalty_edge, penalty_sparsity : float
        Spatial regularisation at the target's centre and border, and the threshold under which its spectrum is cut.
    scale_filter : ScaleFilterConfig, dict of its fields, or bool
        By default, or True, scale and ratio of sides are followed (`SHAPE_FILTER`); as published it is the scale alone
        (``ScaleFilterConfig()``). False (or None): scales are found by running the detector at several scales.
    scales, scale_step : int, float
        Number and ratio of the detector's scales, where there is no scale filter.
    """

    features: tuple[Feature, ...] = (FEATURES["conv1"], FEATURES["conv5"], FEATURES["fhog"])
    search_area: float = between(4.5, 1.1, 20)
    sample_side: tuple[int, int] = (200, 200)
    label_sigma: float = between(1 / 12, 1e-3, 10)
    colour_share: float = between(0.2, 0, 1)
    learning_rate: float = between(0.011, 1e-6, 0.999)
    samples: int = between(50, 2, 10_000)
    train_gap: int = between(5, 0, 10**9)
    skip_until: int = between(1, 0, 10**9)
    reuse_detection: bool = True
    iterations: int = between(5, 1, 1000)
    spread_training: bool = True
    first_rounds: int = between(10, 1, 1000)
    first_iterations: int = between(20, 1, 1000)
    augmentation_iterations: int = between(50, 0, 1000)
    compared: int = between(17, 0, 999)
    projection_regularisation: float = between(5e-8, 0, 1e6)
    forgetting: float = between(75, 0, 1e6)
    precondition_data: float = between(0.3, 0, 1)
    precondition_regularisation: float = between(0.015, 0, 1)
    precondition_projection: float = between(35, 1e-9, 1e9)
    penalty_centre: float = between(1e-4, 1e-9, 1e3)
    penalty_edge: float = between(1e-2, 1e-9, 1e3)
    penalty_sparsity: float = between(0.05, 0, 0.99)
    scale_filter: ScaleFilterConfig | None = SHAPE_FILTER
    scales: int = between(1, 1, 99)
    scale_step: float = between(1.02, 1.0001, 2)

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "features", checked_features(self.features))
        check_sides(self.sample_side)
        object.__setattr__(self, "scale_filter", checked_scale_filter(self.scale_filter))


def checked_features(given: "Iterable[Feature | str]") -> tuple[Feature, ...]:
    """Features from features or their names; UnknownOptionError if there is none, one twice, or one that is not known."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise UnknownOptionError(f"features={given!r}; a sequence of names or of Feature is needed, such as ('conv1', 'fhog')")
    features = tuple(_feature(feature) for feature in given)
    if not features or len({feature.name for feature in features}) < len(features):
        raise UnknownOptionError(f"features={given!r}; one or more different ones are needed")
    return features


def check_sides(sides: tuple[int, int]) -> None:
    """Raise UnknownOptionError for a smallest and a largest side of a sample that are none."""
    pair = isinstance(sides, (tuple, list)) and len(sides) == 2 and all(isinstance(n, int) for n in sides)
    if not pair or not 32 <= sides[0] <= sides[1]:
        raise UnknownOptionError(f"sample_side={sides!r}; two integers are needed, smallest and largest side in pixels, at least 32")


def checked_scale_filter(given: ScaleFilterConfig | Mapping | bool | None) -> ScaleFilterConfig | None:
    """The settings of a scale filter from themselves, from some of their fields, or from whether there is to be one."""
    if isinstance(given, Mapping):
        return override(SHAPE_FILTER, dict(given))
    if not isinstance(given, ScaleFilterConfig | bool | None):
        raise UnknownOptionError(f"scale_filter={given!r}; True, False, a ScaleFilterConfig or a dict of its fields is needed")
    return SHAPE_FILTER if given is True else given or None


def _feature(given: "Feature | str") -> Feature:
    if isinstance(given, Feature):
        stride = STRIDES.get(given.name, 1)
        if given.name not in FEATURES or given.dimension < 1 or given.cell < 1 or given.cell % stride:
            cells = f", cell a multiple of {stride}" if stride > 1 else ""
            raise UnknownOptionError(f"{given}; name must be one of {', '.join(FEATURES)}, dimension and cell positive{cells}")
        return given
    if given in FEATURES:
        return FEATURES[given]
    raise UnknownOptionError(f"feature {given!r}; known are {', '.join(FEATURES)}")


def override(config, options: dict):
    """A copy of a configuration with some fields changed.

    Raises
    ------
    UnknownOptionError
        If an option is no field, or its value is not allowed.
    """
    names = [f.name for f in dataclasses.fields(config)]
    for name in options:
        if name not in names:
            close = difflib.get_close_matches(name, names, 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise UnknownOptionError(f"unknown option {name!r}{hint} Options: {', '.join(names)}")
    try:
        return dataclasses.replace(config, **options)
    except TypeError as error:
        raise UnknownOptionError(f"options {options}: {error}") from error


# What is otherwise in the authors' programs than in these settings.
PUBLISHED = {"recovery": False}
ECO_PUBLISHED = {
    **PUBLISHED, "sample_side": (200, 300), "spread_training": False, "colour_share": 0.0, "augmentation_iterations": 0, "compared": 0,
    "scale_filter": ScaleFilterConfig(),
}  # fmt: skip

_FECO_DEEP = (Feature("conv1", 8, 4), Feature("conv5", 32, 16), FEATURES["fhog"], FEATURES["colour_names"])

FECO = {
    "otb": ECOConfig(),
    "tc128": ECOConfig(
        features=(Feature("conv1", 8, 4), Feature("conv3", 32, 16), Feature("conv5", 32, 16), FEATURES["fhog"], FEATURES["colour_names"])
    ),
    "vot": ECOConfig(
        features=(*_FECO_DEEP, FEATURES["intensity"]),
        search_area=4.0,
        sample_side=(250, 300),
        skip_until=10,
        reuse_detection=False,
        projection_regularisation=2e-7,
        forgetting=50,
        precondition_regularisation=0.05,
        precondition_projection=70,
        penalty_sparsity=0.15,
        scale_filter=None,
        scales=7,
        scale_step=1.03,
    ),
}

ECO = {
    "otb": ECOConfig(
        features=(Feature("conv1", 16, 4), Feature("conv5", 64, 16), FEATURES["fhog"]),
        sample_side=(200, 250),
        learning_rate=0.009,
        first_iterations=15,
        scale_filter=None,
        scales=5,
    ),
}

ECOHC = {
    "otb": ECOConfig(
        features=(Feature("fhog", 10, 6), FEATURES["colour_names"], FEATURES["intensity"]),
        search_area=4.0,
        sample_side=(150, 200),
        label_sigma=1 / 16,
        learning_rate=0.009,
        samples=30,
        skip_until=10,
        first_iterations=15,
        projection_regularisation=1e-7,
        forgetting=50,
        precondition_data=0.75,
        precondition_regularisation=0.25,
        precondition_projection=40,
    ),
}
