"""The speed table with trackers whose figures are known."""

import cv2
import numpy as np
import pytest

import trackers
from benchmarks import speed
from benchmarks.synthetic import Scene, sequence

SCENE = Scene(frames=10, size=(96, 128), motion=0, scale=0, rotation=0)


class Motionless:
    """Right about a target that does not move."""

    def init(self, image, box):
        self.box = box

    def update(self, image):
        return True, self.box


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(speed, "SCENES", (SCENE, SCENE))
    monkeypatch.setattr(trackers, "create", lambda name: Motionless())


def test_table_of_synthetic_targets(capsys):
    assert speed.main(["--trackers", "one,two", "--peers", "CSRT"]) == 0
    _, head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["median", "95", "%", "first", "mean", "AUC"]
    assert [row.split()[0] for row in rows] == ["one", "two", "CSRT"]
    assert [row.split()[4] for row in rows[:2]] == ["0.952", "0.952"]  # 20 / 21
    median, high, first = map(float, rows[2].split()[1:4])
    assert 0 < median <= high
    assert first > 0


def test_otb_folder_counts_pixels_from_one(tmp_path):
    video = sequence(SCENE)
    for name, separator in (("One", ","), ("Two", "\t")):
        (tmp_path / name / "img").mkdir(parents=True)
        for index, frame in enumerate(video.frames):
            cv2.imwrite(str(tmp_path / name / "img" / f"{index + 1:04d}.png"), frame)
        np.savetxt(tmp_path / name / "groundtruth_rect.txt", np.tile([31, 21, 40, 30], (8, 1)), "%d", separator)
    for frames, boxes in speed.otb_targets(tmp_path):
        np.testing.assert_array_equal(boxes, np.tile([30, 20, 40, 30], (8, 1)))
        area, seconds = speed.measure(Motionless(), frames, boxes)
        assert (area, len(seconds)) == (pytest.approx(20 / 21), 8)


@pytest.mark.parametrize(("arguments", "message"), [(["--root", "."], "no OTB sequence"), (["--peers", "NONE"], "TrackerNONE")])
def test_what_is_missing_is_named(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert speed.main(arguments) == 1
    assert message in capsys.readouterr().err
