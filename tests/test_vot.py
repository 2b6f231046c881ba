"""The reset-based experiment of VOT: its runner, its files and its measures."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from benchmarks import datasets
from benchmarks.report.tables import plain
from benchmarks.vot import files
from benchmarks.vot.evaluation import (
    Run,
    expected_overlap,
    expected_overlap_curve,
    failures,
    pooled_accuracy,
    weighted_accuracy,
    weighted_robustness,
)
from benchmarks.vot.report import table, trackers_in
from benchmarks.vot.runner import is_done, regions, supervised
from tests import vot_cases
from trackers.errors import VideoError

TOOLKIT = Path(__file__).parent / "vot_toolkit"  # .py makes .json
LEAVING = np.array([[20 + 2 * t, 30, 12, 12] for t in range(20)], float)  # a box of twelve pixels shares none with itself six frames later
CODES = [1, 3, 3, 3, 3, 3, 2, 0, 0, 0, 0, 1, 3, 3, 3, 3, 3, 2, 0, 0]


def run(*frames: float) -> Run:
    """A run of overlaps; 1 or more are codes 1, 2 and (for 3) 0."""
    special = np.array(frames) >= 1
    codes = np.where(special, np.mod(frames, 3), files.TRACKED).astype(int)
    return Run(codes, np.where(special, np.nan, frames))


@pytest.fixture(params=["stored", "live"])
def toolkit(request, tmp_path) -> tuple[dict, list, Path]:
    """What the toolkit finds for the cases of `tests.vot_cases`, their sequences and their folder."""
    sequences = vot_cases.write(tmp_path)
    if request.param == "stored":
        return json.loads(TOOLKIT.with_suffix(".json").read_text()), sequences, tmp_path
    if "VOT_PYTHON" not in os.environ:
        pytest.skip("VOT_PYTHON does not name the interpreter of an environment with vot-toolkit 0.7.4")
    command = [os.environ["VOT_PYTHON"], str(TOOLKIT.with_suffix(".py")), str(tmp_path)]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout), sequences, tmp_path


def test_accuracy_robustness_and_eao_as_in_the_toolkit(toolkit):
    expected, sequences, folder = toolkit
    found = [[files.read_run(path, len(s)) for path in files.runs(folder / "Careless", s.name)] for s in sequences]
    assert [len(repeated) for repeated in found] == list(vot_cases.RUNS.values())
    runs = [[Run.of(row, regions(s), vot_cases.SIZE) for row in repeated] for repeated, s in zip(found, sequences, strict=True)]
    assert sum(run.failures for run in runs[0]) >= 3
    assert weighted_accuracy(runs) == pytest.approx(expected["accuracy"], abs=1e-12)
    assert weighted_robustness(runs) == pytest.approx(expected["robustness"], abs=1e-12)
    curve = expected_overlap_curve(runs, "toolkit")
    assert len(curve) > 357
    np.testing.assert_allclose(curve, expected["curve"], rtol=0, atol=1e-6)
    assert expected_overlap(curve, (100, 356), "toolkit") == pytest.approx(expected["eao"], abs=1e-6)


def test_still_box_as_in_the_toolkit(shared, tmp_path):
    """Against figures of toolkit 0.7.4 with a still box by TraX, stack vot2017."""
    sequences = datasets.load("vot", shared("data/vot")).sequences
    for sequence in sequences:
        files.write_run(tmp_path / "Still", sequence.name, *supervised(vot_cases.Still, sequence, "bbox"))
    (row,) = table(trackers_in(tmp_path), sequences).records()
    assert row["F"] == 3 + 8
    assert row["A toolkit"] == pytest.approx(0.2142205, abs=1e-5)
    assert row["R toolkit"] == pytest.approx(4.7973856, abs=1e-5)
    assert row["EAO toolkit"] == pytest.approx(0.0385497, abs=1e-5)
    assert row["EAO"] is None  # no sequence is as long


def test_frames_from_initialisation_to_failure_and_again():
    trajectory, seconds = supervised(vot_cases.Still, vot_cases.numbered("leaving", LEAVING))
    assert files.codes(trajectory).tolist() == CODES
    assert [trajectory[frame].tolist() for frame in (5, 16)] == [LEAVING[0].tolist(), LEAVING[11].tolist()]
    np.testing.assert_array_equal(np.isnan(seconds), np.equal(CODES, 0))


def test_a_tracker_without_a_box_has_failed():
    class Lost(vot_cases.Still):
        def update(self, image):
            return False, (np.nan,) * 4

    trajectory, _ = supervised(Lost, vot_cases.numbered("leaving", LEAVING))
    assert files.codes(trajectory).tolist()[:8] == [1, 2, 0, 0, 0, 0, 1, 2]


@pytest.mark.parametrize(("init", "first"), [("area", (30, 30, 15, 15)), ("bbox", (29.1235, 30, 20, 20))])
def test_box_of_the_beginning(init, first):
    """`sequence` says which box has the area; TraX sends the polygon's bounds with four decimals, in single precision."""
    diamond = np.array([[39.12347, 30, 49.12347, 40, 39.12347, 50, 29.12347, 40]])
    sequence = replace(vot_cases.numbered("diamond", diamond.repeat(2, axis=0)), boxes=np.array([[30.0, 30, 15, 15]] * 2))
    trajectory, _ = supervised(vot_cases.Still, sequence, init)
    np.testing.assert_array_equal(trajectory[1], np.float32(first))


