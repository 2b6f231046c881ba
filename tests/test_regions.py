"""Overlaps of regions: against the VOT toolkit, plain twins, and areas known beforehand."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from benchmarks import regions as module
from benchmarks.metrics import overlap
from benchmarks.regions import bounding_rectangles, equal_area_rectangles, polygon_overlap, raster_overlap
from tests import naive, vot_cases

SIZE = vot_cases.SIZE
coordinates, sides = st.floats(-30, 190), st.floats(1, 90)


@st.composite
def turned(draw):
    """Corners of a rectangle at any angle, in either direction."""
    x, y, w, h, angle = draw(coordinates), draw(coordinates), draw(sides), draw(sides), draw(st.floats(0, 2 * math.pi))
    along, across = np.array([math.cos(angle), math.sin(angle)]) * w, np.array([-math.sin(angle), math.cos(angle)]) * h
    points = np.array([x, y]) + np.array([0 * along, along, along + across, across])
    return points[:: draw(st.sampled_from([1, -1]))].ravel()


boxes = st.tuples(coordinates, coordinates, sides, sides).map(np.array)
regions = st.one_of(boxes, turned())


def test_whole_pixels_as_in_the_toolkit():
    expected = json.loads((Path(__file__).parent / "vot_toolkit.json").read_text())["overlaps"]
    assert sum(0 < value < 1 for value in expected) > 300
    assert [raster_overlap(a, b, SIZE) for a, b in vot_cases.pairs(len(expected))] == expected


@pytest.mark.parametrize("count", [300])
def test_whole_pixels_as_their_twin(count):
    for a, b in vot_cases.pairs(count):
        assert raster_overlap(a, b, SIZE) == naive.raster_overlap(a, b, SIZE)


@given(regions, st.integers(0, 40), st.integers(0, 30), st.integers(0, 20))
def test_kernels_of_whole_pixels_as_their_twins(region, left, top, y):
    whole = np.round(region)
    assert module.pixel_bounds(whole) == naive.pixel_bounds(whole.astype(int).tolist())
    row = np.empty(50, bool)
    module.fill_row(row, whole, left, top, y)
    assert set(np.flatnonzero(row)) == naive.fill_row(whole.astype(int).tolist(), left, top, y, 50)


def test_whole_pixels_by_hand():
    square = [0, 0, 10, 10]
    assert raster_overlap(square, [5, 0, 10, 10], SIZE) == 50 / 150
    assert raster_overlap(square, [10, 0, 10, 10], SIZE) == 0
    assert raster_overlap([0, 0, 4, 0, 0, 4], [0, 0, 5, 5], SIZE) == (5 + 4 + 3 + 2 + 1) / 25  # a triangle: both ends of a row are filled
    assert raster_overlap([-5, 0, 10, 10], [0, 0, 5, 10], SIZE) == 1  # what lies outside does not count
    assert raster_overlap([-9, 0, 5, 10], [-8, 0, 5, 10], SIZE) == 0
    assert raster_overlap([3, 3, 1, 9], [3, 5, 1, 9], SIZE) == 1  # one column: toolkit 0.7.4 calls them equal
    assert raster_overlap([3, 3, 0, 0], square, SIZE) == 0
    assert raster_overlap([3, 3, np.nan, 4], square, SIZE) == 0
    assert raster_overlap(square, [0, 0, np.inf, 0, 0, 4], SIZE) == 0


def test_areas_by_hand():
    square, diamond = [10, 10, 20, 20], [20, 10, 30, 20, 20, 30, 10, 20]
    assert polygon_overlap(square, diamond, SIZE) == pytest.approx(0.5)
    assert polygon_overlap(square, [20.5, 10, 20, 20], SIZE) == pytest.approx(9.5 / 30.5)
    assert polygon_overlap([-10, 0, 20, 10], [0, 0, 10, 10], SIZE) == 1
    assert polygon_overlap([150, 0, 20, 10], [150, 0, 30, 10], SIZE) == 1
    assert polygon_overlap([-9, 0, 5, 10], [-8, 0, 5, 10], SIZE) == 0
    assert polygon_overlap(square, [np.nan] * 8, SIZE) == 0


@given(regions, regions)
def test_areas_as_their_twin(a, b):
    assert polygon_overlap(a, b, SIZE) == pytest.approx(naive.polygon_overlap(a, b, SIZE), abs=1e-9)
    ours, theirs = zip(*((module.corners(region), naive.corners(region)) for region in (a, b)), strict=True)
    assert module.area(ours[0]) == pytest.approx(float(naive.area(theirs[0])), rel=1e-9)
    assert module.area(module.clip(*ours)) == pytest.approx(float(naive.area(naive.clip(*theirs))), abs=1e-6)


@given(regions, regions)
def test_symmetry_and_range(a, b):
    for function in (raster_overlap, polygon_overlap):
        value = function(a, b, SIZE)
        assert 0 <= value <= 1 + 1e-12
        assert function(b, a, SIZE) == pytest.approx(value, abs=1e-12)


@given(regions)
@example(np.array([-2e-169, 1, 0.425, -0.438, 1.384, -0.155, 0.959, 1.284]))  # cut by the picture, it has a side of next to no length
def test_a_region_equals_itself(region):
    assume(naive.area(naive.clip(naive.corners(region), naive.corners([0, 0, *SIZE]))) > 0.1)
    assert polygon_overlap(region, region, SIZE) == pytest.approx(1)


@given(boxes, boxes)
def test_upright_polygons_are_boxes(a, b):
    assume((np.minimum(a[:2], b[:2]) >= 0).all() and (np.maximum(a[:2] + a[2:], b[:2] + b[2:]) <= SIZE).all())
    assert polygon_overlap(module.corners(a).ravel(), b, SIZE) == pytest.approx(overlap([a], [b])[0])


def test_whole_pixels_are_near_to_areas():
    """Published by the toolkit's own rule against exact polygons: at 60 pixels 0.007 more in the mean, 0.034 at most."""
    random = np.random.default_rng(0)
    differences = []
    for _ in range(300):
        (x, y), angle, shift = random.uniform(60, 100, 2), random.uniform(0, np.pi), random.uniform(-20, 20, 2)
        along, across = 30 * np.array([np.cos(angle), np.sin(angle)]), 30 * np.array([-np.sin(angle), np.cos(angle)])
        a = np.array([x, y]) + np.array([-along - across, along - across, along + across, across - along])
        pair = a.ravel(), (a + shift).ravel()
        differences.append(raster_overlap(*pair, (300, 300)) - polygon_overlap(*pair, (300, 300)))
    assert 0 < np.mean(differences) < 0.015
    assert np.abs(differences).max() < 0.05


def test_rectangles_in_place_of_polygons():
    upright = np.array([[20.0, 30, 43, 30, 43, 40, 20, 40]])
    np.testing.assert_array_equal(bounding_rectangles(upright), [[20, 30, 23, 10]])  # no pixel more: as in TraX
    np.testing.assert_allclose(equal_area_rectangles(upright), [[20, 30, 24, 11]])  # the pixels 20 .. 43 and 30 .. 40
    diamond = np.array([[50.0, 30, 60, 40, 50, 50, 40, 40]])  # of 200 square pixels in bounds of 400
    side = 20 * math.sqrt(0.5) + 1
    np.testing.assert_allclose(equal_area_rectangles(diamond), [[50 - (side - 1) / 2, 40 - (side - 1) / 2, side, side]])
