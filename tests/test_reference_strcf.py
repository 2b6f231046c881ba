"""Every step of fDeepSTRCF on frames 1 to 3 of Crossing, and whole tracks, against the authors' program.

`difference` is max |difference| / max |value|; tolerances as in `tests.test_reference`. Each step starts from its dumped input.
"""

import csv

import numpy as np
import pytest

from cfvgg import weights
from cfvgg.forward import Backbone
from tests import reference
from tests.naive import difference
from tests.reference import first
from trackers import fDeepSTRCF
from trackers.features.colour import grey
from trackers.features.sizes import exact_sizes
from trackers.features.stack import FeatureStack, central, stretch, stretched_levels
from trackers.filters.admm import STRCFFilter
from trackers.fourier import Inverse, cut_centred
from trackers.localisation import peak
from trackers.patch import whole_patch
from trackers.strcf_config import FDEEPSTRCF

SINGLE = 1e-5
CONSTANT = 1e-6  # computed in double precision on both sides and rounded once
GREY = 5e-5  # absolute: their means are differences of single-precision sums over the whole patch (PORTING 3.4)
RECIPROCALS = 1e-4  # absolute, of FHOG: the 12 bits of their 1/x and 1/sqrt(x)
CONFIG = FDEEPSTRCF["otb"]
BLOCKS = ("hand", "cnn")


@pytest.fixture(scope="module")
def frames(shared):
    """The dumps of frames 1, 2 and 3."""
    return [reference.arrays(shared, f"fdeepstrcf_crossing_f{number}") for number in (1, 2, 3)]


@pytest.fixture(scope="module")
def pictures(shared):
    """The first three frames, R, G, B."""
    return [frame[:, :, ::-1] for _, frame in zip(range(3), reference.pictures(shared, "Crossing"), strict=False)]


@pytest.fixture(scope="module")
def backbone(shared):
    return Backbone(weights.load(shared("weights/reference_CF_VGGM.mat")))


@pytest.fixture
def stack(backbone, monkeypatch):
    """Features with the network's power as theirs."""
    monkeypatch.setattr("cfvgg.forward.rectify_normalise", reference.approximate_rectify_normalise)
    return FeatureStack(CONFIG.features, exact_sizes(CONFIG.features, 200), backbone, {}, whole_patch, stretched_levels)


@pytest.fixture
def filter_(frames):
    return STRCFFilter([(64, 12, 12), (1, 48, 48), (31, 48, 48)], [16, 4, 4], tuple(frames[0]["base_target_sz"][0]), CONFIG)


