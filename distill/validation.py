"""How well the levels of a network localise: the validation measure of a training."""

from collections.abc import Sequence

import numpy as np
import torch

from cfvgg.architecture import LEVELS, STRIDES
from cfvgg.network import Network
from distill.correlation import LABEL_SIGMA, REGULARISATION, labels, prepare, respond
from distill.data.pairs import PairBatch
from distill.students import mean_picture

TOLERANCE = 0.25  # of the side of the target
BATCH = 16


def hits(found: np.ndarray, true: np.ndarray, size: np.ndarray) -> float:
    """Share of places that are at most a quarter of a target's side, sqrt(w h), from the truth.

    Parameters
    ----------
    found, true : array_like, (N, 2)
        Rows and columns, in pixels; NaN is a miss.
    size : array_like, (N, 2)
        Heights and widths of the targets, in pixels.
    """
    distance = np.square(np.subtract(found, true, dtype=float)).sum(-1)
    return float((distance <= TOLERANCE**2 * np.prod(size, axis=-1, dtype=float)).mean())


def localisation(network: Network, pairs: PairBatch, levels: Sequence[str] = LEVELS) -> dict[str, float]:
    """Share of pairs in which each level finds the target: see `hits` and `places`."""
    return {level: hits(found, pairs.shift, pairs.size) for level, found in places(network, pairs, levels).items()}


@torch.no_grad()
def places(network: Network, pairs: PairBatch, levels: Sequence[str] = LEVELS) -> dict[str, np.ndarray]:
    """Where each level finds the target of each x, against its z.

    The closed-form filter (`distill.correlation`) is learnt on z and searches x; the peak of its response is found to a fraction of a cell.

    Parameters
    ----------
    network : Network
    pairs : PairBatch
    levels : sequence of str

    Returns
    -------
    dict of str to ndarray, float64, (N, 2)
        Rows and columns in pixels; NaN where the response holds no finite numbers.
    """
    mean = mean_picture(network, pairs.z.shape[-1])
    found: dict[str, list] = {level: [] for level in levels}
    for start in range(0, len(pairs), BATCH):
        z, x = (network(torch.from_numpy(crops[start : start + BATCH]) - mean, levels) for crops in (pairs.z, pairs.x))
        sides = np.sqrt(pairs.size[start : start + BATCH].prod(1)).tolist()
        for level in levels:
            for one, other, side in zip(prepare(z[level]), prepare(x[level]), sides, strict=True):
                label = labels({level: one}, LABEL_SIGMA * side, torch.zeros(1, 2))[level][0]
                response = respond(one[None], other[None], label, REGULARISATION)[0].numpy()
                found[level].append(np.multiply(_peak(response), STRIDES[level]))
    return {level: np.array(rows).reshape(-1, 2) for level, rows in found.items()}


def _peak(response: np.ndarray) -> list[float]:
    """Row and column of the peak, in cells, shift zero at [0, 0]: the top of a parabola through the largest value and its neighbours.

    The trackers' search by Newton's method needs a smooth response; labels of half a cell, as deep levels have them, make no such one.
    """
    if not np.isfinite(response).all():
        return [np.nan, np.nan]
    index = np.unravel_index(response.argmax(), response.shape)
    found = []
    for axis, (at, n) in enumerate(zip(index, response.shape, strict=True)):
        line = response[:, index[1]] if axis == 0 else response[index[0]]
        before, top, after = (float(line[(at + step) % n]) for step in (-1, 0, 1))
        bend = before - 2 * top + after
        found.append((at + n // 2) % n - n // 2 + ((before - after) / (2 * bend) if bend < 0 else 0.0))
    return found
