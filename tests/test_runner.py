"""Runs over data sets: what is written, what is not done again, and what goes on when something fails."""

import json

import cv2
import joblib
import numpy as np
import pytest

from benchmarks import datasets, peers, provenance, results, runner
from benchmarks.protocols import starts
from trackers.errors import VideoError

FRAMES, TARGETS = 25, (10, 20, 30, 40)  # where targets begin: x in pixels, counted from 0


@pytest.fixture
def root(tmp_path):
    """Sequences T10, T20 .. of grey pictures 48 x 96, whose target moves by one pixel a frame."""
    for x in TARGETS:
        folder = tmp_path / "data" / f"T{x}"
        (folder / "img").mkdir(parents=True)
        for number in range(1, FRAMES + 1):
            cv2.imwrite(str(folder / "img" / f"{number:04}.png"), np.full((48, 96), number, np.uint8))
        rows = [(x + 1 + frame, 6, 20, 30) for frame in range(FRAMES)]
        np.savetxt(folder / "groundtruth_rect.txt", rows, "%d", ",")
    return tmp_path / "data"


def run(root, trackers, jobs=1, protocol="ope", out=None):
    """Failures of a run whose results are beside the data."""
    return runner.run(datasets.load("folder", root), peers.parse(trackers), out or root.parent / "results", jobs, protocol)


def still(log=None):
    return "Still=tests.stand_ins:Still" + (json.dumps({"log": str(log)}) if log else "")


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.txt") if path.parent.name != "times"}


def test_boxes_and_times_are_written_as_the_data_set_counts(root):
    assert run(root, still()) == {}
    folder = root.parent / "results" / "folder" / "Still"
    np.testing.assert_array_equal(np.loadtxt(folder / "T20.txt", delimiter=","), np.tile([21, 6, 20, 30], (FRAMES, 1)))
    times = np.loadtxt(folder / "times" / "T20_time.txt")
    assert times.shape == (FRAMES,)
    assert (times >= 0).all()
    assert sorted(path.stem for path in folder.glob("*.txt")) == [f"T{x}" for x in TARGETS]


def test_what_is_done_is_not_done_again(root, tmp_path):
    assert run(root, still(tmp_path / "log")) == {}
    assert (tmp_path / "log").read_text().split() == [f"{x}.00" for x in TARGETS]
    folder = tmp_path / "results" / "folder" / "Still"
    (folder / "T20.txt").unlink()
    (folder / "T30.txt").write_text("31,6,20,30\n")  # not whole
    assert run(root, still(tmp_path / "log")) == {}
    assert (tmp_path / "log").read_text().split() == [*(f"{x}.00" for x in TARGETS), "20.00", "30.00"]
    assert run(root, still(tmp_path / "log")) == {}
    assert len((tmp_path / "log").read_text().split()) == 6
    assert len(json.loads((folder / "run.json").read_text())["runs"]) == 2


def test_a_run_that_was_cut_off_goes_on_where_it_was(root, tmp_path):
    options = json.dumps({"x": 30, "log": str(tmp_path / "log")})
    with pytest.raises(KeyboardInterrupt):
        run(root, f"Still=tests.stand_ins:Interrupted{options}")
    folder = tmp_path / "results" / "folder" / "Still"
    assert sorted(path.stem for path in folder.glob("*.txt")) == ["T10", "T20"]
    (root / "T30" / "groundtruth_rect.txt").write_text("32,6,20,30\n" * FRAMES)  # so that it is not interrupted again
    assert run(root, f"Still=tests.stand_ins:Interrupted{options}") == {}
    assert (tmp_path / "log").read_text().split() == ["10.00", "20.00", "30.00", "31.00", "40.00"]


def test_what_fails_is_named_and_the_rest_goes_on(root, tmp_path):
    (root / "T10" / "img" / "0007.png").write_bytes(b"\x89PNG")
    (root / "T20" / "groundtruth_rect.txt").write_text("21,6,20,30\n" * 3)
    (root / "T20" / "img").rename(root / "T20" / "pictures")
    failures = run(root, f"{still()},fECHO,tests.stand_ins:Raises,no_module:make")
    assert set(failures) == {
        "T20", "Still on T10", "fECHO", "no_module-make", *(f"tests.stand_ins-Raises on T{x}" for x in (10, 30, 40)),
    }  # fmt: skip
    assert "did you mean fECO?" in failures["fECHO"]
    assert failures["Still on T10"].endswith("0007.png is not a whole picture")
    assert "T20" in failures["T20"]
    reason = failures["tests.stand_ins-Raises on T30"]
    assert reason.startswith("ZeroDivisionError: no such number (")
    assert "stand_ins.py, line" in reason
    assert sorted(path.stem for path in (tmp_path / "results" / "folder" / "Still").glob("*.txt")) == ["T30", "T40"]
    assert not (tmp_path / "results" / "folder" / "fECHO").exists()


def test_processes_give_the_same_files_as_one(root, tmp_path):
    assert run(root, f"{still()},MOSSE", out=tmp_path / "one") == {}
    assert run(root, f"{still()},MOSSE", jobs=2, out=tmp_path / "two") == {}
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_backend_that_gives_several_results_together(root, tmp_path):
    """That of multiprocessing, from which Ray's is derived."""
    with joblib.parallel_config(backend="multiprocessing", n_jobs=2):
        assert run(root, still(tmp_path / "log"), jobs=None) == {}
    assert sorted((tmp_path / "log").read_text().split()) == [f"{x}.00" for x in TARGETS]
    assert len(contents(tmp_path / "results")) == len(TARGETS)


