"""The colour model: kernels against plain twins, and where it sees a target of another colour than what is around it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import trackers
from tests import naive
from trackers.filters.colour_model import BINS, RATE, ColourModel, box_means_around, colour_shares

seeds = st.integers(0, 2**32 - 1)
RED, GREEN = (200, 30, 30), (30, 160, 60)


def picture(row, column, height=30, width=20, colour=RED):
    """A box of one colour around (row, column), in a picture of another."""
    image = np.full((160, 200, 3), GREEN, np.uint8)
    image[row - height // 2 : row + height - height // 2, column - width // 2 : column + width - width // 2] = colour
    return image


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 21), st.integers(1, 21), st.floats(-2, 22), st.floats(-2, 22), st.floats(1, 30), st.floats(1, 30), seeds)
def test_shares_of_colours_equal_their_twin(rows, columns, row, column, height, width, seed):
    patch = np.random.default_rng(seed).integers(0, 256, (rows, columns, 3)).astype(np.uint8)
    for bins in (4, 16):
        for actual, expected in zip(
            colour_shares(patch, row, column, height, width, bins),
            naive.colour_shares(patch, row, column, height, width, bins),
            strict=True,
        ):
            np.testing.assert_allclose(actual, expected, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 11), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), seeds)
def test_means_in_boxes_equal_their_twin(n, step, half_height, half_width, seed):
    rng = np.random.default_rng(seed)
    patch, values = rng.integers(0, 256, (n * step, n * step, 3)).astype(np.uint8), rng.random(64).astype(np.float32)
    actual = box_means_around(patch, values, half_height, half_width, step)
    np.testing.assert_allclose(actual, naive.box_means_around(patch, values, half_height, half_width, step), atol=1e-6)


@pytest.mark.parametrize("output", [24, 25])
@pytest.mark.parametrize(("dy", "dx"), [(0, 0), (16, -8), (-20, 24)])
@pytest.mark.parametrize("scale", [0.5, 1.0])
def test_the_response_is_highest_where_the_colours_are(output, dy, dx, scale):
    model, sides = ColourModel(4.0 * output / scale, output), (30 / scale, 20 / scale)
    model.learn(picture(80, 100), (79.5, 99.5), scale, sides, 0.0)
    response = model.respond(picture(80 + dy, 100 + dx), (80, 100), scale, sides, 0.0)
    assert response.shape == (output, output) and response.dtype == np.float32
    assert response.min() >= 0 and response.max() <= 1 + 1e-6
    half = output // 2
    centred = np.roll(response, (half, half), (0, 1))
    peaks = np.argwhere(centred > centred.max() - 1e-3).mean(0) - half  # boxes are smaller than the target: several fit into it
    np.testing.assert_allclose(peaks, (dy / 4, dx / 4), atol=0.5)


def test_colours_follow_the_target():
    model, place = ColourModel(100, 25), ((79.5, 99.5), 1.0, (30, 20), 0.0)
    model.learn(picture(80, 100), *place)
    before = model._inside.copy()
    model.learn(picture(80, 100, colour=(30, 30, 200)), *place)
    red, blue = (naive.colour_bin(np.array(colour), BINS) for colour in (RED, (30, 30, 200)))
    assert before[red] == 1 and before[blue] == 0
    np.testing.assert_allclose(model._inside[[red, blue]], [1 - RATE, RATE], atol=1e-6)


def test_a_turned_target_is_seen_upright():
    model, turn = ColourModel(100, 25), np.pi / 2
    model.learn(picture(80, 100, 40, 10), (79.5, 99.5), 1.0, (40, 10), 0.0)
    lying, place = picture(80, 100, 10, 40), ((80, 100), 1.0, (40, 10))
    assert model.respond(lying, *place, turn)[0, 0] > 0.95 > 0.5 > model.respond(lying, *place, 0.0)[0, 0]


@pytest.mark.parametrize("name", ["fECO", "STRCF"])
def test_only_colour_sequences_have_colours_and_published_trackers_none(name):
    image = picture(80, 100)
    for options, frame, wanted in (({}, image, True), ({}, image[:, :, 1], False), ({"published": True}, image, False)):
        tracker = getattr(trackers, name)(**options)
        tracker.init(frame, (90, 65, 20, 30))
        assert (tracker._target._colours is not None) == wanted


@pytest.mark.parametrize("name", ["fECO", "STRCF"])
def test_with_a_share_of_one_colours_alone_say_where_the_target_is(name):
    noise = np.random.default_rng(0).integers(-20, 20, (2, 160, 200, 3))
    first, second = (
        np.clip(picture(*place) + one, 0, 255).astype(np.uint8) for place, one in zip(((80, 100), (86, 92)), noise, strict=True)
    )
    tracker = getattr(trackers, name)(colour_share=1.0, scale_filter=False, recovery=False, channel_order="RGB")
    tracker.init(first, (90, 65, 20, 30))
    _, (x, y, width, height) = tracker.update(second)
    np.testing.assert_allclose((y + height / 2, x + width / 2), (86, 92), atol=2)
