"""What colour a target has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackers.tint import LEAST, TIMES, Tint, tint_at

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


def test_another_colour_is_told_and_another_brightness_is_not():
    tint = known(*[(150, 90, 60)] * 20)
    for brightness in (0.5, 0.8, 1.2):
        assert not tint.differs(picture([brightness * v for v in (150, 90, 60)], 3), POSITION, SIDES)
    for channel in range(3):
        for share in (0.8, 1.25):
            tinted = np.array((150, 90, 60), float)
            tinted[channel] *= share
            assert tint.differs(picture(tinted, 3), POSITION, SIDES)
    assert tint.differs(picture((150, 90, 60)), (10.0, 20.0), (16.0, 16.0))  # the ground


def test_a_target_that_changes_may_have_another_colour():
    steady = known(*[(100, 100, 100)] * 40)
    restless = known(*[(100, 100, 100), (100, 80, 100)] * 20)
    spread = np.log(104 / 84) / 2  # to either side of the mean
    for change in (0.5, 0.9, 1.2, 2.0):
        colour = 104 * np.exp(change * TIMES * spread) - 4, 92, 104
        assert restless.differs(picture(colour), POSITION, SIDES) == (change > 1)
    assert steady.differs(picture((104 * np.exp(1.3 * LEAST), 100, 104)), POSITION, SIDES)


@pytest.mark.parametrize(("image", "position"), [(np.full((100, 140, 1), 90, np.uint8), POSITION), (picture((9, 9, 9)), (-200.0, 300.0))])
def test_where_there_is_no_colour_nothing_differs(image, position):
    tint = known((150, 90, 60))
    tint.learn(image, position, SIDES)
    assert tint_at(image, position, SIDES) is None and not tint.differs(image, position, SIDES)
    assert not Tint().differs(picture((150, 90, 60)), POSITION, SIDES)  # nothing is known yet
