"""The demo with a tracker that knows the answer."""

import re

import cv2
import numpy as np
import pytest

import trackers
from benchmarks import demo, synthetic
from benchmarks.synthetic import Scene, sequence
from trackers.errors import VideoError

SCENE = Scene(frames=12, size=(96, 128))


class Oracle:
    """Gives the true boxes, shifted."""

    def __init__(self, shift: float = 0):
        self._boxes = iter(np.add(sequence(SCENE).boxes, (shift, 0, 0, 0)))
        self.score = 1.0

    def init(self, image, box):
        next(self._boxes)

    def update(self, image):
        return True, tuple(next(self._boxes))


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(demo, "Scene", lambda: SCENE)
    monkeypatch.setattr(trackers, "create", lambda name: Oracle())


def test_demo_writes_and_prints_the_truth(tmp_path, capsys):
    assert demo.run(tmp_path / "new" / "folder") == 0
    folder = tmp_path / "new" / "folder"
    assert sorted(path.name for path in folder.iterdir()) == ["boxes.txt", "demo.mp4", "demo.png"]
    np.testing.assert_allclose(np.loadtxt(folder / "boxes.txt", delimiter=","), sequence(SCENE).boxes, atol=1e-4)
    video = cv2.VideoCapture(str(folder / "demo.mp4"))
    frames = []
    while (read := video.read())[0]:
        frames.append(read[1])
    assert np.shape(frames) == (12, 96, 128, 3)
    assert cv2.imread(str(folder / "demo.png")).shape[1] == 900
    printed = capsys.readouterr().out
    assert re.search(r"mean overlap 1\.000, AUC 0\.952", printed)  # 20 / 21
    assert re.search(r"\d+ frames per second, [\d.]+ ms of CPU time per frame", printed)


def test_demo_fails_when_the_target_is_lost(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(trackers, "create", lambda name: Oracle(shift=500))
    assert demo.run(tmp_path) == 1
    assert "mean overlap 0.000, AUC 0.000" in capsys.readouterr().out


def test_demo_without_scikit_image(tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic, "find_spec", lambda name: None)
    with pytest.raises(VideoError, match=r"pip install cfvgg\[report\]"):
        demo.run(tmp_path)
    assert not list(tmp_path.iterdir())


def test_demo_that_cannot_write(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(VideoError, match="file"):
        demo.run(tmp_path / "file")