def test_three_equal_runs_are_enough(tmp_path):
    leaving, turning = vot_cases.numbered("leaving", LEAVING), vot_cases.turning("short")
    done = []
    for _ in range(3):
        done.append(is_done(tmp_path, leaving))
        files.write_run(tmp_path, "leaving", *supervised(vot_cases.Still, leaving))
    assert done == [False, False, False]
    assert is_done(tmp_path, leaving)
    random = Random(0)
    for count in range(5):
        assert not is_done(tmp_path, turning, 5), count
        files.write_run(tmp_path, "short", *supervised(vot_cases.make(turning, random), turning))
    assert is_done(tmp_path, turning, 5)


def test_files_are_read_as_they_were_written(tmp_path):
    rows = [np.array([1]), np.array([1.25, 2, 3, 4.0001]), np.array([2]), *[np.array([0])] * 4, np.array([1]), np.arange(8.0)]
    seconds = np.array([0.5, 0.25, 0.125, np.nan, np.nan, np.nan, np.nan, 0.5, 0.25])
    for _ in range(2):
        files.write_run(tmp_path, "name", rows, seconds)
    first, second = files.runs(tmp_path, "name")
    assert first == tmp_path / "baseline" / "name" / "name_001.txt"
    corners = ",".join(f"{i}.0000" for i in range(8))
    assert first.read_text().splitlines() == ["1", "1.2500,2.0000,3.0000,4.0001", "2", *"0000", "1", corners]
    for given, found in zip(rows, files.read_run(second, 9), strict=True):
        np.testing.assert_array_equal(found, given)
    times = (first.parent / "name_time.txt").read_text().split()
    assert (times[0], times[3]) == ("0.500000,0.500000", "nan,nan")  # as in MATLAB: a column for each run
    assert files.read_seconds(tmp_path, "name").sum() == 2 * 1.625
    assert not list(tmp_path.rglob("*.partial"))


def test_times_of_the_toolkit(tmp_path):
    assert files.read_seconds(tmp_path, "name") is None
    (tmp_path / "baseline" / "name").mkdir(parents=True)
    for number in (1, 2):
        (tmp_path / f"baseline/name/name_00{number}_time.value").write_text("0.5\n\n0.25\n")
    assert files.read_seconds(tmp_path, "name").tolist() == [0.5, 0.25, 0.5, 0.25]


def test_a_time_of_a_run_that_was_cut_off_is_written_again(tmp_path):
    files.write_run(tmp_path, "name", [np.array([1])], np.array([0.5]))
    path = tmp_path / "baseline" / "name" / "name_time.txt"
    path.write_text("0.5,9\n")  # the second run's time, without its trajectory
    files.write_run(tmp_path, "name", [np.array([1])], np.array([0.25]))
    assert path.read_text() == "0.500000,0.250000\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\n1,2,3,4\n", "2 lines, the sequence has 3 frames"),
        ("1\n1,2,3\n0", "line 2: '1,2,3' is neither"),
        ("1\n4\n0", "line 2: '4'"),
        ("1\nm1,2\n0", "line 2: 'm1,2'"),
        ("1,2,3,4\n2\n0", "take turns"),
        ("1\n1\n2", "take turns"),
        ("1\n2\n2", "take turns"),
    ],
)
def test_broken_files(tmp_path, text, message):
    path = tmp_path / "name_001.txt"
    path.write_text(text)
    with pytest.raises(VideoError, match=message):
        files.read_run(path, 3)


