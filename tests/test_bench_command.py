"""``cfvgg bench``: its verbs, and ``cfvgg bench run`` from the shell."""

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.command import VERBS, add_arguments
from benchmarks.datasets import load
from benchmarks.vot.files import write_run
from benchmarks.vot.runner import supervised
from cfvgg.cli import main
from tests.formats import picture, text
from tests.vot_cases import Still
from trackers.opencv import cv2

FRAMES = 8


@pytest.fixture
def root(tmp_path):
    """Two sequences of OTB, ``David`` and ``Deer``, with pictures of a moving square."""
    for name, first in (("David", 300), ("Deer", 1)):
        folder = tmp_path / "otb" / name
        (folder / "img").mkdir(parents=True)
        for frame in range(FRAMES):
            picture = np.full((48, 64, 3), 40, np.uint8)
            picture[10:34, 20 + frame : 36 + frame] = np.random.default_rng(0).integers(0, 256, (24, 16, 3))
            cv2.imwrite(str(folder / "img" / f"{first + frame:04}.jpg"), picture)
        np.savetxt(folder / "groundtruth_rect.txt", [(21 + frame, 11, 16, 24) for frame in range(FRAMES)], "%d", "\t")
    return tmp_path / "otb"


def arguments(root, trackers, *more):
    return ["bench", "run", "--dataset", "otb", "--root", str(root), "--trackers", trackers, "--results", str(root.parent / "out"), *more]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_functions_and_help_with_an_example(verb, capsys):
    assert callable(getattr(importlib.import_module(VERBS[verb].module), VERBS[verb].run))
    with pytest.raises(SystemExit) as stop:
        main(["bench", verb, "--help"])
    assert stop.value.code == 0
    assert f"example: cfvgg bench {verb} " in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("verb", VERBS)
def test_examples_can_be_parsed(verb):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert parser.parse_args(VERBS[verb].example.split()[2:]).bench == verb


def test_help_imports_no_verb():
    script = (
        "import sys; from cfvgg.cli import main\n"
        "try: main(['bench', '--help'])\n"
        "except SystemExit: print({'numpy', 'joblib'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert found.endswith("set()\n")
    assert all(verb in found for verb in VERBS)


def test_run_names_what_is_missing_and_writes_the_rest(root, capsys):
    assert main(arguments(root, "MOSSE,KCF")) == 0
    found = capsys.readouterr()
    assert found.out == f"{root.parent / 'out' / 'OTB2015'}\n"
    assert found.err.startswith(f"98 of 100 targets are not in {root}: Basketball, Biker, ")
    assert len(list((root.parent / "out" / "OTB2015").glob("*/D*.txt"))) == 4
    boxes = np.loadtxt(root.parent / "out" / "OTB2015" / "KCF" / "David.txt", delimiter=",")
    np.testing.assert_allclose(boxes[:, 0], 21 + np.arange(FRAMES), atol=1.5)


def test_temple_color_is_run_and_reported(tmp_path, capsys):
    root, results, out = tmp_path / "tc128", tmp_path / "results", tmp_path / "report"
    for name, first in (("Baby_ce", 1), ("Jogging1", 1), ("Skiing", 5)):  # names, layout and files of the real one
        (root / name / "img").mkdir(parents=True)
        for frame in range(FRAMES):
            picture = np.full((48, 64, 3), 40, np.uint8)
            picture[10:34, 20 + frame : 36 + frame] = np.random.default_rng(0).integers(0, 256, (24, 16, 3))
            cv2.imwrite(str(root / name / "img" / f"{first + frame:04}.jpg"), picture)
        np.savetxt(root / name / f"{name}_gt.txt", [(21 + frame, 11, 16, 24) for frame in range(FRAMES)], "%d", ",")
        (root / name / f"{name}_frames.txt").write_text(f"{first},{first + FRAMES - 1}")
    given = ["--dataset", "tc128", "--root", str(root), "--results", str(results), "--trackers", "KCF,MOSSE"]
    assert main(["bench", "run", *given]) == 0
    assert "126 of 129 targets are not in" in capsys.readouterr().err
    assert main(["bench", "report", *given, "--out", str(out)]) == 0
    assert capsys.readouterr().out.startswith("TColor128, 3 of 129 targets, not comparable with published figures")
    assert "Jogging1" in (out / "report.html").read_text()


def test_a_report_of_vot_counts_failures(tmp_path, capsys):
    root, results, out = tmp_path / "vot", tmp_path / "results", tmp_path / "report"
    for number in range(12):  # the target stands still, and jumps away in frame 4
        x = 5 if number < 4 else 40
        picture(root / "leap" / "color" / f"{number + 1:08}.jpg")
        with (root / "leap" / "groundtruth.txt").open("a") as file:
            file.write(f"{x},5,{x + 10},5,{x + 10},15,{x},15\n")
    text(root / "list.txt", "leap\n")
    write_run(results / "VOT" / "Still", "leap", *supervised(Still, load("vot", root).sequences[0]))
    given = ["report", "--dataset", "vot", "--root", str(root), "--results", str(results), "--out", str(out)]
    assert main(["bench", *given]) == 0
    (row,) = json.loads((out / "report.json").read_text())["vot"]
    assert (row["tracker"], row["F"], row["R"]) == ("Still", 1, 100 / 12)
    capsys.readouterr()
    assert main(["bench", *given, "--trackers", "fECO"]) == 1
    assert "no results of the reset-based experiment of fECO; there are Still" in capsys.readouterr().err


def test_run_takes_some_targets(root, capsys):
    assert main(arguments(root, "MOSSE", "--sequences", "deer,Basketball")) == 0
    assert capsys.readouterr().err == f"1 of 2 targets are not in {root}: Basketball\n"
    assert [path.name for path in (root.parent / "out" / "OTB2015" / "MOSSE").glob("*.txt")] == ["Deer.txt"]


def test_failures_are_named_at_the_end(root, capsys):
    (root / "Deer" / "img" / "0003.jpg").write_bytes(b"")
    (root / "David" / "groundtruth_rect.txt").write_text("1,2,3\n")
    assert main(arguments(root, "MOSSE,fECHO")) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[1] == "cfvgg: 3 failed:"
    assert [line.partition(": ")[0].strip() for line in lines[2:]] == ["David", "fECHO", "MOSSE on Deer"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--sequences", "Dear"], "no target 'Dear'; the nearest are Deer"),
        (["--trackers", "KCF{"], "options are JSON"),
        (["--root", "none"], "no sequence in none"),
        (["--jobs", "0"], "--jobs 0"),
    ],
)
def test_what_makes_no_sense_is_one_line(root, capsys, more, message):
    assert main(arguments(root, "MOSSE", *more)) == 1
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.startswith("cfvgg: ")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("wrong", [["bench"], ["bench", "fly"], ["bench", "run"], ["bench", "run", "--dataset", "none"]])
def test_wrong_usage_exits_with_2(wrong):
    with pytest.raises(SystemExit) as stop:
        main(wrong)
    assert stop.value.code == 2


