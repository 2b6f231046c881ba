"""Networks as .onnx files."""

import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cfvgg import weights
from cfvgg.architecture import LEVELS
from cfvgg.cli import main
from cfvgg.network import Network
from distill.students import mean_picture
from tests.trainings import random_weights


@pytest.fixture
def net(tmp_path):
    weights.save(random_weights(), tmp_path / "net.safetensors")
    return str(tmp_path / "net.safetensors")


def test_another_program_computes_the_same(net, tmp_path, capsys):
    """ONNX Runtime, from any number of pictures."""
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    out = tmp_path / "net.onnx"
    assert main(["convert", net, str(out), "--side", "96"]) == 0
    session = onnxruntime.InferenceSession(out)
    assert [output.name for output in session.get_outputs()] == list(LEVELS)
    assert session.get_modelmeta().custom_metadata_map["format"] == "cfvgg-1"
    network = Network(weights.load(net))
    for count in (1, 3):
        pictures = np.random.default_rng(0).uniform(0, 255, (count, 3, 96, 96)).astype(np.float32)
        with torch.no_grad():
            wanted = network(torch.from_numpy(pictures) - mean_picture(network, 96))
        for level, found in zip(LEVELS, session.run(None, {"pictures": pictures}), strict=True):
            np.testing.assert_allclose(found, wanted[level], atol=1e-5 * float(wanted[level].max()))
    assert main(["convert", net, str(out), "--side", "24"]) == 1
    assert "pictures of 24 pixels; the network needs at least 25" in capsys.readouterr().err
    assert main(["convert", net, str(tmp_path / "nowhere" / "net.onnx"), "--side", "96"]) == 1


@pytest.mark.parametrize("missing", ["onnx", "onnxscript"])
def test_what_is_missing_is_named(missing, net, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnx", None if missing == "onnx" else sys)
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    assert main(["convert", net, str(tmp_path / "net.onnx")]) == 1
    assert "pip install cfvgg[onnx]" in capsys.readouterr().err
    assert not (tmp_path / "net.onnx").exists()
