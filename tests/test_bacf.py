"""BACF's filter against the loop of its public code and a dense solution; its tracker on targets of every kind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from tests.naive import difference
from tests.tracks import assert_sound, distances
from trackers import BACF, STRCF
from trackers.errors import UnknownOptionError
from trackers.filters.admm import target_cells
from trackers.filters.bacf import BACFFilter, BackgroundAwareFilter
from trackers.fourier import Inverse, sampled_label
from trackers.strcf_config import BACFConfig

SINGLE = 1e-5  # max |difference| / max |value|: single precision against double
CONFIG = BACFConfig()
SIGMA = 0.7


def half(spectrum):
    return spectrum[..., : spectrum.shape[-1] // 2 + 1]


def space(spectrum, n):
    """Signals (channels, n, n) of half-spectra, in double precision."""
    return np.fft.irfft2(spectrum.astype(complex), (n, n))


def random_samples(rng, frames, channels, n):
    """Signals (frames, channels, n, n) that are alike, as those of a video are."""
    return rng.normal(size=(channels, n, n)) + 0.3 * rng.normal(size=(frames, channels, n, n))


def half_spectra(signals):
    return np.fft.rfft2(signals).astype(np.complex64)


# The filter


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.integers(1, 5), st.floats(0.5, 13), st.floats(0.5, 13), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_learning_equals_the_loop_of_the_public_code(n, channels, height, width, iterations, seed):
    """On the mean of the samples, the newest with a weight of 0.013."""
    config = BACFConfig(penalties=(1.0, 10.0, 100.0)[:iterations], regularisation=0.5)
    ours = BackgroundAwareFilter(channels, sampled_label(n, SIGMA), (height, width), config)
    cells = tuple(min(max(int(side), 1), n) for side in (height, width))
    samples = random_samples(np.random.default_rng(seed), 3, channels, n)
    for count, weights in enumerate([(1,), (0.987, 0.013), (0.987**2, 0.987 * 0.013, 0.013)], start=1):
        ours.learn(half_spectra(samples[count - 1]))
        model = sum(weight * np.fft.fft2(sample) for weight, sample in zip(weights, samples, strict=False))
        expected, _ = naive.learn_background_aware(model, naive.sampled_label(n, SIGMA), cells, 0.5, iterations)
        assert ours.filter.dtype == np.complex64 and ours.filter.shape == (channels, n, n // 2 + 1)
        assert difference(ours.filter, half(expected)) < SINGLE


@pytest.mark.parametrize("n", [5, 6])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("cells", [(2, 3), (1, 1), (4, 1), (3, 4)])
def test_admm_reaches_the_dense_solution_and_the_objective_falls(n, channels, cells):
    sample = random_samples(np.random.default_rng(10 * n + channels), 1, channels, n)[0]
    label, weight = np.fft.ifft2(naive.sampled_label(n, SIGMA)).real, 1.0
    inside = np.zeros((n, n), bool)
    inside[target_cells(n, cells)] = True
    expected = naive.background_aware_minimiser(sample, label, inside, weight)
    values, outside = [], []
    for iterations in (1, 4, 16, 300):
        config = BACFConfig(penalties=(1.0,) * iterations, regularisation=weight)
        ours = BackgroundAwareFilter(channels, sampled_label(n, SIGMA), cells, config)
        ours.learn(half_spectra(sample))
        learnt = space(ours.filter, n)
        outside.append(np.abs(learnt[:, ~inside]).max() / np.abs(learnt).max())
        values.append(naive.background_aware_objective(learnt * inside, sample, label, weight))
    best = naive.background_aware_objective(expected, sample, label, weight)
    assert values[0] > values[1] > values[2] > values[3] * (1 - 1e-6)
    assert values[3] == pytest.approx(best, rel=1e-6)
    assert outside[0] > outside[1] > outside[2] > outside[3] and outside[3] < 1e-4
    assert difference(learnt, expected) < 1e-4  # of 300 iterations' rounding and of what is left to converge


@pytest.mark.parametrize("n", [5, 6])
@pytest.mark.parametrize(("cells", "rows", "columns"), [((2, 3.9), (1, 3), (1, 4)), ((0.2, 5), (2, 3), (0, 5)), ((1, 1), (2, 3), (2, 3))])
def test_the_confined_filter_is_zero_outside_the_target(n, cells, rows, columns):
    """Cells counted from the middle, cell n // 2: of an even number one more lies before it than behind."""
    offset = n // 2 - 2
    expected = np.zeros((n, n), bool)
    expected[rows[0] + offset : rows[1] + offset, columns[0] + offset : columns[1] + offset] = True
    ours = BackgroundAwareFilter(2, sampled_label(n, SIGMA), cells, CONFIG)
    pull = np.random.default_rng(n).normal(size=(2, n, n))
    confined = space(ours._confine(half_spectra(pull), 10.0), n)
    assert np.abs(confined[:, ~expected]).max() < 1e-7
    np.testing.assert_allclose(confined[:, expected], pull[:, expected] / (10 + 0.01 / n**2), rtol=1e-5)