def half(dumped):
    """Half-spectrum of a full one in FFT order, (n, n) or (n, n, channels)."""
    channels = dumped[None] if dumped.ndim == 2 else first(dumped)
    spectrum = np.ascontiguousarray(channels[:, :, : dumped.shape[1] // 2 + 1])
    return spectrum[0] if dumped.ndim == 2 else spectrum


def put(filter_, dump):
    """Give a filter the dumped one."""
    for grid, block in zip(filter_.grids, BLOCKS, strict=True):
        grid.filter = half(dump[f"cf_f_{block}"])


def states(shared, sequence, count, setting="fDeepSTRCF"):
    """Row, column (from 0) and scale after the first frames, (count, 3)."""
    with shared(f"reference/states/{setting}/{sequence}.csv").open() as file:
        rows = [[float(value) for value in row[1:4]] for row in list(csv.reader(file))[1:]]
    return np.array(rows)[:count] - [1, 1, 0]


# Features


def test_sizes_and_limits(shared, frames, backbone):
    dump = frames[0]
    sizes = exact_sizes(CONFIG.features, 200)
    assert (sizes.network, sizes.support) == (dump["img_sample_sz"][0, 0], dump["img_support_sz"][0, 0])
    assert sizes.grids == (12, 48, 48) and dump["data_sz"][:, 0].tolist() == [48, 48, 12]
    tracker = fDeepSTRCF(backbone, published=True)
    tracker.init(next(reference.pictures(shared, "Crossing")), reference.first_box(shared, "Crossing"))
    target = tracker._target
    np.testing.assert_allclose(target._base, dump["base_target_sz"][0], rtol=1e-12)
    np.testing.assert_allclose(target._scale_limits, (dump["min_scale_factor"][0, 0], dump["max_scale_factor"][0, 0]), rtol=1e-12)
    np.testing.assert_allclose(target._factors, dump["scaleFactors"][0], rtol=1e-12)
    np.testing.assert_allclose(target.position, dump["init_pos"][0] - 1, rtol=0)


@pytest.mark.parametrize(("side", "name"), [(192, "patch_handcrafted"), (201, "patch_cnn")])
def test_patches_of_the_first_frame(pictures, frames, side, name):
    dump = frames[0]
    centre = tuple(np.floor(dump["init_pos"][0] + 0.5) - 1)
    patch = whole_patch(pictures[0], centre, side * float(dump["currentScaleFactor"][0, 0]), side)
    np.testing.assert_array_equal(patch, dump[name])


@pytest.mark.parametrize("case", [1, 4, 6])  # the others are not square
def test_patches_of_other_sizes(shared, pictures, case):
    dump = reference.arrays(shared, "patches_and_handcrafted")
    row, column, side, _, output, _ = dump["cases"][case - 1]
    patch = whole_patch(pictures[0], (row - 1, column - 1), side, int(output)).astype(int)
    apart = np.abs(patch - dump[f"get_pixels_{case}"])
    # INTER_AREA of today's OpenCV rounds a few bytes otherwise (PORTING 2.3)
    assert apart.max() <= 1 and (apart > 0).mean() < 1e-3


def test_grey(frames):
    assert np.abs(grey(frames[0]["patch_handcrafted"], 4) - first(frames[0]["xl_hand"])[:1]).max() < GREY


def test_minimum_and_maximum(frames):
    assert np.abs(stretch(central(first(frames[0]["raw_relu3"]), 12)) - first(frames[0]["xl_cnn"])).max() < CONSTANT


def test_features_of_the_first_frame(pictures, frames, stack):
    dump = frames[0]
    centre = tuple(np.floor(dump["init_pos"][0] + 0.5) - 1)
    level, luma, histograms = stack(pictures[0], centre, float(dump["currentScaleFactor"][0, 0]))
    assert np.abs(level - first(dump["xl_cnn"])).max() < SINGLE
    assert np.abs(luma - first(dump["xl_hand"])[:1]).max() < GREY
    assert np.abs(histograms - first(dump["xl_hand"])[1:]).max() < RECIPROCALS


@pytest.mark.parametrize("scale", range(3))
def test_features_of_the_second_frame(pictures, frames, stack, scale):
    before, dump = frames[0], frames[1]
    centre = tuple(np.floor(before["init_pos"][0] + 0.5) - 1)
    factor = float(before["currentScaleFactor"][0, 0] * before["scaleFactors"][0, scale])
    level, luma, histograms = stack(pictures[1], centre, factor)
    assert np.abs(level - first(dump["xt_cnn"][..., scale])).max() < SINGLE
    if scale == 1:
        assert np.abs(luma - first(dump["xt_hand_scale2"])[:1]).max() < GREY
        assert np.abs(histograms - first(dump["xt_hand_scale2"])[1:]).max() < RECIPROCALS


# Filter and response


@pytest.mark.parametrize(("number", "block"), [(0, "hand"), (1, "cnn")])
def test_windows_label_spectrum_and_first_filter(frames, filter_, number, block):
    dump, grid = frames[0], filter_.grids[number]
    assert np.abs(grid._taper - dump[f"cos_window_{block}"]).max() < CONSTANT
    np.testing.assert_array_equal(grid._window, dump[f"reg_window_{block}"])
    assert difference(grid._label, half(dump[f"yf_{block}"])) < CONSTANT
    assert difference(grid.encode(first(dump[f"xl_{block}"])), half(dump[f"xlf_{block}"])) < CONSTANT
    grid.learn(half(dump[f"xlf_{block}"]))
    assert difference(grid.filter, half(dump[f"cf_f_{block}"])) < SINGLE


def test_response_of_the_second_frame(frames, filter_):
    put(filter_, frames[0])
    hand, level = first(frames[1]["xt_hand_scale2"]), first(frames[1]["xt_cnn"][..., 1])
    sample = filter_.encode([level, hand[:1], hand[1:]])
    for grid, spectrum, block in zip(filter_.grids, sample, BLOCKS, strict=True):
        scores = half(frames[1][f"scores_f_{block}"])[1]
        ours = grid.respond(spectrum) * 48**2
        if block == "cnn":  # theirs is padded, without the lone frequency of the 12 x 12 grid
            ours, scores = cut_centred(ours, 11), cut_centred(scores, 11)
        assert difference(ours, scores) < SINGLE
    assert difference(Inverse(48)(filter_.respond(sample)), frames[1]["response"][..., 1]) < SINGLE


def peaks(responses):
    """Peak (row, column, height) at every scale."""
    spectra = (np.fft.rfft2(response.astype(float) / response.size).astype(np.complex64) for response in first(responses))
    return [peak(spectrum, Inverse(48)(spectrum)) for spectrum in spectra]


@pytest.mark.parametrize("number", [2, 3])
def test_shift_and_scale(frames, number):
    dump = frames[number - 1]
    found = peaks(dump["response"])
    best = int(np.argmax([height for *_, height in found]))
    assert best == dump["sind"][0, 0] - 1
    # cells; theirs is single precision
    np.testing.assert_allclose(found[best][:2], dump["disp"][0], rtol=0, atol=5e-6)


def test_filter_of_the_second_frame(pictures, frames, filter_, stack):
    """From the dumped filter of frame 1; the sample is not dumped, so it is taken from the picture at the dumped place."""
    put(filter_, frames[0])
    dump = frames[1]
    place, scale = tuple(np.floor(dump["pos"][0] + 0.5) - 1), float(dump["currentScaleFactor"][0, 0])
    filter_.learn(filter_.encode(stack(pictures[1], place, scale)))
    for grid, block in zip(filter_.grids, BLOCKS, strict=True):
        assert difference(grid.filter, half(dump[f"cf_f_{block}"])) < 5e-5  # FHOG's reciprocals; measured 3e-6


def test_response_of_the_third_frame(pictures, frames, filter_, stack):
    """From the dumped filter of frame 2 and the picture."""
    put(filter_, frames[1])
    place, scale = tuple(np.floor(frames[1]["pos"][0] + 0.5) - 1), float(frames[1]["currentScaleFactor"][0, 0])
    for number, factor in enumerate(frames[0]["scaleFactors"][0]):
        sample = filter_.encode(stack(pictures[2], place, scale * factor))
        assert difference(Inverse(48)(filter_.respond(sample)), frames[2]["response"][..., number]) < 5e-5  # likewise; measured 6e-6


# Whole tracks


@pytest.mark.parametrize(("sequence", "count"), [("Crossing", 60), ("Deer", 71)])
def test_tracks(shared, backbone, sequence, count):
    found = reference.follow(fDeepSTRCF(backbone, published=True), shared, sequence, count)
    apart = np.abs(found - states(shared, sequence, count))
    assert apart[:, :2].max() < 0.01  # pixels; measured 7e-4 and 2e-3
    assert apart[:, 2].max() < 1e-6


def test_track_with_colour_names(shared, backbone):
    tables = {"colour_names": reference.arrays(shared, "colour_tables")["colour_names"]}
    tracker = fDeepSTRCF(backbone, preset="tc128", published=True, tables=tables)
    found = reference.follow(tracker, shared, "Crossing", 60)
    apart = np.abs(found - states(shared, "Crossing", 60, "fDeepSTRCF_TC128"))
    assert apart[:, :2].max() < 0.01  # pixels; measured 6e-4
    assert apart[:, 2].max() < 1e-6


@pytest.mark.parametrize("sequence", ["Crossing"])
def test_boxes(shared, backbone, sequence):
    """Rounded boxes, counted from 1, of the whole sequence."""
    found = fDeepSTRCF(backbone, published=True).track(reference.pictures(shared, sequence), reference.first_box(shared, sequence)).boxes
    theirs = np.loadtxt(shared(f"reference/boxes/fDeepSTRCF/{sequence}.txt"), delimiter=",") - [1, 1, 0, 0]
    apart = np.abs(found - theirs)
    assert apart.max() <= 1 and (apart > 0).mean() < 0.01  # a half here and there
