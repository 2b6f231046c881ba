"""Faults of a video by hand, and the table of what trackers make of them."""

from unittest.mock import Mock

import numpy as np
import pytest

from benchmarks import datasets, peers
from benchmarks.datasets.generated import Generated
from benchmarks.metrics import overlap
from benchmarks.robustness import faults
from benchmarks.robustness.corruption import AFTER, FAULTS, Clip, paint_over, shifted
from benchmarks.synthetic import Scene, sequence
from tests.stand_ins import Still
from trackers.errors import VideoError
from trackers.opencv import cv2

LENGTH = faults.LENGTH  # 60
ROWS, COLUMNS = np.mgrid[:24, :30]


@pytest.fixture
def clip():
    """Frames with their number in every pixel, and a target in the lower left quarter that moves by half a pixel."""
    frames = [np.full((60, 80, 3), number, np.uint8) for number in range(LENGTH)]
    return Clip(frames, np.array([(10 + number / 2, 40, 8, 6) for number in range(LENGTH)]))


def numbers(clip):
    return [int(frame[0, 0, 0]) for frame in clip.frames]


def hit(name, clip, seed=0):
    return FAULTS[name](clip, np.random.default_rng(seed))


def test_nothing_happens(clip):
    assert hit("none", clip) is clip


@pytest.mark.parametrize(("name", "value"), [("black x 5", 0), ("white x 5", 255)])
def test_flat_frames(clip, name, value):
    assert numbers(hit(name, clip)) == [*range(35), *[value] * 5, *range(40, 60)]
    assert all((frame == value).all() for frame in hit(name, clip).frames[35:40])


def test_noise(clip):
    found = hit("noise x 5", clip)
    noise = np.array(found.frames[35:40])
    assert (noise.min(), noise.max()) == (0, 255) and noise.mean() == pytest.approx(127.5, abs=1)
    assert not np.array_equal(noise[0], noise[1])
    np.testing.assert_array_equal(noise, hit("noise x 5", clip).frames[35:40])
    assert not np.array_equal(noise, hit("noise x 5", clip, seed=1).frames[35:40])
    assert numbers(Clip(found.frames[:35] + found.frames[40:], found.boxes)) == [*range(35), *range(40, 60)]


def test_frozen(clip):
    assert numbers(hit("frozen x 10", clip)) == [*range(30), *[29] * 10, *range(40, 60)]


def test_dropped(clip):
    found = hit("dropped x 5", clip)
    assert numbers(found) == [*range(35), *range(40, 60)]
    np.testing.assert_array_equal(found.boxes[:, 0], 10 + np.array(numbers(found)) / 2)


@pytest.mark.parametrize(("name", "first"), [("hidden x 10", 30), ("hidden x 30", 10)])
def test_hidden(clip, name, first):
    marked = Clip([frame.copy() for frame in clip.frames], clip.boxes)
    for frame, (x, y, w, h) in zip(marked.frames, clip.boxes, strict=True):
        frame[int(y) : int(y + h), int(x) : int(x + w)] = 200
    found = hit(name, marked)
    for number, frame in enumerate(found.frames):
        expected = clip if first <= number < 40 else marked
        np.testing.assert_array_equal(frame, expected.frames[number])
    assert (marked.frames[first] == 200).any()  # was not painted on


