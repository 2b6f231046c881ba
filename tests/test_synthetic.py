"""Synthetic videos: the truth against what is drawn, each effect against its stated strength."""

import hashlib
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import synthetic
from benchmarks.synthetic import BACKGROUNDS, TARGETS, Scene, sequence
from trackers.errors import UnknownOptionError, VideoError

SMALL = Scene(frames=8, size=(96, 128))
STILL = replace(
    SMALL, motion=0, camera=0, scale=0, rotation=0, blur=0, illumination=0, occlusion=0, distractors=0, noise=0, background="gravel"
)


def span(profile: np.ndarray) -> tuple[float, float]:
    """Where a profile of coverage first and last passes one half, between the centres of two pixels."""
    inside = np.flatnonzero(profile >= 0.5)
    first, last = inside[0], inside[-1]
    begin = first + 0.5 - (profile[first] - 0.5) / (profile[first] - profile[first - 1])
    end = last + 0.5 + (profile[last] - 0.5) / (profile[last] - profile[last + 1])
    return begin, end


def bounds(mask: np.ndarray) -> np.ndarray:
    (left, right), (top, bottom) = span(mask.max(axis=0)), span(mask.max(axis=1))
    return np.array([left, top, right, bottom])


def edges(box: np.ndarray) -> np.ndarray:
    return np.concatenate([box[:2], box[:2] + box[2:]])


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    target=st.sampled_from(sorted(TARGETS)),
    size=st.sampled_from([(96, 128), (150, 100), (240, 320)]),
    scale=st.floats(0, 0.6),
    rotation=st.floats(0, 180),
)
def test_box_bounds_what_is_drawn(seed, target, size, scale, rotation):
    video = sequence(Scene(frames=60, size=size, seed=seed, target=target, scale=scale, rotation=rotation, reach=0.5))
    for index in range(0, 60, 7):
        np.testing.assert_allclose(bounds(video.frames.mask(index)), edges(video.boxes[index]), atol=0.5)


@pytest.mark.parametrize("target", TARGETS)
def test_box_bounds_what_changes_in_the_frames(target):
    scene = Scene(frames=40, seed=3, size=(150, 200), target=target, reach=0.5, blur=0, noise=0, occlusion=0)
    video, without = sequence(scene), sequence(replace(scene, vanish=(0, 40)))
    for index in range(0, 40, 5):
        changed = cv2.absdiff(video.frames[index], without.frames[index]).max(axis=2) > 2
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        drawn = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        np.testing.assert_allclose(drawn, edges(video.boxes[index]), atol=1.5)


def test_truth_of_a_blurred_target_is_the_middle_of_the_exposure():
    scene = replace(STILL, frames=30, motion=3, blur=1, size=(240, 320), reach=0.5)
    video, without = sequence(scene), sequence(replace(scene, vanish=(0, 30)))
    speeds = np.hypot(*np.diff(video.boxes[:, :2], axis=0).T)
    index = 1 + int(speeds[1:-1].argmax())
    changed = cv2.absdiff(video.frames[index], without.frames[index]).max(axis=2) > 2
    columns = np.flatnonzero(changed.any(axis=0))
    left, width = video.boxes[index, [0, 2]]
    smear = abs(video.boxes[index + 1, 0] - video.boxes[index - 1, 0]) / 2
    assert smear > 5
    assert (columns[0] + columns[-1] + 1) / 2 == pytest.approx(left + width / 2, abs=2)
    assert columns[-1] + 1 - columns[0] == pytest.approx(width + smear, abs=4)


def digest(scene: Scene) -> str:
    video = sequence(scene)
    return hashlib.sha256(b"".join([video.boxes.tobytes(), *(frame.tobytes() for frame in video.frames)])).hexdigest()


def test_same_scene_gives_same_bytes_in_every_process():
    program = "from benchmarks.synthetic import Scene; from tests.test_synthetic import SMALL, digest; print(digest(SMALL))"
    elsewhere = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    assert digest(SMALL) == elsewhere
    assert digest(SMALL) != digest(replace(SMALL, seed=1))


def test_frames_can_be_read_again_and_in_any_order():
    video = sequence(SMALL)
    first = list(video.frames)
    assert len(video) == len(video.frames) == len(first) == 8
    for index in (5, 0, 7):
        np.testing.assert_array_equal(video.frames[index], first[index])
    np.testing.assert_array_equal(video.frames[-1], first[7])
    with pytest.raises(IndexError):
        video.frames[8]


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_frames_are_pictures_with_texture(background):
    frame = sequence(replace(SMALL, background=background, size=(97, 131))).frames[0]
    assert (frame.dtype, frame.shape) == (np.uint8, (97, 131, 3))
    assert frame.std() > 15


def test_grey_is_the_same_video_without_colour():
    grey, colour = sequence(replace(SMALL, grey=True)).frames[3], sequence(SMALL).frames[3]
    assert grey.shape == (96, 128)
    expected = colour @ np.array([0.114, 0.587, 0.299])  # ITU-R BT.601
    np.testing.assert_allclose(grey, expected, atol=1)


def test_without_effects_nothing_moves():
    video = sequence(STILL)
    assert np.ptp(video.boxes, axis=0).max() == 0
    np.testing.assert_array_equal(video.frames[0], video.frames[7])
    assert video.boxes[0, 3] == pytest.approx(0.25 * 96)


