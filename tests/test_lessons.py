"""From teachers to a loss: mappings, grids, lifts, fidelity, and the students to begin with."""

import numpy as np
import pytest
from scipy.io import savemat
from scipy.ndimage import map_coordinates

torch = pytest.importorskip("torch")

from cfvgg import weights
from cfvgg.architecture import LEVELS, channels, filter_shapes, grids, level_sizes
from cfvgg.errors import WeightsError
from cfvgg.mean_picture import resize
from cfvgg.network import Network
from distill import losses
from distill.alignment import align, align_to_level
from distill.errors import DistillationError
from distill.lessons import Fidelity, Lesson, read_lesson
from distill.lifts import Lifts, regress
from distill.students import SPREADS, first_student, mean_picture, pruned_student, random_student
from distill.teachers import Backbone, Tap, load_teacher
from distill.teachers.arrays import Arrays
from distill.teachers.mapping import parse
from distill.teachers.resnet import ResNet50
from distill.teachers.squeezenet import SqueezeNet
from distill.teachers.state_dict import state_teacher
from tests.networks import PICTURE, backbone_state, drawn, plain_names, resnet_arrays, squeezenet_shapes
from tests.test_weights import matconvnet

WIDTHS = (4, 6, 8, 7, 5)

pytestmark = pytest.mark.usefixtures("one_thread")


def vgg(widths=WIDTHS, seed=0):
    """Weights of a VGG-M of any width, that keep the size of what goes through them."""
    made = drawn({level: (s[0], s[1], s[2]) for level, s in zip(LEVELS, filter_shapes(widths), strict=True)}, seed)
    filters, biases = (tuple(made[f"{level}.{part}"] for level in LEVELS) for part in ("weight", "bias"))
    return weights.Weights(filters, biases, np.full((3, 1, 1), 120, np.float32))


def resnet():
    return ResNet50(Arrays(resnet_arrays(), "generated"))


def outputs(network, pictures=PICTURE):
    """Levels of a student, before and behind the ReLU."""
    return network.both(pictures - torch.from_numpy(resize(network.mean.numpy(), *pictures.shape[-2:])))


# mappings


@pytest.mark.parametrize(
    ("spec", "path", "mapping"),
    [
        ("net.mat", "net.mat", None),
        ("a/net.npz:conv1=stem", "a/net.npz", {"conv1": "stem"}),
        ("net.npz:conv4=stage3,conv5=stage4", "net.npz", {"conv4": "stage3", "conv5": "stage4"}),
        ("mine.py:conv5=layer3.1", "mine.py", {"conv5": "layer3.1"}),
        ("C:\\nets\\net.mat", "C:\\nets\\net.mat", None),
        ("C:\\nets\\net.mat:conv1=conv1", "C:\\nets\\net.mat", {"conv1": "conv1"}),
        ("a:b/net.mat", "a:b/net.mat", None),
    ],
)
def test_specifications(spec, path, mapping):
    assert parse(spec) == (path, mapping)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "names no file"),
        (":conv1=stem", "names no file"),
        ("net.npz:", "'' in 'net.npz:' is not of the form level=tap"),
        ("net.npz:conv1", "'conv1' in"),
        ("net.npz:conv1=stem,", "'' in"),
        ("net.npz:conv1=", "'conv1=' in"),
        ("net.npz:conv1=stem,conv1=stage2", "names conv1 twice"),
        ("net.npz:conv6=stem", "no level 'conv6'; it has conv1, conv2, conv3, conv4, conv5"),
    ],
)
def test_specifications_that_are_none(spec, message):
    with pytest.raises(DistillationError, match=message):
        parse(spec)


@pytest.mark.parametrize(
    ("mapping", "weight", "message"),
    [
        ({}, 1, "resnet50 teaches no level.*taps stem, stage2"),
        ({"conv1": "fire2"}, 1, "resnet50 has no tap 'fire2' for conv1; it has stem, stage2, stage3, stage4"),
        ({"stem": "stem"}, 1, "no level 'stem'"),
        ({"conv1": "stem"}, 0, "weight of resnet50 is 0"),
        ({"conv1": "stem"}, float("nan"), "weight of resnet50 is nan"),
    ],
)
def test_lessons_that_make_no_sense(mapping, weight, message):
    with pytest.raises(DistillationError, match=message):
        Lesson(resnet(), mapping, weight)
    with pytest.raises(DistillationError, match="at least one"):
        Fidelity([], WIDTHS, np.random.default_rng(0))


# alignment


