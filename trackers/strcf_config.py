"""Settings of STRCF and its relatives. Sources: PORTING 7; for STRCF, DeepSTRCF and BACF the public code of their authors."""

from dataclasses import dataclass

from trackers.config import (
    FEATURES,
    PUBLISHED,
    SHAPE_FILTER,
    Feature,
    ScaleFilterConfig,
    TargetConfig,
    between,
    check_sides,
    checked_features,
    checked_scale_filter,
)
from trackers.errors import UnknownOptionError


@dataclass(frozen=True)
class ADMMConfig(TargetConfig):
    """What trackers have in common that learn a filter by ADMM in every frame; the defaults are those on hand-crafted features.

    Attributes
    ----------
    features : tuple of Feature, or of names
        What a sample is made of; features of equal cells share a filter. Nothing is projected, so their dimensions do not count.
    search_area : float
        Side of the search area over the target's, sqrt(w h).
    sample_side : (int, int)
        Limits in pixels of the side of the sample to which the search area is resized.
    label_sigma : float
        Width of the label over the target's size.
    colour_share : float
        Of the response of the colours (`trackers.filters.colour_model`) in that of which the peak is sought; 0: without, as published.
    penalties : tuple of float
        ADMM's penalty in each of its iterations.
    scale_filter : ScaleFilterConfig, dict of its fields, or bool
        By default, or True, scale and ratio of sides are followed (`trackers.config.SHAPE_FILTER`). False (or None), as published: scales
        are found by running the detector at several scales.
    scales, scale_step : int, float
        Number and ratio of the detector's scales, where there is no scale filter.
    """

    features: tuple[Feature, ...] = (FEATURES["fhog"],)
    search_area: float = between(5.0, 1.1, 20)
    sample_side: tuple[int, int] = (150, 200)
    label_sigma: float = between(1 / 16, 1e-3, 10)
    colour_share: float = between(0.2, 0, 1)
    penalties: tuple[float, ...] = (1.0,)
    scale_filter: ScaleFilterConfig | None = SHAPE_FILTER
    scales: int = between(5, 1, 99)
    scale_step: float = between(1.01, 1.0001, 2)

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "features", checked_features(self.features))
        object.__setattr__(self, "scale_filter", checked_scale_filter(self.scale_filter))
        check_sides(self.sample_side)
        numbers = isinstance(self.penalties, tuple | list) and all(isinstance(p, int | float) and 0 < p <= 1e6 for p in self.penalties)
        if not numbers or not self.penalties:
            raise UnknownOptionError(f"penalties={self.penalties!r}; one or more numbers above 0 and up to 1e6 are needed")


@dataclass(frozen=True)
class STRCFConfig(ADMMConfig):
    """STRCF and its deep relatives; the defaults are fDeepSTRCF's OTB setting.

    Attributes
    ----------
    temporal_weight : float
        Penalty on the distance to the last frame's filter.
    window_centre, window_edge : float
        Spatial regularisation on the target and elsewhere.
    """

    features: tuple[Feature, ...] = (FEATURES["conv3"], FEATURES["grey"], FEATURES["fhog"])
    search_area: float = between(4.5, 1.1, 20)
    sample_side: tuple[int, int] = (200, 225)
    penalties: tuple[float, ...] = (1.0, 0.1)
    scales: int = between(3, 1, 99)
    scale_step: float = between(1.02, 1.0001, 2)
    temporal_weight: float = between(15, 0, 1e6)
    window_centre: float = between(1e-3, 0, 1e6)
    window_edge: float = between(1e5, 0, 1e6)


@dataclass(frozen=True)
class BACFConfig(ADMMConfig):
    """BACF; the defaults are its OTB setting.

    The penalty begins with 1 and grows tenfold an iteration, up to 1e4 in the public code and 1e3 in the paper: two iterations reach
    neither.

    Attributes
    ----------
    learning_rate : float
        Weight of a new sample in the mean that the filter is learnt from.
    regularisation : float
        lambda.
    """

    colour_share: float = between(0.0, 0, 1)  # its responses are low, and colours gain it nothing on real sequences
    penalties: tuple[float, ...] = (1.0, 10.0)
    learning_rate: float = between(0.013, 1e-6, 0.999)
    regularisation: float = between(0.01, 0, 1e6)


_HANDCRAFTED = (FEATURES["grey"], FEATURES["fhog"], FEATURES["colour_names"])
_DEEP = (FEATURES["conv3"], *_HANDCRAFTED)

FDEEPSTRCF = {"otb": STRCFConfig(), "tc128": STRCFConfig(features=_DEEP)}
DEEPSTRCF = {"otb": STRCFConfig(features=_DEEP, scales=5, scale_step=1.01)}
STRCF = {"otb": STRCFConfig(features=_HANDCRAFTED, search_area=5.0, sample_side=(150, 200), scales=5, scale_step=1.01)}
BACF = {"otb": BACFConfig()}

# What is otherwise in the authors' programs than in these settings.
ADMM_PUBLISHED = {**PUBLISHED, "colour_share": 0.0, "scale_filter": None}
STRCF_PUBLISHED = {**ADMM_PUBLISHED, "sample_side": (200, 250)}
