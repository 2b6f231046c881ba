"""Long runs: what is counted, and what is said about it."""

from unittest.mock import Mock

import numpy as np
import pytest

from benchmarks import synthetic
from benchmarks.robustness import soak
from tests.stand_ins import Still
from trackers.opencv import cv2

SMALL = synthetic.Scene(frames=5, size=(40, 60))


class Counts(Still):
    """Notes its calls."""

    calls = ()

    def init(self, image, box):
        super().init(image, box)
        self.calls += (("init", image.sum(), tuple(box)),)

    def update(self, image):
        self.calls += (("update", image.sum()),)
        return super().update(image)


def test_the_video_goes_to_and_fro_and_begins_anew(monkeypatch):
    monkeypatch.setattr(soak, "SCENE", SMALL)
    tracker, video = Counts(), synthetic.sequence(SMALL)
    found = soak.soak(tracker, 12, 2)
    sums = [frame.sum() for frame in video.frames]
    begun = [number for number, call in enumerate(tracker.calls) if call[0] == "init"]
    assert begun == [0, 5, 10]  # every 4 updates: 0, 4 and 8, and those calls of init
    assert [tracker.calls[number][1:] for number in begun] == [(sums[at], tuple(video.boxes[at])) for at in (0, 4, 0)]
    updates = [call[1] for call in tracker.calls if call[0] == "update"]
    assert updates == [sums[at] for at in (1, 2, 3, 4, 3, 2, 1, 0, 1, 2, 3, 4)]
    assert found.seconds.shape == (12,) and found.updates.size == 0


def test_slope_and_medians_by_hand():
    looks = np.arange(1, 11) * 1000
    memory = np.where(looks <= 5000, 7e8, 1e8 + 3 * looks)  # what comes first does not count
    seconds = np.concatenate([np.full(600, 2.0), np.full(400, 9.0), np.full(8000, 5.0), np.full(400, 1.0), np.full(600, 3.0)])
    found = soak.Soak(looks, memory, seconds)
    assert found.slope == pytest.approx(3) and found.medians() == (2, 3)


def test_the_command(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(soak, "SCENE", SMALL)
    arguments = ["--tracker", "still=tests.stand_ins:Still", "--updates", "4000", "--reinitialisations", "10"]
    assert soak.main([*arguments, "--figure", str(tmp_path / "soak.png")]) == 0
    out = capsys.readouterr().out
    assert "still: 4000 updates, 10 reinitialisations" in out and "slope" in out and "ratio" in out
    assert [path.name for path in tmp_path.iterdir()] == ["soak.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--updates", "100"], "at least 4000"),
        (["--updates", "5000", "--reinitialisations", "5000"], "more than --reinitialisations"),
        (["--tracker", "fECHO"], "did you mean fECO?"),
        (["--tracker", "opencv:Nano", "--models", "missing"], "opencv:Nano needs missing"),
        (["--tracker", "tests.stand_ins:Still", "--updates", "4000", "--figure", "missing/soak.png"], "cannot write missing/soak.png"),
    ],
)
def test_bad_arguments(monkeypatch, capsys, arguments, message):
    monkeypatch.setattr(soak, "SCENE", SMALL)
    assert soak.main(arguments) == 1
    assert message in capsys.readouterr().err


def test_a_tracker_of_opencv_that_does_not_last(monkeypatch, capsys):
    monkeypatch.setattr(soak, "SCENE", SMALL)
    monkeypatch.setattr(Still, "update", Mock(side_effect=cv2.error("no such channel")))
    assert soak.main(["--tracker", "tests.stand_ins:Still", "--updates", "4000"]) == 1
    assert capsys.readouterr().err == "no such channel\n"
