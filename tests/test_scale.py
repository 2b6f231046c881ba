"""The scale filter: its products of samples against the published form with bases, its samples, and the parabola."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from trackers.config import SHAPE_FILTER, ScaleFilterConfig
from trackers.features.fhog import fhog
from trackers.opencv import cv2
from trackers.scale import THINNEST, ScaleFilter, ShapeFilter, SideFilter, parabola_vertex

CONFIG = ScaleFilterConfig()


def scene(seed: int, height: int = 150, width: int = 190) -> np.ndarray:
    """A picture with structure at many sizes."""
    rng = np.random.default_rng(seed)
    layers = [cv2.resize(rng.normal(size=(n, n, 3)), (width, height), interpolation=cv2.INTER_CUBIC) for n in (4, 9, 20, 45)]
    return np.clip(128 + 40 * sum(layers), 0, 255).astype(np.uint8)


def zoomed(image: np.ndarray, factor: float, centre: tuple[float, float], aspect: float = 1.0) -> np.ndarray:
    """The picture about `centre`, larger by `factor`, and again taller by `aspect` and narrower by it."""
    tall, wide = factor * aspect, factor / aspect
    matrix = np.array([[wide, 0, (1 - wide) * centre[1]], [0, tall, (1 - tall) * centre[0]]])
    return cv2.warpAffine(image, matrix, (image.shape[1], image.shape[0]), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


@pytest.mark.parametrize("config", [CONFIG, dataclasses.replace(CONFIG, scales=9, interpolated=21, learning_rate=0.3)])
def test_products_of_samples_equal_the_published_form_with_bases(config):
    rng = np.random.default_rng(1)
    filter_, twin = ScaleFilter((30, 20), (30, 20), config), naive.ScaleFilter(config)
    image = scene(1)
    sample = filter_.sample(image, (70, 90), 1.0)
    for frame in range(6):
        filter_.sample = lambda *_, s=sample: s
        filter_.learn(image, (70, 90), 1.0)
        twin.learn(sample.T)
        del filter_.sample
        sample = filter_.sample(image, (70 + frame, 90 - frame), 1.03**frame) + 0.02 * rng.random(sample.shape, np.float32)
        response = filter_.response(sample)
        assert response.shape == (config.interpolated,)
        # products of float32 samples; the divisor's smallest values magnify what is lost in them
        assert naive.difference(response, twin.response(sample.T)) < 1e-5
        filter_.sample = lambda *_, s=sample: s
        factors = config.step ** np.fft.ifftshift(np.arange(config.interpolated) - config.interpolated // 2)
        best = int(np.argmax(twin.response(sample.T)))
        if best not in (config.interpolated // 2, config.interpolated // 2 + 1):
            around = [best - 1, best, (best + 1) % config.interpolated]
            a, b, _ = np.polyfit(factors[around], twin.response(sample.T)[around], 2)
            assert filter_.change(image, (70, 90), 1.0) == pytest.approx(-b / (2 * a), rel=1e-5)
        del filter_.sample


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("target", "base", "centre", "scale"),
    [
        ((30, 20), (30, 20), (70.0, 90.0), 1.0),
        ((20, 45), (40, 90), (70.6, 90.2), 0.5),
        ((25, 25), (25, 25), (3.0, 187.9), 1.3),
        ((90, 60), (40, 27), (75.0, 95.5), 2.25),
        ((90, 130), (18, 26), (75.0, 95.5), 6.9),  # decimated
        ((9, 9), (18, 18), (-4.0, 80.0), 0.5),
    ],
)
def test_samples_equal_their_definition(target, base, centre, scale, channels):
    image = scene(2)[:, :, :channels]
    model = tuple(max(int(side * min((512 / (target[0] * target[1])) ** 0.5, 1)), 8) for side in target)
    factors = scale * 1.02 ** (np.arange(-8, 9) * 33 / 17)
    patches = naive.scale_patches(image, centre, base, factors, model)
    filter_ = ScaleFilter(target, base, CONFIG)
    found = filter_.patches(image, centre, scale)
    apart = np.abs(found.astype(int) - patches)
    assert apart.max() <= 1 and (apart > 0).mean() < 0.04  # of so few pixels many means lie halfway, and INTER_AREA sums in another order
    np.testing.assert_array_equal(filter_.sample(image, centre, scale), np.stack([fhog(patch).ravel() for patch in found]))


@pytest.mark.parametrize("factor", [0.88, 0.94, 1.0, 1.05, 1.12])
def test_a_zoom_is_found(factor):
    centre, image, scale = (75.0, 95.0), scene(3), 1.0
    filter_ = ScaleFilter((40, 34), (40, 34), CONFIG)
    filter_.learn(image, centre, scale)
    picture = zoomed(image, factor, centre)
    for _ in range(5):  # one estimate falls short of a large change: the window along the scales favours the present one
        scale *= filter_.change(picture, centre, scale)
    assert scale == pytest.approx(factor, abs=0.02)  # the patches' sides are whole pixels, 1 of 40


@pytest.mark.parametrize(("factor", "aspect"), [(1.0, 1.0), (0.9, 1.0), (1.1, 1.0), (1.0, 0.92), (1.0, 1.1), (1.05, 0.95), (0.94, 1.07)])
@pytest.mark.parametrize("sides", [(40, 34), (17, 23)])
def test_a_zoom_and_a_stretch_are_found(factor, aspect, sides):
    centre, image, scale = (75.3, 95.6), scene(3), 1.0
    filter_ = ShapeFilter(sides, sides, SHAPE_FILTER)
    filter_.learn(image, centre, scale)
    picture = zoomed(image, factor, centre, aspect)
    for _ in range(8):
        scale *= filter_.change(picture, centre, scale)
    assert scale == pytest.approx(factor, abs=0.015)
    assert filter_.aspect == pytest.approx(aspect, abs=0.015)


@pytest.mark.parametrize("degrees", [-20, -8, 5, 15, 40])
@pytest.mark.parametrize("sides", [(40, 34), (17, 23)])
def test_a_turn_is_found(degrees, sides):
    centre, image = (75.0, 95.0), scene(3)
    filter_ = ShapeFilter(sides, sides, dataclasses.replace(SHAPE_FILTER, angle=True))
    filter_.learn(image, centre, 1.0)
    scale = 1.0
    for turn in np.linspace(0, degrees, 2 + abs(degrees) // 10)[1:].tolist():  # a large turn does not come at once
        matrix = cv2.getRotationMatrix2D(centre[::-1], -turn, 1)  # OpenCV's angles are anticlockwise
        picture = cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
        for _ in range(8):
            scale *= filter_.change(picture, centre, scale)
            filter_.learn(picture, centre, scale)
    assert np.rad2deg(filter_.angle) == pytest.approx(degrees, abs=2)
    assert scale == pytest.approx(1, abs=0.03)


def test_a_target_that_has_hardly_turned_is_upright():
    filter_ = ShapeFilter((40, 34), (40, 34), dataclasses.replace(SHAPE_FILTER, angle=True))
    for degrees, expected in ((2.9, 0), (-2.9, 0), (3.1, 3.1), (-3.1, -3.1)):
        filter_._turned = np.deg2rad(degrees)
        assert np.rad2deg(filter_.angle) == pytest.approx(expected)


def test_the_ratio_of_sides_stays_within_its_limits():
    filter_ = ShapeFilter((40, 34), (40, 34), SHAPE_FILTER)
    filter_.learn(scene(3), (75, 95), 1.0)
    for factor, limit in ((1.5, THINNEST), (1 / 1.5, 1 / THINNEST)):
        filter_._aspect.change = lambda *_, factor=factor: factor
        for _ in range(5):
            filter_.change(scene(3), (75, 95), 1.0)
        assert filter_.aspect == limit


def test_the_outermost_scales_have_no_weight():
    """Whatever they show: so a `SideFilter` does not look."""
    filter_ = SideFilter((40, 34), (40, 34), SHAPE_FILTER, (1, -1, 0))
    sample = filter_.sample(scene(3), (75, 95), 1.0)
    filter_.learn(scene(4), (75, 95), 1.0)
    expected = filter_.response(sample)
    sample[[0, -1]] = 1.0
    np.testing.assert_allclose(filter_.response(sample), expected, rtol=0, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("powers", [(1, 1, 0), (1, -1, 0)])
@pytest.mark.parametrize(("target", "scale"), [((30, 20), 1.0), ((9, 12), 0.7), ((90, 130), 2.3), ((130, 60), 6.5)])
def test_patches_of_real_sides_follow_the_centre(target, scale, powers):
    """A picture moved by a part of a pixel, and the centre with it, leaves the patches as they are."""
    ramp = np.add.outer(np.arange(900), 0.5 * np.arange(1000)) / 6
    base = tuple(side / scale for side in target)
    filter_ = SideFilter(target, base, SHAPE_FILTER, powers)
    patches = []
    for move in (0.0, 0.3, 0.8):
        image = np.clip(np.rint(ramp - move / 6), 0, 255).astype(np.uint8)[:, :, None]
        patches.append(filter_.patches(image, (380.2 + move, 420.6), scale).astype(int))
    assert patches[0].shape == (7, *filter_._model, 1)
    assert all(np.abs(patch - patches[0]).max() <= 2 for patch in patches)


def test_learning_moves_the_filter_by_its_rate():
    image, other = scene(4), scene(5)
    quick = ScaleFilter((40, 34), (40, 34), dataclasses.replace(CONFIG, learning_rate=1.0))
    fresh = ScaleFilter((40, 34), (40, 34), CONFIG)
    quick.learn(image, (70, 90), 1.0)
    quick.learn(other, (70, 90), 1.0)
    fresh.learn(other, (70, 90), 1.0)
    sample = fresh.sample(other, (72, 91), 1.05)
    assert naive.difference(quick.response(sample), fresh.response(sample)) < 1e-6


def test_the_range_ends_unless_it_wraps_as_published():
    response = np.zeros(33)
    factors = 1.02 ** np.fft.ifftshift(np.arange(33) - 16)
    for best in (16, 17):
        response[:] = 0
        response[[best - 1, best, best + 1]] = 1, 3, 2
        bounded, wrapping = (ScaleFilter((30, 20), (30, 20), CONFIG, wrap=wrap)._best_factor(response) for wrap in (False, True))
        assert bounded == factors[best]
        a, b, _ = np.polyfit(factors[[best - 1, best, best + 1]], [1, 3, 2], 2)
        assert wrapping == pytest.approx(-b / (2 * a), rel=1e-9)
    response[:] = 0
    response[[32, 0, 1]] = 2, 3, 2  # round the present scale the indices wrap, not the scales
    for wrap in (False, True):
        assert ScaleFilter((30, 20), (30, 20), CONFIG, wrap=wrap)._best_factor(response) == pytest.approx(1, abs=1e-3)


@settings(max_examples=100, deadline=None)
@given(
    st.floats(-3, 3), st.floats(0.01, 1), st.floats(0.01, 1), st.floats(-2, 2), st.floats(0.1, 2), st.floats(-1, 1),
    st.sampled_from([1, -1]),
)  # fmt: skip
def test_parabola_vertex_equals_polyfit(start, first, second, vertex, curvature, height, sign):
    x = np.array([start, start + first, start + first + second])
    y = sign * curvature * (x - vertex) ** 2 + height
    assert parabola_vertex(x, y) == pytest.approx(vertex, abs=1e-5)
    a, b, _ = np.polyfit(x, y, 2)
    assert parabola_vertex(x, y) == pytest.approx(-b / (2 * a), abs=1e-5)
    assert parabola_vertex(x[[2, 0, 1]], y[[2, 0, 1]]) == pytest.approx(vertex, abs=1e-5)  # any order, as at the ends of the range


@pytest.mark.parametrize("slope", [0.0, 1.0, -2.0])
def test_parabola_vertex_of_a_line_is_its_middle_point(slope):
    x = np.array([1.0, 2.0, 3.0])
    assert parabola_vertex(x, slope * x) == 2.0
