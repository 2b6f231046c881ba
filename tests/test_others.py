"""What is told from the target because it was there before."""

import numpy as np
import pytest

from trackers.opencv import cv2
from trackers.others import EVERY, KEPT, MOST, Others

SIDES = 30.0, 40.0  # height and width of the target, and of all things
TARGET, PLACE = (60.0, 60.0), (160.0, 230.0)  # rows and columns


def blotches(shape, seed, size=6):
    """A smooth random picture (H, W, 3)."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (shape[0] // size + 2, shape[1] // size + 2, 3)).astype(np.uint8)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)


GROUND, THING = blotches((240, 320), 0), blotches((30, 40), 1, 5)


def picture(*places, thing=THING, ground=GROUND):
    """The ground with a thing at rows and columns."""
    picture = ground.copy()
    for row, column in places:
        top, left = round(row - 15), round(column - 20)
        picture[top : top + 30, left : left + 40] = thing
    return picture


def others(*places, **more):
    """Those of a target that was last surely seen at its place, with things at others."""
    known = Others()
    known.remember(picture(TARGET, *places, **more), TARGET, SIDES)
    return known


def test_without_a_sure_target_there_is_nothing_else():
    assert not Others().include(picture(PLACE), PLACE, SIDES, 0.0)


def test_what_was_there_before_is_something_else():
    assert others(PLACE).include(picture(PLACE), PLACE, SIDES, 0.0)
    assert others().include(picture(), PLACE, SIDES, 0.0)  # so is the ground


def test_what_was_not_there_may_be_the_target():
    assert not others().include(picture(PLACE), PLACE, SIDES, 0.0)


def test_what_is_near_the_targets_last_place_may_be_the_target():
    for place in ((TARGET[0], TARGET[1] + 0.9 * SIDES[1]), (TARGET[0] + 0.9 * SIDES[0], TARGET[1])):
        assert not others(place).include(picture(place), place, SIDES, 0.0)
    for place in ((TARGET[0], TARGET[1] + 1.1 * SIDES[1]), (TARGET[0] + 1.1 * SIDES[0], TARGET[1])):
        assert others(place).include(picture(place), place, SIDES, 0.0)


@pytest.mark.parametrize("shift", [(0, 12), (-9, 5), (11, -13)])
def test_it_may_have_moved_a_little(shift):
    moved = PLACE[0] + shift[0], PLACE[1] + shift[1]
    assert others(PLACE).include(picture(moved), moved, SIDES, 0.0)


def test_far_from_where_it_was_it_may_be_the_target():
    moved = PLACE[0] - 40, PLACE[1]
    assert not others(PLACE).include(picture(moved), moved, SIDES, 0.0)


def test_what_is_looked_at_again_and_again_may_go_anywhere():
    known = others(PLACE)
    for step in range(9):
        moved = PLACE[0], PLACE[1] - 15 * step
        assert known.include(picture(moved), moved, SIDES, 0.0)
    known.remember(picture(TARGET), TARGET, SIDES)  # and is forgotten with the next sure target
    assert not known.include(picture(moved), moved, SIDES, 0.0)


def test_it_may_be_looked_at_again_in_another_size():
    known = others(PLACE)
    for step in range(9):
        moved = PLACE[0], PLACE[1] - 15 * step
        for share in (1.0, 0.64, 1.56):
            assert known.include(picture(moved), moved, tuple(share * side for side in SIDES), 0.0)


def test_it_is_told_at_every_size_of_target_and_picture_turned_or_not():
    for factor in (0.6, 2.5, 4):
        sizes = {"fx": factor, "fy": factor, "interpolation": cv2.INTER_AREA}
        first, second = (cv2.resize(picture(place), None, **sizes) for place in (TARGET, PLACE))
        known, sides, place = Others(), tuple(n * factor for n in SIDES), tuple(n * factor for n in PLACE)
        known.remember(first, tuple(n * factor for n in TARGET), sides)
        for angle in (0.0, 0.7):
            assert known.include(first, place, sides, angle)
            assert not known.include(second, place, sides, angle)


def test_grey_and_mirrored_pictures():
    before, after = picture(TARGET, PLACE), picture(PLACE)
    for change in (lambda p: p[:, :, :1], lambda p: p[:, :, ::-1], lambda p: np.asfortranarray(p), lambda p: p[:, ::-1][:, ::-1]):
        known = Others()
        known.remember(change(before), TARGET, SIDES)
        assert known.include(change(after), PLACE, SIDES, 0.0)


def test_the_picture_is_kept_though_its_memory_is_used_again():
    known, buffer = Others(), picture(TARGET)
    known.remember(buffer, TARGET, SIDES)
    buffer[:] = picture(PLACE)
    assert not known.include(buffer, PLACE, SIDES, 0.0)


def test_too_few_pixels_say_nothing():
    assert others().include(picture(), PLACE, (16.0, 16.0), 0.0)
    assert not others().include(picture(), PLACE, (15.0, 16.0), 0.0)


def test_flat_pictures_show_nothing_else():
    black = np.zeros_like(GROUND)
    assert not others(ground=black).include(black, PLACE, SIDES, 0.0)
    assert not others().include(black, PLACE, SIDES, 0.0)


def test_a_place_outside_the_picture_and_tiny_things():
    known = others()
    for place, sides in (((-50.0, 400.0), SIDES), ((239.0, 319.0), (1.0, 1.0)), ((1e4, 1e4), SIDES)):
        assert known.include(picture(), place, sides, 0.0) in (True, False)


def test_few_are_kept():
    known = others()
    for column in range(140, 300, 10):
        assert known.include(picture(), (200.0, float(column)), SIDES, 0.0)
    assert len(known._met) <= MOST


def test_ground_that_the_target_hid_is_known_from_before():
    known, away, camera = Others(), (60.0, 200.0), (9, -7)
    for number, place in enumerate([away] * EVERY + [TARGET] * (EVERY + 1)):
        now = picture(place)
        now[0, 0] = number  # not a frozen one
        known.remember(now, place, SIDES)
    now = np.roll(picture(), camera, (0, 1))
    gone = TARGET[0] + camera[0], TARGET[1] + camera[1]
    assert not known.include(now, gone, SIDES, 0.0)  # for where things were then is not known until the camera is followed
    known.watch(now)
    assert known.include(now, gone, SIDES, 0.0)
    assert not known.include(np.roll(picture(TARGET), camera, (0, 1)), gone, SIDES, 0.0)  # the target is not on the ground's picture


def test_what_is_known_moves_with_the_camera():
    for shift in ((0, 60), (-50, 0), (35, -45)):
        moved = PLACE[0] + shift[0], PLACE[1] + shift[1]
        now, known = np.roll(picture(PLACE), shift, (0, 1)), others(PLACE)
        assert not known.include(now, moved, SIDES, 0.0)
        known.watch(now)
        assert known.include(now, moved, SIDES, 0.0)


def test_only_some_pictures_are_kept():
    known = Others()
    for number in range((KEPT + 3) * EVERY):
        known.remember(np.full((40, 40, 1), number, np.uint8), (20.0, 20.0), (16.0, 16.0))
    last = number
    assert [int(past._picture[0, 0, 0]) for past in known._pasts] == [last, *(last - last % EVERY - 1 - EVERY * k for k in range(KEPT))]


def test_frames_are_counted_from_the_last_sure_one():
    known = Others()
    assert known.moved(PLACE) == 0  # nothing is known yet
    for _ in range(3):
        known.pass_frame()
    assert known.frames == 3
    known.remember(picture(TARGET), TARGET, SIDES)
    assert known.frames == 0
    known.pass_frame()
    known.remember(picture(TARGET), TARGET, SIDES)  # a frozen picture, which does not count
    assert known.frames == 1 and known.moved((TARGET[0] - 30, TARGET[1] + 40)) == pytest.approx(50)
