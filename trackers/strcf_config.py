"""Settings of STRCF and its relatives. Sources: PORTING 7; for STRCF and DeepSTRCF the public code of Li et al. 2018."""

from dataclasses import dataclass

from trackers.config import FEATURES, Configuration, Feature, between, check_sides, checked_features
from trackers.errors import UnknownOptionError


@dataclass(frozen=True)
class STRCFConfig(Configuration):
    """The defaults are fDeepSTRCF's OTB setting.

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
    temporal_weight : float
        Penalty on the distance to the last frame's filter.
    penalties : tuple of float
        ADMM's penalty in each of its iterations.
    window_centre, window_edge : float
        Spatial regularisation on the target and elsewhere.
    scales, scale_step : int, float
        Number and ratio of the detector's scales.
    """

    features: tuple[Feature, ...] = (FEATURES["conv3"], FEATURES["grey"], FEATURES["fhog"])
    search_area: float = between(4.5, 1.1, 20)
    sample_side: tuple[int, int] = (200, 250)
    label_sigma: float = between(1 / 16, 1e-3, 10)
    temporal_weight: float = between(15, 0, 1e6)
    penalties: tuple[float, ...] = (1.0, 0.1)
    window_centre: float = between(1e-3, 0, 1e6)
    window_edge: float = between(1e5, 0, 1e6)
    scales: int = between(3, 1, 99)
    scale_step: float = between(1.02, 1.0001, 2)

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "features", checked_features(self.features))
        check_sides(self.sample_side)
        numbers = isinstance(self.penalties, tuple | list) and all(isinstance(p, int | float) and 0 < p <= 1e6 for p in self.penalties)
        if not numbers or not self.penalties:
            raise UnknownOptionError(f"penalties={self.penalties!r}; one or more numbers above 0 and up to 1e6 are needed")


_HANDCRAFTED = (FEATURES["grey"], FEATURES["fhog"], FEATURES["colour_names"])
_DEEP = (FEATURES["conv3"], *_HANDCRAFTED)

FDEEPSTRCF = {"otb": STRCFConfig(), "tc128": STRCFConfig(features=_DEEP)}
DEEPSTRCF = {"otb": STRCFConfig(features=_DEEP, scales=5, scale_step=1.01)}
STRCF = {"otb": STRCFConfig(features=_HANDCRAFTED, search_area=5.0, sample_side=(150, 200), scales=5, scale_step=1.01)}
