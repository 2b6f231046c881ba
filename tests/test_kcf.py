"""KCF, fKCF and MOSSE: peaks and pictures as MATLAB has them, windows that are no squares, targets of every kind, options."""

import math

import numpy as np
import pytest

from benchmarks.synthetic import Scene, sequence
from cfvgg.architecture import LEVELS, grids
from tests import naive
from tests.tracks import assert_sound, distances
from trackers import KCF, MOSSE, fECO, fKCF
from trackers.config import SHAPE_FILTER, ScaleFilterConfig
from trackers.errors import UnknownOptionError, WeightsError
from trackers.kcf import Level, halved, peak, to_grey
from trackers.mosse import LogGrey
from trackers.opencv import cv2

# Peak and pictures


def test_peak_is_the_first_by_columns_and_wraps():
    response = np.zeros((4, 5), np.float32)
    response[3, 1] = response[0, 2] = response[2, 4] = 1
    assert peak(response, refine=False) == ((-1, 1), 1.0)
    response[3, 1] = 0
    assert peak(response, refine=False) == ((0, 2), 1.0)
    response[0, 2] = 0
    assert peak(response, refine=False) == ((-2, -1), 1.0)


def test_refined_peak_is_the_vertex_of_parabolas():
    rows, columns = np.ogrid[-3:4, -4:5]
    response = np.roll(10 - 2 * (rows - 0.3) ** 2 - (columns + 1.2) ** 2, (4, 5), (0, 1)).astype(np.float32)
    (row, column), height = peak(response, refine=True)
    assert (row, column) == pytest.approx((0.3, -1.2), abs=1e-5)
    assert height == pytest.approx(10 - 2 * 0.09 - 0.04)


def test_refined_peak_of_a_flat_response_stays():
    assert peak(np.ones((4, 6), np.float32), refine=True) == ((0, 0), 1.0)


