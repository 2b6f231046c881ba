"""The speed of trackers whose times are known."""

import inspect
import json
import os
from pkgutil import resolve_name

import cv2
import numpy as np
import pytest

from benchmarks import threads
from benchmarks.datasets import load
from benchmarks.peers import Spec
from benchmarks.report.tables import plain
from benchmarks.speed import alone, command, cost, crowd, stages, tables, timing
from benchmarks.speed.timing import Timing
from cfvgg import cli
from cfvgg.errors import TrackerError, WeightsError


class Hands:
    """A clock that goes on only when it is told to; stands in for the module `time`."""

    def __init__(self):
        self.now = self.work = 0.0

    def perf_counter(self):
        return self.now

    def process_time(self):
        return self.work

    def spend(self, seconds, work=None):
        self.now += seconds
        self.work += seconds if work is None else work


@pytest.fixture
def hands(monkeypatch):
    made = Hands()
    monkeypatch.setattr(timing, "time", made)
    monkeypatch.setattr(stages, "time", made)
    return made


class Steady:
    """Takes a second for the first frame, then two seconds of work in four of time, and a second more with every frame."""

    def __init__(self, hands):
        self.hands = hands

    def init(self, image, box):
        self.hands.spend(1)
        self.frames = 0

    def update(self, image):
        self.frames += 1
        self.hands.spend(2 + 2 * self.frames, 1 + self.frames)
        return True, (0, 0, 1, 1)


def run(*updates, first=0.5, adaptation=0.0, busy=1.0):
    return Timing(first, adaptation, np.array(updates, float), busy)


def test_only_the_tracker_is_timed(hands):
    found = timing.measure(Steady(hands), [None] * 4, (0, 0, 1, 1))
    assert (found.first, found.adaptation, found.updates.tolist()) == (1, 0, [2, 3, 4])
    assert found.busy == 0.5


def test_adaptation_is_what_the_tracker_says(hands):
    tracker = Steady(hands)
    tracker.adaptation = type("Adaptation", (), {"seconds": 0.25})
    assert timing.measure(tracker, [None] * 2, (0, 0, 1, 1)).adaptation == 0.25


def test_trackers_take_turns_in_another_order_each_round(hands, monkeypatch):
    made = []
    monkeypatch.setattr(timing, "make", lambda spec: made.append(spec.label) or Steady(hands))
    targets = load("synthetic").sequences[:2]
    runs = timing.take_turns([Spec(name, name) for name in "abc"], targets, rounds=2, most=5)
    turns = ["a", "b", "c", "b", "c", "a"]
    assert made == ["a", "b", "c", *turns, *turns]  # the first three warm up
    assert {name: [len(rounds) for rounds in found] for name, found in runs.items()} == {name: [2, 2] for name in "abc"}
    assert all(len(each.updates) == 4 for found in runs.values() for rounds in found for each in rounds)


def test_figures_by_hand():
    targets = [[run(0.001, 0.003), run(0.002, 0.002)], [run(0.002, first=0.1), run(0.006, first=0.3)]]
    found = tables.over_rounds(targets)
    assert found["median"] == pytest.approx(2)  # of both rounds: 1, 2, 3 and 2, 2, 6 ms
    assert found["worst"] == pytest.approx((3 + 6) / 2)
    assert found["p95"] == pytest.approx((2.9 + 5.6) / 2)
    assert found["first"] == pytest.approx((300 + 400) / 2)
    assert found["fps"] == pytest.approx((3 / 0.006 + 3 / 0.010) / 2)


def test_ratios_by_hand():
    ours, theirs = [[run(1, 2, 3), run(2)], [run(5), run(4)]], [[run(4), run(5)], [run(5), run(8)]]
    np.testing.assert_allclose(tables.ratios(ours, theirs), [[2, 2.5], [1, 2]])
    table = tables.ratio_table("ours", {"ours": ours, "theirs": theirs}, ["theirs"], ["One", "Two"])
    assert table.rows == [["One", 2.25, 2, 2.5], ["Two", 1.5, 1, 2], ["median", 1.875, 1.5, 2.25]]


@pytest.mark.parametrize(("busy", "note"), [(1.2, "several threads"), (0.5, "shared its core"), (1.0, "")])
def test_a_run_that_was_not_alone_is_named(busy, note):
    table = tables.speed_table({"one": [[run(1, busy=busy)]]}, {"one": cost.Cost(1, 1, 10**6, 0)}, "here")
    assert note in table.note
    assert bool(table.note) == bool(note)


def test_places_of_the_stages_are_there_and_are_left_as_they_were():
    def functions():
        return [resolve_name(owner).__dict__[name] for owner, _, name in (place.rpartition(".") for place in places)]

    places = [place for each in stages.STAGES.values() for place in each]
    before = functions()
    with pytest.raises(KeyError), stages.clocked():
        assert all(inspect.unwrap(now) is inspect.unwrap(then) and now is not then for now, then in zip(functions(), before, strict=True))
        raise KeyError
    assert functions() == before


def test_of_stages_within_each_other_the_outermost_counts(hands):
    clock = stages.Clock()
    inner = clock.timed("crop", lambda: hands.spend(3))
    outer = clock.timed("scale", lambda: (hands.spend(1), inner(), hands.spend(1)))
    outer()
    inner()
    assert (clock.seconds["scale"], clock.seconds["crop"]) == (5, 3)


