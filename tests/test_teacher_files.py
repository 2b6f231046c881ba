"""Files of teachers: that they are read, and that others are refused with a reason."""

import io
import re
import zipfile

import numpy as np
import pytest
from scipy.io import savemat

torch = pytest.importorskip("torch")
import torch.nn.functional as F

from cfvgg import weights
from cfvgg.architecture import LEVELS, level_sizes
from cfvgg.errors import WeightsError
from distill.errors import DistillationError
from distill.teachers import Backbone, ModuleTeacher, Tap, check_teacher, load_teacher
from distill.teachers.arrays import Arrays
from distill.teachers.resnet import ResNet50
from tests.networks import (
    DCFNET_SHAPES,
    PICTURE,
    backbone_state,
    cadene_names,
    drawn,
    mdnet_names,
    plain_names,
    resnet_arrays,
    squeezenet_shapes,
)
from tests.test_weights import matconvnet, random_weights

pytestmark = pytest.mark.usefixtures("one_thread")


# Files


def save_npz(path, arrays):
    np.savez(path, **{name: array.astype(np.float16) if name.endswith("weight") else array for name, array in arrays.items()})


@pytest.mark.parametrize(
    ("arrays", "kind", "channels"),
    [
        (resnet_arrays, "resnet50", {"stem": 6, "stage2": 8, "stage3": 9, "stage4": 10}),
        (lambda: drawn(squeezenet_shapes()), "squeezenet", {"conv1": 5, **{f"fire{i}": 6 for i in range(2, 10)}}),
        (lambda: drawn(DCFNET_SHAPES), "dcfnet", {"conv1": 4, "norm2": 5}),
    ],
)
def test_npz_files_are_told_apart_by_their_arrays(tmp_path, arrays, kind, channels):
    save_npz(tmp_path / "a.npz", arrays())
    teacher = load_teacher(tmp_path / "a.npz")
    assert (teacher.kind, teacher.source) == (kind, "a.npz")
    assert {name: tap.channels for name, tap in teacher.taps(100, 100).items()} == channels
    assert all(output.dtype == torch.float32 for output in teacher(PICTURE).values())
    assert set(teacher.default_mapping((12, 32, 64, 64, 64)).values()) <= set(channels)


def test_a_safetensors_file_and_a_mat_file_are_the_same_teacher(tmp_path):
    given = random_weights()
    weights.save(given, tmp_path / "a.safetensors")
    savemat(tmp_path / "a.mat", matconvnet(given))
    one, other = (load_teacher(tmp_path / name) for name in ("a.safetensors", "a.mat"))
    assert one.levels == other.levels == LEVELS
    for name, output in one(PICTURE).items():
        assert torch.equal(other(PICTURE)[name], output)


@pytest.mark.parametrize("older", [False, True])
def test_the_first_layers_of_a_mat_file(tmp_path, older):
    given = random_weights()
    content = matconvnet(given, older)
    holder = content if older else content["net"]
    cell = holder["layers"]
    names = [layer["name"] for layer in cell[0]]
    holder["layers"] = cell[:, : names.index("conv4")]
    holder.pop("normalization" if older else "meta")
    savemat(tmp_path / "first.mat", content)
    teacher = load_teacher(tmp_path / "first.mat")
    assert list(teacher.taps(96, 96)) == ["conv1", "norm1", "conv2", "norm2", "conv3", "relu3"]
    assert teacher.default_mapping((4, 6, 9, 9, 9)) == {"conv1": "conv1", "conv2": "conv2", "conv3": "relu3"}
    mean = np.array([123.68, 116.779, 103.939], np.float32).reshape(3, 1, 1)
    whole = Backbone(weights.Weights(given.filters, given.biases, mean))
    for name, output in teacher(PICTURE).items():
        assert torch.equal(whole(PICTURE)[name], output)
    with pytest.raises(WeightsError, match="no layer conv4"):
        weights.load(tmp_path / "first.mat")