@pytest.mark.parametrize("pixels", [95, 96, 223, 224])
@pytest.mark.parametrize(
    "tap", [Tap(1, 2, (0.0, 1.0)), Tap(1, 8, (2.0, 7.0)), Tap(1, 16, (2.0, 2.0)), Tap(1, 1, (0.0, 0.0)), Tap(1, 12, (-3.5, 5.25))]
)
@pytest.mark.parametrize("level", ["conv1", "conv2", "conv5"])
def test_ramps_are_resampled_exactly(pixels, tap, level):
    """A teacher whose cells say where they are gives the student's cells their own places, between its first and its last."""
    places = [torch.arange(first, pixels, tap.stride, dtype=torch.float64) for first in tap.centre]
    rows, columns = torch.meshgrid(*places, indexing="ij")
    found = align_to_level(torch.stack((rows, columns))[None], tap, level, pixels, pixels)
    stride, centre = grids()[level]
    expected = centre + stride * np.arange(level_sizes(pixels)[level])
    for axis, output in enumerate(found[0]):
        wanted = np.clip(expected, places[axis][0].item(), places[axis][-1].item())
        np.testing.assert_allclose(output if axis == 0 else output.T, np.repeat(wanted[:, None], len(expected), 1), rtol=1e-12, atol=1e-12)


def test_values_are_interpolated_bilinearly():
    """Against SciPy's linear interpolation, with values repeated beyond the border."""
    output = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 3, 9, 11)))
    found = align(output, Tap(3, 3, (1.0, -2.0)), (4, 0.5), (8, 13))
    places = np.meshgrid((0.5 + 4 * np.arange(8) - 1) / 3, (0.5 + 4 * np.arange(13) + 2) / 3, indexing="ij")
    for n in range(2):
        for c in range(3):
            expected = map_coordinates(output[n, c].numpy(), places, order=1, mode="nearest")
            np.testing.assert_allclose(found[n, c], expected, atol=1e-12)


@pytest.mark.parametrize("size", [(96, 96), (95, 130)])
def test_grids_that_are_one_change_nothing(size):
    teacher, pictures = Backbone(vgg()), torch.zeros(1, 3, *size)
    for name, output in teacher(pictures, LEVELS).items():
        assert align_to_level(output, teacher.taps(*size)[name], name, *size) is output


def test_grids_that_are_cells_apart_change_no_value():
    """SqueezeNet's conv1 at 224 pixels begins one cell before the student's."""
    teacher = SqueezeNet(Arrays(drawn(squeezenet_shapes()), "generated"))
    output = teacher(torch.rand(1, 3, 224, 224) * 255, ["conv1"])["conv1"]
    found = align_to_level(output, teacher.taps(224, 224)["conv1"], "conv1", 224, 224)
    assert torch.equal(found, output[:, :, 1:110, 1:110])


# lifts


def test_lifts_depend_on_the_seed_alone():
    def made(seed, disturbance):
        torch.manual_seed(disturbance)
        state = torch.get_rng_state()
        lifts = Lifts({"a/conv1": (4, 9), "b/conv5": (5, 3)}, np.random.default_rng(seed))
        assert torch.equal(state, torch.get_rng_state())
        return lifts.state_dict()

    first, again, other = made(0, 1), made(0, 2), made(3, 1)
    assert {name: tuple(array.shape) for name, array in first.items() if name.endswith("weight")} == {
        "convolutions.a/conv1.weight": (9, 4, 1, 1),
        "convolutions.b/conv5.weight": (3, 5, 1, 1),
    }
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["convolutions.a/conv1.weight"], other["convolutions.a/conv1.weight"])


def test_regression_finds_a_linear_relation():
    rng = np.random.default_rng(0)
    features = torch.from_numpy(rng.standard_normal((3, 4, 20, 21)))
    features[:, 2] = 7.0  # a channel that never varies
    weight, bias = torch.from_numpy(rng.standard_normal((5, 4))), torch.from_numpy(rng.standard_normal(5))
    targets = torch.einsum("dc,nchw->ndhw", weight, features) + bias[:, None, None]
    found, offset = regress(features, targets)
    np.testing.assert_allclose(found[:, [0, 1, 3]], weight[:, [0, 1, 3]], rtol=0.02, atol=0.02)
    np.testing.assert_allclose(found[:, 2], 0, atol=1e-9)
    np.testing.assert_allclose(offset, bias + 7 * weight[:, 2], atol=0.05)
    assert torch.isfinite(regress(torch.zeros(1, 2, 3, 3), torch.ones(1, 4, 3, 3))[0]).all()


# fidelity