def test_joblib_is_named_where_it_is_missing(monkeypatch, capsys):
    for module in ("benchmarks.run_command", "benchmarks.runner"):
        monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.delattr(module, raising=False)
    monkeypatch.setitem(sys.modules, "joblib", None)
    assert main(["bench", "run", "--help"]) == 1
    assert capsys.readouterr().err.endswith(": pip install cfvgg[report]\n")


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_leaves_whole_files_and_goes_on(root, sign, tmp_path):
    """The second target's third picture is a pipe that nobody writes to, so that the signal comes when the first target is done."""
    pipe = root / "Deer" / "img" / "0003.jpg"
    picture = pipe.read_bytes()
    pipe.unlink()
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "cfvgg", *arguments(root, "MOSSE")]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    )
    writer = opened(process, pipe)
    process.send_signal(sign)
    if sign == signal.SIGINT:
        os.close(writer)
    _, errors = process.communicate(timeout=300)
    folder = root.parent / "out" / "OTB2015" / "MOSSE"
    assert [path.name for path in folder.glob("*.txt")] == ["David.txt"]
    assert not list(folder.rglob("*.partial"))
    if sign == signal.SIGINT:
        assert process.returncode == 130
        assert errors.endswith("cfvgg: stopped; the same command goes on\n")
    before = (folder / "David.txt").stat()
    pipe.unlink()
    pipe.write_bytes(picture)
    assert main(arguments(root, "MOSSE")) == 0
    assert (folder / "David.txt").stat().st_ino == before.st_ino
    assert main([*arguments(root, "MOSSE")[:-1], str(tmp_path / "whole")]) == 0
    for name in ("David.txt", "Deer.txt"):
        assert (folder / name).read_bytes() == (tmp_path / "whole" / "OTB2015" / "MOSSE" / name).read_bytes()


def opened(process, path):
    """Our end of a named pipe, once the process reads from it."""
    while process.poll() is None:
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            try:
                process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
    pytest.fail(process.stderr.read())
