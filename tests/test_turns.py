"""Cameras that roll: trackers that follow the angle of their target."""

import math

import numpy as np
import pytest

import trackers
from benchmarks.metrics import overlap
from benchmarks.synthetic import Scene, sequence
from tests.tracks import distances
from trackers.config import ScaleFilterConfig
from trackers.errors import UnknownOptionError
from trackers.opencv import cv2

TURN = 2.0  # degrees a frame, clockwise
TURNING = {"scale_filter": {"angle": True}}


@pytest.fixture(scope="module")
def rolling():
    """Frames about the middle of which the camera rolls, and the boxes of the ellipses that the true boxes hold."""
    scene = Scene(frames=50, size=(180, 240), seed=4, motion=0.3, scale=0.1, rotation=0, illumination=0, blur=0, occlusion=0, distractors=0)
    made, frames, boxes = sequence(scene), [], []
    for number, (frame, (x, y, width, height)) in enumerate(zip(made.frames, made.boxes, strict=True)):
        matrix = cv2.getRotationMatrix2D((120, 90), -TURN * number, 1)
        frames.append(cv2.warpAffine(frame, matrix, (240, 180), borderMode=cv2.BORDER_REFLECT))
        middle = matrix @ (x + (width - 1) / 2, y + (height - 1) / 2, 1)
        cosine, sine = math.cos(math.radians(TURN * number)), math.sin(math.radians(TURN * number))
        sides = np.hypot(width * cosine, height * sine), np.hypot(width * sine, height * cosine)
        boxes.append([*(middle - (np.array(sides) - 1) / 2), *sides])
    return frames, np.array(boxes)


@pytest.mark.parametrize("name", ["fECO", "ECOHC", "fDeepSTRCF", "STRCF", "BACF", "KCF", "fKCF"])
def test_the_angle_of_the_target_is_followed(rolling, name):
    frames, truth = rolling
    tracker = trackers.create(name, **TURNING)
    boxes = tracker.track(frames, truth[0]).boxes
    assert math.degrees(tracker._target._angle) == pytest.approx(TURN * (len(frames) - 1), abs=10)
    assert distances(boxes, truth).max() < 0.25 * truth[0, 2:].min()
    assert overlap(boxes, truth).mean() > 0.7


def test_the_angle_helps(rolling):
    frames, truth = rolling
    found = [overlap(trackers.fECO(**options).track(frames, truth[0]).boxes, truth).mean() for options in ({}, TURNING)]
    assert 1 - found[1] < 0.5 * (1 - found[0])


def test_a_tracker_that_follows_the_angle_goes_on_from_a_snapshot(rolling, tmp_path):
    frames, truth = rolling
    tracker = trackers.fECO(**TURNING)
    tracker.track(frames[:20], truth[0])
    tracker.save(tmp_path / "turned")
    again = trackers.fECO.load(tmp_path / "turned")
    for frame in frames[20:26]:
        assert tracker.update(frame) == again.update(frame)


def test_an_angle_without_a_ratio_of_sides_is_refused():
    with pytest.raises(UnknownOptionError, match="angle=True with aspect=False"):
        ScaleFilterConfig(angle=True)
