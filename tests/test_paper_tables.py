"""The scripts of the paper's tables and figures, on two targets of a few frames."""

import json
from importlib import import_module

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.speed import paper as speed
from tests.sequences import save_sequences

STILL = "tests.stand_ins:Still"  # boxes are perfect where the target does not move: an AUC of 20/21, 95.2 %


@pytest.fixture
def given(tmp_path, monkeypatch):
    """Arguments of a part of OTB in which two targets stand still, and of trackers that do, too; KCF's labels are those of the paper."""
    monkeypatch.chdir(tmp_path)
    frame = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    save_sequences(tmp_path / "otb", [frame] * 5, np.tile([20, 15, 24, 20], (5, 1)))
    for name, target in (("Cup", "Crossing"), ("Two", "Jogging")):
        (tmp_path / "otb" / name).rename(tmp_path / "otb" / target)
    return ["--sequences", "otb"]


def script(name, *arguments):
    return import_module(f"benchmarks.ablation.{name}").main(list(arguments))


def still(*labels):
    return ["--trackers", ",".join(f"{label}={STILL}" for label in labels)]


def cells(text, *first):
    """What follows the first words of a line."""
    (line,) = (line for line in text.splitlines() if line.split()[: len(first)] == list(first))
    return line.split()[len(first) :]


def test_table_2(capsys):
    assert script("table2") == 0
    printed = capsys.readouterr().out
    assert " ".join(cells(printed, "conv1")) == "123 x 123 x 96 109 x 109 x 96 109 x 109 x 12"
    assert "Not published here" in printed


def test_figure_6(capsys, tmp_path):
    assert script("figure6", "--out", str(tmp_path / "figure.png")) == 0
    printed = capsys.readouterr().out
    assert cells(printed, "VGG-M", "(ECO)") == ["3162.7", "6528640", "36.6"]
    assert cells(printed, "CF-VGG")[:2] == ["86.4", "103760"]
    assert cv2.imread(str(tmp_path / "figure.png")) is not None


def test_table_3(given, capsys, tmp_path):
    (tmp_path / "ablation").mkdir()
    (tmp_path / "ablation" / "ablation.json").write_text(json.dumps({"trackers": {"fECO": {"ratio64": {"mean": 0.5}}}}))
    assert script("table3", *given, "--rounds", "0") == 0
    printed = capsys.readouterr().out
    assert cells(printed, "1") == ["6528640", "1.0", "26.11", "95.00", "3162.7", "-", "69.6"]
    assert cells(printed, "64") == ["103760", "62.9", "0.42", "1.50", "86.4", "50.0", "68.2"]
    (tmp_path / "ablation" / "ablation.json").write_text("[]")
    assert script("table3", *given, "--rounds", "0") == 1
    assert "ablation.json" in capsys.readouterr().err


def test_table_4(given, capsys):
    assert script("table4", *given, *still("fECO", "ECOHC")) == 0
    printed = capsys.readouterr().out
    assert "3 of 100 targets" in printed
    assert "no trained rows in ablation" in printed
    assert cells(printed, "ECOhc", "no", "network") == ["95.2", "65.6", "64.6", "54.7"]
    assert cells(printed, "ECO", "VGG-M", "itself") == ["-", "71.0", "69.4", "60.3"]
    assert cells(printed, "fECO")[-4:] == ["95.2", "-", "-", "-"]


def test_table_5(given, capsys):
    assert script("table5", *given, *still("fKCF-conv1", "fKCF-conv5"), "--rounds", "0") == 0
    printed = capsys.readouterr().out
    assert cells(printed, "fKCF", "CF-VGG", "here") == ["95.2", "-", "95.2"]
    assert cells(printed, "KCF", "VGG-M", "published") == ["48.0", "50.6", "49.2"]
    assert "KCF-conv1, KCF-conv2, KCF-conv5: need VGG-M" in printed


def test_table_6(given, capsys, tmp_path):
    folder = tmp_path / "vot" / "cup"
    (tmp_path / "otb" / "Crossing" / "img").rename(folder.parent.mkdir() or folder)
    np.savetxt(folder / "groundtruth.txt", np.tile([20, 15, 24, 20], (5, 1)), "%g", ",")
    assert script("table6", "--dataset", "vot", "--sequences", "vot", *still("fECO")) == 0
    printed = capsys.readouterr().out
    assert cells(printed, "fECO")[2:4] == ["0.0", "0.000"]  # no failure
    assert "Not published here" in printed


def test_table_7(given, capsys):
    assert script("table7", *given, *still("fECO")) == 0
    printed = capsys.readouterr().out
    # Crossing has SV, DEF, FM, OPR and BC, both targets of Jogging OCC, DEF and OPR.
    assert " ".join(cells(printed, "fECO", "here")) == "- 95.2 95.2 95.2 - 95.2 - 95.2 - 95.2 - 95.2"
    assert " ".join(cells(printed, "TRACA", "published")) == "61.8 56.8 57.1 56.0 58.7 57.4 58.0 59.3 56.5 60.6 50.5 60.2"
    assert "IV 0, SV 1, OCC 2, DEF 3" in printed


