"""Half-spectra of several grids as one vector.

A sample, a filter, a residual of the conjugate gradient: each is a set of channels on one or more odd grids. `Layout` says where
every grid lies in one flat complex64 vector, so that solvers see plain vectors and kernels see (channels, n, n // 2 + 1).
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from trackers.fourier import cut_centred, multiplicity


class Layout:
    """Where the grids of a spectrum lie in a flat vector.

    Parameters
    ----------
    channels : sequence of int
        Channels on each grid.
    sides : sequence of int
        Side (odd) of each grid, the largest first.

    Attributes
    ----------
    size : int
        Complex numbers in a vector.
    shapes : list of (int, int, int)
        Of the grids: channels, n, n // 2 + 1.
    metric : ndarray, float32, (2 size,)
        How often each real and imaginary part counts in an inner product: the half-spectrum's other half counts too.
    """

    def __init__(self, channels: Sequence[int], sides: Sequence[int]):
        self.sides = tuple(sides)
        self.shapes = [(count, n, n // 2 + 1) for count, n in zip(channels, sides, strict=True)]
        ends = np.cumsum([0] + [int(np.prod(shape)) for shape in self.shapes]).tolist()
        self.size = ends[-1]
        self._slices = [slice(start, end) for start, end in pairwise(ends)]
        counts = [np.broadcast_to(multiplicity(shape[2]), shape) for shape in self.shapes]
        self.metric = np.repeat(self.join(counts, np.float32), 2)

    def views(self, vector: np.ndarray) -> list[np.ndarray]:
        """The grids (channels, n, n // 2 + 1) of a vector, without copying."""
        return [vector[part].reshape(shape) for part, shape in zip(self._slices, self.shapes, strict=True)]

    def lowest(self, side: int) -> np.ndarray:
        """Places in a vector of the frequencies that an odd grid of `side` has, (count,) int."""
        places = self.views(np.arange(self.size))
        return np.concatenate([cut_centred(grid, min(side, n)).ravel() for grid, n in zip(places, self.sides, strict=True)])

    def join(self, grids: Sequence[np.ndarray], dtype: type = np.complex64) -> np.ndarray:
        """A new vector from grids."""
        vector = np.empty(self.size, dtype)
        for view, grid in zip(self.views(vector), grids, strict=True):
            view[:] = grid
        return vector
