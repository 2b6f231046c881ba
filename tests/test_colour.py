"""Colour features: kernels against plain twins and the published program's dumps, properties of our tables, reading of tables."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from trackers.errors import WeightsError
from trackers.features import colour
from trackers.features.colour_names import BANDWIDTH, NAMES, SURVEY, name_probabilities

REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "reference"
CSS_COLOURS = {  # W3C, CSS Color Module 4, section 6.1; brown is its saddlebrown, for its "brown" is a dark red
    "black": (0, 0, 0),
    "blue": (0, 0, 255),
    "brown": (139, 69, 19),
    "grey": (128, 128, 128),
    "green": (0, 128, 0),
    "orange": (255, 165, 0),
    "pink": (255, 192, 203),
    "purple": (128, 0, 128),
    "red": (255, 0, 0),
    "white": (255, 255, 255),
    "yellow": (255, 255, 0),
}

sides = st.integers(1, 26)
cells = st.integers(1, 6)
seeds = st.integers(0, 2**32 - 1)


def reference(name: str) -> np.lib.npyio.NpzFile:
    path = REFERENCE / name
    if not path.is_file():
        pytest.skip(f"the published program's numbers are not here: {name}")
    return np.load(path)


def random_patch(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@settings(max_examples=60, deadline=None)
@given(height=sides, width=sides, cell=cells, seed=seeds)
def test_features_equal_their_twins(height, width, cell, seed):
    rgb = random_patch(seed, (height, width, 3))
    for patch, rows in ((rgb, 32768), (rgb[..., 1], 256)):
        table = np.random.default_rng(seed).normal(size=(rows, 3)).astype(np.float32)
        np.testing.assert_allclose(colour.table_means(patch, table, cell), naive.table_means(patch, table, cell), rtol=0, atol=1e-6)
        np.testing.assert_allclose(colour.grey(patch, cell), naive.grey_means(patch, cell), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("height", "width", "cell"), [(12, 20, 4), (13, 21, 4), (15, 9, 6), (7, 7, 1), (3, 9, 4)])
def test_layout(height, width, cell):
    patch = random_patch(1, (height, width, 3))
    for features, channels in (
        (colour.table_means(patch, colour.colour_names(), cell), 10),
        (colour.table_means(patch[..., 0], colour.intensity(), cell), 5),
        (colour.grey(patch, cell), 1),
        (colour.grey(patch[..., 0], cell), 1),
    ):
        assert features.shape == (channels, height // cell, width // cell)
        assert features.dtype == np.float32


@pytest.mark.parametrize("value", [0, 51, 128, 255])
def test_grey_of_a_flat_patch(value):
    flat = np.full((8, 12, 3), value, np.uint8)
    for patch in (flat, flat[..., 0]):
        np.testing.assert_allclose(colour.grey(patch, 4), value / 255 - 0.5, rtol=0, atol=1e-7)


def test_patches_may_be_read_only_and_strided_and_stay_as_they_are():
    frame = random_patch(2, (40, 50, 3))
    frame.flags.writeable = False
    before = frame.copy()
    for patch in (frame, frame[3:31:2, 40:5:-1], frame[..., ::-1], np.asfortranarray(frame), frame.transpose(1, 0, 2)):
        np.testing.assert_array_equal(
            colour.table_means(patch, colour.colour_names(), 4), colour.table_means(patch.copy(), colour.colour_names(), 4)
        )
        np.testing.assert_array_equal(colour.grey(patch[..., 1], 4), colour.grey(patch[..., 1].copy(), 4))
    np.testing.assert_array_equal(frame, before)


@pytest.mark.parametrize("dtype", [np.int64, np.float32])
def test_only_uint8_indexes_a_table(dtype):
    patch = np.full((8, 8, 3), 300, dtype)
    with pytest.raises(TypeError, match="uint8"):
        colour.table_means(patch, colour.colour_names(), 4)
    with pytest.raises(TypeError, match="uint8"):
        colour.grey(patch, 4)


def test_table_of_the_other_kind_of_patch():
    patch = random_patch(3, (8, 8, 3))
    with pytest.raises(WeightsError, match="32768 rows; this one has 256"):
        colour.table_means(patch, colour.intensity(), 4)
    with pytest.raises(WeightsError, match="256 rows; this one has 32768"):
        colour.table_means(patch[..., 0], colour.colour_names(), 4)


@pytest.mark.parametrize(("kind", "dump", "channels"), [("colour_names", "cn", slice(None)), ("intensity", "ic", 0)])
def test_published_tables_give_the_published_features(kind, dump, channels):
    table = reference("colour_tables.npz")[kind]
    patch = reference("feco_crossing_f1_network.npz")["patch_hog"][..., channels]
    expected = reference("patches_and_handcrafted.npz")[dump].transpose(2, 0, 1)
    np.testing.assert_allclose(colour.table_means(patch, table, 4), expected, rtol=0, atol=2e-4)


def test_grey_of_the_published_program():
    dump = reference("fdeepstrcf_crossing_f1.npz")
    np.testing.assert_allclose(colour.grey(dump["patch_handcrafted"], 4)[0], dump["xl_hand"][..., 0], rtol=0, atol=2e-4)


def test_name_probabilities_equal_their_twin():
    colours = np.random.default_rng(4).integers(0, 256, (40, 3))
    survey = [np.array([[int(colour[i : i + 2], 16) for i in (0, 2, 4)] for colour in text.split()]) for text in SURVEY.values()]
    expected = naive.name_probabilities(colours, survey, BANDWIDTH)
    # scikit-image's matrix to XYZ has two digits more than the standard's
    np.testing.assert_allclose(name_probabilities(colours), expected, rtol=0, atol=1e-3)


def test_basic_terms_name_their_css_colours():
    probabilities = name_probabilities(np.array(list(CSS_COLOURS.values())))
    assert [NAMES[best] for best in probabilities.argmax(axis=1)] == list(CSS_COLOURS)


def test_colour_names_are_probabilities_in_an_orthonormal_basis():
    table = colour.colour_names()
    assert table.shape == (32768, 10)
    assert table.dtype == np.float32
    assert np.linalg.matrix_rank(table) == 10
    index = np.random.default_rng(5).integers(0, 32768, 500)
    probabilities = name_probabilities(np.stack([index % 32, index // 32 % 32, index // 1024], axis=1) * 8 + 4)
    distances = np.linalg.norm(np.diff(table[index], axis=0), axis=1)
    np.testing.assert_allclose(distances, np.linalg.norm(np.diff(probabilities, axis=0), axis=1), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("make", "step"), [(colour.colour_names, 1 + 32 + 1024), (colour.intensity, 1)])
def test_the_mean_of_the_greys_is_the_origin(make, step):
    np.testing.assert_allclose(make()[::step].mean(axis=0), 0, atol=1e-6)


def test_colour_names_tell_basic_colours_apart():
    flat = [np.full((4, 4, 3), rgb, np.uint8) for rgb in CSS_COLOURS.values()]
    features = np.stack([colour.table_means(patch, colour.colour_names(), 4).ravel() for patch in flat])
    distances = np.linalg.norm(features[:, None] - features, axis=-1)[~np.eye(len(flat), dtype=bool)]
    # certain and different names are sqrt(2) apart; CSS pink and white, both pale, are not quite certain
    assert distances.max() < np.sqrt(2) + 1e-6
    assert distances.min() > np.sqrt(2) / 2


def test_colour_names_change_smoothly():
    cube = colour.colour_names().reshape(32, 32, 32, 10)
    steps = np.concatenate([np.linalg.norm(np.diff(cube, axis=axis), axis=-1).ravel() for axis in range(3)])
    # the way between two certain names, sqrt(2), takes several steps of 8 grey levels nearly everywhere
    assert np.quantile(steps, 0.99) < np.sqrt(2) / 3
    assert steps.mean() < 0.1


def test_colour_names_carry_what_the_published_ones_do():
    published = reference("colour_tables.npz")["colour_names"].astype(np.float64)
    own = colour.colour_names().astype(np.float64)
    published, own = published - published.mean(axis=0), own - own.mean(axis=0)
    canonical = np.linalg.svd(np.linalg.qr(published)[0].T @ np.linalg.qr(own)[0], compute_uv=False)
    assert canonical[:5].min() > 0.9
    assert canonical.mean() > 0.85


def test_intensity_is_a_linear_histogram_of_six_bins():
    table = colour.intensity().astype(np.float64)
    assert table.shape == (256, 5)
    corners = table[::51]  # greys at the centre of a bin, wholly of that bin: a regular simplex of side sqrt(2)
    distances = np.linalg.norm(corners[:, None] - corners, axis=-1)
    np.testing.assert_allclose(distances, np.sqrt(2) * (1 - np.eye(6)), rtol=0, atol=1e-6)
    for low in range(5):
        between = table[51 * low : 51 * low + 52]
        expected = corners[low] + np.arange(52)[:, None] / 51 * (corners[low + 1] - corners[low])
        np.testing.assert_allclose(between, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("make", [colour.colour_names, colour.intensity])
def test_our_tables_are_made_once_alike_and_cannot_be_written(make):
    assert make() is make()
    np.testing.assert_array_equal(make(), make.__wrapped__())
    assert np.isfinite(make()).all()
    with pytest.raises(ValueError, match="read-only"):
        make()[0] = 0


@pytest.mark.parametrize("rows", [256, 32768])
def test_load_table(tmp_path, rows):
    table = np.random.default_rng(6).normal(size=(rows, 4))
    np.save(tmp_path / "table.npy", np.asfortranarray(table))
    np.savez_compressed(tmp_path / "table.npz", anything=table.astype(np.float16))
    for name, tolerance in (("table.npy", 1e-6), ("table.npz", 4e-3)):
        loaded = colour.load_table(tmp_path / name)
        assert loaded.dtype == np.float32
        assert not loaded.flags.writeable
        np.testing.assert_allclose(loaded, table, rtol=0, atol=tolerance)
        patch = random_patch(7, (8, 8, 3) if rows == 32768 else (8, 8))
        assert colour.table_means(patch, loaded, 4).shape == (4, 2, 2)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.zeros((255, 5)), r"\(255, 5\); expected floats"),
        (np.zeros((32768, 0)), r"\(32768, 0\)"),
        (np.zeros(256), r"\(256,\)"),
        (np.zeros((256, 5), np.int32), "int32"),
        (np.zeros((256, 5), complex), "complex128"),
        (np.full((256, 5), np.nan), "NaN or infinite"),
        (np.full((256, 5), 1e300), "NaN or infinite"),
        (np.array([{}]), "cannot read a table"),
    ],
)
def test_load_table_rejects(tmp_path, table, message):
    np.save(tmp_path / "table.npy", table, allow_pickle=True)
    with pytest.raises(WeightsError, match=message):
        colour.load_table(tmp_path / "table.npy")


def test_load_table_rejects_broken_files(tmp_path):
    with pytest.raises(WeightsError, match="missing.npy"):
        colour.load_table(tmp_path / "missing.npy")
    np.savez(tmp_path / "two.npz", a=np.zeros((256, 5)), b=np.zeros((256, 5)))
    with pytest.raises(WeightsError, match="holds 2 arrays"):
        colour.load_table(tmp_path / "two.npz")
    np.savez_compressed(tmp_path / "one.npz", a=np.random.default_rng(8).normal(size=(256, 5)))
    whole = (tmp_path / "one.npz").read_bytes()
    middle = len(whole) // 2
    broken = {"empty": b"", "text": b"not a table", "cut": whole[:middle], "damaged": whole[:middle] + bytes(64) + whole[middle + 64 :]}
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(WeightsError, match=f"cannot read a table from .*{name}"):
            colour.load_table(tmp_path / name)
