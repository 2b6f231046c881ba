"""What colour a target has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackers.tint import LEAST, RATE, USUAL, Tint, tint_at

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
def test_a_change_is_the_larger_one_of_both_ratios_and_brightness_makes_none(channel, share):
    tint = known(*[(150, 90, 60)] * 60)  # the usual change is next to nothing by now
    changed = np.ones(3)
    changed[channel] = share
    expected = np.abs(tint_at(picture(changed * (150, 90, 60)), POSITION, SIDES) - tint_at(picture((150, 90, 60)), POSITION, SIDES)).max()
    assert expected == pytest.approx(abs(np.log(share)), abs=0.03)  # but for what is added to dark channels
    for brightness in (0.5, 0.8, 1.2):
        same, other = brightness * np.array((150, 90, 60)), brightness * changed * (150, 90, 60)
        assert tint.change(picture(same, 3), POSITION, SIDES) * LEAST < 0.05
        assert tint.change(picture(other, 3), POSITION, SIDES) * LEAST == pytest.approx(expected, abs=0.05)
    assert tint.change(picture((150, 90, 60)), (10.0, 20.0), (16.0, 16.0)) * LEAST > 1  # the ground


def test_it_counts_by_the_usual_change():
    """By hand: the running means of the tint, and of how far each new one is from it."""
    colours = [(100, 100, 100), (120, 100, 95), (90, 100, 105), (110, 100, 100)]
    tint = known(*colours)
    tints = [tint_at(picture(colour, 3, seed), POSITION, SIDES) for seed, colour in enumerate(colours)]
    mean, usual = tints[0], np.full(2, (1 - RATE) * USUAL)
    for value in tints[1:]:
        usual = (1 - RATE) * usual + RATE * abs(value - mean)
        mean = (1 - RATE) * mean + RATE * value
    seen = picture((140, 100, 80))
    expected = max(abs(tint_at(seen, POSITION, SIDES) - mean) / (usual + LEAST))
    assert tint.change(seen, POSITION, SIDES) == pytest.approx(expected, rel=1e-12)


def test_a_colour_that_often_changes_is_less_strange():
    steady, unsteady = known(*[(100, 100, 100)] * 40), known(*[(100, 100, 100), (130, 100, 100)] * 20)
    reddish = picture((150, 100, 100))
    assert unsteady.change(reddish, POSITION, SIDES) < 0.4 * steady.change(reddish, POSITION, SIDES)


def test_the_known_colour_follows_the_target():
    tint, reddish = known((100, 100, 100)), picture((150, 100, 100))
    changes = []
    for _ in range(30):
        changes.append(tint.change(reddish, POSITION, SIDES))
        tint.learn(reddish, POSITION, SIDES)
    assert changes[0] > 4 and changes[-1] < 0.3 and (np.diff(changes) < 0).all()


@pytest.mark.parametrize(("image", "position"), [(np.full((100, 140, 1), 90, np.uint8), POSITION), (picture((9, 9, 9)), (-200.0, 300.0))])
def test_where_there_is_no_colour_nothing_changes(image, position):
    tint = known((150, 90, 60))
    tint.learn(image, position, SIDES)
    assert tint_at(image, position, SIDES) is None and tint.change(image, position, SIDES) == 0
    assert Tint().change(picture((150, 90, 60)), POSITION, SIDES) == 0  # nothing is known yet
