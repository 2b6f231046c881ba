"""The forward pass: kernels against plain twins, whole networks of every width against the torch twin, the resized mean picture."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cfvgg import forward, mean_picture
from cfvgg.architecture import LAYERS, LEVELS, RATIOS, channels, filter_shapes, level_sizes, minimum_size
from cfvgg.errors import InputError
from cfvgg.forward import Backbone
from cfvgg.network import Network
from cfvgg.tiles import in_tiles
from cfvgg.weights import Weights
from tests import naive

seeds = st.integers(0, 2**32 - 1)
# single-precision sums of up to a few thousand products
TOLERANCE = 1e-5


def random_weights(widths: tuple[int, ...], seed: int = 0) -> Weights:
    """A network whose levels all stay of the size of real ones: about 100 before the first normalisation, about 1 later on."""
    rng = np.random.default_rng(seed)
    filters = [rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:])) for shape in filter_shapes(widths)]
    biases = [rng.normal(size=width) * 0.1 for width in widths]
    mean = rng.uniform(90, 130, (3, 9, 11))
    return Weights(tuple(f.astype(np.float32) for f in filters), tuple(b.astype(np.float32) for b in biases), mean.astype(np.float32))


def random_planes(seed: int, shape: tuple[int, ...], size: float = 1) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=shape) * size).astype(np.float32)


def random_picture(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(5, 8), (8, 5), (1, 1), (2, 7)])
def test_picture_phases_equal_their_twin(shape, channels):
    picture, mean = random_picture(1, *shape, channels), random_planes(2, (3, *shape), 100)
    found = forward.picture_phases(picture, forward.split_phases(mean, 2, 0))
    assert naive.difference(found, naive.picture_phases(picture, mean)) < 1e-6


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3), st.integers(1, 12), st.integers(1, 12), st.integers(1, 3), st.integers(0, 2), seeds)
def test_split_phases_equals_its_twin(count, height, width, stride, padding, seed):
    planes = random_planes(seed, (count, height, width))
    np.testing.assert_array_equal(forward.split_phases(planes, stride, padding), naive.split_phases(planes, stride, padding))


@settings(max_examples=30, deadline=None)
@given(
    layer=st.sampled_from(LAYERS), inputs=st.integers(1, 5), outputs=st.integers(1, 9), height=st.integers(7, 20), width=st.integers(7, 20),
    seed=seeds,
)  # fmt: skip
def test_convolve_equals_its_twin(layer, inputs, outputs, height, width, seed):
    planes, weight = random_planes(seed, (inputs, height, width)), random_planes(seed + 1, (outputs, inputs, layer.kernel, layer.kernel))
    bias = random_planes(seed + 2, (outputs,))
    taps = in_tiles(weight.reshape(outputs, -1)), in_tiles(bias[:, None]).ravel()
    result = forward.convolve(forward.split_phases(planes, layer.stride, layer.padding), *taps, layer.kernel)
    assert naive.difference(result[:outputs], naive.convolve(planes, weight, bias, layer.stride, layer.padding)) < TOLERANCE
    assert not result[outputs:].any()


@pytest.mark.parametrize(("shape", "size"), [((1, 3, 4), 1), ((3, 5, 2), 100), ((4, 1, 7), 1000), ((13, 6, 9), 300)])
def test_rectify_and_normalise_equal_their_twins(shape, size):
    planes = random_planes(4, shape, size)
    np.testing.assert_array_equal(forward.rectify(planes), naive.rectify(planes))
    np.testing.assert_allclose(forward.rectify_normalise(planes), naive.rectify_normalise(planes), rtol=2e-6, atol=0)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 12), st.integers(2, 12), seeds)
def test_pool_equals_its_twin(height, width, seed):
    planes = random_planes(seed, (2, height, width)) - np.float32(3)  # mostly negative: zeros as padding would show
    np.testing.assert_array_equal(forward.pool(planes), naive.pool(planes))


def test_network_equals_its_twin():
    weights = random_weights((3, 5, 2, 4, 6))
    picture = random_picture(5, 50, 45, 3)
    mean = naive.resize_mean(weights.mean, 50, 45)
    expected = naive.network(picture, weights.filters, weights.biases, mean)
    for result, twin in zip(Backbone(weights)(picture).values(), expected, strict=True):
        assert naive.difference(result, twin) < TOLERANCE


def torch_levels(weights: Weights, picture: np.ndarray) -> dict[str, np.ndarray]:
    mean = mean_picture.resize(weights.mean, *picture.shape[:2])
    pixels = torch.from_numpy(picture.transpose(2, 0, 1).astype(np.float32) - mean)
    with torch.no_grad():
        return {level: planes[0].numpy() for level, planes in Network(weights)(pixels[None]).items()}


def assert_equals_torch(backbone: Backbone, picture: np.ndarray) -> None:
    expected = torch_levels(backbone.weights, picture)
    levels = backbone(picture)
    assert list(levels) == list(LEVELS)
    for level, planes in levels.items():
        assert planes.dtype == np.float32
        assert planes.shape[1:] == tuple(level_sizes(side)[level] for side in picture.shape[:2])
        assert naive.difference(planes, expected[level]) < TOLERANCE, level


@pytest.mark.parametrize("ratio", RATIOS)
def test_every_compression_equals_torch(ratio):
    assert_equals_torch(Backbone(random_weights(channels(ratio), ratio)), random_picture(6, 77, 64, 3))


@pytest.mark.parametrize("size", [(47, 47), (48, 48), (47, 80), (113, 62), (112, 51), (217, 217), (224, 150)])
def test_every_size_equals_torch(size):
    backbone = Backbone(random_weights(channels(64)))
    for seed in (7, 8):  # the second run finds the mean picture resized
        assert_equals_torch(backbone, random_picture(seed, *size, 3))
    assert_equals_torch(backbone, random_picture(9, size[1], size[0], 3))


def test_grey_is_repeated_to_three_channels():
    backbone, grey = Backbone(random_weights(channels(96))), random_picture(10, 60, 71)
    coloured = backbone(np.stack([grey] * 3, axis=2))
    for level, planes in backbone(grey).items():
        np.testing.assert_array_equal(planes, coloured[level])


def test_pictures_may_be_strided_and_read_only():
    backbone, frame = Backbone(random_weights(channels(96))), random_picture(11, 130, 150, 3)
    frame.flags.writeable = False
    for picture in (frame[::2, 100:20:-1], frame[..., ::-1], frame.transpose(1, 0, 2)):
        levels, copied = backbone(picture), backbone(picture.copy())
        for level in LEVELS:
            np.testing.assert_array_equal(levels[level], copied[level])


@pytest.mark.parametrize("levels", [("conv1",), ("conv2",), ("conv3", "conv1"), ("conv5", "conv1"), LEVELS])
def test_only_what_is_asked_for_is_computed(monkeypatch, levels):
    calls = []
    for name in ("convolve", "pool"):
        function = getattr(forward, name)
        monkeypatch.setattr(forward, name, lambda *arguments, n=name, f=function: calls.append(n) or f(*arguments))
    backbone, picture = Backbone(random_weights(channels(96))), random_picture(12, 64, 64, 3)
    found = backbone(picture, levels)
    assert list(found) == list(levels)
    depth = max(LEVELS.index(level) for level in levels)
    assert calls == ["convolve", "pool", "convolve", "pool", "convolve", "convolve", "convolve"][: (1, 3, 5, 6, 7)[depth]]
    everything = backbone(picture)
    for level in levels:
        np.testing.assert_array_equal(found[level], everything[level])


@pytest.mark.parametrize("level", LEVELS)
def test_too_small_pictures(level):
    backbone, least = Backbone(random_weights(channels(96))), minimum_size(level)
    assert min(backbone(random_picture(13, least, least, 3), (level,))[level].shape) >= 1
    for size in ((least - 1, 100), (100, least - 1), (1, 1)):
        with pytest.raises(InputError, match=f"{size[0]} x {size[1]} is too small for {level}: {least} pixels"):
            backbone(random_picture(14, *size, 3), (level,))


@pytest.mark.parametrize("levels", [(), ("conv6",), ("conv1", "relu5")])
def test_unknown_levels(levels):
    with pytest.raises(InputError, match="allowed are conv1, conv2"):
        Backbone(random_weights(channels(96)))(random_picture(15, 64, 64, 3), levels)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 15), st.integers(2, 15), st.integers(1, 30), st.integers(1, 30), seeds)
def test_resized_mean_equals_its_definition(h, w, height, width, seed):
    mean = random_planes(seed, (3, h, w), 100)
    result = mean_picture.resize(mean, height, width)
    assert result.dtype == np.float32
    assert naive.difference(result, naive.resize_mean(mean, height, width)) < 1e-6


def test_resized_mean_of_one_pixel_is_constant_and_of_its_own_size_itself():
    constant = random_planes(16, (3, 1, 1), 100)
    np.testing.assert_allclose(mean_picture.resize(constant, 4, 7), np.broadcast_to(constant, (3, 4, 7)), rtol=1e-6)
    mean = random_planes(17, (3, 12, 13), 100)
    np.testing.assert_allclose(mean_picture.resize(mean, 12, 13), mean, rtol=1e-6)
