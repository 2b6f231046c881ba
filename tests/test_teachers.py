"""Teachers: that they are the networks they are said to be, and that their grids are right."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torch.nn.functional as F

from cfvgg.architecture import LEVELS, filter_shapes
from cfvgg.mean_picture import resize
from distill.errors import DistillationError
from distill.teachers import Backbone, ModuleTeacher, Tap, load_teacher
from distill.teachers.arrays import Arrays
from distill.teachers.dcfnet import DCFNet
from distill.teachers.resnet import BLOCKS, ResNet50
from distill.teachers.squeezenet import SqueezeNet, same_padding
from distill.teachers.state_dict import state_teacher
from tests.networks import DCFNET_SHAPES, PICTURE, drawn, mdnet_names, plain_names, resnet_arrays, resnet_shapes, squeezenet_shapes
from tests.test_weights import random_weights

pytestmark = pytest.mark.usefixtures("one_thread")


# The networks


def unfolded_resnet(arrays, picture):
    """ResNet-50 with its batch normalisations as they are; `picture` in B, G, R."""
    arrays = {name: torch.from_numpy(array) for name, array in arrays.items()}

    def layer(x, name, normalisation, stride=1, padding=0):
        x = F.conv2d(x, arrays[f"{name}.weight"], arrays[f"{name}.bias"], stride, padding)
        mean, var, gamma, beta = (arrays[f"{normalisation}.{part}"] for part in ("mean", "var", "gamma", "beta"))
        return F.batch_norm(x, mean, var, gamma, beta, eps=1e-3)

    x = F.relu(layer(picture - torch.tensor([103.939, 116.779, 123.68]).reshape(3, 1, 1), "conv1", "bn_conv1", 2, 3))
    found = {"stem": x}
    x = F.max_pool2d(x, 3, 2)
    for stage, letters in BLOCKS.items():
        for letter in letters:
            block, stride = f"{stage}{letter}", 2 if letter == "a" and stage > 2 else 1
            y = F.relu(layer(x, f"res{block}.2a", f"bn{block}.2a", stride))
            y = F.relu(layer(y, f"res{block}.2b", f"bn{block}.2b", 1, 1))
            y = layer(y, f"res{block}.2c", f"bn{block}.2c")
            x = F.relu(y + (layer(x, f"res{block}.1", f"bn{block}.1", stride) if letter == "a" else x))
        found[f"stage{stage}"] = x
    return found


def test_folded_normalisation_changes_nothing():
    arrays = resnet_arrays()
    expected = unfolded_resnet(arrays, PICTURE.flip(1))
    found = ResNet50(Arrays(arrays, "generated"))(PICTURE)
    assert list(found) == list(expected) == ["stem", "stage2", "stage3", "stage4"]
    for name, output in expected.items():
        assert (found[name] - output).abs().max() < 1e-5 * output.abs().max()


@pytest.mark.parametrize(
    ("file", "reversed_colours", "means"),
    [
        ("resnet50_stage4_fp16.npz", True, {"stem": 1.5015, "stage2": 0.9395, "stage3": 0.7100, "stage4": 0.4248}),
        ("squeezenet10_fp16.npz", False, {"conv1": 0.3746, "fire4": 0.3384, "fire8": 0.4309, "fire9": 0.6838}),
    ],
)
def test_check_values_of_the_real_networks(shared, file, reversed_colours, means):
    i, j, c = np.ogrid[:224, :224, :3]
    picture = torch.from_numpy(((37 * i + 59 * j + 101 * c) % 256).astype(np.float32).transpose(2, 0, 1).copy())[None]
    teacher = load_teacher(shared(f"weights/{file}"))
    found = teacher(picture.flip(1) if reversed_colours else picture, list(means))
    assert {name: output.mean().item() for name, output in found.items()} == pytest.approx(means, abs=5e-5)


def test_sizes_of_the_real_networks(shared):
    squeezenet, dcfnet = (load_teacher(shared(f"weights/{name}.npz")) for name in ("squeezenet10_fp16", "dcfnet_fp32"))
    shapes = {name: tuple(output.shape[1:]) for name, output in squeezenet(torch.zeros(1, 3, 224, 224)).items()}
    expected = {"conv1": (96, 112, 112), "fire4": (256, 55, 55), "fire8": (512, 27, 27), "fire9": (512, 13, 13)}
    assert {name: shapes[name] for name in expected} == expected
    taps = squeezenet.taps(224, 224)
    assert [taps[name].centre[0] for name in ("conv1", "fire2", "fire4", "fire5", "fire8", "fire9")] == [1, 3, 3, 7, 7, 15]
    assert dcfnet(torch.zeros(1, 3, 20, 30))["norm2"].shape == (1, 32, 20, 30)


def test_a_backbone_is_the_network_itself():
    given = random_weights()
    teacher = Backbone(given)
    inputs = PICTURE - torch.from_numpy(resize(given.mean, 96, 96))
    found = teacher(PICTURE)
    assert list(found) == ["conv1", "norm1", "conv2", "norm2", "conv3", "relu3", "conv4", "relu4", "conv5", "relu5"]
    for rectified, names in ((False, LEVELS), (True, ("norm1", "norm2", "relu3", "relu4", "relu5"))):
        for (_, expected), name in zip(teacher.network(inputs, rectified=rectified).items(), names, strict=True):
            assert torch.equal(found[name], expected)


def test_dcfnet_by_its_definition():
    arrays = drawn(DCFNET_SHAPES)
    first, second = ([torch.from_numpy(arrays[f"feature.{i}.{part}"]) for part in ("weight", "bias")] for i in (0, 2))
    x = F.relu(F.conv2d(PICTURE.flip(1) - torch.tensor([104.0, 117.0, 123.0]).reshape(3, 1, 1), *first, padding=1))
    y = F.conv2d(x, *second, padding=1).double()
    squares = F.pad(y.square(), (0, 0, 0, 0, 2, 2))
    y /= (1 + 1e-4 / 5 * sum(squares[:, i : i + y.shape[1]] for i in range(5))) ** 0.75
    found = DCFNet(Arrays(arrays, "generated"))(PICTURE)
    torch.testing.assert_close(found["conv1"], x, rtol=1e-5, atol=1e-3)
    torch.testing.assert_close(found["norm2"].double(), y, rtol=1e-4, atol=1e-3)


def test_only_what_is_asked_for_is_computed():
    arrays = resnet_arrays()
    del arrays["res4f.2c.weight"]
    with pytest.raises(DistillationError, match=r"generated has no array res4f.2c.weight"):
        ResNet50(Arrays(arrays, "generated"))
    teacher = ResNet50(Arrays(resnet_arrays(), "generated"))
    teacher.stages[2].register_forward_hook(lambda *_: pytest.fail("stage 4 was computed"))
    assert list(teacher(PICTURE, ["stage3", "stem"])) == ["stage3", "stem"]
    with pytest.raises(DistillationError, match=r"resnet50 has no tap 'fire2'; it has stem, stage2, stage3, stage4"):
        teacher(PICTURE, ["fire2"])


def test_teachers_are_frozen():
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.BatchNorm2d(4))
    teacher = ModuleTeacher(module, {"1": Tap(4, 1, (0.0, 0.0))})
    before = module[1].running_mean.clone()
    output = torch.nn.ModuleList([teacher]).train()[0](PICTURE.requires_grad_(False))["1"]
    assert not output.requires_grad and not any(array.requires_grad for array in teacher.parameters())
    assert torch.equal(module[1].running_mean, before)


# Grids, measured: a network of box filters gives, of a picture that rises linearly, the value at the centre of its cell. Maxima are
# found at the far end of their windows, and in a falling picture at the near end; the mean of the two is the centre.


def boxes(shapes):
    made = {f"{name}.weight": np.full((out, n, k, k), 1 / n / k**2) for name, (out, n, k) in shapes.items()}
    return made | {f"{name}.bias": np.zeros(out) for name, (out, _, _) in shapes.items()}


def box_resnet():
    made = boxes(resnet_shapes())
    for name, (out, _, _) in resnet_shapes().items():
        normalisation = name.replace("res", "bn").replace("conv1", "bn_conv1")
        made |= {
            f"{normalisation}.{part}": np.full(out, value) for part, value in (("gamma", 1), ("beta", 0), ("mean", 0), ("var", 1 - 1e-3))
        }
        if name.endswith((".1", "a.2c")):
            made[f"{name}.weight"] /= 2  # shortcut and branch add up to one
        elif name.endswith(".2c"):
            made[f"{name}.weight"] *= 0
    return ResNet50(Arrays(made, "boxes"))


def box_backbone(mdnet):
    made = boxes({(mdnet_names if mdnet else plain_names)(i): (s[0], s[1], s[2]) for i, s in enumerate(filter_shapes((4, 4, 4, 4, 4))[:3])})
    return state_teacher({name: torch.from_numpy(array * 0.01 ** (array.ndim == 4)) for name, array in made.items()}, "boxes")


BOXES = {
    "resnet": box_resnet,
    "squeezenet": lambda: SqueezeNet(Arrays(boxes(squeezenet_shapes()), "boxes")),
    "dcfnet": lambda: DCFNet(Arrays(boxes(DCFNET_SHAPES), "boxes")),
    "vgg-m": lambda: box_backbone(mdnet=False),
    "mdnet": lambda: box_backbone(mdnet=True),
}


@pytest.mark.parametrize("size", [(224, 224), (219, 230), (224, 213)])
@pytest.mark.parametrize("network", BOXES)
def test_grids_are_where_the_network_looks(network, size):
    teacher = BOXES[network]()
    base = 300.0
    for axis, pixels in enumerate(size):
        ramp = torch.arange(pixels).reshape((-1, 1) if axis == 0 else (1, -1)).expand(size)
        pictures = torch.stack([torch.full(size, base), torch.full(size, base + 1), base + ramp, base + pixels - 1 - ramp])
        outputs = teacher(pictures[:, None].expand(-1, 3, -1, -1))
        for name, tap in teacher.taps(*size).items():
            if name == "norm2" and network == "dcfnet":
                continue  # its normalisation bends the ramp
            low, high, rising, falling = outputs[name][:, 0].double()
            cells = low.shape[axis]
            middle = slice(cells // 3, cells - cells // 3)
            gain = (high - low)[low.shape[0] // 2, low.shape[1] // 2]
            places = ((rising - falling) / gain + pixels - 1) / 2
            places = places[:, low.shape[1] // 2] if axis == 0 else places[low.shape[0] // 2]
            expected = tap.centre[axis] + tap.stride * np.arange(cells)
            np.testing.assert_allclose(places[middle], expected[middle], atol=0.12, err_msg=f"{name} of {network}")


@pytest.mark.parametrize(("size", "before", "behind"), [(224, 2, 3), (225, 3, 3), (7, 3, 3), (6, 2, 3)])
def test_same_padding(size, before, behind):
    """By hand: ceil(n / 2) cells of 7 pixels, 2 apart, reach over 2 ceil(n / 2) + 5 pixels."""
    assert same_padding(size) == (before, behind)
    assert (size + before + behind - 7) // 2 + 1 == -(-size // 2)
