"""Hostile inputs to all kinds of trackers, calls in any order, and the harness that puts them to trackers of others."""

import copy
import faulthandler
import os
import threading
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from benchmarks import peers
from benchmarks.robustness import hostile
from benchmarks.robustness.cases import BOX, BOXES, HEIGHT, PICTURES, WIDTH, Case, cases, frames
from benchmarks.robustness.isolated import Death, Hang, isolated
from tests.stand_ins import Still
from trackers import Tracker
from trackers.errors import NotInitialisedError, TrackerError
from trackers.opencv import cv2

SMALL_FECO = 'fECO{"samples": 4, "features": ["fhog"]}'  # takes less room and time
TRACKERS = (SMALL_FECO, "fKCF", "KCF", "MOSSE", "STRCF")


@pytest.mark.parametrize("name", TRACKERS)
def test_all_cases_are_refused_or_coped_with(name):
    prepared = hostile.prepare(lambda: peers.make(name))
    asked = [case for case in cases().values() if not case.name.startswith("file")]  # those depend on no tracker
    outcomes = {case.name: hostile.attempt(case, copy.deepcopy(prepared)) for case in asked}
    assert len(outcomes) > 100
    assert {name: outcome for name, outcome in outcomes.items() if not outcome.good} == {}


@pytest.mark.parametrize("name", [name for name in cases() if name.startswith("file")])
def test_no_part_of_a_file_is_taken_for_a_picture(name):
    tracker = peers.make("MOSSE")
    tracker.init(frames()[0], BOX)
    with pytest.raises(TrackerError, match="not a whole picture|is empty"):
        cases()[name].play(tracker)


# Calls in any order


def state(tracker):
    with TemporaryDirectory() as folder:
        tracker.save(Path(folder) / "state")
        return (Path(folder) / "state").read_bytes()


class Calls(RuleBasedStateMachine):
    """A tracker that gets all calls, and its twin, which gets only those that the first accepts: both find the same."""

    def __init__(self):
        super().__init__()
        self.tracker, self.twin, self.begun, self.found = peers.make(self.name), peers.make(self.name), False, (True, BOX)

    number = st.integers(0, 3)
    box = st.tuples(st.floats(-20, WIDTH - 1), st.floats(-20, HEIGHT - 1), st.floats(20.5, 200), st.floats(20.5, 200))
    small = st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1), st.floats(1e-3, 4), st.floats(1e-3, 4))

    @rule(number=number, box=box | small)
    def init(self, number, box):
        for tracker in (self.tracker, self.twin):
            tracker.init(frames()[number], box)
        self.begun = True

    @rule(number=number)
    def update(self, number):
        if not self.begun:
            with pytest.raises(NotInitialisedError):
                self.tracker.update(frames()[number])
        else:
            self.found = self.tracker.update(frames()[number])
            assert self.twin.update(frames()[number]) == self.found

    @rule()
    def save_and_load(self):
        with TemporaryDirectory() as folder:
            self.tracker.save(Path(folder) / "state")
            self.tracker = Tracker.load(Path(folder) / "state")

    @rule(number=number, box=st.sampled_from(sorted(BOXES)))
    def init_with_a_hostile_box(self, number, box):
        if self.is_accepted("init", lambda: (frames()[number], BOXES[box]())):
            self.begun = True

    @rule(picture=st.sampled_from(sorted(PICTURES)), box=box)
    def init_with_a_hostile_picture(self, picture, box):
        if self.is_accepted("init", lambda: (PICTURES[picture](), box)):
            self.begun = True

    @rule(picture=st.sampled_from(sorted(PICTURES)))
    def update_with_a_hostile_picture(self, picture):
        self.is_accepted("update", lambda: (PICTURES[picture](),))

    def is_accepted(self, method, arguments):
        before = state(self.tracker)
        try:
            found = getattr(self.tracker, method)(*arguments())
        except TrackerError:
            assert state(self.tracker) == before
            return False
        assert getattr(self.twin, method)(*arguments()) == found
        self.found = found or self.found
        return True

    @invariant()
    def is_sound(self):
        _, box = self.found
        assert np.isfinite(box).all() and min(box[2:]) > 0
        assert 0 <= self.tracker.score <= 1 and self.tracker.score == self.twin.score

    def teardown(self):
        assert state(self.tracker) == state(self.twin)


def machine(tracker, examples, steps):
    case = type("Calls", (Calls,), {"name": tracker}).TestCase
    case.settings = settings(max_examples=examples, stateful_step_count=steps)
    return case


TestCallsOfMOSSE = machine("MOSSE", 20, 20)
TestCallsOfKCF = machine("KCF", 20, 20)
TestCallsOfFECO = machine(SMALL_FECO, 2, 10)


