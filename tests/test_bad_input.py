"""Whatever is wrong with what a user gives is said at once, with what is allowed, and nothing changes by it."""

import numpy as np
import pytest

from trackers import ECO, ECOHC, fECO
from trackers.config import Feature
from trackers.errors import InvalidBoxError, InvalidImageError, NotInitialisedError, TrackerError, UnknownOptionError, WeightsError

HEIGHT, WIDTH = 96, 128  # of the pictures of `video`


def test_update_before_init(video, tracker):
    with pytest.raises(NotInitialisedError, match=r"call init\(image, box\)") as caught:
        tracker.update(video[0][0])
    assert isinstance(caught.value, TrackerError) and isinstance(caught.value, RuntimeError)


@pytest.fixture
def running(video, tracker):
    """A tracker under way, and what it must find in the next frame whatever happens before that."""
    frames, boxes = video
    tracker.init(frames[0], boxes[0])
    tracker.update(frames[1])
    return tracker, tuple(fECO(features=("fhog",)).track(frames[:3], boxes[0]).boxes[2])


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((1, 2, 3), r"\(1, 2, 3\); four numbers"),
        ((1, 2, 3, 4, 5), "four numbers"),
        ((), "four numbers"),
        (None, "None; four numbers"),
        (7, "7; four numbers"),
        ("1,2,3,4", "'1,2,3,4'; four numbers"),
        (("1", "2", "3", "4"), "four numbers"),
        ({"x": 1, "y": 2, "w": 3, "h": 4}, "'w': 3.*four numbers"),
        ([[1, 2], [3]], "four numbers"),
        ([True] * 4, "four numbers"),
        ([1j, 2, 3, 4], "four numbers"),
        ((1, 2, 0, 4), "width 0 and height 4.*above 0"),
        ((1, 2, 3, -4), "width 3 and height -4.*above 0"),
        ((1, 2, float("nan"), 4), "nan.*NaN or infinity"),
        ((1, float("inf"), 3, 4), "inf.*NaN or infinity"),
        ((WIDTH, 0, 5, 5), r"outside the picture of 128 x 96 pixels \(W x H\)"),
        ((0, 96.5, 5, 5), "outside the picture"),
        ((-5, 10, 5, 5), "outside the picture"),
        ((10, -7, 5, 6), "outside the picture"),
        ((64, 48, 1e-200, 1e-200), "at least 0.001"),
        ((-1e150, -1e150, 2e150, 2e150), r"at most 1e\+06"),
    ],
)
def test_bad_boxes(video, running, box, message):
    tracker, expected = running
    score = tracker.score
    with pytest.raises(InvalidBoxError, match=message) as caught:
        tracker.init(video[0][3], box)
    assert isinstance(caught.value, TrackerError) and isinstance(caught.value, ValueError)
    assert tracker.score == score and tracker.update(video[0][2])[1] == expected


GOOD = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (None, "None; cv2.imread"),
        ("frame.jpg", r"a str; a numpy array is needed: numpy.asarray\(picture\)"),
        (GOOD.tolist(), "a list; a numpy array"),
        (GOOD.astype(float), r"float64; uint8 .* \(picture \* 255\).astype\(numpy.uint8\)"),
        (GOOD.astype(np.int32), r"int32; uint8 .* picture.astype\(numpy.uint8\)"),
        (GOOD.astype(bool), "bool; uint8"),
        (np.zeros((HEIGHT, WIDTH, 4), np.uint8), r"\(96, 128, 4\).*picture\[:, :, :3\]"),
        (np.zeros((HEIGHT, WIDTH, 2), np.uint8), r"\(96, 128, 2\)"),
        (np.zeros((3, HEIGHT, WIDTH), np.uint8), r"\(3, 96, 128\)"),
        (np.zeros((1, HEIGHT, WIDTH, 3), np.uint8), r"\(1, 96, 128, 3\)"),
        (np.zeros(100, np.uint8), r"\(100,\)"),
        (np.zeros((0, WIDTH, 3), np.uint8), r"empty: shape \(0, 128, 3\)"),
    ],
)
def test_bad_pictures(video, running, picture, message):
    tracker, expected = running
    for call in (lambda: tracker.update(picture), lambda: tracker.init(picture, (1, 2, 30, 40))):
        with pytest.raises(InvalidImageError, match=message):
            call()
    assert tracker.update(video[0][2])[1] == expected


