"""Crops and resizes, against the definitions of PORTING 2."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from trackers.opencv import cv2
from trackers.patch import (
    automatic,
    bilinear,
    box_means,
    crop,
    gather,
    grey,
    middle_patch,
    resize,
    resize_about,
    resize_nested,
    round_half_away,
    sample_patch,
    turned,
    turned_patch,
)

seeds = st.integers(0, 2**32 - 1)


def random_image(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize(
    ("x", "rounded"), [(0.5, 1), (-0.5, -1), (1.5, 2), (2.5, 3), (-2.5, -3), (0.49, 0), (-0.49, 0), (216.5, 217), (-1.2, -1), (7.0, 7)]
)
def test_halves_are_rounded_away_from_zero(x, rounded):
    assert round_half_away(x) == rounded
    assert isinstance(round_half_away(x), int)


@pytest.mark.parametrize("channels", [1, 3])
def test_gather_equals_its_twin(channels):
    image, rng = random_image(1, 9, 12, channels), np.random.default_rng(2)
    rows, columns = rng.integers(0, 9, 7), rng.integers(0, 12, 20)
    for view in (image, image[::-1, :, ::-1], np.asfortranarray(image)):
        np.testing.assert_array_equal(gather(view, rows, columns), naive.gather(view, rows, columns))


@settings(max_examples=100, deadline=None)
@given(
    height=st.integers(1, 30), width=st.integers(1, 30), row=st.integers(-60, 60), column=st.integers(-60, 60), rows=st.integers(1, 20),
    columns=st.integers(1, 20), step=st.integers(1, 4),
)  # fmt: skip
def test_crop_repeats_the_outermost_pixels_of_its_raster(height, width, row, column, rows, columns, step):
    image = random_image(3, height, width, 3)
    raster = image[row % step :: step, column % step :: step]
    if raster.size:
        places = [[min(max(start // step + i, 0), side - 1) for i in range(count)]
                  for start, count, side in zip((row, column), (rows, columns), raster.shape[:2], strict=True)]  # fmt: skip
        expected = raster[np.ix_(*places)]
    patch = crop(image, (row, column), (rows, columns), step)
    assert patch.shape == (rows, columns, 3)
    if raster.size:
        np.testing.assert_array_equal(patch, expected)


@settings(max_examples=100, deadline=None)
@given(
    height=st.integers(4, 60), width=st.integers(4, 60), row=st.floats(-30, 90), column=st.floats(-30, 90), side=st.floats(0.1, 130),
    output=st.integers(4, 40), channels=st.sampled_from([1, 3]), seed=seeds,
)  # fmt: skip
def test_sample_patch_equals_its_twin(height, width, row, column, side, output, channels, seed):
    image = random_image(seed, height, width, channels)
    step = max(int(side / output - 0.1), 1)
    if height <= step or width <= step:  # of a decimated picture one pixel must be left
        return
    patch = sample_patch(image, (row, column), side, output)
    assert patch.shape == (output, output, channels)
    np.testing.assert_array_equal(patch, naive.sample_patch(image, (row, column), side, output))


def test_a_sample_of_its_own_size_is_the_picture():
    image = random_image(4, 21, 21, 3)
    np.testing.assert_array_equal(sample_patch(image, (10, 10.9), 21.4, 21), image)
    np.testing.assert_array_equal(sample_patch(image, (-500, -500), 21, 21), np.broadcast_to(image[0, 0], (21, 21, 3)))


def test_sample_patch_takes_two_pixels_at_least():
    image = random_image(5, 10, 10, 1)
    expected = cv2.resize(image[4:6, 6:8], (8, 8), interpolation=cv2.INTER_LINEAR)[..., None]
    np.testing.assert_array_equal(sample_patch(image, (4, 6), 0.01, 8), expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(-20, 60), st.integers(-20, 60), st.floats(0.1, 130), st.integers(4, 40), seeds)
def test_the_middle_pixel_of_a_middle_patch_is_at_its_centre(row, column, side, output, seed):
    image = random_image(seed, 40, 40, 3)
    step = max(int(side / output - 0.1), 1)
    half = max(round((side / step - 1) / 2), 1)
    cut = crop(image, (row - half * step, column - half * step), (2 * half + 1, 2 * half + 1), step)
    expected = cv2.resize(cut, (output, output), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(middle_patch(image, (row, column), side, output), expected)


LAYOUTS = {
    "R, G, B": lambda image: image,
    "B, G, R": lambda image: np.ascontiguousarray(image[:, :, ::-1])[:, :, ::-1],
    "one of more": lambda image: np.repeat(image, 2, axis=2)[:, :, : 2 * image.shape[2] : 2],
    "upside down": lambda image: np.ascontiguousarray(image[::-1])[::-1],
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1])[:, ::-1],
    "columns first": np.asfortranarray,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("first", [(3, 4), (-2, 4), (33, 4), (3, 41)])
def test_crop_and_resize_do_not_depend_on_the_layout(layout, channels, first):
    image = np.random.default_rng(6).integers(0, 256, (40, 50, channels), np.uint8)
    cut = np.pad(image, [(60, 60), (60, 60), (0, 0)], "edge")[first[0] + 60 :, first[1] + 60 :][:10, :12]
    for shape in ((10, 12), (7, 8), (15, 13)):
        expected = cv2.resize(cut, shape[::-1], interpolation=cv2.INTER_LINEAR).reshape(*shape, channels)
        found = resize(crop(LAYOUTS[layout](image), first, (10, 12)), shape, cv2.INTER_LINEAR)
        np.testing.assert_array_equal(found, expected)
        assert found.flags.c_contiguous


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(10, 12), (24, 16), (6, 40), (5, 12)])
def test_resize_keeps_the_axes(channels, shape):
    image = random_image(6, 10, 12, channels)
    for interpolation in (cv2.INTER_LINEAR, cv2.INTER_AREA):
        resized = resize(image, shape, interpolation)
        assert resized.shape == (*shape, channels)
        for channel in range(channels):
            np.testing.assert_array_equal(resized[..., channel], resize(image[..., channel : channel + 1], shape, interpolation)[..., 0])
    ramp = np.repeat(np.arange(0, 240, 24, dtype=np.uint8)[:, None, None], 12, axis=1)
    assert (np.diff(resize(ramp, (20, 6), cv2.INTER_LINEAR)[..., 0].astype(int), axis=0) >= 0).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 60), st.integers(3, 60), st.integers(1, 30), st.integers(1, 30), seeds)
def test_area_of_opencv_24_is_a_mean_over_cells(height, width, h, w, seed):
    image = random_image(seed, height, width, 3)
    h, w = min(h, height), min(w, width)
    mean = naive.box_means(image, (h, w))
    # half a grey value of rounding, and what the two neglected shares of less than 1e-3 of a pixel weigh
    assert np.abs(naive.area_resize_24(image, (h, w)) - mean).max() < 0.5 + 2 * 2e-3 * 255


def test_area_of_opencv_24_is_nearly_todays():
    rng, off, count = np.random.default_rng(7), 0, 0
    for _ in range(30):
        height, width, h, w = *rng.integers(30, 70, 2), *rng.integers(8, 28, 2)
        if height == 2 * h and width == 2 * w:
            continue
        image = random_image(rng.integers(1000), height, width, 3)
        change = np.abs(naive.area_resize_24(image, (h, w)).astype(int) - resize(image, (h, w), cv2.INTER_AREA))
        assert change.max() <= 1
        off, count = off + (change > 0).sum(), count + change.size
    assert off < 2e-3 * count


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 3]), seeds)
def test_box_means_equal_their_twin(height, width, rows, columns, channels, seed):
    image, top, left = random_image(seed, height + 5, width + 4, channels), 2, 3
    sums = np.zeros((height + 6, width + 5, channels), np.int32)
    sums[1:, 1:] = image.cumsum(0).cumsum(1)
    out = np.empty((rows, columns, channels), np.uint8)
    box_means(sums, top, left, (height, width), out)
    expected = naive.box_means(image[top : top + height, left : left + width], (rows, columns))
    assert (np.abs(out - expected) < 0.5 + 1e-6).all()


@pytest.mark.parametrize("layout", ["R, G, B", "B, G, R"])
@pytest.mark.parametrize("channels", [1, 3])
def test_resize_nested_is_nearly_that_of_opencv(channels, layout):
    image, shapes, output = random_image(8, 90, 70, channels), [(20, 17), (30, 31), (63, 40), (90, 70)], (24, 22)
    found = resize_nested(LAYOUTS[layout](image), shapes, output)
    for result, (height, width) in zip(found, shapes, strict=True):
        middle = image[45 - height // 2 :][:height, 35 - width // 2 :][:, :width]
        apart = np.abs(result.astype(int) - resize(middle, output, automatic((height, width), output)))
        assert apart.max() <= 1 and (apart > 0).mean() < 0.02


@settings(max_examples=60, deadline=None)
@given(
    st.floats(1, 30), st.floats(1, 30), st.floats(0, 1), st.floats(0, 1), st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 3]),
    seeds,
)  # fmt: skip
def test_bilinear_equals_its_twin(height, width, down, right, rows, columns, channels, seed):
    region, sides = random_image(seed, 40, 36, channels), np.array([(height, width), (height / 2, width / 3)])
    middle = np.array([19.5 + down, 17.5 + right])
    found = bilinear(region, middle, sides, rows, columns)
    assert (np.abs(found - naive.bilinear(region, middle, sides, rows, columns)) < 0.5 + 1e-3).all()


@settings(max_examples=60, deadline=None)
@given(st.floats(-20, 220), st.floats(-20, 220), st.floats(0.3, 90), st.floats(0.3, 90), st.integers(1, 4), st.integers(4, 30))
def test_rectangles_of_a_ramp_are_ramps(row, column, height, width, step, output):
    """Whatever is averaged on the way, a ramp's values are those of its coordinates, also beyond the picture, where its border goes on."""
    ramp = np.arange(200, dtype=np.uint8)
    image = np.dstack(np.broadcast_arrays(ramp[:, None], ramp[None]))
    sides = [(height, width), (width, height)]
    found = resize_about(np.dstack([image, image[:, :, :1]]), (row, column), sides, (output, output + 1), step)
    for patch, pair in zip(found, sides, strict=True):
        for axis, (centre, side, count) in enumerate(zip((row, column), pair, patch.shape, strict=False)):
            places = centre + side * ((np.arange(count) + 0.5) / count - 0.5)
            inside = (places > 3 * step + side / count) & (places < 199 - 3 * step - side / count)
            line = np.moveaxis(patch[:, :, axis], axis, 0)[inside]
            assert (np.abs(line - places[inside, None]) < 1 + 1e-3).all()  # means are rounded, and again what lies between them


