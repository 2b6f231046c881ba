"""The validation measure of a training: how well levels localise."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cfvgg import weights
from cfvgg.architecture import LEVELS, STRIDES, channels, filter_shapes
from cfvgg.network import Network
from distill.data.datasets import open_dataset
from distill.data.pairs import PairBatch
from distill.data.validation import validation_pairs
from distill.validation import hits, localisation, places

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def network():
    rng = np.random.default_rng(1)
    shapes = filter_shapes(channels(64))
    filters = tuple(rng.normal(0, np.prod(shape[1:]) ** -0.5, shape).astype(np.float32) for shape in shapes)
    return Network(weights.Weights(filters, tuple(np.zeros(len(f), np.float32) for f in filters), np.full((3, 1, 1), 120, np.float32)))


def moved_noise(shifts, side=224, grain=8):
    """Crops out of one coarse noise, moved by whole pixels."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (3, 60, 60), dtype=np.uint8)
    picture = coarse.repeat(grain, axis=1).repeat(grain, axis=2)
    crops = [picture[:, 100 - row : 100 - row + side, 100 - column : 100 - column + side] for row, column in [(0, 0), *shifts]]
    z, count = np.stack([crops[0]] * len(shifts)), len(shifts)
    size = np.full((count, 2), side / 5, np.float32)
    return PairBatch(z, np.stack(crops[1:]), np.array(shifts, np.float32), size, np.zeros(count, int))


def test_hits_by_hand():
    """A quarter of the side of 8 x 18 is 3 pixels."""
    found = [(0, 0), (3, 0), (0, 3.01), (10, -7), (np.nan, 0)]
    true = [(0, 0), (0, 0), (0, 0), (12, -5), (0, 0)]
    assert hits(found, true, [(8, 18)] * 5) == 0.6
    assert hits(found[3:4], true[3:4], [(7.99, 8)]) == 0.0 and hits(found[3:4], true[3:4], [(12, 12)]) == 1.0


def test_every_level_finds_what_has_moved(network):
    """To a fraction of a cell, also back over the origin; a wrong truth is not found."""
    pairs = moved_noise([(16, -32), (-16, 32), (0, 0), (32, 16), (-23, -9)])
    for level, found in places(network, pairs).items():
        assert np.abs(found - pairs.shift).max() < 0.35 * STRIDES[level], level
    assert localisation(network, pairs) == dict.fromkeys(LEVELS, 1.0)
    wrong = PairBatch(pairs.z, pairs.x, -pairs.shift, pairs.size, pairs.clips)
    assert localisation(network, wrong, ("conv2",)) == {"conv2": pytest.approx(1 / 5)}


def test_network_of_no_numbers_finds_nothing(network):
    network.convolutions[0].weight.data[:] = torch.nan
    assert localisation(network, moved_noise([(0, 0), (1, 1)]), ("conv1", "conv5")) == {"conv1": 0.0, "conv5": 0.0}


def test_shipped_weights_localise(shared):
    """On a few held-out pairs."""
    pairs = validation_pairs(open_dataset(shared("data/train")).validation[::20])
    found = localisation(Network(weights.load(weights.SHIPPED)), pairs, ("conv1", "conv2", "conv5"))
    assert min(found.values()) > 0.6
