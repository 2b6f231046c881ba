"""Files of results are written and read back without a difference, in every layout."""

import json

import numpy as np
import pytest
from scipy.io import savemat

from benchmarks import results
from benchmarks.metrics import frame_values
from benchmarks.protocols import Start, starts
from benchmarks.results import is_done, trackers_in, write_result
from benchmarks.sequences import Sequence
from tests.otb_toolkit import TRACKERS, Toolkit
from trackers.errors import VideoError

BOXES = np.array([(0, 1, 20, 10), (1 / 3, 4, 20, 11.1), (5, 6e-7, 21, 12), (1e5, 6, 20, 10), (7, -8.25, 20, 10), (1, 2, 3, 4)])
SECONDS = np.arange(1, 7) / 8


def sequence(name="Cup", video="Cup", first=1, origin=1, count=6):
    return Sequence(name, video, (), BOXES[:count], np.ones(count, bool), origin, first)


def save_mat(path, runs):
    """As the toolkit for MATLAB does: a cell with a struct for each run."""
    cell = np.empty((1, len(runs)), object)
    for place, run in enumerate(runs):
        cell[0, place] = run
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"results": cell})


def save_toolkit_mat(folder, tracker, target, boxes, begins, first):
    rows = np.add(boxes, (1, 1, 0, 0))
    about = {"res": rows, "type": "rect", "fps": 8.0, "len": float(len(rows)), "annoBegin": float(first), "startFrame": float(begins)}
    save_mat(folder / f"{target.name[0].lower()}{target.name[1:]}_{tracker}.mat", [about])


def save_toolkit_json(folder, tracker, target, boxes, begins, first):
    rows = np.add(boxes, (1, 1, 0, 0)).tolist()
    about = {"tracker": tracker, "seqName": target.name, "startFrame": begins, "evalType": "OPE", "fps": 8, "resType": "rect", "res": rows}
    path = folder / tracker / f"{target.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([about]))


def save_text(layout):
    return lambda folder, tracker, target, boxes, *frames: write_result(
        folder / tracker / ("default" if layout == "pytracking" else ""), target, boxes, layout=layout
    )


FORMATS = {**{layout: save_text(layout) for layout in results.LAYOUTS}, "matlab": save_toolkit_mat, "json": save_toolkit_json}


@pytest.fixture(scope="module")
def toolkit(shared):
    return Toolkit(shared("reference/otb_matlab.npz"))


@pytest.mark.parametrize("form", FORMATS)
def test_curves_are_the_same_after_writing_and_reading(form, toolkit, tmp_path):
    """The raw boxes of four trackers on 100 targets still give the toolkit's curves, to the last bit."""
    for tracker in TRACKERS:
        for target in toolkit.sequences:
            FORMATS[form](tmp_path, tracker, target, toolkit.boxes(tracker, target), *toolkit.frames(target))
    found = results.read(tmp_path, toolkit.sequences)
    assert {name.removesuffix("/default") for name in found} == set(TRACKERS)
    for name, tracks in found.items():
        tracker = name.removesuffix("/default")
        assert {toolkit.differences(tracker, target, tracks[target.name].boxes) for target in toolkit.sequences} == {0}


@pytest.mark.parametrize("layout", results.LAYOUTS)
@pytest.mark.parametrize("origin", [0, 1])
def test_boxes_and_times_are_read_back(layout, origin, tmp_path):
    target = sequence(origin=origin)
    assert not is_done(tmp_path / "T", target, layout=layout)
    write_result(tmp_path / "T", target, BOXES, SECONDS, layout=layout)
    assert is_done(tmp_path / "T", target, layout=layout)
    found = trackers_in(tmp_path)["T"].read(target)
    np.testing.assert_allclose(found.boxes, BOXES, rtol=0, atol=1e-11)
    if layout == "pysot":  # which knows no times
        assert found.seconds is None
    else:
        np.testing.assert_array_equal(found.seconds, SECONDS)
    assert not list(tmp_path.rglob("*.partial"))


