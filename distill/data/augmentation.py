"""How far, and how often, the crops of a pair are changed."""

from dataclasses import dataclass
from math import inf, isfinite

from distill.errors import DistillationError


@dataclass(frozen=True)
class Augmentation:
    """Amounts of all random changes. Shares are probabilities, ranges are (least, most), both ends included.

    A target size is the side of a target's crop over the search area: sqrt(w h) of the target in the crop z.

    Attributes
    ----------
    shift : float
        Of the target in x, along rows and along columns, in target sizes, at most.
    scale : float
        The target in x is up to so many times larger or smaller than in z. At least 1.
    rotation : float
        Degrees, at most, by which x is turned about the target; in pictures without a video only, since videos turn of their own.
    flipped : float
        Share of pairs that are mirrored: both crops.
    greyed : float
        Share of pairs without colour: both crops.
    blurred : float
        Share of crops that are blurred: one half as out of focus, the other as by a motion along rows or columns.
    defocus, motion : (float, float)
        Standard deviation of the one blur, and length of the other, in pixels of the crop.
    coloured : float
        Share of crops whose light is changed.
    brightness : (float, float)
        Factor of the light, drawn evenly on a logarithmic scale.
    tint : float
        Each of red, green and blue is changed by up to this share besides.
    occluded : float
        Share of crops x in which something hides a part of the target.
    occlusion : (float, float)
        Hidden share of the target.
    distracted : float
        Share of crops x into which targets of other pairs are pasted.
    distractors : (int, int)
        How many of them.
    overlap : float
        Share of the target, and of the distractor, that the other may cover at most.

    Raises
    ------
    DistillationError
        If a share is outside [0, 1], or another amount makes no sense.
    """

    shift: float = 1.0
    scale: float = 1.15
    rotation: float = 10.0
    flipped: float = 0.5
    greyed: float = 0.25
    blurred: float = 0.2
    defocus: tuple[float, float] = (0.5, 2.0)
    motion: tuple[float, float] = (3, 11)
    coloured: float = 0.5
    brightness: tuple[float, float] = (0.7, 1.4)
    tint: float = 0.1
    occluded: float = 0.15
    occlusion: tuple[float, float] = (0.2, 0.5)
    distracted: float = 0.5
    distractors: tuple[int, int] = (1, 2)
    overlap: float = 0.1

    def __post_init__(self):
        for name in ("flipped", "greyed", "blurred", "coloured", "occluded", "distracted", "overlap", "tint"):
            self._check(name, 0, 1)
        self._check("shift", 0)
        self._check("rotation", 0, 180)
        self._check("scale", 1)
        self._check("defocus", 0.1)
        self._check("motion", 1)
        self._check("brightness", 0.01)
        self._check("occlusion", 0, 1)
        self._check("distractors", 0)
        if not all(isinstance(number, int) for number in self.distractors):
            raise DistillationError(f"distractors is {self.distractors}; they are counted in whole numbers")

    def _check(self, name: str, least: float, most: float = inf) -> None:
        """Error if a number, or one of a range, is outside [least, most], or a range is not two rising numbers."""
        value, usual = getattr(self, name), getattr(type(self), name)
        if isinstance(value, tuple | list) != isinstance(usual, tuple) or (isinstance(usual, tuple) and len(value) != 2):
            raise DistillationError(f"{name} is {value}; it must be like {usual}")
        numbers = value if isinstance(usual, tuple) else (value,)
        if not all(isfinite(number) and least <= number <= most for number in numbers) or sorted(numbers) != list(numbers):
            limits = f"at least {least:g}" if most == inf else f"within [{least:g}, {most:g}]"
            raise DistillationError(f"{name} is {value}; it must be {limits}{', the smaller one first' * (len(numbers) - 1)}")
