"""Products of matrices without BLAS.

How many threads a user's BLAS runs changes the last bits of its results and, on matrices as small as ours, often costs more than it
saves. These kernels run on one thread and give the same bits in every process of a machine.
"""

import numpy as np
from numba import njit

# NaN and infinity keep their meaning; sums may be reordered and fused.
FASTMATH = {"contract", "reassoc", "nsz", "arcp"}
RUN = 384  # outputs per pass of `accumulate`: four accumulators and four inputs of this length stay in the L1 cache


def in_fours(matrix: np.ndarray) -> np.ndarray:
    """A matrix filled up with zeros so that both sides are multiples of four, float32: the form that `accumulate` takes."""
    padded = np.zeros([n + -n % 4 for n in matrix.shape], np.float32)
    padded[: matrix.shape[0], : matrix.shape[1]] = matrix
    return padded


def combine(matrix: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """matrix (M, K) times contiguous rows (K, N), float32."""
    taps = in_fours(matrix)
    starts = np.zeros(taps.shape[1], np.int64)
    starts[: len(rows)] = np.arange(len(rows)) * rows.shape[1]
    out = np.empty((len(taps), rows.shape[1]), np.float32)
    accumulate(rows.reshape(-1), starts, taps, np.zeros(len(taps), np.float32), out, rows.shape[1])
    return out[: len(matrix)]


@njit(cache=True, fastmath=FASTMATH)
def accumulate(flat: np.ndarray, starts: np.ndarray, taps: np.ndarray, bias: np.ndarray, out: np.ndarray, count: int) -> None:
    """out[m, :count] = bias[m] + sum over k of taps[m, k] * flat[starts[k] : starts[k] + count]; m and k come in fours."""
    a0, a1, a2, a3 = np.empty(RUN, np.float32), np.empty(RUN, np.float32), np.empty(RUN, np.float32), np.empty(RUN, np.float32)
    for begin in range(0, count, RUN):
        length = min(RUN, count - begin)
        for m in range(0, len(taps), 4):
            for j in range(length):
                a0[j], a1[j], a2[j], a3[j] = bias[m], bias[m + 1], bias[m + 2], bias[m + 3]
            for k in range(0, taps.shape[1], 4):
                x0, x1 = flat[starts[k] + begin :], flat[starts[k + 1] + begin :]
                x2, x3 = flat[starts[k + 2] + begin :], flat[starts[k + 3] + begin :]
                # spelled out: 16 weights in registers and four loads for 16 products; a loop over m would not be unrolled
                w00, w01, w02, w03 = taps[m, k], taps[m, k + 1], taps[m, k + 2], taps[m, k + 3]
                w10, w11, w12, w13 = taps[m + 1, k], taps[m + 1, k + 1], taps[m + 1, k + 2], taps[m + 1, k + 3]
                w20, w21, w22, w23 = taps[m + 2, k], taps[m + 2, k + 1], taps[m + 2, k + 2], taps[m + 2, k + 3]
                w30, w31, w32, w33 = taps[m + 3, k], taps[m + 3, k + 1], taps[m + 3, k + 2], taps[m + 3, k + 3]
                for j in range(length):
                    v0, v1, v2, v3 = x0[j], x1[j], x2[j], x3[j]
                    a0[j] += w00 * v0 + w01 * v1 + w02 * v2 + w03 * v3
                    a1[j] += w10 * v0 + w11 * v1 + w12 * v2 + w13 * v3
                    a2[j] += w20 * v0 + w21 * v1 + w22 * v2 + w23 * v3
                    a3[j] += w30 * v0 + w31 * v1 + w32 * v2 + w33 * v3
            for j in range(length):
                out[m, begin + j], out[m + 1, begin + j], out[m + 2, begin + j], out[m + 3, begin + j] = a0[j], a1[j], a2[j], a3[j]


@njit(cache=True, fastmath=FASTMATH)
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


@njit(cache=True, fastmath=FASTMATH)
def weighted_dot(left: np.ndarray, right: np.ndarray, weights: np.ndarray) -> float:
    """Sum of left right weights over vectors (K,) float32, float64."""
    total = 0.0
    for k in range(len(left)):
        total += left[k] * right[k] * weights[k]
    return total
