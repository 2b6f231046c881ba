"""Metrics against counted pixels and the values that the definitions give by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmarks.metrics import auc, overlap, precision

whole_boxes = st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 9), st.integers(1, 9))


def pixels(box) -> np.ndarray:
    x, y, w, h = box
    picture = np.zeros((24, 24), bool)
    picture[y : y + h, x : x + w] = True
    return picture


@given(st.lists(st.tuples(whole_boxes, whole_boxes), min_size=1, max_size=8))
def test_overlap_is_the_share_of_common_pixels(pairs):
    a, b = (np.array(boxes) for boxes in zip(*pairs, strict=True))
    expected = [(pixels(one) & pixels(other)).sum() / (pixels(one) | pixels(other)).sum() for one, other in pairs]
    np.testing.assert_allclose(overlap(a, b), expected, rtol=1e-15)


def test_overlap_of_parts_of_pixels():
    assert overlap([[0.25, -1, 2, 2]], [[1.25, -1, 2, 2]])[0] == pytest.approx(1 / 3)
    assert np.isnan(overlap([[np.nan, 0, 2, 2]], [[0, 0, 2, 2]])[0])


@pytest.mark.parametrize(
    ("value", "thresholds_below"), [(0, 0), (1e-9, 1), (0.15, 3), (0.35, 7), (0.6, 12), (0.7, 14), (0.95, 19), (1, 20)]
)
def test_auc_counts_thresholds_strictly_below(value, thresholds_below):
    assert auc(np.array([value])) == pytest.approx(thresholds_below / 21)


@given(arrays(float, st.integers(1, 50), elements=st.floats(0, 1)))
def test_auc_is_the_mean_overlap_rounded_up(overlaps):
    # design note on OTB: mean(ceil(20 o)) / 21, where no overlap lies on a threshold
    overlaps = np.floor(overlaps * 1000) / 1000 + 0.0003
    assert auc(overlaps) == pytest.approx(np.minimum(np.ceil(20 * overlaps), 21).mean() / 21)


def test_nan_is_a_miss():
    assert auc(np.array([1, np.nan])) == pytest.approx(10 / 21)
    assert precision([[0, 0, 2, 2], [np.nan, 0, 2, 2]], [[0, 0, 2, 2]] * 2) == 0.5


def test_precision_includes_the_radius():
    truth = [[10, 10, 4, 6]] * 3
    boxes = [[22, 26, 4, 6], [22.01, 26, 4, 6], [20, 23, 8, 12]]  # centres (12, 16), a little more, and (12, 16) away
    assert precision(boxes, truth) == pytest.approx(2 / 3)
    assert precision(boxes, truth, pixels=19) == 0
