import numpy as np
import pytest
from safetensors.numpy import save_file
from scipy.io import savemat

from cfvgg import architecture, mean_picture, weights
from cfvgg.architecture import LAYERS, LEVELS
from cfvgg.errors import WeightsError
from cfvgg.pruning import prune
from cfvgg.weights import Weights

WIDTHS = (4, 6, 8, 7, 5)


def random_weights(widths=WIDTHS, mean_shape=(9, 11)):
    rng = np.random.default_rng(0)
    shapes = architecture.filter_shapes(widths)
    filters = tuple(rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    biases = tuple(rng.standard_normal(shape[0]).astype(np.float32) for shape in shapes)
    return Weights(filters, biases, rng.uniform(90, 130, (3, *mean_shape)).astype(np.float32), {"source": "random"})


def assert_same(one: Weights, other: Weights):
    for a, b in zip((*one.filters, *one.biases, one.mean), (*other.filters, *other.biases, other.mean), strict=True):
        assert b.dtype == np.float32
        np.testing.assert_array_equal(a, b)


def matconvnet(given: Weights, older: bool = False) -> dict:
    """What MatConvNet saves: `net` of simplenn layers, or the older kind without `net` and with other field names."""
    layers = []
    for number, (layer, weight, bias) in enumerate(zip(LAYERS, given.filters, given.biases, strict=True), 1):
        stored = np.empty((1, 2), object)
        stored[0] = [weight.transpose(2, 3, 1, 0), bias[:, None]]
        values = {"filters": stored[0, 0], "biases": bias[None]} if older else {"weights": stored}
        pad, stride = (layer.padding, layer.stride) if older else ([layer.padding] * 4, [layer.stride] * 2)
        layers.append({"name": layer.name, "type": "conv", "pad": pad, "stride": stride, **values})
        layers.append({"name": f"relu{number}", "type": "relu"})
        if layer.normalised:
            layers.append({"name": f"norm{number}", "type": "normalize" if older else "lrn", "param": [5.0, 2.0, 1e-4, 0.75]})
            layers.append({"name": f"pool{number}", "type": "pool", "pool": [3, 3], "stride": [2, 2], "pad": [0, 1, 0, 1]})
    normalisation = {"averageImage": given.mean.transpose(1, 2, 0).astype(float), "imageSize": [224.0, 224.0, 3.0]}
    cell = np.empty((1, len(layers)), object)
    cell[0] = layers
    if older:
        return {"layers": cell, "normalization": normalisation}
    return {"net": {"layers": cell, "meta": {"normalization": normalisation}}}


def conv(content: dict, place: int = 0) -> dict:
    """A layer of `matconvnet`, to be changed."""
    return content["net"]["layers"][0, place]


@pytest.mark.parametrize("older", [False, True])
def test_matconvnet_files_are_read(tmp_path, older):
    given = random_weights()
    savemat(tmp_path / "net.mat", matconvnet(given, older))
    assert_same(given, weights.load(tmp_path / "net.mat"))


def test_older_normalisation_inside_net(tmp_path):
    given = random_weights()
    content = matconvnet(given)
    content["net"].update(content["net"].pop("meta"))
    savemat(tmp_path / "net.MAT", content)
    assert_same(given, weights.load(tmp_path / "net.MAT"))


def test_mean_colour_instead_of_a_mean_picture(tmp_path):
    given = random_weights(mean_shape=(1, 1))
    savemat(tmp_path / "net.mat", matconvnet(given))
    assert_same(given, weights.load(tmp_path / "net.mat"))


def test_layers_behind_conv5_are_ignored(tmp_path):
    content = matconvnet(random_weights())
    cell = content["net"]["layers"]
    content["net"]["layers"] = np.concatenate([cell, [[{"name": "fc6", "type": "conv", "weights": np.zeros((1, 2))}]]], axis=1)
    savemat(tmp_path / "net.mat", content)
    assert weights.load(tmp_path / "net.mat").widths == WIDTHS


def test_safetensors_round_trip(tmp_path):
    given = random_weights()
    weights.save(given, tmp_path / "a.safetensors")
    read = weights.load(tmp_path / "a.safetensors")
    assert_same(given, read)
    assert read.metadata == {"source": "random", "format": weights.FORMAT}
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def changed(change):
    content = matconvnet(random_weights())
    change(content)
    return content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("net"), "no MatConvNet network"),
        (lambda c: c["net"].update(layers=np.arange(4.0)), "no layer conv1"),
        (lambda c: conv(c).update(name="first"), "no layer conv1.*relu5"),
        (lambda c: conv(c).update(stride=[4, 4]), r"conv1 has stride .*4.*VGG-M has 2"),
        (lambda c: conv(c).pop("stride"), "conv1 has stride 1; VGG-M has 2"),
        (lambda c: conv(c, 4).update(pad=[0, 1, 0, 1]), "conv2 has pad"),
        (lambda c: conv(c).update(weights=3.0), "conv1 has no filters"),
        (lambda c: conv(c).pop("weights"), "conv1 has no filters"),
        (lambda c: conv(c)["weights"].__setitem__((0, 0), np.zeros((7, 7, 2, 4))), r"conv1.*\(4, 2, 7, 7\).*expected \(4, 3, 7, 7\)"),
        (lambda c: conv(c)["weights"].__setitem__((0, 1), np.zeros(5)), r"bias \(5,\).*expected .*\(4,\)"),
        (lambda c: conv(c)["weights"][0, 0].__setitem__((0, 0, 0, 0), np.nan), "conv1 holds NaN"),
        (lambda c: conv(c, 2).update(param=[5.0, 1.0, 2e-5, 0.75]), "local response normalisation"),
        (lambda c: conv(c, 2).update(type="relu"), "local response normalisation"),
        (lambda c: conv(c, 2).pop("param"), "local response normalisation"),
        (lambda c: c["net"].pop("meta"), "no mean picture"),
        (lambda c: c["net"]["meta"]["normalization"].update(averageImage=np.zeros((9, 11))), "mean picture has shape"),
        (lambda c: c["net"]["meta"]["normalization"].update(averageImage=np.zeros((0, 0))), "mean picture has shape"),
    ],
)
def test_a_matlab_file_of_another_network_is_refused(tmp_path, change, message):
    savemat(tmp_path / "net.mat", changed(change))
    with pytest.raises(WeightsError, match=message):
        weights.load(tmp_path / "net.mat")


