"""The ablation: its runs, rows, tables and trainings, and all of it in small."""

import json
from dataclasses import replace
from typing import ClassVar

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

import distill.train
import trackers
from benchmarks.ablation import __main__ as ablation
from benchmarks.ablation import evaluation, results, tables, training
from benchmarks.ablation.rows import DATASETS, OTHERS, PUBLISHED, ROWS, TRACKERS, Row
from benchmarks.ablation.training import Plan, finished, train_row
from benchmarks.datasets import load
from benchmarks.sequences import Sequence
from cfvgg import weights
from distill.config import Config
from distill.errors import DistillationError
from tests.sequences import save_sequences
from tests.trainings import TINY, metrics, random_weights, save_pictures, save_teacher
from trackers.errors import WeightsError

SETTINGS = {name: value for name, value in TINY.items() if name not in training.OWN}

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def root(tmp_path, video):
    return save_sequences(tmp_path / "root", *video)


class Motionless:
    """Tracks like any tracker, and never moves."""

    made: ClassVar[list] = []

    def __init__(self, name, **options):
        self.made.append((name, options))
        self.first = []

    def track(self, frames, box):
        frames = list(frames)
        self.first.append(frames[0])
        return trackers.Track(np.tile(box, (len(frames), 1)), np.ones(len(frames)), np.zeros(len(frames)))


@pytest.fixture
def motionless(monkeypatch):
    """Calls of `trackers.create`, which gives motionless ones."""
    monkeypatch.setattr(Motionless, "made", [])
    monkeypatch.setattr(trackers, "create", Motionless)
    return Motionless.made


# runs


def test_one_grey_value_changes():
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    picture[::2] = 255
    kept = picture.copy()
    places = set()
    for change in range(1, 30):
        found = evaluation.nudged(picture, np.array([30.5, 10, 40, 6]), change)
        np.testing.assert_array_equal(found, evaluation.nudged(picture, np.array([30.5, 10, 40, 6]), change))
        ((row, column),) = np.unique(np.argwhere(found != kept)[:, :2], axis=0)
        assert 10 <= row < 16 and 30 <= column < 50
        np.testing.assert_array_equal(np.abs(found[row, column].astype(int) - kept[row, column]), 1)
        places.add((row, column))
    assert len(places) > 10
    np.testing.assert_array_equal(picture, kept)
    np.testing.assert_array_equal(evaluation.nudged(picture, np.array([30, 10, 40, 6]), 0), kept)


def test_accuracy_of_a_target(root):
    """A box that stays while the target goes 0, 2, 5 and 20 of its 10 columns, and is once not annotated."""
    cup = load("folder", root).sequences[0]
    boxes = np.array([(10, 10, 10, 10), (12, 10, 10, 10), (15, 10, 10, 10), (30, 10, 10, 10), (10, 10, 0, 10)], float)
    target = Sequence("Cup", "Cup", cup.files[:5], boxes, boxes[:, 2] > 0)
    tracker = Motionless("")
    shares = [20, 14, 7, 0, 0]  # thresholds 0, 0.05 .. below the overlaps 1, 2/3, 1/3, 0
    assert evaluation.evaluate(tracker, target, range(2)) == [pytest.approx(sum(shares) / 21 / 5)] * 2
    first, second = tracker.first
    np.testing.assert_array_equal(first, cv2.imread(str(cup.files[0])))
    assert (first != second).any(2).sum() == 1


@pytest.fixture
def trained(tmp_path):
    """A folder with the weights of two rows, as if they had been trained."""
    out = tmp_path / "out"
    out.mkdir()
    for seed, name in enumerate(("both", "fidelity")):
        weights.save(replace(random_weights(seed=seed), metadata={"steps": "9 of 9"}), out / f"{name}.safetensors")
    return out


def run(root, out, *more, rows="fidelity,both,adapted", runs=2):
    """The command with the motionless tracker."""
    return ablation.main(
        ["--sequences", str(root), "--out", str(out), "--rows", rows, "--runs", str(runs), "--trackers", "fECO,fKCF", *more]
    )


