"""The product of matrices at the heart of a convolution, in tiles whose sums stay in the registers of the processor.

numba's own loops keep such sums in memory, which costs a third of the speed. A tile is therefore written in LLVM's terms, with vectors of
a fixed length: four rows of the result, some vectors wide.
"""

import functools
from collections.abc import Callable

import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

ROWS = 4  # of a tile
_FEATURES = get_host_cpu_features()
# Length of a vector, and vectors in a row of a tile: together with four inputs and a weight they fill the registers.
LANES, VECTORS = (16, 4) if _FEATURES.get("avx512f") else (8, 3) if _FEATURES.get("avx2") else (4, 3)

FLOAT_BYTES = 4
FUSED = ("contract",)  # a product and a sum may be rounded once
_INTEGER, _VECTOR = ir.IntType(64), ir.VectorType(ir.FloatType(), LANES)


def in_tiles(matrix: np.ndarray) -> np.ndarray:
    """A matrix (M, K) in the form that `accumulate` takes: float32, (ceil(M / 4), K, 4), filled up with zeros."""
    padded = np.zeros((len(matrix) + -len(matrix) % ROWS, matrix.shape[1]), np.float32)
    padded[: len(matrix)] = matrix
    return np.ascontiguousarray(padded.reshape(-1, ROWS, matrix.shape[1]).transpose(0, 2, 1))


def _tile(vectors: int) -> Callable[..., None]:
    """What numba inlines for a group of four rows of `accumulate`, in `vectors` LANES columns from `first`."""

    @intrinsic
    def tile(_, flat, starts, taps, bias, out, first, group):
        """The signature, and what writes the code."""

        def generate(context, builder, signature, arguments):
            """Write the code: sums begin as biases, take in a product of each tap, and are stored."""
            *arrays, first, group = arguments
            arrays = [context.make_array(kind)(context, builder, array) for kind, array in zip(signature.args, arrays, strict=False)]
            flat, starts, taps, bias, out = (array.data for array in arrays)
            count, stride = builder.extract_value(arrays[1].shape, 0), builder.extract_value(arrays[4].shape, 1)
            row = builder.mul(group, _INTEGER(ROWS))
            sums = [[cgutils.alloca_once(builder, _VECTOR) for _ in range(vectors)] for _ in range(ROWS)]

            def at(base, *offsets):
                """Address of an element of an array."""
                return builder.gep(base, [functools.reduce(builder.add, offsets)])

            def vectors_from(base):
                """Addresses of the vectors of a row."""
                return [builder.bitcast(at(base, _INTEGER(LANES * i)), _VECTOR.as_pointer()) for i in range(vectors)]

            def spread(address):
                """A vector of equal numbers."""
                one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), builder.load(address), _INTEGER(0))
                return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))

            for i in range(ROWS):
                for total in sums[i]:
                    builder.store(spread(at(bias, row, _INTEGER(i))), total)
            with cgutils.for_range(builder, count) as loop:
                start = builder.load(at(starts, loop.index))
                inputs = [builder.load(address, align=FLOAT_BYTES) for address in vectors_from(at(flat, start, first))]
                weights = builder.mul(builder.add(builder.mul(group, count), loop.index), _INTEGER(ROWS))
                for i in range(ROWS):
                    weight = spread(at(taps, weights, _INTEGER(i)))
                    for total, values in zip(sums[i], inputs, strict=True):
                        product = builder.fmul(weight, values, flags=FUSED)
                        builder.store(builder.fadd(builder.load(total), product, flags=FUSED), total)
            for i in range(ROWS):
                start = builder.add(builder.mul(builder.add(row, _INTEGER(i)), stride), first)
                for total, address in zip(sums[i], vectors_from(at(out, start)), strict=True):
                    builder.store(builder.load(total), address, align=FLOAT_BYTES)
            return context.get_dummy_value()

        return types.void(flat, starts, taps, bias, out, first, group), generate

    return tile


_wide_tile, _narrow_tile = _tile(VECTORS), _tile(1)


@njit(cache=True, nogil=True)
def accumulate(flat: np.ndarray, starts: np.ndarray, taps: np.ndarray, bias: np.ndarray, out: np.ndarray, count: int) -> None:
    """out[m, :count] = bias[m] + sum over k of weights[m, k] * flat[starts[k] : starts[k] + count].

    Parameters
    ----------
    flat : ndarray, float32, (N,)
    starts : ndarray, int64, (K,)
    taps : ndarray, float32, (M / 4, K, 4)
        The weights, from `in_tiles`.
    bias : ndarray, float32, (M,)
    out : ndarray, float32, (M, at least `count`)
    count : int
    """
    if count < LANES:
        _accumulate_few(flat, starts, taps, bias, out, count)
        return
    begin = 0
    while begin + LANES * VECTORS <= count:
        for group in range(len(taps)):
            _wide_tile(flat, starts, taps, bias, out, begin, group)
        begin += LANES * VECTORS
    while begin < count:
        first = min(begin, count - LANES)  # the last vector may begin in columns that are done, and gives the same values again
        for group in range(len(taps)):
            _narrow_tile(flat, starts, taps, bias, out, first, group)
        begin += LANES


@njit(cache=True, nogil=True, fastmath={"contract"})
def _accumulate_few(flat: np.ndarray, starts: np.ndarray, taps: np.ndarray, bias: np.ndarray, out: np.ndarray, count: int) -> None:
    """`accumulate` in columns that fill no vector."""
    for m in range(len(bias)):
        for column in range(count):
            total = bias[m]
            for k in range(len(starts)):
                total += taps[m // ROWS, k, m % ROWS] * flat[starts[k] + column]
            out[m, column] = total
