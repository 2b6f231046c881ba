"""Every constant of KCF, fKCF and MOSSE, as in `trackers.config`. The published ones are those of the authors' programs and papers."""

from dataclasses import dataclass

from cfvgg.architecture import LEVELS
from trackers.config import FEATURES, PUBLISHED, SHAPE_FILTER, Feature, ScaleFilterConfig, TargetConfig, between, checked_scale_filter
from trackers.errors import UnknownOptionError

KERNELS = ("gaussian", "polynomial", "linear")
KCF_FEATURES = ("fhog", "grey", *LEVELS)


@dataclass(frozen=True)
class WindowConfig(TargetConfig):
    """What trackers with one filter on one window have in common.

    Attributes
    ----------
    search_area : float
        Sides of the window over the target's, each.
    target_side : (int, int)
        Limits of the target's side, sqrt(w h), in pixels of the sample: smaller and larger targets are enlarged and shrunk.
    label_sigma : float
        Width of the label over the target's side.
    learning_rate : float
        Weight of a new frame.
    regularisation : float
        lambda, per value of a sample.
    context : int
        Patches around the target that the filter learns to ignore (Mueller et al. 2017); 0: none.
    context_regularisation : float
        Weight of each of them.
    scale_filter : ScaleFilterConfig, dict of its fields, or bool
        By default, or True, scale and ratio of sides are followed (`trackers.config.SHAPE_FILTER`). False (or None), as published: the
        target keeps its size.
    """

    search_area: float = between(2.5, 1.1, 20)
    target_side: tuple[int, int] = (32, 96)
    label_sigma: float = between(0.1, 1e-3, 10)
    learning_rate: float = between(0.02, 1e-6, 0.999)
    regularisation: float = between(1e-4, 1e-9, 1e9)
    context: int = between(0, 0, 16)
    context_regularisation: float = between(0.1, 0, 1e6)
    scale_filter: ScaleFilterConfig | None = SHAPE_FILTER

    def __post_init__(self):
        super().__post_init__()
        sides = self.target_side
        two = isinstance(sides, tuple | list) and len(sides) == 2 and all(isinstance(n, int) for n in sides)
        if not (two and 8 <= sides[0] <= sides[1]):
            raise UnknownOptionError(f"target_side={sides!r}; two integers are needed, smallest and largest side in pixels, at least 8")
        object.__setattr__(self, "scale_filter", checked_scale_filter(self.scale_filter))


@dataclass(frozen=True)
class KCFConfig(WindowConfig):
    """KCF, and its relative on a network; the defaults are those of KCF on FHOG.

    Attributes
    ----------
    feature : str
        'fhog', 'grey', or for fKCF a level of the network, 'conv1' .. 'conv5'.
    kernel : str
        'gaussian', 'polynomial' or 'linear'; context needs the linear one.
    kernel_sigma : float
        Width of the Gaussian kernel.
    kernel_power : int
        Of the polynomial kernel.
    """

    feature: str = "fhog"
    kernel: str = "gaussian"
    kernel_sigma: float = between(0.5, 1e-3, 1e3)
    kernel_power: int = between(9, 1, 100)

    def __post_init__(self):
        super().__post_init__()
        for name, known in (("feature", KCF_FEATURES), ("kernel", KERNELS)):
            if getattr(self, name) not in known:
                raise UnknownOptionError(f"{name}={getattr(self, name)!r}; known are {', '.join(known)}")
        if self.context and self.kernel != "linear":
            raise UnknownOptionError(f"context={self.context} with kernel={self.kernel!r}; it needs kernel='linear'")

    @property
    def features(self) -> tuple[Feature]:
        """The feature as the one of a stack."""
        return (FEATURES[self.feature],)


@dataclass(frozen=True)
class MOSSEConfig(WindowConfig):
    """MOSSE (Bolme et al. 2010).

    Attributes
    ----------
    warps : int
        Randomly turned and stretched views of the first frame that the filter learns from, too.
    """

    search_area: float = between(2.0, 1.1, 20)
    learning_rate: float = between(0.125, 1e-6, 0.999)
    regularisation: float = between(0.1, 1e-9, 1e9)
    warps: int = between(8, 0, 1000)


KCF = {
    "fhog": KCFConfig(),
    "grey": KCFConfig(feature="grey", learning_rate=0.075, kernel_sigma=0.2, kernel_power=7),
}
KCF_PUBLISHED = {**PUBLISHED, "scale_filter": None}

FKCF = {level: KCFConfig(feature=level, target_side=(96, 96), kernel="gaussian", kernel_sigma=4.0) for level in ("conv2", "conv1", "conv5")}

MOSSE = MOSSEConfig()