def test_what_is_measured_is_kept(root, trained, motionless, monkeypatch, capsys):
    usual = results.sources
    assert run(root, trained) == 0
    assert len(motionless) == 3 * 3 * 2  # rows, targets, trackers
    both, fidelity = (trained / f"{name}.safetensors" for name in ("both", "fidelity"))
    assert motionless[0] == ("fECO", {"backbone": fidelity, "adapt": False})
    assert ("fECO", {"backbone": both, "adapt": True}) in motionless
    assert ("fKCF", {"backbone": both, "adapt": True, "preset": "conv2"}) in motionless
    kept = json.loads((trained / "scores" / "root" / "both-adapted-fKCF.json").read_text())["auc"]
    assert {name: len(runs) for name, runs in kept.items()} == {"Cup": 2, "Two-1": 2, "Two-2": 2}
    text = capsys.readouterr().out

    motionless.clear()
    assert run(root, trained, rows="ratio64,fidelity,both,adapted") == 0  # ratio64 is adapted, by another name
    assert not motionless
    assert run(root, trained) == 0
    assert capsys.readouterr().out.endswith(text)
    assert (trained / "ablation.txt").read_text() == text

    assert run(root, trained, "--only", "Two-2", runs=3) == 0
    assert len(motionless) == 3 * 2
    kept = json.loads((trained / "scores" / "root" / "fidelity-fECO.json").read_text())["auc"]
    assert {name: len(runs) for name, runs in kept.items()} == {"Cup": 2, "Two-1": 2, "Two-2": 3}

    assert run(root, trained, "--only", "Two-1", "--every", "1,3", rows="fidelity", runs=1) == 0
    kept = json.loads((trained / "scores" / "root" / "fidelity-fECO.json").read_text())["auc"]
    assert {name: len(runs) for name, runs in kept.items()} == {"Cup": 2, "Two-1": 2, "Two-2": 3, "Two-1 1/3": 1}

    motionless.clear()
    weights.save(replace(random_weights(seed=7), metadata={"steps": "9 of 9"}), fidelity)
    assert run(root, trained) == 0
    assert [options["backbone"] for _, options in motionless] == [fidelity] * 6

    motionless.clear()
    monkeypatch.setattr(results, "sources", lambda packages: "changed" if "distill" in packages else usual(packages))
    assert run(root, trained) == 0
    assert [options["adapt"] for _, options in motionless] == [True] * 6


def test_processes_measure_the_same(root, trained):
    for name, jobs in (("one", 1), ("two", 2)):
        found = evaluation.evaluate_rows([ROWS["both"]], ["fKCF"], load("folder", root).sequences[:2], 2, trained, trained / name, jobs)
        assert set(found["fKCF"]["both"]) == {"Cup", "Two-1"}
    one, two = ((trained / name / "both-fKCF.json").read_text() for name in ("one", "two"))
    assert json.loads(one) == json.loads(two)


def test_raw_results(root, trained, motionless):
    assert run(root, trained, "--against", "fidelity") == 0
    found = json.loads((trained / "ablation.json").read_text())
    assert found["videos"] == {"Cup": "Cup", "Two-1": "Two", "Two-2": "Two"} and found["runs"] == 2
    row = found["trackers"]["fECO"]["adapted"]
    assert row["published"] == [68.5, 68.2, 57.4]
    assert row["mean"] == pytest.approx(np.mean([np.mean(runs) for runs in row["auc"].values()]))
    assert (row["against"], row["difference"], row["interval"], row["order"]) == ("fidelity", 0, None, "open")


# rows and what is published of them


