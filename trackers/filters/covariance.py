"""The data term of ECO's normal equations as one Hermitian matrix per frequency.

At frequency u the term is R(u) f(u), R(u) = sum_n w_n conj(x_n(u)) x_n(u)^T over the weighted samples. A new sample changes R by rank
one and so does a merge, so R is carried along and a solver never reads the samples; its cost does not depend on their number.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit

from trackers.filters.spectra import Layout

FASTMATH = {"contract", "reassoc", "nsz"}
RUN = 512  # frequencies of one pass: the vectors of a run stay in the L1 cache while the matrix streams by


class Covariance:
    """Weighted sum of conj(x) x^T over samples, at every frequency, between all channels that share it.

    For each pair of grids there is one array (channels of the larger, channels of the smaller, 2, frequencies of the smaller) of real
    and imaginary parts; of a grid with itself only the upper triangle is kept.
    """

    def __init__(self, layout: Layout):
        self._layout = layout
        self._pairs = [
            (g, h, np.zeros((left[0], right[0], 2, right[1] * right[2]), np.float32))
            for g, left in enumerate(layout.shapes)
            for h, right in enumerate(layout.shapes)
            if g <= h
        ]

    def update(self, decay: float, terms: Sequence[tuple[float, np.ndarray]]) -> None:
        """R <- decay R + sum of gain conj(x) x^T over `terms` (gain, x), x in the layout's flat form."""
        gains = np.array([gain for gain, _ in terms], np.float32)
        grids = [self._layout.views(vector) for _, vector in terms]
        for g, h, matrix in self._pairs:
            side = self._layout.sides[h]
            right = np.stack([parts(term[h], side) for term in grids])
            left = right if g == h else np.stack([parts(term[g], side) for term in grids])
            rank_update(matrix, left, right, g == h, np.float32(decay), gains)

    def add_product(self, vector: np.ndarray, out: np.ndarray) -> None:
        """Add R f to `out`; both in the layout's flat form."""
        grids, results = self._layout.views(vector), self._layout.views(out)
        for g, h, matrix in self._pairs:
            side = self._layout.sides[h]
            right = parts(grids[h], side)
            left = right if g == h else parts(grids[g], side)
            right_sum = np.zeros_like(right)
            left_sum = right_sum if g == h else np.zeros_like(left)
            multiply_add(matrix, left, right, left_sum, right_sum, g == h)
            add_parts(right_sum, side, results[h])
            if g != h:
                add_parts(left_sum, side, results[g])


@njit(cache=True, nogil=True)
def parts(spectrum: np.ndarray, side: int) -> np.ndarray:
    """Real and imaginary parts (2, channels, frequencies) float32 of what an odd grid of `side` has of a half-spectrum (channels, n, m).

    Loops over them vectorise, and the frequencies of a grid are one run.
    """
    channels, n, _ = spectrum.shape
    columns = side // 2 + 1
    out = np.empty((2, channels, side * columns), np.float32)
    for channel in range(channels):
        for row in range(side):
            source = spectrum[channel, row if row < columns else n - side + row]
            real, imaginary = out[0, channel, row * columns :], out[1, channel, row * columns :]
            for i in range(columns):
                real[i], imaginary[i] = source[i].real, source[i].imag
    return out


@njit(cache=True, nogil=True)
def add_parts(sums: np.ndarray, side: int, spectrum: np.ndarray) -> None:
    """Add real and imaginary parts on an odd grid of `side`, as `parts` gives them, to a half-spectrum of the same or a larger grid."""
    channels, n, _ = spectrum.shape
    columns = side // 2 + 1
    for channel in range(channels):
        for row in range(side):
            target = spectrum[channel, row if row < columns else n - side + row]
            real, imaginary = sums[0, channel, row * columns :], sums[1, channel, row * columns :]
            for i in range(columns):
                target[i] += np.complex64(complex(real[i], imaginary[i]))


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def rank_update(matrix: np.ndarray, left: np.ndarray, right: np.ndarray, triangle: bool, decay: float, gains: np.ndarray) -> None:
    """matrix[d, e] <- decay matrix[d, e] + sum_t gains[t] conj(left[t, :, d]) right[t, :, e]; for e >= d only if `triangle`."""
    frequencies = matrix.shape[3]
    for d in range(matrix.shape[0]):
        for e in range(d if triangle else 0, matrix.shape[1]):
            real, imaginary = matrix[d, e, 0], matrix[d, e, 1]
            for t in range(len(gains)):
                gain, kept = gains[t], decay if t == 0 else np.float32(1)
                a, b, c, s = left[t, 0, d], left[t, 1, d], right[t, 0, e], right[t, 1, e]
                for u in range(frequencies):
                    real[u] = kept * real[u] + gain * (a[u] * c[u] + b[u] * s[u])
                    imaginary[u] = kept * imaginary[u] + gain * (a[u] * s[u] - b[u] * c[u])


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def multiply_add(
    matrix: np.ndarray, left: np.ndarray, right: np.ndarray, left_sum: np.ndarray, right_sum: np.ndarray, triangle: bool
) -> None:
    """left_sum[d] += matrix[d, e] right[e] and right_sum[e] += conj(matrix[d, e]) left[d]; of a triangle the diagonal once."""
    frequencies = matrix.shape[3]
    for begin in range(0, frequencies, RUN):
        # slices that begin here, and loops from 0: numba cannot tell that an index from `begin` on is not negative, and would not vectorise
        length = min(RUN, frequencies - begin)
        for d in range(matrix.shape[0]):
            a, b, p, q = left[0, d, begin:], left[1, d, begin:], left_sum[0, d, begin:], left_sum[1, d, begin:]
            for e in range(d if triangle else 0, matrix.shape[1]):
                real, imaginary = matrix[d, e, 0, begin:], matrix[d, e, 1, begin:]
                c, s = right[0, e, begin:], right[1, e, begin:]
                for u in range(length):
                    p[u] += real[u] * c[u] - imaginary[u] * s[u]
                    q[u] += real[u] * s[u] + imaginary[u] * c[u]
                if not (triangle and d == e):
                    v, w = right_sum[0, e, begin:], right_sum[1, e, begin:]
                    for u in range(length):
                        v[u] += real[u] * a[u] + imaginary[u] * b[u]
                        w[u] += real[u] * b[u] - imaginary[u] * a[u]