@pytest.mark.parametrize("depth", [1, 3, 5])
@pytest.mark.parametrize("wrap", [lambda state: state, lambda state: {"epoch": 3, "model": {f"module.{k}": v for k, v in state.items()}}])
@pytest.mark.parametrize("names", [plain_names, lambda i: f"conv{i + 1}.0", cadene_names])
def test_state_dicts_of_vgg_m(tmp_path, depth, wrap, names):
    state = backbone_state(names, depth) | {"fc6.weight": torch.ones(2, 2)}
    torch.save(wrap(state), tmp_path / "net.pth")
    teacher = load_teacher(tmp_path / "net.pth")
    assert isinstance(teacher, Backbone) and teacher.levels == LEVELS[:depth]
    filters = state[f"{names(0)}.weight"].numpy()
    np.testing.assert_array_equal(teacher.weights.filters[0], filters[:, ::-1] if names is cadene_names else filters)
    sizes = level_sizes(96)
    assert {name: tuple(output.shape[2:]) for name, output in teacher(PICTURE, teacher.levels).items()} == {
        level: (sizes[level], sizes[level]) for level in teacher.levels
    }


def test_mdnet_is_its_own_network(tmp_path):
    state = backbone_state(mdnet_names, 3)
    torch.save({"shared_layers": {name.removeprefix("shared_layers."): array for name, array in state.items()}}, tmp_path / "mdnet.pth")
    teacher = load_teacher(tmp_path / "mdnet.pth")
    assert teacher.kind == "mdnet" and teacher.default_mapping(()) == {"conv1": "norm1", "conv2": "norm2", "conv3": "relu3"}
    x, expected = PICTURE - 128, {}
    for number, stride in ((1, 2), (2, 2), (3, 1)):
        x = F.relu(F.conv2d(x, *(state[f"shared_layers.conv{number}.0.{part}"] for part in ("weight", "bias")), stride))
        x = F.local_response_norm(x, 2) if number < 3 else x
        expected["relu3" if number == 3 else f"norm{number}"] = x
        x = F.max_pool2d(x, 3, 2) if number < 3 else x
    found = teacher(PICTURE)
    for name, output in expected.items():
        torch.testing.assert_close(found[name], output)
    assert found["conv3"].min() < 0 <= found["relu3"].min()


PROGRAM = """
import torch
from distill.teachers import ModuleTeacher, Tap

def teacher():
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, 2, 1), torch.nn.ReLU(inplace=True), torch.nn.MaxPool2d({pool}))
    return ModuleTeacher(module, {{"0": Tap(4, 2, (0.0, 0.0)), "2": Tap(4, 4, (1.0, 1.0))}}, mapping={{"conv1": "2"}})
"""


def test_a_program_brings_its_own_teacher(tmp_path):
    (tmp_path / "mine.py").write_text(PROGRAM.format(pool=2))
    teacher = load_teacher(tmp_path / "mine.py")
    assert teacher.default_mapping(()) == {"conv1": "2"}
    found = teacher(PICTURE)
    assert found["0"].min() < 0  # untouched by the ReLU that works in place
    torch.testing.assert_close(F.max_pool2d(F.relu(found["0"]), 2), found["2"])


def test_a_module_gets_what_it_wants():
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1, bias=False))
    module[0].weight.data = torch.eye(3)[:, :, None, None]
    teacher = ModuleTeacher(module, {"0": Tap(3, 1, (0.0, 0.0))}, mean=(1, 2, 3), std=(2, 4, 8), bgr=True)
    blue = (PICTURE[:, 2] - 1) / 2
    torch.testing.assert_close(teacher(PICTURE)["0"][:, 0], blue)


# Errors


def test_a_teacher_that_is_not_there(tmp_path):
    with pytest.raises(
        DistillationError, match=r"imagenet-vgg-m-2048.mat of https://www.vlfeat.org/matconvnet/pretrained/.*docs/teachers.rst"
    ):
        load_teacher(tmp_path / "imagenet-vgg-m-2048.mat")
    with pytest.raises(DistillationError, match=r"read from .mat, .safetensors, .npz, .pth, .pt, .py, not .onnx"):
        load_teacher(tmp_path / "net.onnx")


def broken_npz(path, arrays):
    with zipfile.ZipFile(path, "w") as file:
        for name in arrays:
            file.writestr(f"{name}.npy", b"nothing")


