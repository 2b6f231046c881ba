"""Costs of backbones against published numbers and sums by hand."""

import pytest

from benchmarks.flops import Convolution, alexnet, flops, parameters, vgg_m
from cfvgg import architecture
from cfvgg.architecture import RATIOS, channels


def test_one_layer_by_hand():
    layer = Convolution("conv1", 3, 96, 7, 109)
    assert layer.parameters == (3 * 49 + 1) * 96 == 14_208
    assert layer.flops == 2 * 109 * 109 * 14_208


def test_a_layer_of_two_groups_sees_half_of_its_input():
    layer = Convolution("conv2", 96, 256, 5, 57, groups=2)
    assert layer.parameters == 256 * 48 * 25 + 256
    assert layer.flops == 2 * 57 * 57 * 256 * (48 * 25 + 1)


def test_vgg_m_and_cf_vgg():
    assert [round(layer.flops / 1e6) for layer in vgg_m()] == [338, 831, 399, 798, 798]
    assert flops(vgg_m()) == pytest.approx(3163e6, abs=0.5e6)
    assert parameters(vgg_m()) == 6_528_640
    assert flops(vgg_m(64)) == pytest.approx(86.4e6, abs=0.05e6)
    assert parameters(vgg_m(64)) == 103_760


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("side", [224, 301])
def test_the_sums_are_those_of_the_architecture(ratio, side):
    assert flops(vgg_m(ratio, side)) == architecture.flops(channels(ratio), side)
    assert parameters(vgg_m(ratio, side)) == architecture.parameters(channels(ratio))


def test_feature_maps():
    assert [(layer.side, layer.channels) for layer in vgg_m(64)] == [(109, 12), (26, 32), (13, 64), (13, 64), (13, 64)]
    # Bertinetto et al. 2016, Table 1: search region of 255 and exemplar of 127 pixels.
    assert [layer.side for layer in alexnet()] == [123, 57, 26, 24, 22]
    assert [layer.side for layer in alexnet(127)] == [59, 25, 10, 8, 6]
    # 96 x 3 x 11 x 11, 256 x 48 x 5 x 5, 384 x 256 x 3 x 3, 384 x 192 x 3 x 3, 256 x 192 x 3 x 3, and as many biases
    assert parameters(alexnet()) == 34_848 + 307_200 + 884_736 + 663_552 + 442_368 + 96 + 256 + 384 + 384 + 256
