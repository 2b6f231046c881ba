"""Products of matrices without BLAS, against plain twins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfvgg.linear import RUN, accumulate, combine, in_fours, inner_products, weighted_dot
from tests import naive

seeds = st.integers(0, 2**32 - 1)


def random(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("count", [1, 2, RUN - 1, RUN, RUN + 1, 2 * RUN + 5])
def test_accumulate_equals_its_twin(count):
    flat, taps, bias = random(1, count + 40), random(2, 8, 12), random(3, 8)
    starts = np.random.default_rng(count).integers(0, 41, 12)
    out = np.full((8, count + 3), np.float32(7))
    accumulate(flat, starts, taps, bias, out, count)
    assert naive.difference(out[:, :count], naive.accumulate(flat, starts, taps, bias, count)) < 1e-6
    assert (out[:, count:] == 7).all()


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (4, 8), (12, 3)])
def test_in_fours(shape):
    matrix = np.random.default_rng(4).normal(size=shape)
    padded = in_fours(matrix)
    assert padded.dtype == np.float32
    assert padded.shape == tuple(-(-n // 4) * 4 for n in shape)
    np.testing.assert_allclose(padded[: shape[0], : shape[1]], matrix, rtol=1e-6)
    assert not padded[shape[0] :].any()
    assert not padded[:, shape[1] :].any()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 10), st.integers(1, 13), st.sampled_from([1, 2, 17, RUN, RUN + 3]), seeds)
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