@pytest.mark.parametrize("suffix", [".npz", ".pth", ".mat", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"\xff" * 500, b"PK\x03\x04" + b"\0" * 200, None])
def test_broken_files(tmp_path, suffix, content):
    path = tmp_path / f"net{suffix}"
    if content is None:
        broken_npz(path, ["feature.0.weight"])
    else:
        path.write_bytes(content)
    with pytest.raises((DistillationError, WeightsError), match=re.escape(path.name)):
        load_teacher(path)


def pickled(value):
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


class Foreign:
    """What a state dict may not hold: reading it would run code."""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"layer1.0.weight": torch.ones(1)}, "holds no VGG-M.*layer1.0.weight"),
        ([1, 2], "holds no VGG-M.*no tensor"),
        (Foreign(), "not a readable file of tensors"),
        ({"conv1.weight": torch.ones(4, 3, 7, 7)}, "holds no VGG-M"),
        (
            {"conv1.weight": torch.ones(4, 3, 11, 11), "conv1.bias": torch.ones(4)},
            r"conv1 has filters \(4, 3, 11, 11\).*VGG-M has \(4, 3, 7, 7\)",
        ),
        ({"conv1.weight": torch.ones(4, 3, 7, 7), "conv1.bias": torch.full((4,), torch.nan)}, "conv1 holds NaN"),
        ({"conv1.weight": torch.ones(1), "block.conv1.weight": torch.ones(1)}, "conv1.weight and block.conv1.weight are the same layer"),
    ],
)
def test_state_dicts_of_other_networks(tmp_path, content, message):
    (tmp_path / "net.pt").write_bytes(pickled(content))
    with pytest.raises(DistillationError, match=message):
        load_teacher(tmp_path / "net.pt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.pop("feature.2.bias"), "has no array feature.2.bias"),
        (lambda a: a.update({"feature.2.bias": np.full(5, np.inf)}), "feature.2.bias holds NaN"),
        (lambda a: a.update({"feature.2.bias": np.zeros(3)}), r"feature.2 has filters \(5, 4, 3, 3\) and bias \(3,\)"),
        (lambda a: a.update({"feature.2.weight": np.zeros((5, 9, 3, 3))}), "layers do not fit each other"),
        (lambda a: a.pop("feature.0.weight"), r"is none of resnet50 \(by its array res2a.2a.weight\), squeezenet"),
        (lambda a: a.update({"feature.0.weight": np.array([{}])}), "not a readable .npz"),
    ],
)
def test_arrays_of_other_networks(tmp_path, change, message):
    arrays = drawn(DCFNET_SHAPES)
    change(arrays)
    np.savez(tmp_path / "net.npz", **arrays)
    with pytest.raises(DistillationError, match=message):
        load_teacher(tmp_path / "net.npz")


def test_a_normalisation_that_is_none():
    arrays = resnet_arrays() | {"bn3b.2a.var": np.full(4, -1.0)}
    with pytest.raises(DistillationError, match=r"bn3b.2a is no batch normalisation of 4 channels"):
        ResNet50(Arrays(arrays, "generated"))


def test_modules_and_programs_that_do_not_fit(tmp_path):
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, 2, 1), torch.nn.Flatten())
    with pytest.raises(DistillationError, match="no submodule 'layer1'; it has 0, 1"):
        ModuleTeacher(module, {"layer1": Tap(4, 2, (0.0, 0.0))})
    with pytest.raises(DistillationError, match=r"'0' gave \(2, 4, 48, 48\); its tap says \(N, 5, h, w\)"):
        ModuleTeacher(module, {"0": Tap(5, 2, (0.0, 0.0))})(PICTURE)
    with pytest.raises(DistillationError, match=r"'1' gave \(2, 9216\)"):
        ModuleTeacher(module, {"1": Tap(4, 2, (0.0, 0.0))})(PICTURE)
    with pytest.raises(
        DistillationError, match=r"mine: 0 has 4 channels and 112 cells along 224 pixels; its tap says 4 channels and stride 4"
    ):
        check_teacher(ModuleTeacher(module, {"0": Tap(4, 4, (0.0, 0.0))}, kind="mine"))
    (tmp_path / "mine.py").write_text("def student():\n    return 1\n")
    with pytest.raises(DistillationError, match=r"no function teacher\(\)"):
        load_teacher(tmp_path / "mine.py")