def test_noise_has_its_standard_deviation():
    clean, noisy = sequence(STILL).frames, sequence(replace(STILL, noise=5)).frames
    middle = (clean[0] > 30) & (clean[0] < 225)  # not clipped
    differences = [np.subtract(noisy[index], clean[index], dtype=float)[middle] for index in range(8)]
    assert np.std(differences) == pytest.approx(5, rel=0.03)
    assert abs(np.corrcoef(differences[0], differences[1])[0, 1]) < 0.05


def test_size_stays_within_the_scale():
    heights = sequence(replace(STILL, frames=220, scale=0.5)).boxes[:, 3] / (0.25 * 96)
    assert heights.max() == pytest.approx(1.5, rel=1e-3)
    assert heights.min() == pytest.approx(1 / 1.5, rel=1e-3)


def test_rotation_turns_the_mask_by_the_angle():
    video = sequence(replace(STILL, frames=90, rotation=40, size=(240, 320), reach=0))
    angles = []
    for index in range(90):  # the angle of the target's main axis, from second moments
        moments = cv2.moments(video.frames.mask(index))
        angles.append(0.5 * np.arctan2(2 * moments["mu11"], moments["mu20"] - moments["mu02"]))
    assert np.rad2deg(np.ptp(np.unwrap(angles, period=np.pi))) == pytest.approx(80, abs=1)


def test_illumination_takes_its_share_of_the_light():
    scene = replace(STILL, frames=120, illumination=0.4)
    lit, shaded = sequence(replace(scene, illumination=0)).frames[0].astype(float), sequence(scene).frames
    shares = np.array([(shaded[index].mean() / lit.mean()) for index in range(0, 120, 6)])
    assert shares.min() == pytest.approx(0.6, abs=0.02)
    assert shares.max() > 0.9


def test_post_covers_its_share_of_the_target():
    scene = replace(STILL, frames=80, occlusion=0.4, size=(240, 320))
    video, gone = sequence(scene), sequence(replace(scene, vanish=(0, 80)))
    whole = np.count_nonzero(cv2.absdiff(video.frames[0], gone.frames[0]).max(axis=2) > 2)
    seen = [np.count_nonzero(cv2.absdiff(video.frames[i], gone.frames[i]).max(axis=2) > 2) / whole for i in range(80)]
    assert max(seen) == pytest.approx(1, abs=0.01)
    assert 0.4 < min(seen) < 0.7  # four tenths of the width, more or less of the area
    assert video.visible.all()
    assert video.covered.max() == pytest.approx(0.4, abs=0.01)
    assert max(np.array(seen)[video.covered > 0.35]) < 0.75 and min(np.array(seen)[video.covered == 0]) > 0.97


def test_what_is_all_behind_the_post_is_not_visible():
    scene = replace(STILL, frames=80, occlusion=2)
    video, gone = sequence(scene), sequence(replace(scene, vanish=(0, 80)))
    area = video.frames.mask(0).sum()
    seen = np.array([np.count_nonzero(cv2.absdiff(video.frames[i], gone.frames[i]).max(axis=2)) / area for i in range(80)])
    assert 0 < np.count_nonzero(seen == 0) < 40
    assert not video.visible[seen == 0].any()
    np.testing.assert_array_equal(video.visible, video.covered < 1)
    assert seen[~video.visible].max() < 0.03  # through the soft edge of the post


def test_look_alikes_leave_the_target_as_it_was():
    alone, among = sequence(SMALL), sequence(replace(SMALL, distractors=5))
    np.testing.assert_array_equal(alone.boxes, among.boxes)
    assert not np.array_equal(alone.frames[0], among.frames[0])


def test_vanished_target():
    scene = replace(SMALL, vanish=(3, 5))
    video = sequence(scene)
    assert video.visible.tolist() == [True] * 3 + [False] * 2 + [True] * 3
    np.testing.assert_array_equal(video.boxes, sequence(SMALL).boxes)
    always = sequence(SMALL).frames
    assert [np.array_equal(video.frames[index], always[index]) for index in range(8)] == video.visible.tolist()


def test_target_that_leaves_the_picture():
    video = sequence(replace(SMALL, frames=160, reach=2))
    outside = (edges(video.boxes.T)[:2] >= [[128], [96]]).any(axis=0) | (edges(video.boxes.T)[2:] <= 0).any(axis=0)
    assert 10 < outside.sum() < 150
    np.testing.assert_array_equal(video.visible, ~outside)
    assert all(frame.shape == (96, 128, 3) for frame in video.frames)


def test_one_frame():
    video = sequence(replace(SMALL, frames=1))
    assert len(list(video.frames)) == len(video.boxes) == 1


@pytest.mark.parametrize("options", [{"target": "dog"}, {"background": "sea"}, {"frames": 0}, {"size": (8, 100)}])
def test_impossible_scene(options):
    with pytest.raises(UnknownOptionError):
        Scene(**options)


def test_missing_pictures_say_what_to_install(monkeypatch):
    monkeypatch.setattr(synthetic, "find_spec", lambda name: None)
    with pytest.raises(VideoError, match=r"pip install cfvgg\[report\]"):
        sequence(SMALL)
