"""What colour a target has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackers.tint import LEAST, RATE, STEP, USUAL, Tint, tint_at, tint_of

POSITION, SIDES = (50.0, 70.0), (30.0, 40.0)


def picture(colour, noise=0, seed=0):
    """A picture with a small target of a colour on a green ground."""
    made = np.zeros((600, 800, 3), np.float32)
    made[:, :] = 20, 120, 30
    made[35:66, 50:91] = colour
    if noise:
        made += noise * np.random.default_rng(seed).standard_normal(made.shape, np.float32)
    return np.clip(made, 0, 255).astype(np.uint8)


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
    tint = known(*[(150, 90, 60)] * 20)
    usual = tint._usual.max() + LEAST
    changed = np.ones(3)
    changed[channel] = share
    expected = np.abs(tint_at(picture(changed * (150, 90, 60)), POSITION, SIDES) - tint_at(picture((150, 90, 60)), POSITION, SIDES)).max()
    assert expected == pytest.approx(abs(np.log(share)), abs=0.03)  # but for what is added to dark channels
    for brightness in (0.5, 0.8, 1.2):
        same, other = brightness * np.array((150, 90, 60)), brightness * changed * (150, 90, 60)
        assert tint.change(picture(same, 3), POSITION, SIDES) * usual < 0.05
        assert tint.change(picture(other, 3), POSITION, SIDES) * usual == pytest.approx(expected, abs=0.05)
    assert tint.change(picture((150, 90, 60)), (10.0, 20.0), (16.0, 16.0)) * usual > 1  # the ground


def test_it_counts_by_the_usual_change():
    """By hand: the running means of the tint, and of how far each new one is from it."""
    colours = [(100, 100, 100), (120, 100, 95), (90, 100, 105), (110, 100, 100)]
    tint = known(*colours)
    tints = [tint_at(picture(colour, 3, seed), POSITION, SIDES) for seed, colour in enumerate(colours)]
    grounds = [tint_of(picture(colour, 3, seed)[::STEP, ::STEP]) for seed, colour in enumerate(colours)]
    mean, ground, usual = tints[0], grounds[0], np.full(2, (1 - RATE) * USUAL)
    for value, beside in zip(tints[1:], grounds[1:], strict=True):
        usual = (1 - RATE) * usual + RATE * abs(value - mean)
        mean, ground = (1 - RATE) * mean + RATE * value, (1 - RATE) * ground + RATE * beside
    for seen in (picture((140, 100, 80)), picture((140, 100, 80))[:, :, ::-1]):  # the second has a red ground
        differs = tint_at(seen, POSITION, SIDES) - mean
        readings = differs, differs - (tint_of(seen[::STEP, ::STEP]) - ground)
        assert tint.change(seen, POSITION, SIDES) == pytest.approx(min(max(abs(one) / (usual + LEAST)) for one in readings), rel=1e-12)


def test_a_picture_that_changes_as_a_whole_makes_the_target_no_more_strange():
    seen, tint = np.maximum(picture((150, 90, 100), 3), 80), Tint()  # nothing is so dark that it has no colour
    for _ in range(30):
        tint.learn(seen, POSITION, SIDES)
    bluish = np.rint(seen * (0.7, 1, 1)).astype(np.uint8)
    assert tint.change(bluish, POSITION, SIDES) < 1.5
    kept = bluish.copy()
    kept[35:66, 50:91] = seen[35:66, 50:91]  # what keeps its colour is no stranger
    assert tint.change(kept, POSITION, SIDES) < 1.5
    kept[35:66, 50:91] = np.rint(seen[35:66, 50:91] * (0.5, 1, 0.7)).astype(np.uint8)
    assert tint.change(kept, POSITION, SIDES) > 4


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


@pytest.mark.parametrize(("image", "position"), [(np.full((600, 800, 1), 90, np.uint8), POSITION), (picture((9, 9, 9)), (-200.0, 900.0))])
def test_where_there_is_no_colour_nothing_changes(image, position):
    tint = known((150, 90, 60))
    tint.learn(image, position, SIDES)
    assert tint_at(image, position, SIDES) is None and tint.change(image, position, SIDES) == 0
    assert Tint().change(picture((150, 90, 60)), POSITION, SIDES) == 0  # nothing is known yet