def test_files_lie_where_toolkits_look_for_them(tmp_path):
    target, human, bird = sequence("Jogging-2", "Jogging"), sequence("Human4-2", "Human4"), sequence("bird-2", "bird-2")
    for layout in results.LAYOUTS:
        for each in (target, human, bird):
            write_result(tmp_path / layout, each, BOXES, SECONDS, layout=layout)
    files = {}
    for layout in results.LAYOUTS:
        files[layout] = {path.relative_to(tmp_path / layout).as_posix() for path in (tmp_path / layout).rglob("*.txt")}
    names = ("Jogging.2", "Human4", "bird-2")
    assert files["got10k"] == {f"{name}.txt" for name in names} | {f"times/{name}_time.txt" for name in names}
    assert files["pysot"] == {"Jogging-2.txt", "Human4-2.txt", "bird-2.txt"}
    assert {"Jogging_2.txt", "Jogging_2_time.txt", "Human4_2.txt"} < files["pytracking"]
    assert {"bird-2/bird-2_001.txt", "bird-2/bird-2_time.txt"} < files["GOT-10k"]
    assert (tmp_path / "got10k" / "Jogging.2.txt").read_text().splitlines()[0] == "1.0,2.0,20.0,10.0"
    assert (tmp_path / "got10k" / "times" / "Jogging.2_time.txt").read_text().splitlines()[0] == "0.12500000"


def test_got10k_reads_what_is_written(tmp_path):
    """Its experiment on OTB scores perfect boxes."""
    otb = pytest.importorskip("got10k.experiments.otb")
    rng = np.random.default_rng(0)
    target = Sequence("Jogging-2", "Jogging", (), rng.integers(5, 50, (6, 4)) + 0.0, np.ones(6, bool), 1)
    write_result(tmp_path / "results" / "OTB2015" / "T", target, target.boxes, SECONDS)
    experiment = object.__new__(otb.ExperimentOTB)
    experiment.__dict__ |= {"nbins_iou": 21, "nbins_ce": 51, "result_dir": str(tmp_path / "results" / "OTB2015")}
    experiment.report_dir = str(tmp_path / "reports")

    class Data(list):
        seq_names = ("Jogging.2",)

    experiment.dataset = Data([(None, np.add(target.boxes, (1, 1, 0, 0)))])
    experiment.plot_curves = lambda names: None
    overall = experiment.report(["T"])["T"]["overall"]
    assert overall["success_score"] == pytest.approx(20 / 21) and overall["precision_score"] == 1
    assert overall["speed_fps"] == pytest.approx(np.mean(1 / SECONDS))


def test_runs_of_other_protocols_are_kept_apart(tmp_path):
    target = sequence()
    started = [*starts(target), *(Start("sre", number, 0, BOXES[0]) for number in (1, 2)), Start("tre", 2, 2, BOXES[2])]
    for number, start in enumerate(started):
        write_result(tmp_path / "T", target, BOXES[start.frame :] + number, SECONDS[start.frame :], start)
    tracks = trackers_in(tmp_path)["T"]
    for number, start in enumerate(started):
        assert is_done(tmp_path / "T", target, start)
        found = tracks.read(target, start)
        np.testing.assert_allclose(found.boxes, BOXES[start.frame :] + number, atol=1e-9)
        np.testing.assert_array_equal(found.seconds, SECONDS[start.frame :])
    assert not is_done(tmp_path / "T", target, Start("tre", 1, 0, BOXES[0]))
    assert tracks.read(target, Start("tre", 1, 0, BOXES[0])) is None
    assert sorted(path.name for path in (tmp_path / "T").iterdir()) == ["Cup.txt", "sre", "times", "tre"]


def test_runs_of_other_protocols_by_matlab(tmp_path):
    target = sequence(origin=0)
    runs = [{"res": BOXES[frame:], "type": "rect", "annoBegin": 300.0, "startFrame": 300.0 + frame} for frame in (0, 2)]
    save_mat(tmp_path / "cup_T_x.mat", runs)
    tracks = trackers_in(tmp_path)["T_x"]
    np.testing.assert_array_equal(tracks.read(target).boxes, BOXES)
    np.testing.assert_array_equal(tracks.read(target, Start("tre", 2, 2, BOXES[2])).boxes, BOXES[2:])
    with pytest.raises(VideoError, match="begins with frame 3 of the annotation, the run on Cup with frame 2"):
        tracks.read(target, Start("tre", 2, 1, BOXES[1]))
    with pytest.raises(VideoError, match="holds 2 runs, not number 3"):
        tracks.read(target, Start("tre", 3, 3, BOXES[3]))


@pytest.mark.parametrize(("rows", "first"), [(BOXES, 1), (np.vstack([BOXES[:2] + 50, BOXES]), 3), (np.vstack([BOXES, BOXES]), 1)])
def test_rows_of_other_frames_are_left_out(rows, first, tmp_path):
    """Those before the first frame (Tiger1, elsewhere) and those behind the last (of a copy that is cut)."""
    target = sequence(first=first)
    whole = Sequence("Cup", "Cup", (), rows, np.ones(len(rows), bool), 1)
    write_result(tmp_path / "T", whole, rows, np.arange(len(rows)))
    found = trackers_in(tmp_path)["T"].read(target)
    np.testing.assert_allclose(found.boxes, BOXES, atol=1e-9)
    assert found.seconds[0] == first - 1 and len(found.seconds) == 6


