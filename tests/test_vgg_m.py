"""The way from VGG-M to its compressions."""

import numpy as np
import pytest
from scipy.io import loadmat

torch = pytest.importorskip("torch")

from benchmarks import vgg_m
from cfvgg import weights
from cfvgg.architecture import channels
from distill import record
from tests.test_weights import assert_same, random_weights
from tests.trainings import save_pictures


def test_written_as_matconvnet_does(tmp_path):
    given = random_weights()
    vgg_m.save_mat(given, tmp_path / "net.mat")
    assert_same(given, weights.load(tmp_path / "net.mat"))
    layers = loadmat(tmp_path / "net.mat", squeeze_me=True, struct_as_record=False)["net"].layers
    names = [name for i in range(1, 6) for name in (f"conv{i}", f"relu{i}", *([f"norm{i}", f"pool{i}"] if i < 3 else []))]
    assert [layer.name for layer in layers] == names


def test_sizes_are_those_of_the_paper():
    """Its sizes in MB are 3.6 times the bytes in single precision, at every ratio; 3,162.7 MFLOPs are VGG-M's."""
    rows = [line.split() for line in vgg_m.sizes().splitlines()[1:]]
    assert [row[0] for row in rows] == ["1", "16", "32", "64", "96"]
    assert [tuple(map(int, row[1:6])) for row in rows] == [channels(ratio) for ratio in (1, 16, 32, 64, 96)]
    np.testing.assert_allclose([float(row[9]) / float(row[7]) for row in rows], 3.6, rtol=0.03)
    assert rows[0][8] == "3,162.7" and rows[3][6] == "103,760"


def test_a_student_is_taught(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(record, "find_spec", lambda name: None)
    data = save_pictures(tmp_path / "pictures")
    options = ["--ratios", "64", "--steps", "4", "--batch", "4", "--side", "64", "--validation", "4"]
    code = vgg_m.main(["--data", data, "--out", str(tmp_path / "out"), *options])
    row = list(map(float, capsys.readouterr().out.splitlines()[-1].split()))
    assert row[0] == 64 and len(row) == 11
    assert code == (not all(after < before for before, after in zip(row[1::2], row[2::2], strict=True)))
    assert weights.load(tmp_path / "out" / "student64.safetensors").widths == channels(64)
    assert vgg_m.main(["--data", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out"), *options]) == 1
    assert "no folder of pictures" in capsys.readouterr().err