def test_a_new_sample_moves_the_filter_by_its_weight():
    samples = half_spectra(random_samples(np.random.default_rng(4), 2, 3, 8))
    filters = []
    for rate in (1e-6, 0.999):
        ours = BackgroundAwareFilter(3, sampled_label(8, SIGMA), (3, 3), BACFConfig(learning_rate=rate))
        for sample in samples:
            ours.learn(sample)
        filters.append(ours.filter)
    for sample, learnt in zip(samples, filters, strict=True):
        alone = BackgroundAwareFilter(3, sampled_label(8, SIGMA), (3, 3), CONFIG)
        alone.learn(sample)
        assert difference(learnt, alone.filter) < 5e-3


def test_the_response_to_what_was_learnt_is_the_label():
    """Nearly, after many iterations: this filter of the target's size has 930 values for 144 cells."""
    n, channels = 12, 31
    sample = random_samples(np.random.default_rng(5), 1, channels, n)[0].astype(np.float32)
    ours = BACFFilter([sample.shape], [4], (24, 20), BACFConfig(penalties=(1.0,) * 100))
    encoded = ours.encode([sample])
    ours.learn(encoded)
    response = Inverse(n)(ours.respond(encoded))
    label = np.fft.ifft2(naive.sampled_label(n, np.sqrt(6 * 5) / 16)).real
    assert ours.side == n and np.abs(response - label).max() < 0.02


# The tracker


def test_the_published_setting():
    config = BACF().config
    assert [(feature.name, feature.cell) for feature in config.features] == [("fhog", 4)]
    assert (config.search_area, config.learning_rate, config.regularisation, config.penalties) == (5, 0.013, 0.01, (1, 10))
    assert (config.scales, config.scale_step, config.label_sigma) == (5, 1.01, 1 / 16)


def test_a_sample_of_a_target(video):
    """A target of 30 x 48 pixels: the search area of 190 x 190 pixels has 47 x 47 cells, or 48 x 48, and the target 7 x 12."""
    tracker = BACF()
    tracker.init(video[0][0], (40, 30, 48, 30))
    (grid,) = tracker._target._filter.grids
    assert grid.filter.shape == (31, 47, 24)
    assert (np.isfinite(grid._window).any(1).sum(), np.isfinite(grid._window).any(0).sum()) == (7, 12)


@pytest.mark.parametrize("coloured", [True, False])
@pytest.mark.parametrize("published", [True, False])
def test_the_target_is_followed(video, coloured, published):
    frames, boxes = video
    frames = frames if coloured else [frame[:, :, 1] for frame in frames]
    found = BACF(published=published).track(frames, boxes[0])
    assert_sound(found)
    assert distances(found.boxes, boxes).max() < 3
    assert (found.scores > 0.5).all()
    whole = found.boxes[1:] % 1 == 0
    assert whole.all() if published else not whole.all()


@pytest.mark.parametrize("box", [(80, 10, 1, 60), (10, 40, 100, 1), (68, 7, 46, 2), (-20, 30, 60, 9), (120, 60, 40, 60)])
def test_thin_targets_and_those_at_the_border(video, box):
    frames, _ = video
    found = BACF().track([frames[0]] * 4, box)
    assert_sound(found)
    assert distances(found.boxes, found.boxes[:1]).max() < 2 and (found.scores > 0.8).all()
    assert_sound(BACF().track(frames, box))


def test_features_of_several_grids_may_be_chosen(video):
    frames, boxes = video
    tracker = BACF(features=("conv3", "fhog", "grey"), scales=1)
    found = tracker.track(frames, boxes[0])
    fine, coarse = tracker._target._filter.grids
    assert len(fine.filter) == 32 and coarse.filter.shape[1] == fine.filter.shape[1] // 4
    assert distances(found.boxes, boxes).max() < 4


def test_it_is_not_strcf(video):
    frames, boxes = video
    assert (BACF().track(frames, boxes[0]).boxes[1:] != STRCF(features=("fhog",)).track(frames, boxes[0]).boxes[1:]).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": 0}, "learning_rate=0; a number from 1e-06 to 0.999"),
        ({"regularisation": -1}, "regularisation=-1; a number from 0"),
        ({"penalties": (1, -10)}, "one or more numbers above 0"),
        ({"temporal_weight": 1}, "unknown option 'temporal_weight'"),
        ({"preset": "vot"}, "BACF has otb"),
        ({"backbone": "net.mat"}, "none of the features of this BACF is of a network"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(UnknownOptionError, match=message):
        BACF(**options)
