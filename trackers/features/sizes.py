"""How large a sample is: the input of the network, the support that its cells cover, and every feature's grid (PORTING 4.1)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cfvgg.architecture import STRIDES, level_sizes
from trackers.config import Feature
from trackers.patch import round_half_away


@dataclass(frozen=True)
class SampleSizes:
    """Sides of one sample, all square.

    Attributes
    ----------
    network : int or None
        Pixels of the network's input; None where no feature needs a network.
    support : int
        Pixels that the features' grids cover; the input of the hand-crafted features.
    grids : tuple of int
        Cells of each feature.
    """

    network: int | None
    support: int
    grids: tuple[int, ...]

    @property
    def side(self) -> int:
        """Pixels of the larger of the two inputs."""
        return max(self.network or 0, self.support)


def odd_sizes(features: Sequence[Feature], side: float) -> SampleSizes:
    """Sizes for a sample of about `side` pixels, chosen so that the coarsest grid is odd ("odd cells" of ECO).

    Parameters
    ----------
    features : sequence of Feature
    side : float
        Wanted side in pixels.
    """
    if not any(feature.is_level for feature in features):
        return _without_network(features, _odd_without_network(features, side))
    return _with_network(features, side, lambda cells: cells + 1 + cells % 2)


def exact_sizes(features: Sequence[Feature], side: float) -> SampleSizes:
    """Sizes for a sample of about `side` pixels, a whole number of the coarsest cells ("exact" of STRCF; PORTING 6.1).

    Parameters
    ----------
    features : sequence of Feature
    side : float
        Wanted side in pixels.
    """
    if not any(feature.is_level for feature in features):
        cell = max(feature.cell for feature in features)
        return _without_network(features, cell * round_half_away(side / cell))
    return _with_network(features, side, lambda cells: cells + 1)


def _without_network(features: Sequence[Feature], support: int) -> SampleSizes:
    return SampleSizes(None, support, tuple(support // feature.cell for feature in features))


def _with_network(features: Sequence[Feature], side: float, raised: Callable[[int], int]) -> SampleSizes:
    """Sizes for the smallest input of at least `side` pixels whose coarsest grid reaches `raised`(that of `side` pixels)."""
    levels = [feature.name for feature in features if feature.is_level]
    deepest = max(levels)  # conv1 < conv2 < .. in the alphabet too
    stride = STRIDES[deepest]

    def cells(pixels: float) -> int:
        """Side of the coarsest grid for a sample of so many pixels."""
        return level_sizes(round_half_away(pixels))[deepest]

    wanted = raised(cells(side))
    while cells(side) < wanted:
        side += 1
    network = round_half_away(side)
    support = stride * cells(side)
    grids = tuple(
        round_half_away(support / STRIDES[f.name]) // (f.cell // STRIDES[f.name]) if f.is_level else support // f.cell for f in features
    )
    return SampleSizes(network, support, grids)


def _odd_without_network(features: Sequence[Feature], side: float) -> int:
    """Side near `side` that makes most of the grids odd (ECO's ``init_features`` for hand-crafted features)."""
    cell = max(feature.cell for feature in features)
    base = (1 + 2 * round_half_away(side / (2 * cell))) * cell
    return max(range(base, base + cell), key=lambda n: sum((n // feature.cell) % 2 for feature in features))
