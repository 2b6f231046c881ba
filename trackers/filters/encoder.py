"""From feature maps to the half-spectra that ECO's filter lives on: project, window, transform, interpolate (PORTING 4.3)."""

from collections.abc import Sequence

import numpy as np

from cfvgg.linear import combine
from trackers.filters.spectra import Layout
from trackers.fourier import Transform, hann, interpolation


class Encoder:
    """Encodes samples of fixed sizes.

    Parameters
    ----------
    sizes : sequence of int
        Cells of each feature block.
    dimensions : sequence of int
        Channels of each block after projection.

    Attributes
    ----------
    layout : Layout
        Of an encoded sample: blocks whose odd grids are alike share one.
    places : list of (int, slice)
        Grid and channels of each block in the layout.
    """

    def __init__(self, sizes: Sequence[int], dimensions: Sequence[int]):
        odd = [n + 1 - n % 2 for n in sizes]
        sides = sorted(set(odd), reverse=True)
        counts = [0] * len(sides)
        self.places = []
        for n, dimension in zip(odd, dimensions, strict=True):
            grid = sides.index(n)
            self.places.append((grid, slice(counts[grid], counts[grid] + dimension)))
            counts[grid] += dimension
        self.layout = Layout(counts, sides)
        self._windows = [np.outer(hann(n), hann(n)).astype(np.float32) for n in sizes]
        self._transforms = [Transform(dimension, n) for n, dimension in zip(sizes, dimensions, strict=True)]
        self._kernels = [np.outer(interpolation(n), interpolation(n)[: n // 2 + 1]).astype(np.complex64) for n in odd]

    def blocks(self, vector: np.ndarray) -> list[np.ndarray]:
        """The spectrum (dimension, n, n // 2 + 1) of each block in a flat vector of the layout, without copying."""
        grids = self.layout.views(vector)
        return [grids[grid][channels] for grid, channels in self.places]

    def __call__(self, features: Sequence[np.ndarray], projections: Sequence[np.ndarray]) -> np.ndarray:
        """Encode a sample.

        Parameters
        ----------
        features : sequence of ndarray, float32, (C, n, n)
        projections : sequence of ndarray, float32, (C, dimension)

        Returns
        -------
        ndarray, complex64, (layout.size,)
        """
        vector = np.empty(self.layout.size, np.complex64)
        blocks = self.blocks(vector)
        for i, (feature, projection) in enumerate(zip(features, projections, strict=True)):
            projected = combine(projection.T, feature.reshape(len(feature), -1)).reshape(-1, *feature.shape[1:])
            self._transforms[i](projected * self._windows[i], blocks[i])
            blocks[i] *= self._kernels[i]
        return vector

    def unprojected(self, features: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Spectra (C, n, n // 2 + 1) complex64 of all channels of each block: what the first frame learns its projection from."""
        return [
            Transform(len(feature), feature.shape[1])(feature * window) * kernel
            for feature, window, kernel in zip(features, self._windows, self._kernels, strict=True)
        ]


def project(spectrum: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Channels (C, n, m) complex64 combined by a real matrix (C, D) into (D, n, m)."""
    flat = np.ascontiguousarray(spectrum).reshape(len(spectrum), -1).view(np.float32)
    return combine(matrix.T, flat).view(np.complex64).reshape(-1, *spectrum.shape[1:])
