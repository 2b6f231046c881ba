"""Products of matrices without BLAS.

How many threads a user's BLAS runs changes the last bits of its results and, on matrices as small as ours, often costs more than it
saves. These kernels run on one thread and give the same bits in every process of a machine.
"""

import numpy as np
from numba import njit

from cfvgg.tiles import ROWS, accumulate, in_tiles

# NaN and infinity keep their meaning; sums may be reordered and fused.
FASTMATH = {"contract", "reassoc", "nsz", "arcp"}


def combine(matrix: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """matrix (M, K) times contiguous rows (K, N), float32."""
    taps = in_tiles(matrix)
    starts = np.arange(len(rows)) * rows.shape[1]
    out = np.empty((ROWS * len(taps), rows.shape[1]), np.float32)
    accumulate(rows.reshape(-1), starts, taps, np.zeros(len(out), np.float32), out, rows.shape[1])
    return out[: len(matrix)]


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def inner_products(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Inner products (M, N) float32 of the contiguous rows of two matrices, (M, K) and (N, K) float32."""
    products = np.empty((len(left), len(right)), np.float32)
    for m in range(len(left)):
        for n in range(len(right)):
            a, b = left[m], right[n]
            total = np.float32(0)
            for k in range(len(a)):
                total += a[k] * b[k]
            products[m, n] = total
    return products


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def weighted_dot(left: np.ndarray, right: np.ndarray, weights: np.ndarray) -> float:
    """Sum of left right weights over vectors (K,) float32, float64."""
    total = 0.0
    for k in range(len(left)):
        total += left[k] * right[k] * weights[k]
    return total
