"""Where in a picture of before is what is seen now."""

import numpy as np
import pytest

from tests.test_others import GROUND, blotches
from trackers.opencv import cv2
from trackers.past import APART, Past, thinned, wide

TARGET, SIDES = (120.0, 160.0), (30.0, 40.0)


def seen(past, image):
    """Follow the camera in a picture, and say by how much it moved what stands still."""
    past.follow_camera(wide(thinned(image, past.step)))
    return -np.array(past.place((0.0, 0.0)))


def part(ground, row, column):
    """What a camera shows whose first pixel is at a row and column."""
    return ground[row : row + 240, column : column + 320]


@pytest.mark.parametrize("sides", [SIDES, (80.0, 100.0)])  # every pixel, and every other one
@pytest.mark.parametrize(("row", "column"), [(0, 0), (13, 4), (50, 90), (10, 20), (0, 31)])
def test_the_camera_is_followed(sides, row, column):
    ground = blotches((300, 420), 3)
    past = Past(part(ground, 20, 30), TARGET, sides)
    assert past.place(TARGET) == TARGET
    np.testing.assert_allclose(seen(past, part(ground, row, column)), (20 - row, 30 - column), atol=2)


def test_it_is_followed_though_something_moves_on_its_own():
    ground = blotches((300, 420), 3)
    first, second = (part(ground, *at).copy() for at in ((20, 30), (35, 10)))
    first[100:150, 100:150], second[20:70, 200:250] = 255, 255
    np.testing.assert_allclose(seen(Past(first, TARGET, SIDES), second), (-15, 20), atol=2)


def test_far_shifts_are_told_by_the_one_before():
    ground = blotches((240, 800), 3)
    past = Past(part(ground, 0, 300), TARGET, SIDES)
    for moved in range(0, 200, 20):  # beyond half a picture, where shifts to and fro look alike
        np.testing.assert_allclose(seen(past, part(ground, 0, 300 - moved)), (0, moved), atol=2)


def test_without_a_clear_shift_the_last_one_holds():
    past, noise = Past(GROUND, TARGET, SIDES), np.random.default_rng(2).integers(0, 256, (240, 320, 3)).astype(np.uint8)
    seen(past, np.roll(GROUND, 9, 1))
    for other in (noise, np.zeros_like(GROUND)):
        np.testing.assert_allclose(seen(past, other), (0, 9), atol=1)


def test_the_target_was_elsewhere_or_may_have_been_there():
    past = Past(GROUND, TARGET, SIDES)
    for down, right, apart in ((0, APART + 0.1, True), (APART + 0.1, 0, True), (APART - 0.1, APART - 0.1, False)):
        assert past.apart((TARGET[0] + down * SIDES[0], TARGET[1] + right * SIDES[1]), SIDES) == apart
    past.forget_camera()
    assert not past.apart((0.0, 0.0), SIDES) and past.distance((0.0, 0.0)) == 0
    seen(past, np.roll(GROUND, 100, 1))
    assert past.apart(TARGET, SIDES) and not past.apart((TARGET[0], TARGET[1] + 100), SIDES)


def test_how_far_the_target_has_gone_does_not_depend_on_the_camera():
    past = Past(GROUND, TARGET, SIDES)
    assert past.distance((TARGET[0] + 30, TARGET[1] - 40)) == pytest.approx(50)
    seen(past, np.roll(GROUND, (-12, 60), (0, 1)))
    assert past.distance((TARGET[0] - 12 + 30, TARGET[1] + 60 - 40)) == pytest.approx(50, abs=2)


def test_a_picture_is_the_same_or_not():
    past, other = Past(GROUND, TARGET, SIDES), GROUND.copy()
    assert past.same(Past(GROUND.copy(), (9.0, 9.0), SIDES))
    other[-1, -1] += 9
    assert not past.same(Past(other, TARGET, SIDES)) and not past.same(Past(GROUND[:-1], TARGET, SIDES))


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 1), (7, 3, 3), (33, 1000, 1)])
def test_pictures_of_all_sizes(shape):
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    past = Past(image, (0.0, 0.0), (1.0, 1.0))
    assert np.abs(seen(past, image)).max() < 1


def test_a_view_is_the_picture_made_smaller():
    image = blotches((360, 480), 5)
    view = wide(thinned(image, 1))
    assert view.dtype == np.float32 and view.shape == (96, 128)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(float)
    # every pixel of the view is the mean of those that it covers
    blocks = cv2.resize(grey, None, fx=1 / 3.75, fy=1 / 3.75, interpolation=cv2.INTER_AREA)
    assert np.abs(view - blocks).mean() < 2
