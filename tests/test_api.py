"""What a user sees: trackers by name, init / update / track, options, pictures and boxes of every legal kind."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import trackers
from tests.tracks import assert_sound, distances
from trackers import BACF, ECOHC, KCF, MOSSE, STRCF, fDeepSTRCF, fECO
from trackers.errors import UnknownTrackerError

HEIGHT, WIDTH = 96, 128  # of the pictures of `video`
KINDS = {
    "fECO": fECO,
    "FHOG only": lambda **options: fECO(features=("fhog",), **options),
    "published": lambda **options: fECO(published=True, **options),
    "vot": lambda **options: fECO(preset="vot", **options),
    "tc128": lambda **options: fECO(preset="tc128", **options),
    "ECOHC": ECOHC,
    "fDeepSTRCF": fDeepSTRCF,
    "STRCF": STRCF,
    "BACF": BACF,
    "KCF": KCF,
    "MOSSE": MOSSE,
}


def grey(frames):
    return [frame[:, :, 1] for frame in frames]


def track(frames, box, kind="FHOG only", **options):
    return KINDS[kind](**options).track(frames, box)


# Names and shapes


@pytest.mark.parametrize("name", ["fECO", "feco", "FECO", "EcoHC"])
def test_create_takes_names_in_any_case(name):
    assert type(trackers.create(name, features=("fhog",))).__name__.lower() == name.lower()


def test_every_name_is_a_tracker():
    assert {"fECO", "ECO", "ECOHC", "fDeepSTRCF", "DeepSTRCF", "STRCF", "BACF", "KCF", "MOSSE"} <= set(trackers.names())
    assert all(issubclass(getattr(trackers, name), trackers.Tracker) for name in trackers.names())
    assert set(trackers.__all__) >= set(trackers.names())


@pytest.mark.parametrize(("name", "hint"), [("fEC0", "did you mean fECO?"), ("ecohog", "did you mean ECOHC?"), ("xyz", "There are fECO")])
def test_unknown_names(name, hint):
    with pytest.raises(UnknownTrackerError) as caught:
        trackers.create(name)
    assert name in str(caught.value) and hint in str(caught.value) and "ECOHC" in str(caught.value)


def test_init_and_update(video, tracker):
    frames, boxes = video
    assert tracker.init(frames[0], boxes[0]) is None
    assert tracker.score == 1.0
    ok, box = tracker.update(frames[1])
    assert ok is True
    assert isinstance(box, tuple) and [type(value) for value in box] == [float] * 4
    assert type(tracker.score) is float and 0.5 < tracker.score <= 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("coloured", [True, False])
def test_track_follows_the_target(video, kind, coloured):
    frames, boxes = video
    found = track(frames if coloured else grey(frames), boxes[0], kind)
    assert (found.boxes.shape, found.scores.shape, found.seconds.shape) == ((7, 4), (7,), (7,))
    assert found.boxes.dtype == found.scores.dtype == found.seconds.dtype == np.float64
    assert_sound(found)
    np.testing.assert_array_equal(found.boxes[0], boxes[0])
    assert found.scores[0] == 1 and (found.scores > 0.5).all() and (found.seconds > 0).all()
    assert distances(boxes[:1], boxes).max() > 7  # it does move
    assert distances(found.boxes, boxes).max() < 3


def test_track_is_init_and_updates(video, tracker):
    frames, boxes = video
    found = track((frame for frame in frames), list(boxes[0]))
    tracker.init(frames[0], boxes[0])
    for number, frame in enumerate(frames[1:], start=1):
        ok, box = tracker.update(frame)
        assert box == tuple(found.boxes[number]) and tracker.score == found.scores[number] and ok == (tracker.score >= 0.1)


def test_track_without_frames(tracker):
    found = tracker.track([], (1, 2, 3, 4))
    assert (found.boxes.shape, found.scores.shape, found.seconds.shape) == ((0, 4), (0,), (0,))


@pytest.mark.parametrize("kind", [list, np.array, lambda box: np.array([box]), lambda box: [np.float32(v) for v in box]])
def test_any_four_numbers_are_a_box(video, kind):
    frames = video[0]
    np.testing.assert_array_equal(track(frames[:3], kind([68, 7, 46, 42])).boxes, track(frames[:3], (68.0, 7.0, 46.0, 42.0)).boxes)


def test_published_boxes_are_whole_numbers(video):
    frames, boxes = video
    found = track(frames, boxes[0], published=True).boxes[1:]
    np.testing.assert_array_equal(found, np.rint(found))
    assert (track(frames, boxes[0]).boxes[1:] % 1 != 0).any()


# The same input gives the same boxes


@pytest.mark.parametrize("kind", ["fECO", "ECOHC", "BACF"])
def test_a_tracker_can_be_initialised_again(video, kind):
    frames, boxes = video
    used, expected = KINDS[kind](), track(frames[3:], boxes[3], kind)
    used.track(frames[:3], boxes[0])
    used.track(grey(frames)[2:4], (10, 10, 9, 70))
    again = used.track(frames[3:], boxes[3])
    np.testing.assert_array_equal(again.boxes, expected.boxes)
    np.testing.assert_array_equal(again.scores, expected.scores)


def test_trackers_do_not_touch_each_other(video):
    frames, boxes = video
    starts = [boxes[0], (5, 40, 60, 20), boxes[0]]
    kinds = ["fECO", "fECO", "ECOHC"]
    backbone = fECO()._backbone  # shared by the first two
    options = [{"backbone": backbone}, {"backbone": backbone}, {}]
    many = [KINDS[kind](**option) for kind, option in zip(kinds, options, strict=True)]
    for one, box in zip(many, starts, strict=True):
        one.init(frames[0], box)
    together = [[one.update(frame)[1] for one in many] for frame in frames[1:]]
    for number, (kind, box) in enumerate(zip(kinds, starts, strict=True)):
        np.testing.assert_array_equal([found[number] for found in together], track(frames, box, kind).boxes[1:])


SCRIPT = """
import sys
import numpy as np
from tests.conftest import SCENE
from tests.test_api import track
from benchmarks.synthetic import sequence
video = sequence(SCENE)
for kind in ("fECO", "ECOHC", "BACF"):
    found = track(video.frames, video.boxes[0], kind)
    print(found.boxes.tobytes().hex(), found.scores.tobytes().hex())