# The harness


class Blank(Still):
    """Gives boxes without size."""

    def update(self, image):
        return True, (1, 2, 0, 4)


class Lost(Still):
    """Gives none, and says so."""

    def update(self, image):
        return False, (1, 2, 0, 4)


def played(make, play, begun=True):
    return hostile.attempt(Case("", play, begun), hostile.prepare(make))


def raises(error):
    def play(_):
        raise error

    return play


def refused_by_opencv(_):
    cv2.cvtColor(np.zeros((4, 4, 7), np.uint8), cv2.COLOR_BGR2GRAY)  # bad number of channels


def not_for_opencv(_):
    cv2.resize("picture", (3, 3))


def assertion_of_opencv(_):
    cv2.resize(np.zeros((4, 4), np.uint8), (0, 0))


@pytest.mark.parametrize(
    ("play", "kind"),
    [
        (lambda tracker: tracker.update(None), "valid"),
        (lambda tracker: None, "wrong result"),
        (lambda tracker: (True, (1, 2, 3)), "wrong result"),
        (lambda tracker: (True, (1, 2, 3, float("nan"))), "wrong result"),
        (raises(TypeError("no picture")), "typed error"),
        (raises(MemoryError()), "internal error"),
        (raises(cv2.error("std::bad_alloc")), "internal error"),
        (refused_by_opencv, "typed error"),
        (not_for_opencv, "typed error"),
        (assertion_of_opencv, "internal error"),
    ],
)
def test_outcomes_of_others(play, kind):
    outcome = played(Still, play)
    assert (outcome.kind, outcome.kept) == (kind, None)


def test_others_need_no_box_where_they_say_that_the_target_is_lost():
    assert played(Blank, lambda tracker: tracker.update(None)).kind == "wrong result"
    assert played(Lost, lambda tracker: tracker.update(None)).kind == "valid"


def test_only_errors_of_this_project_are_typed_for_its_trackers():
    make = partial(peers.make, "MOSSE")
    assert played(make, raises(ValueError("operands could not be broadcast"))).kind == "internal error"
    assert played(make, raises(TrackerError("no"))) == hostile.Outcome("typed error", "TrackerError: no", True)


def spoilt(tracker):
    """Refuses, but not before it has learned."""
    tracker.update(frames()[3])
    raise TrackerError("no")


def test_a_state_that_changed_is_noticed():
    outcome = played(lambda: peers.make("MOSSE"), spoilt)
    assert (outcome.kind, outcome.kept, outcome.good) == ("typed error", False, False)


def wait_for_ever():
    threading.Event().wait()


def abort():
    faulthandler.disable()  # pytest's, which would print where it was
    os.abort()


def test_isolated_functions():
    assert isolated(divmod, 17, 5, limit=60) == (3, 2)
    with pytest.raises(Hang, match=r"no answer after 0\.1 s"):
        isolated(wait_for_ever, limit=0.1)
    with pytest.raises(Death, match="exit code 3"):
        isolated(os._exit, 3, limit=60)
    with pytest.raises(Death, match="SIGABRT"):
        isolated(abort, limit=60)


class Fragile(Still):
    """Dies of black pictures, and never returns from white ones; picky about everything else."""

    def update(self, image):
        if not isinstance(image, np.ndarray) or image.shape != (HEIGHT, WIDTH, 3):
            raise ValueError("no such picture")
        if not image.any():
            abort()
        if image.min() == 255:
            wait_for_ever()
        return super().update(image)


def test_the_command_counts_outcomes(monkeypatch, capfd):
    names = ["box: one NaN", "picture: black", "picture: white", "picture: None", "picture: read-only"]
    every = cases()
    monkeypatch.setattr(hostile, "cases", lambda: {name: every[name] for name in names})
    assert hostile.main(["--trackers", "fragile=tests.test_hostile:Fragile,MOSSE", "--limit", "0.5"]) == 1
    lines = capfd.readouterr().out.splitlines()
    rows = {line.split()[0]: line.split() for line in lines if line.startswith(("fragile ", "MOSSE "))}
    assert rows["fragile"] == ["fragile", "5", "1", "1", "1", "0", "1", "1", "-"]
    assert rows["MOSSE"] == ["MOSSE", "5", "3", "2", "0", "0", "0", "0", "2", "of", "2"]
    assert "fragile, picture: black: death: SIGABRT" in lines and "fragile, box: one NaN: wrong result: " in lines


def test_bad_arguments_of_the_command(capsys):
    assert hostile.main(["--trackers", "fECHO"]) == 1
    assert "did you mean fECO?" in capsys.readouterr().err