def matlab_half(line):
    """imresize(line, 0.5) of one axis from the definition: Keys' cubic at twice its width, borders mirrored; float."""

    def cubic(x):
        x = abs(x)
        return 1.5 * x**3 - 2.5 * x**2 + 1 if x <= 1 else -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0

    n, out = len(line), []
    for i in range(-(-n // 2)):
        taps = range(2 * i - 5, 2 * i + 7)
        weights = [cubic((2 * i + 0.5 - tap) / 2) / 2 for tap in taps]
        folded = [tap % (2 * n) if tap % (2 * n) < n else 2 * n - 1 - tap % (2 * n) for tap in taps]
        out.append(sum(w * float(line[k]) for w, k in zip(weights, folded, strict=True)))
    return out


@pytest.mark.parametrize("shape", [(9, 12), (12, 9), (1, 1), (2, 30)])
def test_halved_is_imresize(shape):
    grey = np.random.default_rng(11).integers(0, 256, shape, np.uint8)
    rows = np.clip(np.rint([matlab_half(column) for column in grey.T]).T, 0, 255)
    expected = np.clip(np.rint([matlab_half(row) for row in rows]), 0, 255)
    found = halved(grey)
    assert found.shape == (-(-shape[0] // 2), -(-shape[1] // 2)) and found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


def test_grey_is_rgb2gray():
    image = np.random.default_rng(12).integers(0, 256, (20, 30, 3), np.uint8)
    np.testing.assert_array_equal(to_grey(image), np.rint(image @ np.array([0.298936021, 0.587043074, 0.114020904])))
    same = np.repeat(image[:, :, :1], 3, axis=2)
    np.testing.assert_array_equal(to_grey(same), image[:, :, 0])
    np.testing.assert_array_equal(to_grey(image[:, :, :1]), image[:, :, 0])


def test_log_grey_has_no_mean_and_unit_power():
    patch = np.random.default_rng(13).integers(0, 256, (9, 7, 1), np.uint8)
    values = LogGrey()(patch)
    logs = np.log(1.0 + patch[:, :, 0])
    assert naive.difference(values[0], (logs - logs.mean()) / logs.std()) < 1e-4


@pytest.mark.parametrize("level", ["conv1", "conv2", "conv5"])
@pytest.mark.parametrize("shape", [(4, 9), (12, 5)])
def test_levels_have_the_cells_of_the_window_in_the_middle_of_the_patch(level, shape):
    backbone = fKCF()._backbone
    features = Level(backbone, level)
    sides = [n * features.cell + features.margin for n in shape]
    cells = features(np.random.default_rng(14).integers(0, 256, (*sides, 3), np.uint8))
    assert cells.shape == (backbone.widths[level], *shape)
    assert (cells.astype(float) ** 2).mean() == pytest.approx(1, rel=1e-4)
    stride, first = grids()[level]
    pooling = features.cell // stride
    for side, n in zip(sides, shape, strict=True):
        last = first + stride * (n * pooling - 1)
        assert first == side - 1 - last  # as many pixels before the centre of the first cell as behind the last


# Tracking

SCENE = Scene(frames=7, size=(96, 128), target_size=0.35, motion=2, camera=0.3, distractors=0, occlusion=0, noise=1)
HEIGHT, WIDTH = SCENE.size
KINDS = {
    "KCF": KCF,
    "published": lambda **options: KCF(published=True, **options),
    "scale": lambda **options: KCF(scale_filter=ScaleFilterConfig(), **options),
    "one size": lambda **options: KCF(scale_filter=False, **options),
    "grey": lambda **options: KCF(preset="grey", **options),
    "polynomial": lambda **options: KCF(kernel="polynomial", **options),
    "linear": lambda **options: KCF(kernel="linear", **options),
    "context": lambda **options: KCF(kernel="linear", context=4, **options),
    "published grey": lambda **options: KCF(preset="grey", published=True, **options),
    "published scale": lambda **options: KCF(published=True, scale_filter=ScaleFilterConfig(), **options),
    "fKCF": fKCF,
    "fKCF conv1": lambda **options: fKCF(preset="conv1", **options),
    "fKCF conv5": lambda **options: fKCF(preset="conv5", scale_filter=ScaleFilterConfig(), **options),
    "MOSSE": MOSSE,
    "MOSSE context": lambda **options: MOSSE(context=4, scale_filter=ScaleFilterConfig(), **options),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def video():
    made = sequence(SCENE)
    return list(made.frames), made.boxes


@every_kind
@pytest.mark.parametrize("coloured", [True, False])
def test_follows_the_target(video, kind, coloured):
    frames, boxes = video
    found = KINDS[kind]().track(frames if coloured else [frame[:, :, 1] for frame in frames], boxes[0])
    assert_sound(found)
    assert distances(boxes[:1], boxes).max() > 7
    assert distances(found.boxes, boxes).max() < (5 if kind.startswith("published") else 3)  # whole cells of four pixels


@every_kind
def test_the_same_input_gives_the_same_boxes(video, kind):
    frames, boxes = video
    tracker = KINDS[kind]()
    first = tracker.track(frames[:4], boxes[0])
    tracker.track(frames[2:4], (5, 40, 60, 20))
    again = tracker.track(frames[:4], boxes[0])
    np.testing.assert_array_equal(again.boxes, first.boxes)
    np.testing.assert_array_equal(again.scores, first.scores)


def test_the_seed_draws_the_views_of_mosse(video):
    frames, boxes = video
    one, other = (MOSSE(seed=seed).track(frames, boxes[0]).boxes for seed in (0, 1))
    assert (one != other).any()
    without = [MOSSE(seed=seed, warps=0).track(frames, boxes[0]).boxes for seed in (0, 1)]
    np.testing.assert_array_equal(*without)


@every_kind
def test_a_static_target_stays(video, kind):
    frames, boxes = video
    found = KINDS[kind]().track([frames[0]] * 8, boxes[0])
    assert np.abs(found.boxes - boxes[0]).max() < 1
    assert (found.scores > 0.9).all()


@pytest.mark.parametrize("kind", ["KCF", "grey", "fKCF", "MOSSE"])
@pytest.mark.parametrize("box", [(40.0, 30.0, 30.0, 24.0), (40.4, 30.3, 31.0, 24.0), (40.7, 30.8, 30.0, 25.0)])
def test_steps_of_less_than_a_cell_are_seen(kind, box):
    """A smooth picture that moves by half a pixel a frame: no drift from rounding to cells or pixels, whatever the box begins with."""
    rng = np.random.default_rng(15)
    large = np.kron(rng.integers(0, 256, (20, 26, 3)), np.ones((16, 16, 1)))
    kernel_ = np.hanning(25)[1:-1] / np.hanning(25).sum()
    smooth = np.apply_along_axis(np.convolve, 0, np.apply_along_axis(np.convolve, 1, large, kernel_, "same"), kernel_, "same")
    frames = [np.rint(smooth[20 : 20 + 2 * 96 : 2, 20 + k : 20 + k + 2 * 128 : 2]).astype(np.uint8) for k in range(12)]
    found = KINDS[kind]().track(frames, box)
    np.testing.assert_allclose(found.boxes[:, 0] - box[0], -0.5 * np.arange(12), rtol=0, atol=0.6)
    np.testing.assert_allclose(found.boxes[:, 1] - box[1], 0, rtol=0, atol=0.4)


@every_kind
@pytest.mark.parametrize(
    "box",
    [
        (-10, -5, 40, 40), (100.5, 70.5, 60, 60), (0, 0, WIDTH, HEIGHT), (60, 40, 1, 1), (-40, 40, 200, 4), (60, -50, 4, 200),
        (-50, -50, 300, 300), (60.3, 40.2, 0.4, 0.3), (127.9, 95.9, 5, 5), (-4.95, -4.95, 5, 5),
        (-5000, 40, 20_000, 0.5), (60, -5000, 0.001, 20_000),
    ],
)  # fmt: skip
def test_extreme_boxes(video, kind, box):
    assert_sound(KINDS[kind]().track(video[0][:4], box))


@every_kind
@pytest.mark.parametrize("value", [0, 255])
def test_flat_pictures(kind, value):
    frames = [np.full((HEIGHT, WIDTH, 3), value, np.uint8)] * 4
    assert_sound(KINDS[kind]().track(frames, (40, 30, 50, 40)))
    assert_sound(KINDS[kind]().track([frame[:, :, 0] for frame in frames], (40, 30, 50, 40)))


@pytest.mark.parametrize("kind", ["KCF", "published", "fKCF", "MOSSE"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 60), (5, 7)])
def test_tiny_pictures(kind, shape):
    frames = list(np.random.default_rng(3).integers(0, 256, (3, *shape, 3), np.uint8))
    assert_sound(KINDS[kind]().track(frames, (0.2 * shape[1], 0.2 * shape[0], 0.5 * shape[1], 0.5 * shape[0])))


@every_kind
def test_a_target_that_leaves_the_picture(kind):
    rng = np.random.default_rng(1)
    world = np.full((80, 300, 3), 60, np.uint8) + rng.integers(0, 20, (80, 300, 3), np.uint8)
    target = np.repeat(np.repeat(rng.integers(0, 256, (8, 8, 3), np.uint8), 4, axis=0), 4, axis=1)
    frames = []
    for left in range(50, 150, 8):
        frame = world.copy()
        frame[20:52, left : left + 32] = target
        frames.append(frame[:, :120])
    found = KINDS[kind]().track(frames, (50, 20, 32, 32))
    assert_sound(found)
    assert np.abs(found.boxes[:5, 0] - np.arange(50, 150, 8)[:5]).max() < 5
    if not kind.startswith("published"):
        assert (found.boxes[:, 0] <= 120).all()


@pytest.mark.parametrize("kind", ["KCF", "grey", "fKCF", "MOSSE"])
def test_a_picture_without_the_target_has_a_low_score(video, kind):
    frames, boxes = video
    found = KINDS[kind]().track([*frames, np.zeros_like(frames[0])], boxes[0])
    assert found.scores[-1] < 0.5 * found.scores[1:-1].min()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith("published")])
@pytest.mark.parametrize("value", [0, 255])
def test_flat_pictures_in_between_are_not_learnt(video, kind, value):
    frames, boxes = video
    cut = np.full_like(frames[0], value)
    found = KINDS[kind]().track([*frames[:4], cut, cut, *frames[4:]], boxes[0])
    assert_sound(found)
    assert (found.scores[4:6] < 0.12).all()
    assert distances(found.boxes[6:], boxes[4:]).max() < 3


def test_published_boxes_are_in_whole_cells(video):
    """Half-open corners of the authors: an odd side begins half a pixel early."""
    frames, _ = video
    found = KCF(published=True).track(frames, (70, 20, 31, 24)).boxes[1:]
    np.testing.assert_array_equal((found[:, 0] - 69.5) % 4, 0)
    np.testing.assert_array_equal((found[:, 1] - 20) % 4, 0)
    np.testing.assert_array_equal(found[:, 2:], [(31, 24)] * 6)


@pytest.mark.parametrize("kind", ["scale", "fKCF conv5", "MOSSE context"])
def test_scale_is_followed(kind):
    """A target that grows by 2 % a frame."""
    rng = np.random.default_rng(16)
    texture = np.kron(rng.integers(0, 256, (10, 12, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    background = np.kron(rng.integers(60, 120, (20, 30, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    frames, sides = [], []
    for k in range(20):
        height, width = (round(n * 1.02**k) for n in (40, 48))
        frame, top, left = background.copy(), 80 - height // 2, 120 - width // 2
        frame[top : top + height, left : left + width] = cv2.resize(texture, (width, height))
        frames.append(frame)
        sides.append((width, height))
    found = KINDS[kind]().track(frames, (96, 60, 48, 40))
    assert abs(math.log(found.boxes[-1, 2] / sides[-1][0])) < 0.12
    assert found.boxes[-1, 2] > 1.2 * 48


# Options


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (KCF, {"preset": "conv2"}, "preset='conv2'; KCF has fhog, grey"),
        (fKCF, {"preset": "fhog"}, "preset='fhog'; fKCF has conv2, conv1, conv5"),
        (KCF, {"feature": "conv2"}, "feature='conv2'; KCF has fhog, grey"),
        (fKCF, {"feature": "fhog"}, "feature='fhog'; fKCF has conv1, conv2"),
        (KCF, {"feature": "hog"}, "feature='hog'; known are fhog"),
        (KCF, {"kernel": "rbf"}, "kernel='rbf'; known are gaussian"),
        (KCF, {"kernel_power": 2.5}, "kernel_power=2.5; an integer from 1 to 100"),
        (KCF, {"context": 4}, "context=4 with kernel='gaussian'; it needs kernel='linear'"),
        (KCF, {"published": 1}, "published=1; True or False"),
        (fKCF, {"published": True}, "of fKCF no program was published"),
        (KCF, {"learning_rat": 0.1}, "did you mean learning_rate?"),
        (KCF, {"target_side": (90, 30)}, r"target_side=\(90, 30\); two integers"),
        (KCF, {"scale_filter": 2}, "scale_filter=2; True, False, a ScaleFilterConfig or a dict"),
        (KCF, {"scale_filter": {"scale": 3}}, "unknown option 'scale'; did you mean scales?"),
        (KCF, {"scale_filter": {"aspect": 1}}, "aspect=1; True or False is needed"),
        (KCF, {"backbone": "net.mat"}, "backbone='net.mat'; none of the features of this KCF is of a network"),
        (MOSSE, {"warps": -1}, "warps=-1; an integer"),
        (MOSSE, {"feature": "grey"}, "unknown option 'feature'"),
        (fKCF, {"backbone": 3}, "backbone=3; a path, Weights, a Backbone or None"),
    ],
)
def test_bad_options(make, options, message):
    with pytest.raises(UnknownOptionError, match=message):
        make(**options)


@pytest.mark.parametrize("given", [True, {}, {"scales": 9}, SHAPE_FILTER])
def test_ways_to_ask_for_a_scale_filter(given):
    assert KCF(scale_filter=given).config.scale_filter == SHAPE_FILTER


def test_the_ratio_of_sides_is_followed_unless_published():
    assert fECO().config.scale_filter == SHAPE_FILTER
    assert fECO(published=True).config.scale_filter == ScaleFilterConfig()
    assert fECO(published=True, scale_filter={"aspect": True}).config.scale_filter.aspect
    assert fECO(preset="vot", published=True).config.scale_filter is None
    assert KCF().config.scale_filter == fKCF().config.scale_filter == MOSSE().config.scale_filter == SHAPE_FILTER
    assert KCF(published=True).config.scale_filter is None


@pytest.mark.parametrize("given", [False, None])
def test_without_a_scale_filter(given):
    assert fECO(scale_filter=given).config.scale_filter is None


def test_a_network_that_is_not_there(tmp_path):
    with pytest.raises(WeightsError, match="no file of weights"):
        fKCF(tmp_path / "missing.mat")


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_may_be_used(video, level):
    frames, boxes = video
    assert_sound(fKCF(feature=level).track(frames[:3], boxes[0]))