def test_table_8(given, capsys):
    assert script("table8", *given, *still("fECO", "ECO")) == 0
    printed = capsys.readouterr().out
    assert " ".join(cells(printed, "difference", "here")) == "- 0.0 0.0 0.0 - 0.0 - 0.0 - 0.0 - 0.0"
    published = [" ".join(line.split()[2:]) for line in printed.splitlines() if line.startswith("difference  published")]
    assert published == [  # as the paper has them
        "-2.1 -2.8 -1.8 1.4 -3.1 -3.6 -2.6 -1.9 -4.1 -2.7 -4.0 -1.2",
        "1.0 0.1 -0.6 0.8 -0.4 -0.4 0.6 0.0 -2.4 2.9 0.8 0.1",
    ]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("figure7", "fECO"),
        ("figure8", "fECO"),
        ("figure10", "3 of 100"),
        ("figure11", "not there: Box, Girl2, Human3, Soccer, Tiger1"),
        ("figure12", "not there: Freeman4, Ironman"),
    ],
)
def test_figures(name, says, given, capsys):
    assert script(name, *given, *still("fECO", "KCF")) == 0
    printed = capsys.readouterr().out
    assert says in printed
    assert f"written: {name}.png" in printed
    assert cv2.imread(f"{name}.png").shape[2] == 3


def test_figure_9(given, capsys, tmp_path):
    (tmp_path / "otb" / "Crossing").rename(tmp_path / "otb" / "Ball_ce1")
    (tmp_path / "otb" / "Ball_ce1" / "groundtruth_rect.txt").rename(tmp_path / "otb" / "Ball_ce1" / "Ball_ce1_gt.txt")
    (tmp_path / "otb" / "Ball_ce1" / "Ball_ce1_frames.txt").write_text("1,5\n")
    assert script("figure9", *given, *still("fECO")) == 0
    assert "1 of 129 targets" in capsys.readouterr().out


def test_speeds_of_the_paper(given, capsys, monkeypatch):
    """Times are real and of no interest here: what stands beside them is published, or follows from a network's shape."""
    monkeypatch.setattr(speed, "alone", lambda function, *arguments: function(*arguments))
    monkeypatch.setattr(speed, "RATIOS", (1, 64))
    monkeypatch.setattr(speed, "feature_seconds", lambda networks, rounds: {1: 0.08, 64: 0.004})
    monkeypatch.setitem(speed.TABLES, "I", [speed.Row("fKCF", {"preset": "conv1"}, 96, 5), speed.Row("KCF", {}, 64, 20)])
    assert script("table1", *given, "--rounds", "2", "--frames", "3") == 0
    printed = capsys.readouterr().out
    assert cells(printed, "1") == ["80.00", "76.0", "1.0", "1", "3162.7", "6528640", "26.11", "95.00"]
    assert cells(printed, "64") == ["4.00", "9.5", "20.0", "8", "86.4", "103760", "0.42", "1.50"]
    _, _, fps, *against, _, _, _, times = cells(printed, "KCF", "/64")
    assert (fps, " ".join(against), times) == ("20", "fKCF conv1 /96", "4.0")
    assert "random weights" in printed


def test_tables_of_speed_are_the_papers():
    published = {table: [(row.label, row.fps, rows[row.against].label) for row in rows] for table, rows in speed.TABLES.items()}
    assert published["I"][1:] == [
        ("fECO /64", 27, "ECO VGG-M"),
        ("DeepSTRCF VGG-M", 3, "DeepSTRCF VGG-M"),
        ("fDeepSTRCF /64", 20, "DeepSTRCF VGG-M"),
    ]
    assert [row[:2] for row in published["III"][2:]] == [("fECO /16", 9), ("fECO /32", 16), ("fECO /64", 27), ("fECO /96", 35)]
    assert published["V"][4] == ("fKCF conv2 /64", 48, "fKCF conv2 VGG-M")


def test_random_networks_have_their_shapes(tmp_path, monkeypatch):
    found = speed.random_networks(tmp_path, {64, 96})
    assert [speed.weights.load(found[ratio]).widths for ratio in (64, 96)] == [(12, 32, 64, 64, 64), (10, 26, 52, 52, 52)]
    monkeypatch.setattr(speed, "SIDE", 48)
    seconds = speed.feature_seconds(found, 2)
    assert list(seconds) == [64, 96]
    assert min(seconds.values()) > 0


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("table7", [], "needs a folder"),
        ("table7", ["--sequences", "nowhere"], "nowhere"),
        ("figure8", ["--sequences", "otb", *still("fECO"), "--out", f"{__file__}/picture.png"], "cannot write"),
        ("table8", ["--sequences", "otb", "--trackers", "fECO=fEOC"], "fEOC"),
    ],
)
def test_what_is_missing_is_named(name, arguments, message, given, capsys):
    assert script(name, *arguments) == 1
    captured = capsys.readouterr()
    assert message in captured.err + captured.out