@pytest.mark.parametrize("name", ["net.mat", "net.safetensors"])
def test_broken_files_are_refused(tmp_path, name):
    path = tmp_path / name
    if name.endswith(".mat"):
        savemat(path, matconvnet(random_weights()))
    else:
        weights.save(random_weights(), path)
    content = path.read_bytes()
    for share in (0, 0.01, 0.5, 0.99):
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(WeightsError, match=name):
            weights.load(path)
    path.write_bytes(b"\xff" * len(content))
    with pytest.raises(WeightsError, match=name):
        weights.load(path)


def test_safetensors_of_another_program_are_refused(tmp_path):
    save_file({"a": np.zeros(3)}, tmp_path / "a.safetensors")
    with pytest.raises(WeightsError, match="of another program"):
        weights.load(tmp_path / "a.safetensors")
    save_file({"mean": np.zeros((3, 1, 1))}, tmp_path / "a.safetensors", {"format": weights.FORMAT})
    with pytest.raises(WeightsError, match=r"a.safetensors.*conv1.weight"):
        weights.load(tmp_path / "a.safetensors")


@pytest.mark.parametrize("name", ["none.mat", "none.safetensors", "folder.mat", "net.pth", "net"])
def test_what_is_no_file_of_weights(tmp_path, name):
    (tmp_path / "folder.mat").mkdir()
    for file in ("net.pth", "net"):
        (tmp_path / file).write_bytes(b"x")
    with pytest.raises(WeightsError, match=name):
        weights.load(tmp_path / name)


def test_weights_are_not_written_where_that_cannot_be(tmp_path):
    with pytest.raises(WeightsError, match="written as .safetensors"):
        weights.save(random_weights(), tmp_path / "a.mat")
    with pytest.raises(WeightsError, match="cannot write"):
        weights.save(random_weights(), tmp_path / "none" / "a.safetensors")
    assert not any(tmp_path.iterdir())


def test_the_shipped_weights_are_a_cf_vgg_of_at_most_1_5_megabytes():
    assert weights.load().widths == (12, 32, 64, 64, 64)
    assert weights.SHIPPED.stat().st_size < 1.5e6


# Architecture: numbers of the paper, and of the published file


@pytest.mark.parametrize(
    ("ratio", "widths"),
    [
        (1, (96, 256, 512, 512, 512)),
        (16, (24, 64, 128, 128, 128)),
        (32, (17, 45, 91, 91, 91)),
        (64, (12, 32, 64, 64, 64)),
        (96, (10, 26, 52, 52, 52)),
        (1e9, (1, 1, 1, 1, 1)),
    ],
)
def test_channels_of_every_compression(ratio, widths):
    assert architecture.channels(ratio) == widths


@pytest.mark.parametrize("ratio", [0, 0.99, -4, float("nan"), float("inf")])
def test_impossible_compressions(ratio):
    with pytest.raises(WeightsError, match=r"not a number >= 1.*1, 16, 32, 64, 96"):
        architecture.channels(ratio)