"""


def python(script, **environment):
    root = Path(__file__).resolve().parents[1]
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=root, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return run.stdout


def test_every_process_finds_the_same_boxes(video):
    frames, boxes = video
    here = [track(frames, boxes[0], kind) for kind in ("fECO", "ECOHC", "BACF")]
    expected = "".join(f"{found.boxes.tobytes().hex()} {found.scores.tobytes().hex()}\n" for found in here)
    for threads in ("1", "4"):
        limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), threads)
        assert python(SCRIPT, PYTHONHASHSEED=threads, **limits) == expected


def test_tracking_imports_neither_torch_nor_plotting():
    script = """
import sys
import numpy as np
import trackers
trackers.fECO().track([np.zeros((40, 50, 3), np.uint8)] * 2, (10, 10, 20, 20))
print({"torch", "matplotlib", "skimage"} & set(sys.modules))
"""
    assert python(script) == "set()\n"


# Kinds of pictures


@pytest.mark.parametrize("kind", ["fECO", "ECOHC", "BACF"])
def test_channel_order(video, kind):
    frames, boxes = video
    rgb = track([frame[:, :, ::-1] for frame in frames], boxes[0], kind, channel_order="RGB")
    np.testing.assert_array_equal(rgb.boxes, track(frames, boxes[0], kind).boxes)


@pytest.mark.parametrize("kind", ["fECO", "ECOHC", "vot", "BACF"])
def test_grey_pictures_may_have_one_or_three_channels(video, kind):
    frames, boxes = grey(video[0]), video[1]
    expected = track(frames, boxes[0], kind).boxes
    for shape in ((HEIGHT, WIDTH, 1), (HEIGHT, WIDTH, 3)):
        views = [np.broadcast_to(frame[:, :, None], shape) for frame in frames]
        np.testing.assert_array_equal(track(views, boxes[0], kind).boxes, expected)


@pytest.mark.parametrize("kind", ["fECO", "ECOHC", "BACF"])
def test_a_grey_picture_within_a_colour_sequence(video, kind):
    frames, boxes = video
    found = track([*frames[:2], frames[2][:, :, 1], *frames[3:]], boxes[0], kind)
    repeated = np.repeat(frames[2][:, :, 1:2], 3, axis=2)
    np.testing.assert_array_equal(found.boxes, track([*frames[:2], repeated, *frames[3:]], boxes[0], kind).boxes)


def strided(frame):
    large = np.zeros((2 * HEIGHT, 3 * WIDTH, 3), np.uint8)
    large[::2, 1::3] = frame
    return large[::2, 1::3]


def read_only(frame):
    frame = frame.copy()
    frame.flags.writeable = False
    return frame


@pytest.mark.parametrize(
    "view",
    [
        read_only,
        strided,
        lambda frame: np.ascontiguousarray(frame[:, ::-1])[:, ::-1],
        lambda frame: np.ascontiguousarray(frame[::-1])[::-1],
        np.asfortranarray,
        lambda frame: np.dstack([frame, frame])[:, :, :3],
    ],
)
def test_pictures_of_any_memory_layout(video, view):
    frames, boxes = video
    views = [view(frame) for frame in frames]
    np.testing.assert_array_equal(track(views, boxes[0]).boxes, track(frames, boxes[0]).boxes)
    np.testing.assert_array_equal(views, frames)  # and are left as they were


# Legal extremes


@pytest.mark.parametrize("kind", ["fECO", "published", "vot", "ECOHC", "BACF"])
@pytest.mark.parametrize(
    "box",
    [
        (-10, -5, 40, 40), (100.5, 70.5, 60, 60), (0, 0, WIDTH, HEIGHT), (60, 40, 1, 1), (-40, 40, 200, 4), (60, -50, 4, 200),
        (-50, -50, 300, 300), (60.3, 40.2, 0.4, 0.3), (127.9, 95.9, 5, 5), (-4.95, -4.95, 5, 5),
    ],
)  # fmt: skip
def test_extreme_boxes(video, kind, box):
    assert_sound(track(video[0][:4], box, kind))


@pytest.mark.parametrize("kind", ["fECO", "ECOHC", "BACF"])
@pytest.mark.parametrize("value", [0, 90, 255])
def test_flat_pictures(kind, value):
    frames = [np.full((HEIGHT, WIDTH, 3), value, np.uint8)] * 4
    assert_sound(track(frames, (40, 30, 50, 40), kind))
    assert_sound(track(grey(frames), (40, 30, 50, 40), kind))


@pytest.mark.parametrize("kind", KINDS)
def test_a_static_target_stays(video, kind):
    frames, boxes = video
    found = track([frames[0]] * 8, boxes[0], kind)
    assert np.abs(found.boxes - boxes[0]).max() < 1
    assert (found.scores > 0.9).all()


@pytest.mark.parametrize("kind", ["fECO", "FHOG only", "published", "ECOHC", "BACF"])
def test_a_target_that_vanishes(video, kind):
    frames, boxes = video
    found = track([*frames, *[np.zeros_like(frames[0])] * 6], boxes[0], kind)
    assert_sound(found)
    assert (found.scores[-6:] < 0.1).all()  # not ok
    if kind != "published":  # the box waits at the border of the picture
        left, top, width, height = found.boxes.T
        assert (left < WIDTH).all() and (top < HEIGHT).all() and (left + width > 0).all() and (top + height > 0).all()


@pytest.mark.parametrize("kind", ["fECO", "published", "ECOHC", "BACF"])
def test_a_target_that_leaves_the_picture(kind):
    rng = np.random.default_rng(1)
    world = np.full((80, 300, 3), 60, np.uint8) + rng.integers(0, 20, (80, 300, 3), np.uint8)
    target = np.repeat(np.repeat(rng.integers(0, 256, (8, 8, 3), np.uint8), 4, axis=0), 4, axis=1)
    frames = []
    for left in range(50, 150, 8):
        frame = world.copy()
        frame[20:52, left : left + 32] = target
        frames.append(frame[:, :120])
    found = track(frames, (50, 20, 32, 32), kind)
    assert_sound(found)
    inside = slice(0, 5)
    assert np.abs(found.boxes[inside, 0] - np.arange(50, 150, 8)[inside]).max() < 4


def test_a_large_picture():
    rng = np.random.default_rng(2)
    frame = np.repeat(np.repeat(rng.integers(0, 256, (270, 480, 3), np.uint8), 8, axis=0), 8, axis=1)
    moved = np.roll(frame, (9, -14), axis=(0, 1))
    assert frame.shape == (2160, 3840, 3)
    found = track([frame, moved], (1700, 900, 300, 400), "fECO")
    np.testing.assert_allclose(found.boxes[1], (1686, 909, 300, 400), rtol=0, atol=8)


@pytest.mark.parametrize("kind", ["fECO", "BACF"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 60), (5, 7)])
def test_tiny_pictures(kind, shape):
    frames = list(np.random.default_rng(3).integers(0, 256, (3, *shape, 3), np.uint8))
    assert_sound(track(frames, (0.2 * shape[1], 0.2 * shape[0], 0.5 * shape[1], 0.5 * shape[0]), kind))


def test_options_override_the_preset(video):
    frames, boxes = video
    tracker = fECO(features=("fhog", "colour_names"), learning_rate=0.2, samples=3, train_gap=0)
    assert tracker._backbone is None and tracker.config.learning_rate == 0.2 and tracker.config.search_area == 4.5
    found = tracker.track(frames, boxes[0])
    assert distances(found.boxes, boxes).max() < 3
    assert (found.boxes != track(frames, boxes[0]).boxes).any()
