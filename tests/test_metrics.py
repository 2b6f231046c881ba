"""Metrics against counted pixels, the values that the definitions give by hand, and the OTB toolkit's own curves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmarks.metrics import (
    INVALID,
    auc,
    average_overlap,
    centre_error,
    frame_values,
    normalised_errors,
    normalised_precision_curve,
    overlap,
    precision,
    precision_curve,
    repaired,
    success_curve,
)
from benchmarks.sequences import Sequence
from tests.otb_toolkit import TRACKERS, Toolkit

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


# runs, by the rules of OTB


def sequence(boxes):
    """A target with these boxes, as OTB's files have them."""
    boxes = np.array(boxes, float)
    return Sequence("Cup", "Cup", (), boxes - (1, 1, 0, 0), (boxes > 0).all(axis=1), 1)


TRUTH = np.array([(10 + 3 * k, 20 + 2 * k, 30 + k, 20) for k in range(8)], float)


def test_curves_are_those_of_the_toolkit(shared):
    """All 400, of four trackers on 100 targets, to the last bit."""
    toolkit = Toolkit(shared("reference/otb_matlab.npz"))
    assert len(toolkit.sequences) == 100
    for tracker in TRACKERS:
        assert {toolkit.differences(tracker, target, toolkit.boxes(tracker, target)) for target in toolkit.sequences} == {0}


def test_perfect_boxes():
    target = sequence(TRUTH)
    overlaps, errors = frame_values(target.boxes, target)
    np.testing.assert_array_equal(success_curve(overlaps), [1] * 20 + [0])
    np.testing.assert_array_equal(precision_curve(errors), np.ones(51))
    np.testing.assert_array_equal(normalised_precision_curve(normalised_errors(target.boxes, target)), np.ones(51))
    assert auc(overlaps) == 20 / 21 and average_overlap(overlaps) == 1


def test_the_first_box_is_the_truth():
    target = sequence(TRUTH)
    overlaps, errors = frame_values(np.add(target.boxes, (500, 0, 0, 0)), target)
    assert overlaps.tolist() == [1] + [0] * 7 and errors.tolist() == [0] + [500] * 7
    assert auc(overlaps) == pytest.approx(20 / 21 / 8)
    assert precision_curve(errors)[20] == 1 / 8


def test_overlaps_and_errors_on_a_threshold():
    """6 of 10 rows are above 0.55 but not above 0.6; a distance of 20 counts at 20 pixels."""
    target = sequence([(10, 10, 10, 10)] * 2)
    curve = success_curve(frame_values([(9, 9, 10, 10), (9, 9, 10, 6)], target)[0])
    assert (curve[11], curve[12]) == (1, 0.5)
    curve = precision_curve(frame_values([(9, 9, 10, 10), (21, 25, 10, 10)], target)[1])
    assert (curve[19], curve[20]) == (0.5, 1)


def test_an_annotation_that_is_none_is_a_miss_and_a_hit():
    rows = TRUTH.copy()
    rows[5] = 0
    target = sequence(rows)
    overlaps, errors = frame_values(TRUTH - (1, 1, 0, 0), target)
    assert overlaps[5] == errors[5] == INVALID
    assert auc(overlaps) == pytest.approx(20 / 21 * 7 / 8)
    assert precision_curve(errors).tolist() == [1] * 51
    assert normalised_precision_curve(normalised_errors(TRUTH - (1, 1, 0, 0), target)).tolist() == [1] * 51
    assert average_overlap(overlaps) == 1


def test_what_is_shifted_alone_is_worse():
    shift = np.array([7, 9, 0, 0])
    target, both = sequence(TRUTH), sequence(TRUTH + shift)
    boxes = target.boxes + np.random.default_rng(0).normal(0, 5, (8, 4))
    for alone, together in zip(frame_values(boxes, target), frame_values(boxes + shift, both), strict=True):
        np.testing.assert_allclose(together, alone, atol=1e-12)
    assert auc(frame_values(target.boxes, sequence(np.add(TRUTH, (1, 1, 0, 0))))[0]) < 20 / 21


def test_repairs():
    nan = np.nan
    boxes = np.array([
        (1, 1, 0, 0),  # the truth takes its place
        (nan,) * 4,  # takes the one before, as it was given
        (12, 22, 0, 20),
        (13, 23, 5, 5),
        (13, nan, 5, 5),  # stays
        (14, 24, 5, -1),
        (nan, nan, 0, nan),
        (15, 25, 5, 5),
    ])  # fmt: skip
    expected = boxes[[0, 0, 0, 3, 4, 4, 4, 7]]
    expected[0] = TRUTH[0]
    np.testing.assert_array_equal(repaired(boxes, TRUTH), expected)
    truth = TRUTH.copy()
    truth[2, 0] = nan  # nothing is repaired where there is no truth
    expected[2] = boxes[2]
    np.testing.assert_array_equal(repaired(boxes, truth), expected)


@pytest.mark.parametrize(("bad", "overlaps"), [((np.nan,) * 4, 1), ((0, 0, 0, 0), 1), ((10, 10, 30, 0), 1), ((9, np.nan, 30, 20), np.nan)])
def test_a_box_that_is_none_counts_as_the_one_before(bad, overlaps):
    target = sequence([(10, 10, 30, 20)] * 3)
    boxes = target.boxes.copy()
    boxes[2] = bad
    np.testing.assert_array_equal(frame_values(boxes, target)[0], [1, 1, overlaps])


def test_normalised_errors():
    """9 pixels to the right are 0.3 of a width of 30, and 8 down 0.4 of a height of 20."""
    target = sequence([(10, 10, 30, 20)] * 3)
    errors = normalised_errors(np.add(target.boxes, [(0, 0, 0, 0), (9, 0, 0, 0), (9, 8, 0, 0)]), target)
    np.testing.assert_allclose(errors, [0, 0.3, 0.5])
    np.testing.assert_allclose(normalised_precision_curve(errors)[[0, 29, 31, 49]], [1 / 3, 1 / 3, 2 / 3, 2 / 3])
    moved = np.add(target.boxes, [(9, 0, 0, 0), (3, 4, 0, 0), (-6, 0, 12, 0)])
    np.testing.assert_allclose(centre_error(moved, target.boxes), [9, 5, 0])