def test_parameters_of_the_published_file():
    assert architecture.parameters((12, 32, 64, 64, 64)) == 1776 + 9632 + 18496 + 36928 + 36928 == 103_760


def test_level_sizes_of_the_published_run():
    assert architecture.level_sizes(217) == {"conv1": 106, "conv2": 26, "conv3": 13, "conv4": 13, "conv5": 13}


def test_grids():
    assert architecture.grids() == {"conv1": (2, 3), "conv2": (8, 9), "conv3": (16, 17), "conv4": (16, 17), "conv5": (16, 17)}


def test_minimum_size_is_the_smallest_that_gives_a_cell():
    # by hand, from the last layer to the first: cells of conv2's output, of its input, of conv1's output, pixels
    assert {level: architecture.minimum_size(level) for level in LEVELS} == {"conv1": 7, "conv2": 17, "conv3": 25, "conv4": 25, "conv5": 25}
    for level in LEVELS:
        side = architecture.minimum_size(level)
        assert architecture.level_sizes(side)[level] == 1
        assert architecture.level_sizes(side - 1)[level] < 1


# Pruning


def test_pruning_keeps_filters_and_the_matching_channels():
    teacher = random_weights(architecture.channels(16))
    student = prune(teacher, 64, seed=5)
    assert student.widths == (12, 32, 64, 64, 64)
    assert student.mean is teacher.mean
    assert student.metadata["pruned"] == "ratio 64, seed 5"
    inputs = [0, 1, 2]
    for i in range(5):
        kept = [np.flatnonzero(teacher.biases[i] == value).item() for value in student.biases[i]]  # random biases tell filters apart
        assert kept == sorted(set(kept))
        for out, source in enumerate(kept):
            for n, channel in enumerate(inputs):
                np.testing.assert_array_equal(student.filters[i][out, n], teacher.filters[i][source, channel])
        inputs = kept


def test_pruning_depends_on_the_seed_alone():
    teacher = random_weights(architecture.channels(32))
    assert_same(prune(teacher, 96, seed=1), prune(teacher, 96, seed=1))
    assert not np.array_equal(prune(teacher, 96, seed=1).biases[4], prune(teacher, 96, seed=2).biases[4])


def test_pruning_to_the_same_ratio_changes_nothing():
    teacher = random_weights(architecture.channels(64))
    assert_same(teacher, prune(teacher, 64))


def test_pruning_cannot_add_filters():
    with pytest.raises(WeightsError, match="conv1 has 12 filters.*keeps 24"):
        prune(random_weights(architecture.channels(64)), 16)


# The published network, against the authors' program


@pytest.fixture(scope="module")
def published(shared):
    return weights.load(shared("weights/reference_CF_VGGM.mat"))


@pytest.fixture(scope="module")
def dump(shared):
    with np.load(shared("reference/feco_crossing_f1_network.npz")) as arrays:
        return {name: arrays[name] for name in arrays.files}


def distance(found, expected):
    """max |difference| / max |value|; `expected` has its channels last."""
    return np.abs(found - expected.transpose(2, 0, 1)).max() / np.abs(expected).max()


def test_the_mean_picture_is_resized_as_by_matlab(published, dump):
    resized = mean_picture.resize(published.mean, 217, 217)
    assert np.abs(resized - dump["average_image_resized"].transpose(2, 0, 1)).max() < 1e-4


def test_a_small_mean_picture_serves_as_well(published):
    full = mean_picture.resize(published.mean, 240, 240)
    kept = mean_picture.resize(mean_picture.resize(published.mean, 14, 14), 240, 240)
    assert np.abs(full - kept).mean() < 1  # grey values of 255


def test_the_torch_network_is_the_published_one(published, dump):
    torch = pytest.importorskip("torch")
    from cfvgg.network import Network

    picture = dump["patch_cnn"].astype(np.float32) - dump["average_image_resized"]
    pictures = torch.from_numpy(picture.transpose(2, 0, 1)[None].copy())
    network = Network(published)
    with torch.no_grad():
        levels = {name: value[0].numpy() for name, value in network(pictures).items()}
        plain = network(pictures, ["conv1"], rectified=False)["conv1"][0].numpy()
    assert distance(plain, dump["x1"]) < 1e-5
    assert distance(levels["conv5"], dump["x14_exactpow"]) < 1e-5
    # the dump's own power is approximate: 2e-3 to 3e-3 per layer
    for level, name in (("conv1", "x3"), ("conv2", "x7"), ("conv5", "x14")):
        assert distance(levels[level], dump[name]) < 3e-3
