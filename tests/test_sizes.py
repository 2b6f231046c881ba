"""Sizes of a sample, against the published cases (PORTING 4.1), and how a block is fitted to its grid."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfvgg.architecture import LEVELS, STRIDES, level_sizes
from trackers.config import ECOHC, FEATURES, FECO, Feature
from trackers.features.sizes import SampleSizes, odd_sizes
from trackers.features.stack import average, central, normalise

OTB = FECO["otb"].features


def expected_case(side: float) -> tuple[int, int, int]:
    """Sample, support, cells of conv5: the table of 4.1."""
    if side < 216.5:
        return 217, 208, 13
    if side < 248.5:
        return 249, 240, 15
    if side < 280.5:
        return 281, 272, 17
    return 313, 304, 19


@pytest.mark.parametrize("side", [200, 200.49, 216.4, 216.49, 216.5, 216.51, 230, 248.49, 248.5, 265.3, 280.49, 280.5, 299.99, 300])
def test_published_cases(side):
    sample, support, cells = expected_case(side)
    assert odd_sizes(OTB, side) == SampleSizes(sample, support, (support // 4, cells, support // 4))


@settings(max_examples=200, deadline=None)
@given(st.floats(200, 300))
def test_published_cases_over_their_range(side):
    sizes = odd_sizes(OTB, side)
    assert (sizes.network, sizes.support, sizes.grids[1]) == expected_case(side)
    assert sizes.grids == (sizes.support // 4, sizes.grids[1], sizes.support // 4)


def test_crossing():
    assert odd_sizes(OTB, 200.0) == SampleSizes(217, 208, (52, 13, 52))


@settings(max_examples=200, deadline=None)
@given(st.floats(150, 400), st.lists(st.sampled_from(LEVELS), min_size=1, max_size=3, unique=True))
def test_any_levels_fit_into_their_maps(side, levels):
    features = tuple(FEATURES[level] for level in sorted(levels))
    sizes = odd_sizes(features, side)
    deepest = max(levels)
    assert sizes.network >= side
    assert sizes.support % STRIDES[deepest] == 0
    assert sizes.support // STRIDES[deepest] % 2 == 1  # the coarsest grid is odd
    for feature, grid in zip(features, sizes.grids, strict=True):
        assert 1 <= grid * feature.cell <= sizes.support
        assert grid * (feature.cell // STRIDES[feature.name]) <= level_sizes(sizes.network)[feature.name]


@settings(max_examples=100, deadline=None)
@given(st.floats(100, 300), st.sampled_from([(6, 4), (4,), (4, 4), (8, 6, 4)]))
def test_without_a_network_most_grids_are_odd(side, cells):
    features = tuple(Feature(name, 3, cell) for name, cell in zip(("fhog", "colour_names", "intensity"), cells, strict=False))
    sizes = odd_sizes(features, side)
    assert sizes.network is None
    assert sizes.grids == tuple(sizes.support // cell for cell in cells)
    assert sizes.grids[0] % 2 == 1  # the coarsest is odd
    largest = max(cells)
    assert side - 1e-9 <= sizes.support < side + 3 * largest
    first = sizes.support - sizes.support % largest
    odd = [sum(n // cell % 2 for cell in cells) for n in range(first, first + largest)]
    assert sizes.support - first == odd.index(max(odd))


def test_ecohc_as_published():
    assert odd_sizes(ECOHC["otb"].features, 200.0).grids[0] % 2 == 1


@pytest.mark.parametrize(
    ("height", "width", "side", "top", "left"), [(106, 106, 104, 1, 1), (13, 13, 13, 0, 0), (8, 7, 5, 1, 1), (9, 10, 4, 2, 3)]
)
def test_the_middle_of_a_level(height, width, side, top, left):
    block = np.arange(2 * height * width, dtype=np.float32).reshape(2, height, width)
    np.testing.assert_array_equal(central(block, side), block[:, top : top + side, left : left + side])


@pytest.mark.parametrize(("height", "width", "factor"), [(104, 104, 2), (7, 5, 2), (9, 13, 4), (5, 5, 1)])
def test_means_over_cells(height, width, factor):
    block = np.random.default_rng(1).normal(size=(3, height, width)).astype(np.float32)
    means = average(block, factor)
    assert means.shape == (3, height // factor, width // factor)
    for c, y, x in np.ndindex(*means.shape):
        cell = block[c, y * factor : (y + 1) * factor, x * factor : (x + 1) * factor]
        assert means[c, y, x] == pytest.approx(cell.astype(float).mean(), abs=1e-6)


def test_a_normalised_block_has_a_mean_square_of_one():
    block = np.random.default_rng(2).normal(size=(3, 7, 8)).astype(np.float32) * 40
    scaled = normalise(block)
    assert scaled.dtype == np.float32
    assert (scaled.astype(float) ** 2).mean() == pytest.approx(1, rel=1e-6)
    np.testing.assert_allclose(scaled / block, (scaled / block)[0, 0, 0], rtol=1e-5)
    assert not normalise(np.zeros((2, 3, 3), np.float32)).any()
