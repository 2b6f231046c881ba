"""Workspaces for the VOT toolkit, and the toolkit itself with our trackers."""

import configparser
import os
import shlex
import subprocess
import sys
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import datasets, peers
from benchmarks.vot import files
from benchmarks.vot.runner import supervised
from cfvgg.cli import main


@pytest.fixture
def vot_folder(video, tmp_path) -> Path:
    """Two sequences, one with pictures beside the annotation as in older copies, whose target is followed and lost."""
    root, (frames, boxes) = tmp_path / "vot", video
    for name, folder in (("plain", "plain"), ("usual", "usual/color")):
        (root / folder).mkdir(parents=True)
        for number in range(21):
            cv2.imwrite(str(root / folder / f"{number + 1:08}.jpg"), frames[number % 7])
        x, y, w, h = boxes[np.arange(21) % 7].T + np.where(np.arange(21) // 7 == 1, 60, 0)
        corners = np.stack([x, y, x + w, y, x + w, y + h, x, y + h], axis=1)
        np.savetxt(root / name / "groundtruth.txt", corners, "%.3f", ",")
    (root / "usual" / "occlusion.tag").write_text("0\n" * 21)
    return root


def test_workspace(vot_folder, tmp_path, capsys):
    folder = tmp_path / "ws"
    command = ["bench", "vot-workspace", str(folder), "--stack", "vot2016", "--root", str(vot_folder), "--trackers"]
    assert main([*command, 'MOSSE,exact=ECOHC{"published": true}']) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"vot evaluate --workspace {folder} MOSSE exact"
    assert (folder / "config.yaml").read_text() == "registry:\n- ./trackers.ini\nstack: vot2016/rgb\n"
    assert (folder / "sequences" / "list.txt").read_text().split() == ["plain", "usual"]
    for name, pictures in (("plain", vot_folder / "plain"), ("usual", vot_folder / "usual" / "color")):
        place = folder / "sequences" / name
        assert (place / "color").is_symlink()
        assert (place / "color").resolve() == pictures
        assert (place / "groundtruth.txt").resolve() == vot_folder / name / "groundtruth.txt"
        assert (place / "sequence").read_text().splitlines()[0] == "channels.color=color/%08d.jpg"
    assert (folder / "sequences" / "usual" / "occlusion.tag").is_symlink()
    registry = configparser.ConfigParser()
    registry.read(folder / "trackers.ini")
    assert registry.sections() == ["MOSSE", "exact"]
    started = [sys.executable, "-m", "cfvgg", "bench", "trax", 'exact=ECOHC{"published": true}']
    assert shlex.split(registry["exact"]["command"]) == started
    assert (registry["exact"]["protocol"], int(registry["exact"]["timeout"]) > 30) == ("trax", True)
    assert main([*command, "MOSSE"]) == 1
    assert "is a workspace already" in capsys.readouterr().err


def test_the_toolkit_finds_what_our_runner_finds(vot_folder, tmp_path):
    if "VOT_PYTHON" not in os.environ:
        pytest.skip("VOT_PYTHON does not name the interpreter of an environment with vot-toolkit 0.7.4")
    folder = tmp_path / "ws"
    main(["bench", "vot-workspace", str(folder), "--root", str(vot_folder), "--trackers", "MOSSE"])
    command = [os.environ["VOT_PYTHON"], "-m", "vot", "evaluate", "--experiments", "baseline", "--workspace", str(folder), "MOSSE"]
    subprocess.run(command, env={**os.environ, "VOT_RESULTS_BINARY": "false"}, check=True)
    for sequence in datasets.load("vot", vot_folder).sequences:
        expected = files.runs(folder / "results" / "MOSSE", sequence.name)
        assert len(expected) == 3
        trajectory, _ = supervised(partial(peers.make, "MOSSE"), sequence, "bbox")
        codes = files.codes(trajectory).tolist()
        assert codes.count(files.FAILED) == 2
        for path in expected:
            for ours, theirs in zip(trajectory, files.read_run(path, len(sequence)), strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-4)