def test_published_rows_are_those_of_the_paper(shared):
    given = json.loads(shared("data/published.json").read_text())["cfvgg"]
    names = {
        "tiny": "tiny", "fid": "fidelity", "trk1": "single", "trkm": "several", "off": "both",
        "feco": "adapted", "fstrcf": "adapted", "eco": "ECO", "ecohc": "ECOhc", "deepstrcf": "DeepSTRCF", "strcf": "STRCF",
    }  # fmt: skip
    wanted = {"fECO": {}, "fDeepSTRCF": {}}
    for key, *_, small, large, colour in given["table4_auc"]["rows"]:
        tracker = "fECO" if "eco" in key else "fDeepSTRCF"
        wanted[tracker][names[key if key in names else key.split("_")[1]]] = (small, large, colour)
    for ratio, _, area, _ in given["table3_compression"]["rows"][1:]:
        wanted["fECO"][f"ratio{ratio}"] = (None, area, None)
    for name in ("conv1", "conv2", "conv5"):
        place = given["table5_kcf_features"]["columns"].index(name)
        kcf, fkcf = (row[place] for row in given["table5_kcf_features"]["rows"])
        wanted["fKCF" if name == "conv2" else f"fKCF-{name}"] = {"both": (None, fkcf, None), "KCF": (None, kcf, None)}
    assert wanted == PUBLISHED


def test_every_published_row_has_a_name():
    assert set(PUBLISHED) == set(TRACKERS)
    for rows in PUBLISHED.values():
        assert set(rows) <= set(ROWS) | set(OTHERS)
        assert all(len(values) == len(DATASETS) for values in rows.values())


@pytest.mark.parametrize("steps", [1, 7, 20, 50, 1000])
def test_rows_differ_in_nothing_else(steps):
    plan = Plan([], [], steps, SETTINGS, {"boxes": 9})
    configs = {name: plan.config(row) for name, row in ROWS.items()}
    assert {config.steps for config in configs.values()} == {steps}
    usual = Config(**SETTINGS, epochs=configs["both"].epochs, pairs=configs["both"].pairs)
    assert configs.pop("tiny").boxes == 9
    wanted = {
        "fidelity": {"tracking": 0}, "single": {"fidelity": 0, "levels": ("conv5",)}, "several": {"fidelity": 0}, "both": {}, "adapted": {},
        "ratio16": {"ratio": 16}, "ratio32": {"ratio": 32}, "ratio64": {}, "ratio96": {"ratio": 96},
        "target-response": {"target_response": 1}, "teacher-soft": {"teacher_soft": 1}, "adaptive-hard": {"adaptive_hard": 0.1},
        "sharing": {"sharing_ratio": 16},
    }  # fmt: skip
    assert configs == {name: replace(usual, **changes) for name, changes in wanted.items()}
    assert usual.levels == ("conv1", "conv2", "conv5") and usual.fidelity == usual.tracking == 1


# tables


def scores(**rows):
    """Three runs about each of some values, for twelve targets of twelve videos."""
    return {name: {f"t{i}": [value - 0.01, value, value + 0.01] for i, value in enumerate(values)} for name, values in rows.items()}


def test_order_is_claimed_only_where_it_is_sure():
    base = np.linspace(0.4, 0.8, 12)
    found = scores(low=base - 0.1, same=base + 0.05 * (-1.0) ** np.arange(12), high=base + np.linspace(0.01, 0.05, 12), base=base)
    videos = {f"t{i}": f"v{i}" for i in range(12)}
    orders = {name: tables.difference(found[name], found["base"], videos) for name in ("low", "same", "high")}
    assert {name: each.order for name, each in orders.items()} == {"low": "below", "same": "open", "high": "above"}
    assert orders["low"].mean == pytest.approx(-0.1) and orders["low"].interval == pytest.approx((-0.1, -0.1))
    assert orders["same"].interval[0] < 0 < orders["same"].interval[1]
    few = tables.difference(found["low"], found["base"], {**videos, "t0": "v3", "t1": "v3", "t2": "v3"})
    assert few.interval is None and few.order == "open"  # nine videos