def test_a_student_that_is_its_teacher():
    given = vgg()
    fidelity = Fidelity([Lesson(Backbone(given), {level: level for level in LEVELS})], WIDTHS, np.random.default_rng(0))
    targets = fidelity.targets(PICTURE)
    fidelity.calibrate(targets, {})
    assert fidelity.names == tuple(f"vgg-m/{level}" for level in LEVELS)
    assert not list(fidelity.parameters())
    assert fidelity(*outputs(Network(given)), targets) == 0
    assert fidelity.r_squared(*outputs(Network(given)), targets) == dict.fromkeys(fidelity.names, 1.0)
    plain, rectified = outputs(Network(vgg(seed=1)))
    wanted = {level: targets[f"vgg-m/{level}"] for level in LEVELS}
    expected = losses.fidelity(plain, wanted, losses.channel_spread(wanted))
    assert fidelity(plain, rectified, targets).item() == pytest.approx(expected.item(), rel=1e-6)


def several():
    """A student of other widths than its teachers."""
    wide = Backbone(vgg((6, 8, 10, 9, 7), seed=2))
    lessons = [
        Lesson(resnet(), {"conv2": "stage3", "conv3": "stage4", "conv4": "stage4", "conv5": "stage4"}),
        Lesson(SqueezeNet(Arrays(drawn(squeezenet_shapes()), "generated")), {"conv1": "conv1"}, weight=3.0),
        Lesson(wide, wide.default_mapping(WIDTHS)),
        Lesson(Backbone(vgg(seed=3)), {"conv5": "conv5", "conv1": "norm1"}),
    ]
    return Fidelity(lessons, WIDTHS, np.random.default_rng(0))


def test_several_teachers():
    fidelity, student = several(), Network(vgg())
    assert fidelity.names[:5] == ("resnet50/conv2", "resnet50/conv3", "resnet50/conv4", "resnet50/conv5", "squeezenet/conv1")
    assert fidelity.names[5:] == (*(f"vgg-m/{level}" for level in LEVELS), "vgg-m-2/conv5", "vgg-m-2/conv1")
    targets = fidelity.targets(PICTURE)
    sizes = level_sizes(96)
    for name, target in targets.items():
        level = name.split("/")[1]
        assert target.shape[2:] == (sizes[level], sizes[level]) and not target.requires_grad
    assert targets["resnet50/conv3"] is targets["resnet50/conv5"]  # one grid, one tap

    plain, rectified = outputs(student)
    fidelity.calibrate(targets, rectified, fit=False)
    errors = fidelity.errors(plain, rectified, targets)
    weighted = [(3.0 if name == "squeezenet/conv1" else 1.0) * error for name, error in errors.items()]
    loss = fidelity(plain, rectified, targets)
    assert loss.item() == pytest.approx(sum(weighted).item() / (len(weighted) + 2), rel=1e-5)
    loss.backward()
    trained = {name for name, array in fidelity.named_parameters() if array.grad is not None and array.grad.abs().max() > 0}
    lifted = set(fidelity.names) - {"vgg-m-2/conv5"}  # the same width, before the ReLU
    assert trained == {f"lifts.convolutions.{name}.{part}" for name in lifted for part in ("weight", "bias")}
    assert all(array.grad.abs().max() > 0 for array in student.parameters())


def test_lifts_are_fitted_to_a_teacher():
    fidelity, student = several(), Network(vgg())
    targets = fidelity.targets(PICTURE)
    with torch.no_grad():
        plain, rectified = outputs(student)
        fidelity.calibrate(targets, rectified, fit=False)
        before = fidelity.errors(plain, rectified, targets)
        fidelity.calibrate(targets, rectified)
        after = fidelity.errors(plain, rectified, targets)
    assert after.pop("vgg-m-2/conv5") == before.pop("vgg-m-2/conv5")  # has no lift
    assert all(after[name] < before[name] for name in before)
    explained = fidelity.r_squared(plain, rectified, targets)
    assert all(explained[name] > 0 for name in after)  # a constant is among what a lift can be


def test_the_state_is_that_of_lifts_and_spreads():
    first, second = several(), several()
    first.calibrate(first.targets(PICTURE), outputs(Network(vgg()))[1])
    state = first.state_dict()
    assert len(state) == 3 * 11 + 12 and not any("teacher" in name or "stage" in name for name in state)
    second.load_state_dict(state)
    targets, levels = first.targets(PICTURE), outputs(Network(vgg()))
    assert torch.equal(first(*levels, targets), second(*levels, targets))


def test_gradients_are_those_of_differences():
    """In float64, which reaches the teachers as well."""
    rng = np.random.default_rng(0)
    fidelity = Fidelity([Lesson(resnet(), {"conv3": "stage4"}), Lesson(Backbone(vgg()), {"conv3": "conv3"})], WIDTHS, rng).double()
    targets = fidelity.targets(PICTURE[:1, :, :48, :48].double())
    levels = [torch.from_numpy(rng.standard_normal(targets["vgg-m/conv3"].shape)).requires_grad_() for _ in range(2)]
    fidelity.calibrate(targets, {"conv3": levels[1]})
    assert torch.autograd.gradcheck(lambda plain, rectified: fidelity({"conv3": plain}, {"conv3": rectified}, targets), levels)