@pytest.mark.parametrize("shape", [(HEIGHT, WIDTH - 1), (HEIGHT + 1, WIDTH, 3), (WIDTH, HEIGHT, 3)])
def test_a_picture_of_another_size(video, running, shape):
    tracker, expected = running
    with pytest.raises(InvalidImageError, match=rf"{shape[0]} x {shape[1]} pixels \(H x W\), the first had 96 x 128"):
        tracker.update(np.zeros(shape, np.uint8))
    assert tracker.update(video[0][2])[1] == expected
    tracker.init(np.zeros(shape, np.uint8), (1, 2, 30, 40))  # a new start may have any size


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rat": 0.1}, "'learning_rat'; did you mean learning_rate?"),
        ({"colour": 1}, "'colour'.*Options: recovery, features"),
        ({"learning_rate": 2}, "learning_rate=2; a number from 1e-06 to 0.999"),
        ({"learning_rate": float("nan")}, "learning_rate=nan"),
        ({"samples": 1}, "samples=1"),
        ({"samples": 30.5}, "samples=30.5; an integer"),
        ({"samples": True}, "samples=True"),
        ({"scales": "many"}, "scales='many'"),
        ({"preset": "uav"}, "preset='uav'; fECO has otb, tc128, vot"),
        ({"channel_order": "GBR"}, "channel_order='GBR'; allowed are BGR and RGB"),
        ({"features": ("fhog", "hog")}, "feature 'hog'; known are conv1"),
        ({"features": ()}, "one or more different ones"),
        ({"features": ("fhog", "fhog")}, "one or more different ones"),
        ({"features": (Feature("fhog", 0, 4),)}, "dimension and cell positive"),
        ({"features": (Feature("conv5", 12, 4),)}, "cell a multiple of 16"),
        ({"features": (Feature("fhog", 40, 4),)}, "fhog has 31 channels"),
        ({"features": (Feature("conv1", 13, 4),)}, "conv1 has 12 channels"),
        ({"features": "fhog"}, "a sequence of names"),
        ({"forgetting": "x"}, "forgetting='x'; a number"),
        ({"label_sigma": -1}, "label_sigma=-1"),
        ({"sample_side": (300, 200)}, "smallest and largest side"),
        ({"sample_side": 5}, "sample_side=5; two integers"),
        ({"scale_filter": 3}, "scale_filter=3; True, False, a ScaleFilterConfig or a dict"),
        ({"reuse_detection": "no"}, "reuse_detection='no'; True or False"),
        ({"published": "no"}, "published='no'; True or False"),
        ({"preset": ["otb"]}, r"preset=\['otb'\]"),
        ({"backbone": 3}, "backbone=3; a path"),
        ({"tables": {"colour_name": "t.npz"}}, "tables of 'colour_name'; there are colour_names, intensity"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(UnknownOptionError, match=message):
        fECO(**options)


def test_tables_of_the_wrong_length():
    with pytest.raises(WeightsError, match="colour_names has 256 rows; 32768 are needed"):
        ECOHC(tables={"colour_names": np.zeros((256, 10))})


def test_features_that_do_not_apply(video):
    frames, boxes = video
    with pytest.raises(UnknownOptionError, match="none of them is for colour sequences"):
        ECOHC(features=("intensity",)).init(frames[0], boxes[0])


def test_networks_that_are_not_there(tmp_path):
    with pytest.raises(WeightsError, match="no file of weights at .*missing.mat"):
        fECO(tmp_path / "missing.mat")
    with pytest.raises(WeightsError, match="ECO needs VGG-M"):
        ECO()
