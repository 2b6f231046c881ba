"""What colour a target has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackers.tint import USUAL, Tint, tint_at

POSITION, SIDES = (50.0, 70.0), (30.0, 40.0)


def picture(colour, noise=0, seed=0):
    """A picture with a target of a colour on a green ground."""
    made = np.zeros((100, 140, 3))
    made[:, :] = 20, 120, 30
    made[35:66, 50:91] = colour
    return np.clip(made + noise * np.random.default_rng(seed).standard_normal(made.shape), 0, 255).astype(np.uint8)


def known(*colours):
    tint = Tint()
    for seed, colour in enumerate(colours):
        tint.learn(picture(colour, 3, seed), POSITION, SIDES)
    return tint


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_it_is_the_ratio_of_the_channels(colour):
    red, green, blue = np.array(colour) + 4.0
    np.testing.assert_allclose(tint_at(picture(colour), POSITION, SIDES), [np.log(red / green), np.log(blue / green)], atol=1e-9)


@pytest.mark.parametrize("channel", range(3))
@pytest.mark.parametrize("share", [0.7, 1.3])
def test_a_difference_is_the_larger_change_of_both_ratios_and_brightness_makes_none(channel, share):
    tint = known(*[(150, 90, 60)] * 20)
    changed = np.ones(3)
    changed[channel] = share
    expected = np.abs(tint_at(picture(changed * (150, 90, 60)), POSITION, SIDES) - tint_at(picture((150, 90, 60)), POSITION, SIDES)).max()
    assert expected == pytest.approx(abs(np.log(share)), abs=0.03)  # but for what is added to dark channels
    for brightness in (0.5, 0.8, 1.2):
        same, other = brightness * np.array((150, 90, 60)), brightness * changed * (150, 90, 60)
        assert tint.difference(picture(same, 3), POSITION, SIDES) == 0
        assert tint.difference(picture(other, 3), POSITION, SIDES) == pytest.approx(expected - USUAL, abs=0.05)
    assert tint.difference(picture((150, 90, 60)), (10.0, 20.0), (16.0, 16.0)) > 1  # the ground


def test_the_known_colour_follows_the_target():
    tint, reddish = known((100, 100, 100)), picture((150, 100, 100))
    differences = []
    for _ in range(30):
        differences.append(tint.difference(reddish, POSITION, SIDES))
        tint.learn(reddish, POSITION, SIDES)
    np.testing.assert_allclose(differences, np.maximum((differences[0] + USUAL) * 0.9 ** np.arange(30) - USUAL, 0), atol=1e-9)


@pytest.mark.parametrize(("image", "position"), [(np.full((100, 140, 1), 90, np.uint8), POSITION), (picture((9, 9, 9)), (-200.0, 300.0))])
def test_where_there_is_no_colour_nothing_differs(image, position):
    tint = known((150, 90, 60))
    tint.learn(image, position, SIDES)
    assert tint_at(image, position, SIDES) is None and tint.difference(image, position, SIDES) == 0
    assert Tint().difference(picture((150, 90, 60)), POSITION, SIDES) == 0  # nothing is known yet