def test_table_stands_beside_the_published_one():
    base = np.linspace(0.4, 0.8, 12)
    found = scores(tiny=base - 0.05, both=base)
    text = tables.table("fECO", [ROWS["tiny"], ROWS["both"]], found, "both", {f"t{i}": f"v{i}" for i in range(12)})
    rule, head, _, tiny, both, *others, last = text.splitlines()
    assert rule == last and set(rule) == {"=", " "}
    columns = [len(part) for part in rule.split("  ")]
    starts = np.cumsum([0, *(width + 2 for width in columns[:-1])]).tolist()
    cells = [[line[start : start + width].strip() for start, width in zip(starts, columns, strict=True)] for line in (head, tiny, both)]
    assert cells[0] == ["row", "network", "AUC", "minus both", "95 % interval", "order", "published", "minus both"]
    assert cells[1] == ["tiny", "pretrained tiny model", "55.0", "-5.0", "-5.0 to -5.0", "below", "66.0 / 65.5 / 55.4", "-2.4"]
    assert cells[2] == ["both", "fidelity and tracking", "60.0", "", "", "", "68.4 / 67.9 / 57.4", ""]
    assert [line.split()[0] for line in others] == ["ECO", "ECOhc", "ratio1"]
    assert others[0].split()[-1] == "+1.5"


# training


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """Four steps on tiny pictures, some of whose boxes are of two classes."""
    folder = tmp_path_factory.mktemp("given")
    data = save_pictures(folder / "pictures")
    boxes = folder / "pictures" / "stills" / "boxes.csv"
    boxes.write_text(boxes.read_text() + "".join(f"{number}.png,10,10,20,24,other\n" for number in range(5)))
    return Plan([data], [save_teacher(folder / "teacher.safetensors")], 4, SETTINGS, {"boxes": 2})


def test_rows_are_trained_once_and_from_one_start(plan, tmp_path, root, monkeypatch, capsys):
    """The whole command, with the real trainer and a real tracker."""
    given = ["--data", plan.data[0], "--teacher", plan.teachers[0], "--steps", "4", "--classifier-boxes", "2", "--sequences", str(root)]
    given += [word for name, value in SETTINGS.items() for word in (f"--{name}", str(value))]
    for module in (training, training.classifier, distill.train):
        monkeypatch.setattr(module, "SAMPLE", 8)
    given += ["--out", str(tmp_path), "--rows", "tiny,both,single", "--only", "Cup", "--trackers", "fKCF", "--runs", "1"]
    assert ablation.main(given) == 0
    losses = {name: set(metrics(tmp_path / f"{name}.safetensors")[1]["loss"]) for name in ("tiny", "both", "single")}
    assert losses == {"tiny": {"classes"}, "both": {"fidelity", "tracking"}, "single": {"tracking"}}
    for name in losses:
        about = weights.load(tmp_path / f"{name}.safetensors").metadata
        assert about["steps"] == "4 of 4"
        assert json.loads(about["settings"])["start"] == "start-64.safetensors"
    lines = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line[:4] in ("tiny", "both", "sing")]
    assert lines == ["tiny", "both", "single"]
    monkeypatch.setattr(training, "train", None)
    monkeypatch.setattr(training.classifier, "train", None)
    assert ablation.main(given) == 0


def test_rows_go_on_where_they_were_cut_off(plan, tmp_path, monkeypatch):
    calls = []

    def fake(config, teachers, data, out, start, resume):
        calls.append((start.name, resume))
        out.with_suffix(".checkpoint").touch()
        done = 2 if len(calls) == 1 else 4
        weights.save(replace(random_weights(), metadata={"steps": f"{done} of 4"}), out)
        if done < 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", fake)
    path = tmp_path / "both.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train_row(ROWS["both"], plan, tmp_path)
    assert path.is_file() and not finished(path)
    for name in ("adapted", "both", "ratio64"):  # all of them have the same weights
        train_row(ROWS[name], plan, tmp_path)
    assert finished(path)
    assert calls == [("start-64.safetensors", False), ("start-64.safetensors", True)]


