"""A client of TraX with our trackers."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

trax = pytest.importorskip("trax")  # pip install vot-trax
from trax.client import Client
from trax.image import FileImage
from trax.region import Rectangle

from benchmarks import peers
from cfvgg.cli import main
from trackers.video import read_picture

ROOT = Path(__file__).resolve().parents[1]


class Chatty:
    """Stays where it begins, and says so."""

    def init(self, image, box):
        self.box = box

    def update(self, image):
        print("nothing new")
        return True, self.box


@pytest.fixture
def pictures(video, tmp_path) -> list[Path]:
    """The frames of `video` in files, and behind them one that is no picture."""
    paths = [tmp_path / f"{number}.png" for number in range(len(video[0]) + 1)]
    for path, frame in zip(paths, video[0], strict=False):
        cv2.imwrite(str(path), frame)
    paths[-1].write_bytes(b"no picture")
    return paths


@contextmanager
def serving(tracker: str, heard: list[str]) -> Iterator[tuple[subprocess.Popen, Client]]:
    """A process that serves a tracker, and a client that keeps what the process says."""
    command = [sys.executable, "-m", "cfvgg", "bench", "trax", tracker]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:
        try:
            yield process, Client(stream=(process.stdin.fileno(), process.stdout.fileno()), log=heard.append)
        finally:
            process.kill()


def image(path: Path) -> dict:
    """As the client takes it."""
    return {"color": FileImage.create(str(path))}


def test_boxes_by_trax_are_those_of_the_tracker(pictures, video):
    box = np.float32(np.round(video[1][0], 4)).tolist()  # as TraX sends numbers
    with serving("MOSSE", []) as (process, client):
        for _ in range(2):  # begin anew: nothing is left of before
            tracker = peers.make("MOSSE")
            tracker.init(read_picture(pictures[0]), box)
            ((first, _),), _ = client.initialize(image(pictures[0]), [(Rectangle.create(*box), {})], {})
            np.testing.assert_allclose(first.bounds(), box, atol=1e-4)
            for path in pictures[1:4]:
                ((found, _),), _ = client.frame(image(path), {}, [])
                np.testing.assert_allclose(found.bounds(), tracker.update(read_picture(path))[1], atol=1e-4)
        client.quit()
        assert process.wait(30) == 0
        assert process.stderr.read() == ""


def test_only_trax_speaks_on_stdout_and_a_broken_picture_is_told(pictures):
    said = []
    with serving("tests.test_vot_trax:Chatty", said) as (process, client):
        client.initialize(image(pictures[0]), [(Rectangle.create(1, 2, 30, 40), {})], {})
        client.frame(image(pictures[1]), {}, [])
        with pytest.raises(trax.TraxException):
            client.frame(image(pictures[-1]), {}, [])
        assert process.wait(30) == 1
        assert process.stderr.read().splitlines() == ["nothing new", f"cfvgg: {pictures[-1]} is not a whole picture"]
    assert all(line.startswith("@@TRAX:") for line in "".join(said).splitlines() if line.strip())


@pytest.mark.parametrize(("tracker", "message"), [("fECQ", "no tracker 'fECQ'; did you mean fECO?"), ("KCF,MOSSE", "are 2 trackers")])
def test_what_cannot_be_served(tracker, message, capsys):
    assert main(["bench", "trax", tracker]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
    assert said.err.count("\n") == 1
