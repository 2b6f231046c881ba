"""STRCF's parts against twins, definitions and dense solutions; its trackers on targets that were trouble for the published program."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from tests.naive import derivatives, difference, full
from trackers import STRCF, DeepSTRCF, fDeepSTRCF
from trackers.config import FEATURES
from trackers.errors import UnknownOptionError, WeightsError
from trackers.features.sizes import SampleSizes, exact_sizes
from trackers.features.stack import stretch
from trackers.filters.admm import GridFilter, STRCFFilter, correlate, fit, label_sigma, target_window
from trackers.fourier import Inverse, PlainTransform, odd_spectrum, sampled_label
from trackers.localisation import peak
from trackers.opencv import cv2
from trackers.patch import whole_patch
from trackers.strcf_config import FDEEPSTRCF, STRCFConfig
from trackers.strcf_config import STRCF as STRCF_SETTINGS

SINGLE = 1e-5  # max |difference| / max |value|: single precision against double
CONFIG = FDEEPSTRCF["otb"]

sides = st.integers(2, 9)
channels = st.integers(1, 5)
seeds = st.integers(0, 2**32 - 1)


def spectra(rng, count, n):
    """Half-spectra and full ones of the same real signals."""
    signal = rng.normal(size=(count, n, n))
    return np.fft.rfft2(signal).astype(np.complex64), np.fft.fft2(signal)


def half(spectrum):
    return spectrum[..., : spectrum.shape[-2] // 2 + 1]


# Transforms, label, window


@settings(max_examples=30, deadline=None)
@given(sides, channels, seeds)
def test_plain_transform_and_its_inverse(n, count, seed):
    signal = np.random.default_rng(seed).normal(size=(count, n, n)).astype(np.float32)
    transform = PlainTransform(count, n)
    spectrum = transform(signal)
    assert difference(spectrum, half(np.fft.fft2(signal.astype(float)))) < 1e-6
    kept = spectrum.copy()
    back = transform.inverse(spectrum)
    assert difference(back, signal) < 1e-6
    transform(2 * signal)  # neither result changes by later calls
    np.testing.assert_array_equal(spectrum, kept)
    assert difference(back, signal) < 1e-6


@pytest.mark.parametrize("n", [1, 2, 5, 12, 13, 48])
@pytest.mark.parametrize("sigma", [0.0625, 0.7, 3])
def test_label(n, sigma):
    twin = naive.sampled_label(n, sigma)
    assert np.abs(twin.imag).max() < 1e-12 * np.abs(twin).max()
    assert difference(sampled_label(n, sigma), half(twin.real)) < 1e-6


@pytest.mark.parametrize(("n", "sides"), [(48, (19, 6)), (12, (5, 1)), (13, (5, 2)), (49, (4, 7)), (7, (7, 7)), (6, (6, 1))])
def test_window(n, sides):
    ours = target_window(n, [side + 0.9 for side in sides], CONFIG)
    np.testing.assert_array_equal(ours, naive.target_window(n, sides, CONFIG.window_centre, CONFIG.window_edge))


def test_thin_targets_keep_a_label_and_a_window():
    """The published program has 0 cells there (PORTING 8.7): a label of width 0, and nothing of the window that is small."""
    assert label_sigma((300, 9), 16, 1 / 16) == pytest.approx(np.sqrt(18) / 16)
    assert label_sigma((300, 17), 16, 1 / 16) == pytest.approx(np.sqrt(18) / 16)
    window = target_window(12, (300 / 14, 9 / 14), CONFIG)
    assert (window == CONFIG.window_centre).sum() == 12 and (window[:, 6] == CONFIG.window_centre).all()


@settings(max_examples=30, deadline=None)
@given(sides, st.floats(-4, 4), st.floats(-4, 4), seeds)
def test_between_the_samples_of_even_and_odd_grids(n, y, x, seed):
    _, whole = spectra(np.random.default_rng(seed), 1, n)
    series = odd_spectrum(half(whole[0]) / n**2)
    assert len(series) == n + 1 - n % 2
    assert derivatives(full(series), y, x)[0] == pytest.approx(naive.between_samples(whole[0], y, x), abs=1e-10)


@pytest.mark.parametrize("n", [12, 13, 48, 49])
@pytest.mark.parametrize("shift", [(0, 0), (3.3, -4.2), (-5.49, 0.5), (5, 5)])
def test_the_peak_of_a_moved_bump(n, shift):
    """Of a band-limited bump, whose spectrum is known at every shift."""
    k = np.fft.fftfreq(n, 1 / n)
    rows, columns = (np.exp(-2 * (np.pi * 1.5 * k / n) ** 2 - 2j * np.pi * k * s / n) for s in shift)
    spectrum = half(np.outer(rows, columns)).astype(np.complex64)
    found = peak(spectrum, Inverse(n)(spectrum))
    apart = (np.subtract(found[:2], shift) + n / 2) % n - n / 2
    np.testing.assert_allclose(apart, 0, atol=1e-4)


# The filter


@settings(max_examples=30, deadline=None)
@given(sides, channels, seeds)
def test_kernels_equal_their_twins(n, count, seed):
    rng = np.random.default_rng(seed)
    (sample, _), (other, _) = spectra(rng, count, n), spectra(rng, count, n)
    assert difference(correlate(other, sample), naive.correlate(other, sample)) < SINGLE
    flat = [array.reshape(count, -1) for array in (sample, other)]
    label = rng.normal(size=flat[0].shape[1]).astype(np.float32)
    for weight, area in ((16.0, 100.0), (0.1, 1.0)):
        found = fit(*flat, label, np.float32(weight), np.float32(area))
        assert found.dtype == np.complex64
        # x^H pull and x^H x nearly cancel pull where weight is small
        assert difference(found, naive.fit(*flat, label, weight, area)) < SINGLE / min(weight, 1)


@settings(max_examples=20, deadline=None)
@given(sides, channels, seeds)
def test_learning_equals_its_twin(n, count, seed):
    rng = np.random.default_rng(seed)
    window = target_window(n, (n / 2, n / 3), CONFIG)
    ours, previous = GridFilter(count, sampled_label(n, 0.7), window, 2 * n * n, CONFIG), None
    for _ in range(3):
        sample, whole = spectra(rng, count, n)
        ours.learn(sample)
        previous = naive.learn(whole, naive.sampled_label(n, 0.7), previous, window, 2 * n * n, CONFIG.penalties)
        assert difference(ours.filter, half(previous)) < SINGLE


@pytest.mark.parametrize("n", [3, 4, 5, 6])
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_admm_reaches_the_dense_solution_and_the_objective_falls(n, count):
    rng = np.random.default_rng(10 * n + count)
    window, temporal, area = rng.uniform(0.3, 2, (n, n)), 0.5, n * n
    past, now = (spectra(rng, count, n) for _ in range(2))
    label = naive.sampled_label(n, 0.7)
    values = []
    for iterations in (1, 3, 10, 200):
        config = STRCFConfig(temporal_weight=temporal, penalties=(1.0,) * iterations)
        ours = GridFilter(count, sampled_label(n, 0.7), window, area, config)
        ours.filter = past[0].copy()
        ours.learn(now[0])
        signal = np.fft.irfft2(ours.filter.astype(complex), (n, n))
        values.append(naive.objective(np.fft.fft2(signal), now[1], label, past[1], window, area, temporal))
    expected = naive.minimiser(now[1], label, past[1], window, area, temporal)
    best = naive.objective(expected, now[1], label, past[1], window, area, temporal)
    assert values[0] > values[1] > values[2] > values[3] * (1 - 1e-6)
    assert values[3] == pytest.approx(best, rel=1e-6)
    assert difference(ours.filter, half(expected)) < 1e-4  # of 200 iterations' rounding and of what is left to converge


def test_the_first_filter_has_no_past():
    sample, whole = spectra(np.random.default_rng(1), 2, 6)
    filters = []
    for temporal in (0, 15):
        ours = GridFilter(2, sampled_label(6, 1), np.ones((6, 6)), 36, STRCFConfig(temporal_weight=temporal, penalties=(1.0,)))
        ours.learn(sample)
        filters.append(ours.filter)
    np.testing.assert_array_equal(*filters)
    ridge = whole * naive.sampled_label(6, 1) / (36 + (np.abs(whole) ** 2).sum(0))  # one iteration of penalty 1 is ridge regression
    assert difference(filters[0], half(ridge)) < SINGLE


@pytest.mark.parametrize(("fine", "coarse"), [(48, 12), (12, 5), (13, 6), (7, 3)])
def test_the_response_sums_grids_as_the_published_padding_does(fine, coarse):
    rng = np.random.default_rng(fine)
    ours = STRCFFilter([(2, coarse, coarse), (1, fine, fine), (3, fine, fine)], [16, 4, 4], (40, 30), CONFIG)
    assert ours.side == fine
    blocks = [rng.normal(size=(count, n, n)).astype(np.float32) for count, n in ((2, coarse), (1, fine), (3, fine))]
    sample, total = ours.encode(blocks), 0
    ours.learn(sample)
    joined = [np.concatenate(blocks[1:]), blocks[0]]
    for grid, block in zip(ours.grids, joined, strict=True):
        n = block.shape[1]
        taper = np.outer(np.hanning(n), np.hanning(n))
        spectrum = np.fft.fft2(block * taper)
        learnt = np.fft.fft2(np.fft.irfft2(grid.filter.astype(complex), (n, n)))
        score = naive.correlate(learnt, spectrum)
        total = total + (naive.padded_scores(score, fine) if n < fine else score)
    assert difference(Inverse(fine)(ours.respond(sample)), np.fft.ifft2(total).real) < SINGLE


# Samples


@pytest.mark.parametrize("side", [200, 200.49, 200.51, 216.4, 216.51, 232.49, 248.49, 248.51, 250])
def test_published_sizes(side):
    """The table of PORTING 4.1 for fDeepSTRCF."""
    limits = ((200.5, 201, 192, 12), (216.5, 217, 208, 13), (232.5, 233, 224, 14), (248.5, 249, 240, 15), (1e9, 265, 256, 16))
    sample, support, cells = next(case[1:] for case in limits if side < case[0])
    assert exact_sizes(CONFIG.features, side) == SampleSizes(sample, support, (cells, support // 4, support // 4))


@pytest.mark.parametrize(("side", "support"), [(150, 152), (149.9, 148), (161, 160), (200, 200), (198.1, 200)])
def test_sizes_without_a_network(side, support):
    grid = support // 4
    assert exact_sizes(STRCF_SETTINGS["otb"].features, side) == SampleSizes(None, support, (grid, grid, grid))


@settings(max_examples=40, deadline=None)
@given(st.floats(-20, 60), st.floats(-20, 60), st.floats(0, 90), st.integers(1, 40), seeds)
def test_whole_patch(row, column, side, output, seed):
    image = np.random.default_rng(seed).integers(0, 256, (31, 44, 3), np.uint8)
    expected = naive.pixels(image, (row, column), side)
    way = cv2.INTER_LINEAR if output > len(expected) else cv2.INTER_AREA
    expected = cv2.resize(np.ascontiguousarray(expected), (output, output), interpolation=way)
    np.testing.assert_array_equal(whole_patch(image, (row, column), side, output), expected)


def test_stretching():
    rng = np.random.default_rng(3)
    block = (rng.normal(size=(4, 5, 6)) * 10.0 ** rng.integers(-2, 3, (4, 1, 1))).astype(np.float32)
    ours = stretch(block)
    assert ours.dtype == np.float32 and np.abs(ours - naive.stretch(block)).max() < 1e-6
    assert not stretch(np.full((2, 3, 3), 7, np.float32)).any()  # a dead channel


# Trackers


@pytest.mark.parametrize(
    ("tracker", "features"),
    [
        (lambda: fDeepSTRCF(), ["conv3", "grey", "fhog"]),
        (lambda: fDeepSTRCF(preset="tc128"), ["conv3", "grey", "fhog", "colour_names"]),
        (lambda: STRCF(), ["grey", "fhog", "colour_names"]),
    ],
)
def test_features_of_the_settings(tracker, features):
    assert [feature.name for feature in tracker().config.features] == features


@pytest.mark.parametrize("kind", [fDeepSTRCF, STRCF])
@pytest.mark.parametrize("coloured", [True, False])
def test_the_target_is_followed(video, kind, coloured):
    frames, boxes = video
    frames = frames if coloured else [frame[:, :, 1] for frame in frames]
    found = kind().track(frames, boxes[0])
    apart = found.boxes[:, :2] + found.boxes[:, 2:] / 2 - boxes[:, :2] - boxes[:, 2:] / 2
    assert np.hypot(*apart.T).max() < 3
    assert (found.scores > 0.5).all() and (found.scores <= 1).all()
    again = kind().track(frames, boxes[0])
    np.testing.assert_array_equal(again.boxes, found.boxes)


@pytest.mark.parametrize("kind", [fDeepSTRCF, STRCF])
def test_grey_sequences_need_no_third_channel(video, kind):
    frames, boxes = [frame[:, :, 1] for frame in video[0]], video[1]
    expected = kind().track(frames, boxes[0]).boxes
    np.testing.assert_array_equal(kind().track([np.dstack([frame] * 3) for frame in frames], boxes[0]).boxes, expected)


@pytest.mark.parametrize("published", [True, False])
@pytest.mark.parametrize("kind", [fDeepSTRCF, STRCF])
@pytest.mark.parametrize(
    "box", [(10, 40, 100, 5), (60, 2, 4, 90), (30, 30, 60, 6), (60, 40, 1, 1), (-40, 40, 200, 4), (0, 0, 128, 96), (100, 70, 60, 60)]
)
def test_thin_and_extreme_targets_stay_finite(video, kind, published, box):
    """An aspect ratio of 8 and more poisons the published program with NaN (PORTING 8.7)."""
    found = kind(published=published).track(video[0][:4], box)
    assert np.isfinite(found.boxes).all() and (found.boxes[:, 2:] >= 0).all()
    assert ((found.scores >= 0) & (found.scores <= 1)).all() and (found.scores > 0).any()
    assert np.isfinite(found.scores).all()


@pytest.mark.parametrize("kind", [fDeepSTRCF, STRCF])
def test_flat_pictures_and_a_target_that_vanishes(video, kind):
    frames, boxes = video
    flat = kind().track([np.full_like(frames[0], 90)] * 3, boxes[0])
    assert np.isfinite(flat.boxes).all() and np.isfinite(flat.scores).all()
    gone = kind().track([*frames, *[np.zeros_like(frames[0])] * 6], boxes[0])
    assert np.isfinite(gone.boxes).all() and (gone.scores[:7] > 0.5).all() and (gone.scores[7:] < 0.1).all()
    left, top, width, height = gone.boxes.T
    assert (left < 129).all() and (top < 97).all() and (left + width > -1).all() and (top + height > -1).all()


def test_published_boxes_are_whole_numbers(video):
    frames, boxes = video
    found = fDeepSTRCF(published=True).track(frames, boxes[0]).boxes[1:]
    np.testing.assert_array_equal(found, np.rint(found))
    assert (fDeepSTRCF().track(frames, boxes[0]).boxes[1:] % 1 != 0).any()


def test_any_features_may_be_chosen(video):
    frames, boxes = video
    tracker = fDeepSTRCF(features=("conv1", "conv2", "conv5", "fhog", "intensity"), scales=1)
    found = tracker.track(frames, boxes[0])
    assert len(tracker._target._filter.grids) == 3  # of cells of 4, 8 and 16 pixels
    assert np.abs(found.boxes - boxes)[:, :2].max() < 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temporal": 1}, "did you mean temporal_weight"),
        ({"learning_rate": 0.1}, "unknown option 'learning_rate'"),
        ({"temporal_weight": -1}, "temporal_weight=-1; a number from 0"),
        ({"penalties": ()}, r"penalties=\(\); one or more numbers above 0"),
        ({"penalties": (1, 0)}, "one or more numbers above 0"),
        ({"features": ("fhog", "hog")}, "feature 'hog'"),
        ({"sample_side": (10, 5)}, "sample_side"),
        ({"preset": "vot"}, "fDeepSTRCF has otb, tc128"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(UnknownOptionError, match=message):
        fDeepSTRCF(**options)


def test_deepstrcf_needs_its_network(video):
    with pytest.raises(WeightsError, match=r"DeepSTRCF needs VGG-M: .*DeepSTRCF\('imagenet-vgg-m-2048.mat'\), or use fDeepSTRCF"):
        DeepSTRCF()
    frames, boxes = video
    tracker = DeepSTRCF(fDeepSTRCF()._backbone)  # any network does
    assert [feature.name for feature in tracker.config.features] == ["conv3", "grey", "fhog", "colour_names"]
    assert np.abs(tracker.track(frames, boxes[0]).boxes - boxes).max() < 5


def test_features_are_those_of_all_trackers():
    assert set(CONFIG.features) <= set(FEATURES.values())