def test_matlab_says_where_its_rows_begin(tmp_path):
    """Of a copy that is cut: its result begins with the sixth frame, as the sequence does, and is longer."""
    save_mat(tmp_path / "Cup_T.mat", [{"res": np.vstack([BOXES, BOXES]), "type": "rect", "annoBegin": 1.0, "startFrame": 6.0}])
    np.testing.assert_array_equal(trackers_in(tmp_path)["T"].read(sequence(first=6, origin=0)).boxes, BOXES)


def test_a_result_that_is_too_short(tmp_path):
    path = tmp_path / "T" / "Cup.txt"
    write_result(tmp_path / "T", sequence(count=4), BOXES[:4], SECONDS[:4])
    assert not is_done(tmp_path / "T", sequence())
    tracks = trackers_in(tmp_path)["T"]
    with pytest.raises(VideoError, match=f"{path} has 4 boxes for the 6 frames of Cup: was the run broken off?"):
        tracks.read(sequence())
    found = tracks.read(sequence(), allow_short=True)
    assert found.seconds is None
    overlaps, errors = frame_values(found.boxes, sequence())
    assert (overlaps[:4] > 0.9).all() and not (overlaps[4:] > 0).any() and not (errors[4:] < 1e9).any()


@pytest.mark.parametrize("name", ["Jogging.2.txt", "Jogging-2.txt", "Jogging_2.txt", "jogging_2.txt", "jogging2.txt", "jogging-2.txt"])
def test_names_as_others_spell_them(name, tmp_path):
    (tmp_path / "T").mkdir()
    (tmp_path / "T" / name).write_text("1\t2\t20\t10\r\n" * 6)
    (tmp_path / "T" / "Jogging.1.txt").write_text("0,0,0,0\n")
    tracks = trackers_in(tmp_path)["T"]
    np.testing.assert_array_equal(tracks.read(sequence("Jogging-2", "Jogging")).boxes, [(0, 1, 20, 10)] * 6)
    assert tracks.read(sequence("Jogging-3", "Jogging")) is None


def test_folders_of_several_toolkits(tmp_path):
    for path in ("A/Cup.txt", "B/Cup.json", "C/default/Cup.txt", "C/fast_001/Cup.txt", "D/Cup/Cup_001.txt", "E/sre/Cup_1.txt"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("1,2,3,4\n")
    (tmp_path / "A" / "run.json").write_text("{}")
    (tmp_path / "F" / "logs").mkdir(parents=True)
    (tmp_path / "cup_G_H.mat").touch()
    assert set(trackers_in(tmp_path)) == {"A", "B", "C/default", "C/fast_001", "D", "E", "G_H"}
    with pytest.raises(VideoError, match="no folder of results at .*nowhere"):
        trackers_in(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("T/Cup.txt", "1,2,3\n", "Cup.txt, line 1: '1,2,3'; every line must be 4 numbers"),
        ("T/Cup.txt", "", "Cup.txt is empty"),
        ("T/Cup.json", "{", "Cup.json is no file of results of the OTB toolkit"),
        ("T/Cup.json", "3", "Cup.json is no file of results of the OTB toolkit"),
        ("T/Cup.json", '[{"res": [[1, 2, 3]]}]', "Cup.json, run 1 has no boxes of four numbers"),
        ("T/Cup.json", '[{"fps": 3}]', "Cup.json, run 1 has no boxes of four numbers"),
        ("T/Cup.json", '[{"resType": "ivtAff", "res": [[1, 2, 3, 4]]}]', "boxes are of type ivtAff; only rect can be read"),
        ("Cup_T.mat", "MATLAB", "Cup_T.mat is no file of results of the OTB toolkit"),
    ],
)
def test_files_that_are_none(name, content, message, tmp_path):
    (tmp_path / "T").mkdir()
    (tmp_path / name).write_text(content)
    with pytest.raises(VideoError, match=message):
        trackers_in(tmp_path)["T"].read(sequence())


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "T").write_text("")
    with pytest.raises(VideoError, match="cannot write .*Cup.txt"):
        write_result(tmp_path / "T", sequence(), BOXES)