@pytest.mark.parametrize(
    ("tracker", "busy"),
    [
        ("fECO", {"crop", "network", "FHOG", "colours", "window, transform", "response", "localise", "scale", "learn"}),
        ("STRCF", {"crop", "FHOG", "colours", "window, transform", "response", "localise", "scale", "learn"}),
        ("BACF", {"crop", "FHOG", "window, transform", "response", "localise", "scale", "learn"}),
        ("KCF", {"crop", "FHOG", "response", "localise", "scale", "learn"}),
        ("fKCF", {"crop", "network", "response", "localise", "scale", "learn"}),
        ("MOSSE", {"crop", "colours", "response", "localise", "scale", "learn"}),
    ],
)
def test_stages_of_trackers(tracker, busy):
    found = stages.profile(Spec(tracker, tracker), load("synthetic").sequences[:1], 1, 4)
    assert {stage for stage, seconds in found.stages.items() if seconds > 0} == busy | {stages.REST}
    rows = {row[0]: row[1] for row in tables.stage_table({tracker: found}).rows}
    assert rows["sum"] == pytest.approx(sum(rows[stage] for stage in (*stages.STAGES, stages.REST)))
    assert rows["without clocks"] == pytest.approx(1000 * found.plain)


def test_a_sum_that_is_off_is_named():
    assert "+6.0 %" in tables.stage_table({"one": stages.Profile({stages.REST: 1.06, **dict.fromkeys(stages.STAGES, 0)}, 1)}).note
    assert tables.stage_table({"one": stages.Profile({stages.REST: 1.04, **dict.fromkeys(stages.STAGES, 0)}, 1)}).note == ""


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system holds no process to a core")
def test_a_fresh_process_has_one_core_and_one_thread():
    assert alone.alone(os.sched_getaffinity, 0) == {max(os.sched_getaffinity(0))}
    assert alone.alone(cv2.getNumThreads) == 1


def test_errors_of_a_fresh_process_come_back():
    from cfvgg.weights import load as load_weights

    with pytest.raises(WeightsError, match=r"nowhere\.mat"):
        alone.alone(load_weights, "nowhere.mat")
    with pytest.raises(TrackerError, match="died"):
        alone.alone(os._exit, 3)


def test_peak_of_memory_is_that_of_the_greatest_moment():
    before = alone.peak_memory()
    np.ones((before + 40_000_000) // 8)
    assert alone.peak_memory() >= before + 40_000_000


@pytest.fixture
def here(monkeypatch):
    """Measure in this process, and import nothing anew."""
    for module in (command, cost):
        monkeypatch.setattr(module, "alone", lambda function, *arguments: function(*arguments))
    monkeypatch.setattr(cost, "import_seconds", {"trackers": 2.5, "cv2": 0.5}.__getitem__)


SMALL = ["bench", "speed", "--sequences", "grey,Small", "--frames", "3", "--rounds", "2"]


def test_command(here, capsys, tmp_path):
    out = tmp_path / "speed.json"
    assert cli.main([*SMALL, "--trackers", "KCF,fKCF", "--peers", "KCF", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    written = json.loads(out.read_text())
    assert written["targets"] == ["Grey", "Small"]
    assert [(row["tracker"], row["import, s"]) for row in written["speed"]] == [("KCF", 2.5), ("fKCF", 2.5), ("OpenCV KCF", 0.5)]
    for row in written["speed"]:
        assert 0 < row["median, ms"] <= row["p95"] <= row["p99"] <= row["worst"]
        assert row["first frame, ms"] > 0
        assert f"{row['tracker']:10}" in printed
    assert [row["model, MB"] for row in written["speed"]] == [None, pytest.approx(0.42, abs=0.01), None]
    assert [row["target"] for row in written["fKCF-ratios"]] == ["Grey", "Small", "median"]


def test_command_for_stages(here, capsys):
    assert cli.main([*SMALL, "--stages", "--trackers", "MOSSE,opencv:CSRT"]) == 0
    head = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("stage"))
    assert head.split() == ["stage", "MOSSE,", "ms", "MOSSE,", "%"]


@pytest.mark.parametrize("workers", [1, 2])
def test_every_target_of_a_crowd_sees_every_frame(workers, hands, monkeypatch):
    made = []
    monkeypatch.setattr(crowd, "make", lambda spec: made.append(Steady(hands)) or made[-1])
    assert crowd._together(Spec("Steady", "Steady"), load("synthetic")["Grey"], 3, 5, workers) > 0
    assert [tracker.frames for tracker in made] == [4, 4, 4]  # what was warmed up before began anew


@pytest.mark.parametrize("count", [1, 2])
def test_a_dead_process_of_a_crowd_is_an_error(count):
    with pytest.raises(TrackerError, match="died"), alone.fresh(count, threads.hold_opencv) as pool:
        list(pool.map(os._exit, [3] * count))


def test_command_for_crowds(here, capsys):
    assert cli.main([*SMALL, "--crowd", "2", "--trackers", "MOSSE", "--peers", ""]) == 0
    name, count, *times = capsys.readouterr().out.splitlines()[-1].split()
    assert (name, count, len(times)) == ("MOSSE", "2", 3)
    assert all(float(value) >= 0 for value in times)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "otb"], "needs a folder"),
        (["--sequences", "Grei"], "Grey"),
        (["--peers", "NONE"], "TrackerNONE"),
        (["--trackers", "fEOC"], "fECO"),
        (["--rounds", "0"], "--rounds 0"),
        (["--stages", "--trackers", "opencv:CSRT"], "--stages"),
        (["--crowd", "1,0"], "--crowd 1,0"),
        (["--crowd", "one"], "--crowd one"),
        (["--out", f"{__file__}/speed.json"], "cannot write"),
    ],
)
def test_what_is_wrong_is_named(arguments, message, here, capsys):
    assert cli.main([*SMALL, "--trackers", "MOSSE", "--peers", "", *arguments]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_adapted_trackers_have_a_column():
    found = tables.speed_table({"one": [[run(1, adaptation=2.0)]]}, {"one": cost.Cost(1, 1, 10**6, 0)}, "here")
    assert "adaptation, s" in plain(found)
