"""Every constant of every published setting. A tracker's options are the fields of its configuration.

Sources: the settings in force in the authors' programs (PORTING 7), ECO's public code for ECO and ECOHC.
"""

import dataclasses
import difflib
from dataclasses import dataclass, field

from cfvgg.architecture import LEVELS
from trackers.errors import UnknownOptionError


@dataclass(frozen=True)
class Feature:
    """One feature of a sample.

    Attributes
    ----------
    name : str
        'conv1' .. 'conv5', 'fhog', 'colour_names' (colour sequences only) or 'intensity' (grey sequences only).
    dimension : int
        Channels that are left after projection.
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
        Feature("colour_names", 3, 4),
        Feature("intensity", 3, 4),
    )
}


@dataclass(frozen=True)
class ScaleFilterConfig:
    """The scale filter of fDSST (PORTING 5)."""

    scales: int = 17
    interpolated: int = 33
    step: float = 1.02
    sigma: float = 1 / 16  # times the number of interpolated scales
    learning_rate: float = 0.025
    regularisation: float = 0.01
    model_area: int = 512
    cell: int = 4


# Type, lowest and highest value of the options that users change.
_RANGES = {
    "search_area": ((int, float), 1.1, 20),
    "learning_rate": ((int, float), 1e-6, 0.999),
    "samples": (int, 2, 10_000),
    "train_gap": (int, 0, 10**9),
    "iterations": (int, 1, 1000),
    "first_rounds": (int, 1, 1000),
    "first_iterations": (int, 1, 1000),
    "augmentation_iterations": (int, 0, 1000),
    "scales": (int, 1, 99),
    "scale_step": ((int, float), 1.0001, 2),
}


@dataclass(frozen=True)
class ECOConfig:
    """ECO and its relatives; the defaults are fECO's OTB setting.

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
    learning_rate, samples : float, int
        Weight of a new sample; size of the sample space.
    train_gap, skip_until : int
        Frames between trainings; the frame up to which every frame trains.
    reuse_detection : bool
        Learn from the sample that was used for detection instead of a new one at the new place.
    iterations : int
        Conjugate gradient iterations of a training.
    first_rounds, first_iterations : int
        Gauss-Newton rounds on the first frame, and iterations of each.
    augmentation_iterations : int
        Iterations on the first frame with changed views of it (`trackers.augmentation`); 0: without, as published.
    projection_regularisation, forgetting : float
        Penalty on the projection; how many trainings' worth of frames the direction is remembered (exponent of 1 - learning_rate).
    precondition_data, precondition_regularisation, precondition_projection : float
        The preconditioner.
    penalty_centre, penalty_edge, penalty_sparsity : float
        Spatial regularisation at the target's centre and border, and the threshold under which its spectrum is cut.
    scale_filter : ScaleFilterConfig or None
        None: scales are found by running the detector at several scales.
    scales, scale_step : int, float
        Number and ratio of the detector's scales (1 with a scale filter).
    """

    features: tuple[Feature, ...] = (FEATURES["conv1"], FEATURES["conv5"], FEATURES["fhog"])
    search_area: float = 4.5
    sample_side: tuple[int, int] = (200, 300)
    label_sigma: float = 1 / 12
    learning_rate: float = 0.011
    samples: int = 50
    train_gap: int = 5
    skip_until: int = 1
    reuse_detection: bool = True
    iterations: int = 5
    first_rounds: int = 10
    first_iterations: int = 20
    augmentation_iterations: int = 50
    projection_regularisation: float = 5e-8
    forgetting: float = 75
    precondition_data: float = 0.3
    precondition_regularisation: float = 0.015
    precondition_projection: float = 35
    penalty_centre: float = 1e-4
    penalty_edge: float = 1e-2
    penalty_sparsity: float = 0.05
    scale_filter: ScaleFilterConfig | None = field(default_factory=ScaleFilterConfig)
    scales: int = 1
    scale_step: float = 1.02

    def __post_init__(self):
        features = tuple(_feature(feature) for feature in self.features)
        if not features or len({feature.name for feature in features}) < len(features):
            raise UnknownOptionError(f"features {self.features}: one or more different ones are needed")
        object.__setattr__(self, "features", features)
        for name, (kind, lowest, highest) in _RANGES.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, kind) or not lowest <= value <= highest:
                wanted = "an integer" if kind is int else "a number"
                raise UnknownOptionError(f"{name}={value!r}; {wanted} from {lowest} to {highest} is needed")


def _feature(given: "Feature | str") -> Feature:
    if isinstance(given, Feature):
        known = given.name in FEATURES and given.dimension > 0 and given.cell > 0
        if not known:
            raise UnknownOptionError(f"{given}: name must be one of {', '.join(FEATURES)}, dimension and cell positive")
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