@settings(max_examples=60, deadline=None)
@given(st.floats(60, 140), st.floats(60, 140), st.floats(3, 60), st.floats(3, 60), st.floats(-7, 7), st.integers(4, 30))
def test_turned_rectangles_of_a_ramp_are_turned_ramps(row, column, height, width, angle, output):
    ramp = np.arange(200, dtype=np.uint8)
    image = np.dstack(np.broadcast_arrays(ramp[:, None], ramp[None]))
    found = resize_about(np.dstack([image, image[:, :, :1]]), (row, column), [(height, width)], (output, output + 1), angles=[angle])
    down, right = (side * ((np.arange(n) + 0.5) / n - 0.5) for side, n in ((height, output), (width, output + 1)))
    rows = row + math.sin(angle) * right + math.cos(angle) * down[:, None]
    columns = column + math.cos(angle) * right - math.sin(angle) * down[:, None]
    for channel, expected in enumerate((rows, columns)):
        # means are rounded, and again what lies between them, which OpenCV takes to a 32nd of a pixel
        assert np.abs(found[0, :, :, channel] - expected).max() < 1.1


def test_offsets_turn_from_the_x_axis_towards_the_y_axis():
    assert turned((0.0, 2.0), math.pi / 2) == pytest.approx((2.0, 0.0))
    assert turned(turned((3.0, -1.5), 0.7), -0.7) == pytest.approx((3.0, -1.5))
    place = np.zeros((101, 101, 1), np.uint8)
    place[50 + 20, 50] = 255  # 20 below the middle is 20 to the right in a sample that is turned by a right angle
    assert np.unravel_index(turned_patch(place, (50, 50), 61, 61, math.pi / 2).argmax(), (61, 61)) == (30, 50)