# students


def spread(network, pictures):
    plain = network(torch.from_numpy(pictures) - mean_picture(network, pictures.shape[-1]), rectified=False)
    return {level: output.var(dim=(0, 2, 3)).mean().sqrt().item() for level, output in plain.items()}


def batch(side=64):
    rng = np.random.default_rng(0)
    return np.stack([resize(rng.uniform(0, 255, (3, 9, 9)), side, side) for _ in range(3)]).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("ratio", [1, 16, 32, 64, 96])
def test_random_students_of_every_compression(ratio):
    with torch.no_grad():
        student = first_student([], ratio, batch(), np.random.default_rng(0))
        assert student.export().widths == channels(ratio)
        assert spread(student, batch()) == pytest.approx(SPREADS, rel=1e-3)
    np.testing.assert_allclose(student.mean[:, 0, 0], (123.68, 116.779, 103.939), rtol=1e-5)


def test_the_published_spreads(shared):
    """Of crops of plain noise only the order of size can be asked for; `SPREADS` were measured on pictures."""
    teacher = load_teacher(shared("weights/reference_CF_VGGM.mat"))
    found = spread(teacher.network, batch(224))
    assert all(0.2 < found[level] / SPREADS[level] < 5 for level in LEVELS)


def test_the_first_student_suits_its_teachers():
    wide, same, narrow = (Backbone(vgg(channels(ratio))) for ratio in (16, 64, 96))
    first = state_teacher(backbone_state(plain_names, 3, channels(16)), "generated")
    with torch.no_grad():
        pruned = first_student([resnet(), same, wide], 64, batch(), np.random.default_rng(0)).export()
        assert pruned.metadata["pruned"].startswith("ratio 64")
        assert {row.tobytes() for row in pruned.filters[0]} <= {row.tobytes() for row in wide.weights.filters[0]}
        fresh = first_student([same, narrow], 64, batch(), np.random.default_rng(0))
        taught = losses.channel_spread(same(torch.from_numpy(batch()), LEVELS))
        wanted = {level: value.square().mean().sqrt().item() for level, value in taught.items()}
        assert spread(fresh, batch()) == pytest.approx(wanted, rel=1e-3)
        part = first_student([first], 64, batch(), np.random.default_rng(0))
    assert {row.tobytes() for row in part.export().filters[0]} <= {row.tobytes() for row in first.weights.filters[0]}
    found = spread(part, batch())
    assert found["conv4"] == pytest.approx(SPREADS["conv4"], rel=1e-3) and found["conv5"] == pytest.approx(SPREADS["conv5"], rel=1e-3)
    with pytest.raises(WeightsError, match="conv1 has 10 filters.*keeps 12"):
        pruned_student(narrow.weights, 64, batch(), np.random.default_rng(0))


@pytest.mark.parametrize("ratio", [16, 64, 96])
def test_a_pruned_student_learns_from_vgg_m(tmp_path, ratio):
    """The paper's way, with random weights in a file of the full network: read, pruned, taught, better at every level."""
    savemat(tmp_path / "imagenet-vgg-m.mat", matconvnet(vgg(channels(1))))
    lesson = read_lesson(str(tmp_path / "imagenet-vgg-m.mat"), channels(ratio))
    assert str(lesson) == "imagenet-vgg-m.mat:conv1=norm1,conv2=norm2,conv3=relu3,conv4=relu4,conv5=relu5"
    student = first_student([lesson.teacher], ratio, batch(), np.random.default_rng(0))
    fidelity = Fidelity([lesson], channels(ratio), np.random.default_rng(1))
    pictures = torch.from_numpy(batch().astype(np.float32))
    targets = fidelity.targets(pictures)
    with torch.no_grad():
        fidelity.calibrate(targets, outputs(student, pictures)[1], fit=False)
        before = fidelity.errors(*outputs(student, pictures), targets)
    optimiser = torch.optim.Adam([*student.parameters(), *fidelity.parameters()], 1e-3)
    for _ in range(12):
        optimiser.zero_grad()
        fidelity(*outputs(student, pictures), targets).backward()
        optimiser.step()
    with torch.no_grad():
        after = fidelity.errors(*outputs(student, pictures), targets)
    assert all(after[name] < before[name] for name in fidelity.names)


def test_a_full_student_compares_plain_outputs():
    given = vgg()
    lesson = Lesson(Backbone(given), Backbone(given).default_mapping(WIDTHS))
    assert lesson.mapping == {level: level for level in LEVELS}
    assert random_student(WIDTHS, given.mean, batch(), SPREADS, np.random.default_rng(0)).export().widths == WIDTHS