def test_a_tracker_that_takes_its_process_with_it_is_named(root, tmp_path):
    failures = run(root, 'tests.stand_ins:Dies{"x": 20},MOSSE', jobs=2)
    (name,) = failures
    assert name.endswith(" on T20")
    assert "its process died" in failures[name]
    assert len(contents(tmp_path / "results")) == 2 * len(TARGETS) - 1


def test_every_process_has_one_thread(root, tmp_path):
    assert run(root, "Threads=tests.stand_ins:Threads", jobs=2) == {}
    for x in TARGETS:
        boxes = np.loadtxt(tmp_path / "results" / "folder" / "Threads" / f"T{x}.txt", delimiter=",")
        np.testing.assert_array_equal(boxes[1:, :3] - (1, 1, 0), 1)


@pytest.mark.parametrize(("protocol", "count"), [("sre", 12), ("tre", 6)])
def test_runs_from_other_starts(root, tmp_path, protocol, count):
    assert run(root, still(), protocol=protocol) == {}
    dataset = datasets.load("folder", root)
    tracks = results.trackers_in(tmp_path / "results" / "folder")["Still"]
    for sequence in dataset.sequences:
        begun = starts(sequence, protocol, (48, 96))
        assert len(begun) == count
        for start in begun:
            expected = np.tile(start.box, (FRAMES - start.frame, 1))
            np.testing.assert_array_equal(tracks.read(sequence, start).boxes, expected)


def test_vot_repeats_three_equal_runs(root, tmp_path):
    assert run(root, still(tmp_path / "log"), protocol="vot") == {}
    place = tmp_path / "results" / "folder" / "Still" / "baseline" / "T10"
    assert sorted(path.name for path in place.iterdir()) == ["T10_001.txt", "T10_002.txt", "T10_003.txt", "T10_time.txt"]
    lines = (place / "T10_001.txt").read_text().split()
    assert lines[:2] == ["1", "10.0000,5.0000,20.0000,30.0000"]
    assert lines[20:25] == ["2", "0", "0", "0", "0"]  # the target, 20 pixels wide, has moved by 20
    done = len((tmp_path / "log").read_text().split())
    assert run(root, still(tmp_path / "log"), protocol="vot") == {}
    assert len((tmp_path / "log").read_text().split()) == done


def test_the_origin_of_results_is_noted(root, tmp_path):
    assert run(root, 'KCF{"preset": "grey"},fKCF,opencv:MIL') == {}
    notes = {path.parent.name: json.loads(path.read_text()) for path in (tmp_path / "results").rglob("run.json")}
    kcf, fkcf, mil = (notes[name] for name in ("KCF-preset-grey", "fKCF", "opencv-MIL"))
    assert (kcf["tracker"], kcf["options"], kcf["parameters"]["feature"], kcf["weights"]) == ("KCF", {"preset": "grey"}, "grey", {})
    assert list(fkcf["weights"].values()) == [provenance.sha256(provenance.SHIPPED.read_bytes())]
    assert mil["code"] == f"OpenCV {cv2.__version__}"
    (noted,) = kcf["runs"]
    assert (noted["dataset"], noted["protocol"], noted["libraries"]["numpy"]) == ("folder", "ope", np.__version__)
    assert noted["threads"]["opencv"] == cv2.getNumThreads()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ('KCF=KCF{"search_area": 3.0}', "search_area was 2.5, is now 3.0"),
        ("KCF=MOSSE", "tracker was KCF, is now MOSSE"),
    ],
)
def test_results_that_were_made_otherwise_are_not_added_to(root, tmp_path, changed, message):
    (root / "T10" / "img" / "0007.png").write_bytes(b"")
    run(root, "KCF")
    before = contents(tmp_path / "results")
    failures = run(root, changed)
    assert message in failures["KCF"]
    assert "another label, as in new=" in failures["KCF"]
    assert contents(tmp_path / "results") == before


def test_changed_code_and_weights_are_noticed(root, tmp_path, monkeypatch):
    assert run(root, "fKCF") == {}
    monkeypatch.setattr(provenance, "sources", lambda packages: "0" * 64)
    monkeypatch.setattr(provenance, "SHIPPED", root / "T10" / "groundtruth_rect.txt")
    (reason,) = run(root, "fKCF").values()
    assert "groundtruth_rect.txt was None, is now" in reason
    assert "is now 00000000." in reason


def test_results_of_other_programs_are_not_added_to(root, tmp_path):
    folder = tmp_path / "results" / "folder" / "KCF"
    folder.mkdir(parents=True)
    (folder / "T10.txt").write_text("1,1,20,30\n" * FRAMES)
    assert "they are of another program" in run(root, "KCF")["KCF"]
    (folder / "run.json").write_text("{}")
    assert "does not say what made the results" in run(root, "KCF")["KCF"]


def test_results_that_cannot_be_written_end_the_run(root, tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(VideoError, match=r"cannot write .*run\.json: Not a directory"):
        run(root, still())


def test_a_cluster_loses_a_worker_and_nothing_else(root, tmp_path):
    """A dask cluster of two processes; the one that comes to T20 first is killed there."""
    distributed = pytest.importorskip("distributed", reason="needs dask's clusters: pip install cfvgg[cluster]")
    options = json.dumps({"x": 20, "once": str(tmp_path / "killed"), "log": str(tmp_path / "log")})
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, distributed.Client(cluster), joblib.parallel_config(backend="dask"):
        failures = run(root, f"Still=tests.stand_ins:Dies{options}", jobs=None)
    assert failures == {}
    assert (tmp_path / "killed").exists()
    assert run(root, still(), out=tmp_path / "alone") == {}
    assert contents(tmp_path / "results") == contents(tmp_path / "alone")
    log = (tmp_path / "log").read_text().split()
    assert log.count("20.00") == 2  # once on each worker
