"""FHOG: kernels against plain twins, and what its definition implies."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from trackers.features import fhog as module
from trackers.features.fhog import BINS, STEPS, fhog

seeds = st.integers(0, 2**32 - 1)


def random_patch(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def smooth_patch(seed: int, height: int, width: int) -> np.ndarray:
    """Long gradients in few directions, flat parts, equal channels: ties and zeros that noise does not have."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 3 + 1, width // 3 + 1, 3), np.uint8)
    coarse[rng.random(coarse.shape[:2]) < 0.3] = 128
    return np.ascontiguousarray(np.repeat(np.repeat(coarse, 3, axis=0), 3, axis=1)[:height, :width])


@settings(max_examples=15, deadline=None)
@given(st.integers(8, 21), st.integers(8, 21), st.sampled_from([1, 3]), st.sampled_from([2, 3, 4]), st.booleans(), seeds)
def test_fhog_equals_its_twin(height, width, channels, cell, smooth, seed):
    patches = np.stack([smooth_patch(s, height, width) if smooth else random_patch(s, height, width, 3) for s in (seed, seed + 1)])
    patches = patches[..., :channels]
    features = fhog(patches, cell)
    assert features.dtype == np.float32
    assert features.shape == (2, 31, height // cell, width // cell)
    np.testing.assert_allclose(features, naive.fhog_stack(patches, cell), rtol=0, atol=2e-6)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]), seeds)
def test_split_channels_equals_its_twin(height, width, channels, seed):
    patch = random_patch(seed, height, width, channels)
    planes = module.split_channels(patch)
    assert planes.dtype == np.float32
    np.testing.assert_array_equal(planes, naive.split_channels(patch))


@pytest.mark.parametrize(("height", "width"), [(2, 2), (2, 9), (5, 4), (8, 3)])
def test_steepest_gradient_equals_its_twin(height, width):
    patch = smooth_patch(1, height, width)
    planes = np.ascontiguousarray(patch.transpose(2, 0, 1), np.float32)
    for y in range(height):
        rows = [np.empty(width, np.float32) for _ in range(3)]
        module.steepest_gradient(planes, y, *rows)
        np.testing.assert_array_equal(np.stack(rows, axis=1), [naive.steepest_gradient(patch, y, x) for x in range(width)])


@pytest.mark.parametrize(("shape", "cell"), [((8, 8, 3), 4), ((15, 22, 3), 4), ((13, 12, 1), 6)])
def test_cell_histograms_equal_their_twin(shape, cell):
    patch = random_patch(2, *shape)
    histogram = module.cell_histograms(patch, cell, BINS).transpose(1, 2, 0)
    assert naive.difference(histogram, naive.cell_histograms(patch, cell)) < 1e-6


@pytest.mark.parametrize("contrast", [20, 1e-3])  # of the second the constant in the norm is no small part
@pytest.mark.parametrize("shape", [(2, 2, 18), (2, 5, 18), (7, 4, 18)])
def test_normalise_blocks_equals_its_twin(shape, contrast):
    histogram = (np.random.default_rng(3).random(shape) ** 4 * contrast).astype(np.float32)
    histogram[0, 0] = 0
    out = np.empty((31, *shape[:2]), np.float32)
    module.normalise_blocks(np.ascontiguousarray(histogram.transpose(2, 0, 1)), 1e-6, out)
    np.testing.assert_allclose(out, naive.normalise_blocks(histogram.astype(float), 1e-6), rtol=0, atol=1e-6)


def test_orientation_is_the_nearest_of_eighteen():
    rng = np.random.default_rng(4)
    for gx, gy in rng.integers(-510, 511, (5000, 2)) / 2:
        length = math.hypot(gx, gy)
        turns = math.atan2(gy, gx) / (2 * math.pi) * 18
        if length and abs(turns - math.floor(turns) - 0.5) > 0.002:  # the truncated cosine blurs borders of bins by 0.04 degrees
            assert BINS[int(gy < 0), math.trunc(gx / length * STEPS) + STEPS] == round(turns) % 18


def test_one_patch_a_stack_and_grey_agree():
    patches = random_patch(5, 3, 17, 20, 3)
    stack = fhog(patches)
    for patch, features in zip(patches, stack, strict=True):
        np.testing.assert_array_equal(fhog(patch), features)
    grey = patches[0, :, :, 0]
    np.testing.assert_array_equal(fhog(grey), fhog(np.stack([grey] * 3, axis=2)))


def test_patches_may_be_strided():
    frame = random_patch(6, 40, 50, 3)
    for patch in (frame[::2, 40:5:-1], frame[..., ::-1], frame.transpose(1, 0, 2)):
        np.testing.assert_array_equal(fhog(patch), fhog(patch.copy()))


@pytest.mark.parametrize("value", [0, 7, 255])
def test_a_flat_patch_has_no_gradients(value):
    features = fhog(np.full((16, 24, 3), value, np.uint8))
    assert np.isfinite(features).all()
    np.testing.assert_allclose(features, 0, atol=1e-6)


def test_turning_a_patch_turns_the_orientations():
    patch = random_patch(7, 24, 24, 3)
    features, mirrored = fhog(patch), fhog(np.ascontiguousarray(patch[:, ::-1]))[:, :, ::-1]
    order = [(9 - o) % 18 for o in range(18)]  # gx changes its sign: angle a becomes pi - a
    order += [18 + (9 - o) % 9 for o in range(9)]
    # what lies on the border of two bins goes to the upper one on both sides, so a few weights change places
    differences = np.abs(features[:27] - mirrored[order])
    assert np.median(differences) < 1e-6
    assert differences.mean() < 0.005


def test_features_stay_in_their_range():
    features = fhog(random_patch(8, 64, 64, 3))
    assert features.min() >= 0
    assert features[:27].max() <= 0.4 + 1e-6  # four norms, each clipped at 0.2 and halved
    assert features[27:].max() <= 0.2357 * 18 * 0.2


@pytest.mark.parametrize("shape", [(4, 4, 3), (4, 16, 3), (7, 30, 1)])
def test_a_single_row_of_cells_is_finite(shape):
    features = fhog(random_patch(9, *shape))
    assert features.shape == (31, shape[0] // 4, shape[1] // 4)
    assert np.isfinite(features).all()