@pytest.mark.parametrize("side", [40.3, 61, 150.7, 300.2])
def test_a_patch_that_is_hardly_turned_is_the_one_that_is_not(side):
    image = cv2.GaussianBlur(random_image(10, 200, 220, 3), (0, 0), 3)
    difference = turned_patch(image, (100, 110), side, 61, 1e-9).astype(float) - middle_patch(image, (100, 110), side, 61)
    assert np.abs(difference).mean() < 0.7  # the latter's sides are odd numbers of pixels


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("centre", "side"), [((20.0, 25.0), 9), ((1.5, 48.5), 12), ((20.0, 25.0), 31)])
def test_rectangles_do_not_depend_on_the_layout(layout, centre, side):
    image = random_image(9, 40, 50, 3)
    found = resize_about(LAYOUTS[layout](image), centre, [(side, side)], (side, side))
    first = [int(c - (side - 1) / 2) for c in centre]
    np.testing.assert_array_equal(found[0], crop(image, first, (side, side)))  # whole pixels are taken as they are
    small = resize_about(LAYOUTS[layout](image), centre, [(33.3, 31.7)], (8, 8))
    np.testing.assert_array_equal(small, resize_about(image, centre, [(33.3, 31.7)], (8, 8)))


@pytest.mark.parametrize("change", [lambda p: p, lambda p: p[:, :, ::-1], lambda p: p[::2, ::3], lambda p: p[:, ::-1, ::-1]])
def test_grey_is_luma_of_any_view_and_a_copy(change):
    image = random_image(0, 13, 18, 3)
    seen = change(image)
    found = grey(seen)
    np.testing.assert_allclose(found[:, :, 0], seen @ [0.299, 0.587, 0.114], atol=1)  # Rec. 601
    np.testing.assert_array_equal(grey(seen[:, :, :1]), seen[:, :, :1])
    for copied in (found, grey(seen[:, :, :1])):
        assert not np.shares_memory(copied, image)
