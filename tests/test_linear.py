"""Products of matrices without BLAS, against plain twins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfvgg.linear import combine, inner_products, weighted_dot
from cfvgg.tiles import LANES, VECTORS, accumulate, in_tiles
from tests import naive

seeds = st.integers(0, 2**32 - 1)


def random(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


WIDE = LANES * VECTORS
COUNTS = [1, 2, LANES - 1, LANES, LANES + 1, WIDE - 1, WIDE, WIDE + 1, 2 * WIDE + LANES + 5]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("shape", [(4, 1), (8, 12), (12, 7)])
def test_accumulate_equals_its_twin(count, shape):
    flat, matrix, bias = random(1, count + 40), random(2, *shape), random(3, shape[0])
    starts = np.random.default_rng(count).integers(0, 41, shape[1])
    out = np.full((shape[0], count + 3), np.float32(7))
    accumulate(flat, starts, in_tiles(matrix), bias, out, count)
    assert naive.difference(out[:, :count], naive.accumulate(flat, starts, matrix, bias, count)) < 1e-6
    assert (out[:, count:] == 7).all()


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (4, 8), (12, 3)])
def test_in_tiles(shape):
    matrix = np.random.default_rng(4).normal(size=shape)
    tiles = in_tiles(matrix)
    assert tiles.dtype == np.float32
    assert tiles.shape == (-(-shape[0] // 4), shape[1], 4)
    rows = tiles.transpose(0, 2, 1).reshape(-1, shape[1])
    np.testing.assert_allclose(rows[: shape[0]], matrix, rtol=1e-6)
    assert not rows[shape[0] :].any()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 10), st.integers(1, 13), st.sampled_from(COUNTS), seeds)
def test_combine_equals_its_twin(outputs, inputs, columns, seed):
    matrix, rows = random(seed, outputs, inputs), random(seed + 1, inputs, columns)
    assert naive.difference(combine(matrix, rows), naive.combine(matrix, rows)) < 2e-6
    assert naive.difference(combine(random(seed, inputs, outputs).T, rows), naive.combine(random(seed, inputs, outputs).T, rows)) < 2e-6


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 600), seeds)
def test_inner_products_equal_their_twin(m, n, length, seed):
    left, right = random(seed, m, length), random(seed + 1, n, length)
    # single-precision sums: measured against the lengths of the rows, for the products may cancel
    bound = np.linalg.norm(left, axis=1)[:, None] * np.linalg.norm(right, axis=1)
    assert (np.abs(inner_products(left, right) - naive.inner_products(left, right)) < 1e-6 * bound).all()


def test_inner_products_of_nothing():
    assert inner_products(np.empty((0, 5), np.float32), random(5, 2, 5)).shape == (0, 2)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 600), seeds)
def test_weighted_dot_equals_its_twin(length, seed):
    left, right, weights = random(seed, length), random(seed + 1, length), random(seed + 2, length)
    bound = np.abs(left.astype(float) * right * weights).sum()
    assert abs(weighted_dot(left, right, weights) - naive.weighted_dot(left, right, weights)) < 1e-6 * bound


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_not_lost(value):
    broken = random(6, 2, 50)
    broken[1, 30] = value
    assert np.isfinite(inner_products(broken, broken)).tolist() == [[True, False], [False, False]]
    assert not np.isfinite(weighted_dot(broken[1], broken[0], broken[0]))
    assert np.isfinite(combine(random(7, 4, 2), broken)).all(0).tolist() == [column != 30 for column in range(50)]
