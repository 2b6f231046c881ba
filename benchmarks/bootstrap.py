"""How sure a difference between two trackers is."""

from collections.abc import Hashable, Sequence

import numpy as np

from trackers.errors import UnknownOptionError

RESAMPLES = 10_000
BOUNDS = (2.5, 97.5)  # percent
FEWEST = 10  # groups: of fewer, resamples say nothing


def paired_bootstrap(differences: Sequence[float], seed: int = 0, groups: Sequence[Hashable] | None = None) -> tuple[float, float]:
    """The 95 % interval of a mean difference, by the percentiles of 10,000 resamples.

    Parameters
    ----------
    differences : array_like, (N,)
        One for every target.
    seed : int
    groups : sequence, (N,), or None
        Differences of one group are drawn together, for they are not independent: targets of one video. None: each is its own group.

    Returns
    -------
    (float, float)
        In the unit of the differences.

    Raises
    ------
    UnknownOptionError
        If there is no difference, one is no number, or `groups` is of another length.
    """
    differences = np.asarray(differences, float)
    groups = range(len(differences)) if groups is None else groups
    if not len(differences) or not np.isfinite(differences).all() or len(groups) != len(differences):
        raise UnknownOptionError(f"{len(differences)} differences {differences} in {len(groups)} groups; one finite number each is needed")
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    index = [numbers[group] for group in groups]
    sums, counts = np.bincount(index, differences), np.bincount(index)
    drawn = np.random.default_rng(seed).integers(len(sums), size=(RESAMPLES, len(sums)))
    low, high = np.percentile(sums[drawn].sum(1) / counts[drawn].sum(1), BOUNDS)
    return float(low), float(high)