@pytest.mark.parametrize(("name", "share"), [("shift by 1/2", 0.5), ("shift by 1", 1)])
def test_shift(clip, name, share):
    marked = Clip([frame.copy() for frame in clip.frames], clip.boxes)
    for number, frame in enumerate(marked.frames):
        frame[40, 10 + number // 2] = 200
    moves = set()
    for seed in range(20):
        found = hit(name, marked, seed)
        np.testing.assert_array_equal(found.boxes[:40], clip.boxes[:40])
        ((dx, dy, *grown),) = np.unique(found.boxes[40:] - clip.boxes[40:], axis=0)
        assert grown == [0, 0] and np.hypot(dx / 8, dy / 6) == pytest.approx(share, abs=0.1)
        assert dx >= 0 and dy <= 0  # to the right and up, where there is more room
        for number in range(LENGTH):
            ((row, column),) = np.argwhere(found.frames[number][:, :, 0] == 200)
            assert (row, column) == (40 + dy * (number >= 40), 10 + number // 2 + dx * (number >= 40))
        moves.add((dx, dy))
    assert len(moves) > 2


@pytest.mark.parametrize("name", [name for name in FAULTS if "shift" not in name])
def test_the_same_frames_follow_every_fault(clip, name):
    found = hit(name, clip)
    assert numbers(found)[-AFTER:] == [*range(40, 60)] and len(found.boxes) == len(found.frames)
    np.testing.assert_array_equal(found.boxes[-AFTER:], clip.boxes[-AFTER:])


def test_shifted_pictures():
    picture = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    assert shifted(picture, 1, 0)[:, :, 0].tolist() == [[0, 0, 1], [3, 3, 4]]
    assert shifted(picture, -2, 1)[:, :, 0].tolist() == [[2, 2, 2], [2, 2, 2]]
    assert shifted(picture, 9, 0)[:, :, 0].tolist() == [[0, 0, 0], [3, 3, 3]]


def gradient():
    return np.dstack([20 + 3 * ROWS + 2 * COLUMNS, 200 - 4 * ROWS, 5 * COLUMNS]).astype(np.uint8)


def test_painting_goes_on_with_the_surroundings():
    picture = gradient()
    picture[8:13, 10:20] = 255
    before = picture.copy()
    np.testing.assert_array_equal(paint_over(picture, np.array([10, 8, 10, 5])), gradient())  # a slope stays one
    np.testing.assert_array_equal(picture, before)


def test_a_tenth_around_the_target_is_painted_too():
    picture = np.full((24, 30, 3), 90, np.uint8)
    picture[7:14, 9:21] = 255
    assert (paint_over(picture, np.array([10, 8, 10, 5])) == 90).all()
    picture[6, 10] = 255
    assert paint_over(picture, np.array([10, 8, 10, 5]))[6, 10].tolist() == [255] * 3


def test_painting_at_the_border_takes_what_there_is():
    picture = np.zeros((24, 30, 1), np.uint8)
    picture[:, 12:], picture[18:] = 60, 100
    # to the left of column 12 only the right side is known, above row 18 only what is below: 60 and 100 have the mean 80
    assert (paint_over(picture, np.array([0, 0, 10.5, 16]))[:18, :12] == 80).all()
    column = paint_over(picture, np.array([0, -9, 10.5, 99]))  # all rows: nothing above or below is known
    assert (column[:18, :12] == 60).all() and (column[18:, :12] == 100).all()


def test_painting_all_or_nothing():
    picture = gradient()
    everything = paint_over(picture, np.array([-5, -5, 99, 99]))
    np.testing.assert_array_equal(everything, np.broadcast_to(np.rint(picture.mean(axis=(0, 1))), picture.shape))
    for box in ([np.nan] * 4, [50, 50, 5, 5], [-20, 3, 5, 5]):
        np.testing.assert_array_equal(paint_over(picture, np.array(box)), picture)


# Measuring


def generated(name, frames, **options):
    scene = Scene(frames=frames, size=(60, 80), distractors=0, occlusion=0, **options)
    boxes, valid = sequence(scene).boxes, np.ones(frames, bool)
    return Generated(name, name, (), boxes, valid, scene=scene)


def test_clips_begin_where_their_truth_is_known():
    video = generated("a", LENGTH + 4)
    assert faults.starts(video).tolist() == [0, 1, 2, 3, 4]
    video.valid[[1, 20]] = False  # frame 1 may not begin one, and frame 20 is not among those that count
    assert faults.starts(video).tolist() == [0, 2, 3, 4]
    video.valid[60] = False  # the 60th of the clip from 1 on, and of those behind it
    assert faults.starts(video).tolist() == [0]
    assert faults.starts(generated("b", LENGTH - 1)).size == 0


def test_clips_depend_on_the_seed_alone():
    video = generated("a", 200)
    first, again, other = (faults.cut(video, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.boxes, again.boxes)
    assert len(first.frames) == len(first.boxes) == LENGTH and not np.array_equal(first.boxes, other.boxes)
    (start,) = [number for number in range(200) if np.array_equal(video.boxes[number], first.boxes[0])]
    np.testing.assert_array_equal(first.frames[7], list(video.frames())[start + 7])


class Refuses(Still):
    """Fails from the third frame on."""

    def update(self, image):
        self.frame += 1
        if self.frame >= 2:
            raise VideoError("no")
        return True, self.box


def test_a_frame_in_which_a_tracker_fails_has_no_box(clip):
    boxes = faults.follow(Refuses(), clip)
    np.testing.assert_array_equal(boxes[:2], clip.boxes[[0, 0]])
    assert np.isnan(boxes[2:]).all()


def test_a_tracker_that_cannot_begin_has_no_boxes(clip):
    tracker = Still()
    tracker.init = Mock(side_effect=cv2.error("no"))
    boxes = faults.follow(tracker, clip)
    np.testing.assert_array_equal(boxes[0], clip.boxes[0])
    assert np.isnan(boxes[1:]).all()


def test_means_are_those_of_the_frames_after_the_fault():
    video = generated("a", LENGTH, motion=0.1)
    (spec,) = peers.parse("still=tests.stand_ins:Still")
    means = dict(zip(FAULTS, faults.measure(spec, video, 0), strict=True))
    plain = overlap(np.repeat(video.boxes[:1], AFTER, axis=0), video.boxes[40:]).mean()
    assert 0 < plain < 1
    for name in FAULTS:
        if "shift" not in name:
            assert means[name] == pytest.approx(plain)
    (spec,) = peers.parse("refuses=tests.test_faults:Refuses")
    assert faults.measure(spec, video, 0) == [0] * len(FAULTS)


def test_the_command(monkeypatch, capsys):
    videos = [generated("short", 30), generated("a", LENGTH + 20), generated("b", LENGTH, seed=1)]
    part = datasets.Dataset("synthetic", "synthetic", "otb", "got10k", 3, videos)
    monkeypatch.setattr(datasets, "load", lambda name, root: part)
    assert faults.main(["--trackers", "MOSSE", "--seeds", "1"]) == 0
    out, err = capsys.readouterr()
    assert "without 60 frames that would do: short" in err
    lines = out.splitlines()
    assert "2 targets, 1 seeds" in lines[0] and all(name in lines[2] for name in FAULTS)
    label, *cells = lines[4].split()
    specs = peers.parse("MOSSE")
    expected = np.mean([faults.measure(specs[0], video, 0) for video in videos[1:]], axis=0)
    assert label == "MOSSE" and cells == [f"{value:.3f}" for value in expected]
    assert faults.main(["--trackers", "MOSSE", "--seeds", "1"]) == 0
    assert capsys.readouterr().out == out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trackers", "fECHO"], "did you mean fECO?"),
        (["--trackers", "KCF", "--seeds", "0"], "at least one clip"),
        (["--trackers", "KCF", "--dataset", "otb"], "needs a folder"),
    ],
)
def test_bad_arguments(capsys, arguments, message):
    assert faults.main(arguments) == 1
    assert message in capsys.readouterr().err
