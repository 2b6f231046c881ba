"""What a command line may call a tracker, and trackers of others."""

import sys

import numpy as np
import pytest

import trackers
from benchmarks import peers
from benchmarks.metrics import overlap
from trackers.errors import TrackerError, UnknownOptionError, UnknownTrackerError, VideoError
from trackers.opencv import cv2


def test_names_options_and_labels_are_told_apart():
    specs = peers.parse('feco, exact=ECOHC{"published": true, "features": ["fhog", "grey"]} ,opencv:CSRT,a.b:make{"x":"}{,"}')
    assert [(spec.label, spec.name, spec.options) for spec in specs] == [
        ("fECO", "fECO", {}),
        ("exact", "ECOHC", {"published": True, "features": ["fhog", "grey"]}),
        ("opencv-CSRT", "opencv:CSRT", {}),
        ("a.b-make-x", "a.b:make", {"x": "}{,"}),
    ]


def test_options_become_part_of_a_label_that_a_folder_can_have():
    (spec,) = peers.parse('fECO{"published":true,"scale_step":1.05}')
    assert spec.label == "fECO-published-true-scale_step-1.05"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a name is needed"),
        ("KCF,,MOSSE", "a name is needed at ',MOSSE'"),
        ("KCF MOSSE", "a comma is needed before 'MOSSE'"),
        ('KCF{"published": True}', "options are JSON"),
        ("KCF{}x", "a comma is needed before 'x'"),
        ("KCF,kcf", "KCF stands twice; give one of them a label"),
        ("one=KCF,one=MOSSE", "one stands twice"),
    ],
)
def test_what_is_not_of_that_form_is_explained(text, message):
    with pytest.raises(UnknownOptionError, match="trackers") as error:
        peers.parse(text)
    assert message in str(error.value)


def test_own_trackers_come_with_their_options():
    tracker = peers.make('kcf{"preset": "grey", "search_area": 2}')
    assert type(tracker) is trackers.KCF
    assert (tracker.config.feature, tracker.config.search_area) == ("grey", 2)


@pytest.mark.parametrize("name", [name for name in peers.OPENCV if name != "Nano"])
def test_opencv_trackers_follow(video, name):
    if not any(hasattr(owner, f"Tracker{name}_create") for owner in (cv2, getattr(cv2, "legacy", None))):
        pytest.skip(f"this OpenCV has no Tracker{name}")
    frames, boxes = video
    cv2.setRNGSeed(0)
    tracker = peers.make(f"opencv:{name}")
    tracker.init(frames[0], boxes[0])
    found = [tracker.update(frame)[1] for frame in frames[1:]]
    assert overlap(found, boxes[1:]).mean() > 0.5


def test_nano_follows(video, shared):
    (spec,) = peers.parse("opencv:Nano", shared("weights/peers"))
    frames, boxes = video
    tracker = peers.make(spec)
    tracker.init(frames[0], boxes[0])
    assert overlap([tracker.update(frame)[1] for frame in frames[1:]], boxes[1:]).mean() > 0.5
    assert [file.name for file in tracker.files] == list(peers.NANO)


def test_opencv_trackers_take_grey_pictures(video):
    frames, boxes = video
    tracker = peers.OpenCV("MIL")
    tracker.init(frames[0][:, :, 0], boxes[0])
    assert len(tracker.update(frames[1][:, :, 0])[1]) == 4


def test_an_opencv_tracker_that_gives_up_keeps_its_box(video):
    if not hasattr(cv2, "TrackerCSRT_create"):
        pytest.skip("this OpenCV has no TrackerCSRT")
    frames, boxes = video
    tracker = peers.OpenCV("CSRT")
    tracker.init(frames[0], boxes[0])
    found, box = tracker.update(np.zeros_like(frames[0]))
    assert not found
    assert box == tuple(np.rint(boxes[0]))


def test_a_factory_of_a_module_in_the_present_folder(tmp_path, monkeypatch):
    (tmp_path / "of_mine.py").write_text("def make(**options):\n    return options\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    monkeypatch.delitem(sys.modules, "of_mine", raising=False)
    assert peers.make('of_mine:make{"a": [1]}') == {"a": [1]}


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("fECHO", UnknownTrackerError, "did you mean fECO?"),
        ("opencv:Csrt", UnknownTrackerError, "no TrackerCsrt; KCF, CSRT"),
        ("opencv:Nano", VideoError, "--models names the folder of nanotrack_backbone_sim.onnx"),
        ("no_such_module:make", UnknownTrackerError, "No module named 'no_such_module'"),
        ("json:make", UnknownTrackerError, "has no attribute 'make'"),
        ('KCF{"kernels": 1}', UnknownOptionError, "did you mean kernel?"),
    ],
)
def test_unknown_trackers_are_named(text, error, message):
    with pytest.raises(error) as raised:
        peers.make(text)
    assert isinstance(raised.value, TrackerError)
    assert message in str(raised.value)