def test_starts_depend_on_the_compression_alone(plan, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "train", lambda *arguments: None)
    monkeypatch.setattr(training.classifier, "train", lambda *arguments: None)
    for name in ("tiny", "ratio96"):
        train_row(ROWS[name], plan, tmp_path / name)
    train_row(ROWS["several"], plan, tmp_path / "several")
    first, other = (weights.load(tmp_path / name / "start-64.safetensors") for name in ("tiny", "several"))
    assert all(map(np.array_equal, first.filters, other.filters))
    assert weights.load(tmp_path / "ratio96" / "start-96.safetensors").widths == (10, 26, 52, 52, 52)


def test_a_folder_has_one_plan(plan, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "train", lambda *arguments: None)
    train_row(ROWS["both"], plan, tmp_path)
    with pytest.raises(DistillationError, match="choose another folder: steps was 4, is now 5"):
        train_row(ROWS["both"], replace(plan, steps=5), tmp_path)
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(DistillationError, match="cannot use .*plan.json"):
        train_row(ROWS["both"], plan, tmp_path)


# errors


def test_what_cannot_be_trained_is_said(plan, tmp_path):
    with pytest.raises(DistillationError, match="both.safetensors is not there, or not finished, and there is no --data"):
        train_row(ROWS["both"], replace(plan, data=[]), tmp_path)
    with pytest.raises(DistillationError, match="no teacher"):
        train_row(ROWS["both"], replace(plan, teachers=[]), tmp_path)
    with pytest.raises(DistillationError, match="steps is 0"):
        train_row(ROWS["both"], replace(plan, steps=0), tmp_path)
    with pytest.raises(DistillationError, match="rate is 0"):
        train_row(ROWS["both"], replace(plan, settings={"rate": 0}), tmp_path)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--rows", "both,nothing"], "no row 'nothing'"),
        (["--trackers", "fECO,CSRT"], "no tracker 'CSRT'; there are fECO, fDeepSTRCF"),
        (["--only", "Cup,Mug"], "no target 'Mug'; there are Cup, Two-1, Two-2"),
        (["--every", "1,0"], "--every 1,0: different whole numbers from 1 on are needed"),
        (["--every", "2,2"], "--every 2,2: different whole numbers"),
        (["--every", "x"], "--every x: different whole numbers"),
        (["--against", "tiny"], "--against tiny: it is none of the rows fidelity, both"),
        (["--runs", "0"], "both must be at least 1"),
        (["--jobs", "0"], "both must be at least 1"),
        (["--sequences", "nowhere"], "no sequence in nowhere"),
    ],
)
def test_wrong_usage(root, trained, motionless, more, message, capsys):
    assert run(root, trained, *more) == 1
    assert message in capsys.readouterr().err
    assert not motionless


def test_weights_of_ones_own_are_a_row(root, trained, motionless, capsys):
    weights.save(random_weights(seed=3), trained / "mine.safetensors")
    assert run(root, trained, rows="mine,both") == 0
    assert "weights as they are" in capsys.readouterr().out
    assert trained / "mine.safetensors" in [options["backbone"] for _, options in motionless]


def test_files_that_are_broken(root, trained, motionless, capsys):
    targets = load("folder", root).sequences
    with pytest.raises(WeightsError, match="no file of weights at .*gone.safetensors"):
        evaluation.evaluate_rows([Row("gone", "")], ["fECO"], targets, 1, trained, trained)
    assert run(root, trained) == 0
    (trained / "scores" / "root" / "both-fECO.json").write_text("{")
    assert run(root, trained) == 1
    assert "both-fECO.json is no file of scores" in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on(root, trained, monkeypatch, capsys):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(ablation, "train_row", interrupted)
    assert run(root, trained) == 130
    assert "the same command goes on" in capsys.readouterr().err
