"""The table of what repeats: what is run, and that differences are seen."""

from functools import partial

import pytest

from benchmarks import peers, synthetic
from benchmarks.robustness import determinism, hard
from tests import stand_ins


@pytest.fixture
def clip(monkeypatch):
    video = synthetic.sequence(synthetic.Scene(frames=5, size=(40, 60)))
    made = hard.HardClip("small", "small", video.boxes, video.visible, partial(iter, video.frames))
    monkeypatch.setattr(hard, "vanishing", lambda _: [made])
    return made


def test_a_tracker_that_knows_of_others_differs_but_in_a_new_process(clip, monkeypatch):
    monkeypatch.setattr(stand_ins.Counts, "asked", 0)
    (spec,) = peers.parse("tests.stand_ins:Counts")
    assert determinism.differing(spec, clip) == [4, 4, 4, 0, 0]


def test_two_run_by_turns(clip, monkeypatch):
    monkeypatch.setattr(stand_ins.Counts, "asked", 0)
    (spec,) = peers.parse("tests.stand_ins:Counts")
    asked = (1.0, 3.0, 5.0, 7.0), (2.0, 4.0, 6.0, 8.0)
    assert determinism.interleaved(spec, clip) == [[repr(((True, (n, 0.0, 1.0, 1.0)), None)) for n in one] for one in asked]


def test_the_command(clip, capsys):
    assert determinism.main(["--trackers", "still=tests.stand_ins:Still,MOSSE"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "of 4" in lines[0] and [line.split() for line in lines[-2:]] == [["still", *"00000"], ["MOSSE", *"00000"]]


def test_a_tracker_that_is_none(clip, capsys):
    assert determinism.main(["--trackers", "fECHO"]) == 1
    assert "did you mean fECO?" in capsys.readouterr().err