def test_ten_frames_from_each_initialisation_do_not_count():
    lost = run(1, *[0.5] * 10, 2, 3, 3, 3, 3, 1, *[0.9] * 11)
    assert np.flatnonzero(~np.isnan(lost.settled())).tolist() == [10, 26, 27]
    assert pooled_accuracy([[lost]]) == pytest.approx((0.5 + 2 * 0.9) / 3)
    assert lost.failures == 1


def test_accuracy_pools_frames_and_the_toolkit_weighs_sequences():
    kept = [1, *[0.0] * 9]
    long, again, short = run(*kept, 0.2, 0.4, 0.6), run(*kept, 2, 3, 3), run(*kept, 0.8)
    runs = [[long, again], [short, short]]
    assert pooled_accuracy(runs) == pytest.approx((0.2 + 0.4 + 0.6 + 0.8) / 4)  # `again` counts no frame
    assert weighted_accuracy(runs) == pytest.approx((13 * (0.4 + 0) / 2 + 11 * 0.8) / 24)  # there it counts 0
    assert failures(runs) == 0.5
    assert weighted_robustness(runs) == pytest.approx(13 * 0.5 / 24)


def test_expected_overlap_of_two_fragments_by_hand():
    """One is lost after 0.8 and 0.4 and has nothing from then on; the other ends after 0.6."""
    lost, kept = run(1, 0.8, 0.4, 2, 3, 3), run(1, 0.6)
    assert [(overlaps.tolist(), failed) for overlaps, failed in lost.fragments()] == [([0, 0.8, 0.4], True)]
    assert [(overlaps.tolist(), failed) for overlaps, failed in kept.fragments()] == [([0, 0.6], False)]
    curve = [0, (0.8 + 0.6) / 2, 1.2 / 2, 1.2 / 3, 1.2 / 4, 1.2 / 5]  # of 1, 2 .. 6 frames; the first one's overlap is not used
    np.testing.assert_allclose(expected_overlap_curve([[lost], [kept]], "matlab"), curve)
    np.testing.assert_allclose(expected_overlap_curve([[lost], [kept]], "toolkit"), curve[:3])  # up to the longest fragment
    halved = [0, (0.8 + 0.6 / 2 + 0.2 / 2) / 2, *curve[2:]]  # two runs of a sequence weigh as much as one of another
    np.testing.assert_allclose(expected_overlap_curve([[lost], [kept, run(1, 0.2)]], "matlab"), halved)
    np.testing.assert_allclose(expected_overlap_curve([[lost], [kept, run(1, 0.2)]], "toolkit")[1], (0.8 + 0.6 + 0.2) / 3)


def test_expected_overlap_of_an_interval():
    curve = np.arange(10.0)  # of j frames behind the first, at place j
    assert expected_overlap(curve, (3, 5), "matlab") == 3  # lengths 3, 4, 5
    assert expected_overlap(curve, (3, 5), "toolkit") == 4  # lengths 4, 5, 6
    assert np.isnan(expected_overlap(curve, (3, 11), "matlab"))  # the curve ends before
    assert expected_overlap(curve, (8, 20), "toolkit") == 8.5
    assert np.isnan(expected_overlap(curve, (10, 20), "toolkit"))


def test_no_fragment_as_long_leaves_the_curve_open():
    curve = expected_overlap_curve([[run(1, 0.6)], [run(1, 0.5, 2, 3, 3, 3)]], "matlab")
    assert not np.isnan(curve).any()  # the lost one goes on for ever
    curve = expected_overlap_curve([[run(1, 0.6)], [run(1, 0.5)]], "matlab")
    np.testing.assert_allclose(curve, [0, 0.55])


def test_table(tmp_path):
    sequences = vot_cases.write(tmp_path)
    files.write_run(tmp_path / "Part", "short", *supervised(vot_cases.Still, sequences[2]))
    shown = table(trackers_in(tmp_path), sequences, "vot2016")
    (row,) = shown.records()
    assert row["tracker"] == "Careless"
    assert row["F"] == pytest.approx(13 / 3 + 6 / 2 + 9 / 3)  # counted by hand in the files
    assert row["R"] == pytest.approx(100 * row["F"] / 1000)
    assert row["F per sequence"] == pytest.approx(row["F"] / 3)
    assert abs(row["A"] - row["A of areas"]) < 0.03
    assert abs(row["EAO"] - row["EAO toolkit"]) < 0.01
    assert "Part (1 of 3 sequences)" in shown.note
    assert "108 to 371" in shown.note
    assert "Careless" in plain(shown)
