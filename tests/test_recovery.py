"""Targets that are hidden: the tracker says so, waits, and finds them again."""

import math
import pickle

import numpy as np
import pytest

import trackers
from benchmarks.metrics import overlap
from benchmarks.synthetic import Scene, sequence
from trackers import recovery
from trackers.confidence import Confidence
from trackers.errors import InvalidBoxError, UnknownOptionError
from trackers.followed import FollowedTarget
from trackers.opencv import cv2
from trackers.others import Others

GONE, BACK = 15, 45
SEARCHING = GONE + recovery.PATIENCE


@pytest.fixture(scope="module")
def hidden():
    """A target that is gone for thirty frames, and comes back two of its sides away from where it was."""
    scene = Scene(frames=70, size=(180, 240), seed=2, vanish=(GONE, BACK), distractors=0, scale=0.1, rotation=5, illumination=0, blur=0)
    made = sequence(scene)
    return list(made.frames), made.boxes


def follow(tracker, frames, box):
    """What `update` says of each frame but the first, which is as `init` has it."""
    tracker.init(frames[0], box)
    answers = [(True, tuple(box)), *map(tracker.update, frames[1:])]
    return np.array([ok for ok, _ in answers]), np.array([box for _, box in answers])


@pytest.mark.parametrize("name", ["fECO", "fDeepSTRCF", "ECOHC", "STRCF"])
def test_a_hidden_target_is_lost_and_found_again(hidden, name):
    frames, truth = hidden
    ok, boxes = follow(trackers.create(name), frames, truth[0])
    found = overlap(boxes, truth)
    assert ok[:GONE].all() and (found[1:GONE] > 0.5).all()
    assert not ok[GONE:BACK].any()
    assert overlap(boxes[BACK - 1][None], truth[BACK][None]) < 0.1
    assert ok[BACK + 10 :].all() and (found[BACK + 10 :] > 0.5).all()


def zoomed(frame, box, zoom):
    """A picture and a box in it, enlarged about the middle of the box."""
    x, y, w, h = box
    centre = x + w / 2, y + h / 2
    about = np.array([[zoom, 0, (1 - zoom) * (centre[0] - 0.5)], [0, zoom, (1 - zoom) * (centre[1] - 0.5)]])
    larger = cv2.warpAffine(frame, about, frame.shape[1::-1], borderMode=cv2.BORDER_REFLECT)
    return larger, np.array([centre[0] - zoom * w / 2, centre[1] - zoom * h / 2, zoom * w, zoom * h])


@pytest.mark.parametrize(("name", "zoom"), [("fECO", 1.7), ("fECO", 0.55), ("ECOHC", 1.7), ("STRCF", 0.55)])
def test_it_is_found_again_in_much_another_size(hidden, monkeypatch, name, zoom):
    frames, truth = hidden
    later = [zoomed(*one, zoom) for one in zip(frames[BACK:], truth[BACK:], strict=True)]
    there = np.array([box for _, box in later])
    found = []
    for _ in range(2):
        _, boxes = follow(trackers.create(name), [*frames[:BACK], *(frame for frame, _ in later)], truth[0])
        found.append(overlap(boxes[BACK + 10 :], there[10:]))
        monkeypatch.setattr(FollowedTarget, "_sized", lambda *_: [])
    assert (found[0] > 0.5).all() and (found[1] < 0.5).any()


@pytest.fixture(scope="module")
def doubled(hidden):
    """That target, and its mirror image, which stays where it is all along; the frames, the true boxes, and the image's box."""
    frames, truth = hidden
    x, y, w, h = np.rint(truth[GONE - 1]).astype(int)
    image = frames[GONE - 1][y : y + h, x : x + w, :][:, ::-1]
    left, top = (side - n if p + n / 2 < side / 2 else 0 for p, n, side in zip((x, y), (w, h), (240, 180), strict=True))  # the far corner
    made = [frame.copy() for frame in frames]
    for frame in made:
        frame[top : top + h, left : left + w] = image
    return made, truth, np.array([left, top, w, h])


@pytest.mark.parametrize("name", ["fECO", "STRCF"])
def test_what_was_beside_a_target_is_not_taken_for_it(doubled, monkeypatch, name):
    frames, truth, other = doubled
    ok, boxes = follow(trackers.create(name), frames, truth[0])
    assert not ok[GONE + 1 : BACK].any() and overlap(boxes, other[None]).max() < 0.3
    assert ok[BACK + 10 :].all() and (overlap(boxes, truth)[BACK + 10 :] > 0.5).all()
    monkeypatch.setattr(Others, "include", lambda *_: False)
    ok, boxes = follow(trackers.create(name), frames[:BACK], truth[0])
    assert ok[BACK - 5 :].all() and (overlap(boxes, other[None])[BACK - 5 :] > 0.5).all()


@pytest.fixture(scope="module")
def imitated(hidden):
    """That target, and what resembles it in the far corner once it is lost; the frames, the true boxes, and the box of the other."""
    return imitate(*hidden, 12)


def imitate(frames, truth, sharpness):
    """`imitated`; the more sharpness, the more does it resemble the target."""
    x, y, w, h = np.rint(truth[GONE - 1]).astype(int)
    image = cv2.GaussianBlur(frames[GONE - 1][y : y + h, x : x + w], (0, 0), w / sharpness)
    other = np.array([0, 180 - h, w, h])
    made = [frame.copy() for frame in frames]
    for frame in made[SEARCHING + 1 :]:
        frame[other[1] :, :w] = image
    return made, truth, other


@pytest.mark.parametrize("name", ["fECO", "STRCF"])
def test_the_faster_it_may_be_the_sooner_it_is_looked_for_far_away(imitated, monkeypatch, name):
    frames, truth, other = imitated
    found = []
    for speed in (1.0, 0.2, 0.05):  # of its sizes in a frame; it is about four of them away
        monkeypatch.setattr(recovery, "SPEED", speed)
        _, boxes = follow(trackers.create(name), frames[:BACK], truth[0])
        found.append(np.nonzero(overlap(boxes, other[None]) > 0.5)[0].tolist())
    assert SEARCHING < found[0][0] < SEARCHING + 8 < found[1][0] < SEARCHING + 14 and not found[2]


@pytest.mark.parametrize("name", ["fECO", "STRCF"])
def test_what_resembles_it_is_followed_until_it_is_there_again(imitated, monkeypatch, name):
    frames, truth, other = imitated
    _, boxes = follow(trackers.create(name), frames, truth[0])
    assert (overlap(boxes[SEARCHING + 14 : BACK], other[None]) > 0.5).all()  # it can have come so far by then
    assert (overlap(boxes[BACK + 10 :], truth[BACK + 10 :]) > 0.5).all()  # it is looked for there every now and then
    monkeypatch.setattr(recovery, "SURE", 0)  # what is found is believed at once
    _, boxes = follow(trackers.create(name), frames, truth[0])
    assert (overlap(boxes[SEARCHING + 14 :], other[None]) > 0.5).all()


def test_what_was_followed_all_along_is_only_left_for_what_is_much_likelier(imitated, monkeypatch):
    frames, truth, other = imitated
    monkeypatch.setattr(recovery, "SURE", 9.0)  # nothing is believed at once
    _, boxes = follow(trackers.create("fECO"), frames[:BACK], truth[0])
    assert (overlap(boxes[BACK - 5 :], other[None]) > 0.5).all()
    monkeypatch.setattr(recovery, "FARTHER", 9.0)
    _, boxes = follow(trackers.create("fECO"), frames[:BACK], truth[0])
    assert overlap(boxes, other[None]).max() < 0.3


@pytest.mark.parametrize("name", ["fECO", "STRCF"])
def test_what_has_another_colour_is_not_followed(imitated, name):
    frames, truth, (x, y, w, h) = imitated
    tinted = [frame.copy() for frame in frames]
    for frame in tinted[SEARCHING + 1 :]:
        frame[y:, x : x + w] = frame[y:, x : x + w] * (0.75, 1, 1)
    _, boxes = follow(trackers.create(name), tinted, truth[0])
    assert overlap(boxes, np.array([[x, y, w, h]])).max() < 0.3
    assert (overlap(boxes[BACK + 10 :], truth[BACK + 10 :]) > 0.5).all()


def test_what_stays_for_long_is_believed(hidden, monkeypatch):
    frames, truth, other = imitate(*hidden, 16)
    monkeypatch.setattr(recovery, "TRIAL", 10)
    _, boxes = follow(trackers.create("fECO"), frames, truth[0])
    assert (overlap(boxes[SEARCHING + 14 :], other[None]) > 0.5).all()


def test_unless_you_say_that_it_is_there(doubled):
    frames, truth, other = doubled
    tracker = trackers.create("fECO")
    follow(tracker, frames[: GONE + 10], truth[0])
    ok, box = tracker.update(frames[GONE + 10], near=other)
    assert ok and overlap(np.array([box]), other[None])[0] > 0.5


def test_without_recovery_it_is_not_found(hidden):
    frames, truth = hidden
    ok, boxes = follow(trackers.create("ECOHC", recovery=False), frames, truth[0])
    assert not ok[GONE:BACK].any()  # the score says so all the same
    assert overlap(boxes[BACK + 10 :], truth[BACK + 10 :]).max() < 0.5


@pytest.mark.parametrize("name", ["fECO", "STRCF"])
@pytest.mark.parametrize("colour", [(1, 1, 1), (1, 0.6, 0.5)])
def test_one_that_has_changed_is_followed_on(hidden, name, colour):
    frames, truth = hidden
    x, y, w, h = np.rint(truth[GONE - 1]).astype(int)
    changed = []
    for step in range(12):  # what is in the box turns upside down, and has another colour, within one frame, and goes on from there
        frame = frames[GONE - 1].copy()
        frame[y : y + h, x : x + w] = frame[y : y + h, x : x + w][::-1] * colour
        changed.append(np.roll(frame, 2 * step, axis=1))
    ok, boxes = follow(trackers.create(name), [*frames[:GONE], *changed], truth[0])
    assert not ok[GONE : GONE + 3].any()
    assert (overlap(boxes[GONE:], [(x + 2 * step, y, w, h) for step in range(12)]) > 0.5).all()


@pytest.mark.parametrize("name", ["fECO", "STRCF", "KCF"])
def test_another_white_balance_is_no_reason_to_doubt_it(hidden, name):
    frames, truth = hidden
    other = [np.rint(frame * (0.6, 1, 0.9)).astype(np.uint8) for frame in frames[10:GONE]]
    ok, boxes = follow(trackers.create(name), [*frames[:10], *other], truth[0])
    assert ok.all() and (overlap(boxes, truth[:GONE]) > 0.5).all()


@pytest.mark.parametrize("name", ["fECO", "STRCF", "KCF"])
def test_one_that_has_another_colour_is_doubted_and_then_lost_until_that_has_stayed(hidden, monkeypatch, name):
    frames, truth = hidden
    x, y, w, h = np.rint(truth[GONE - 1]).astype(int)
    changed = frames[GONE - 1].copy()
    changed[y : y + h, x : x + w] = np.rint(changed[y : y + h, x : x + w] * (0.6, 1, 0.9))
    video = [*frames[:GONE], *[changed] * 60]
    monkeypatch.setattr(recovery, "STAYING", 0.02)
    ok, boxes = follow(trackers.create(name), video, truth[0])
    assert ok[: GONE + recovery.PATIENCE - 1].all() and not ok[GONE + 5 : GONE + 8].any() and ok[-5:].all()
    assert (overlap(boxes[GONE:], np.tile(truth[GONE - 1], (60, 1))) > 0.5).all()


def test_pictures_of_nothing_change_nothing(hidden):
    frames, truth = hidden
    black = np.zeros_like(frames[0])
    ok, boxes = follow(trackers.create("fECO"), [*frames[:10], *[black] * 5, frames[10]], truth[0])
    assert not ok[10:15].any() and ok[15]
    np.testing.assert_array_equal(boxes[10:15], np.tile(boxes[9], (5, 1)))
    assert overlap(boxes[15:], truth[10][None]) > 0.8


def test_a_lost_target_can_be_kept_for_later(hidden):
    frames, truth = hidden
    tracker = trackers.create("ECOHC")
    follow(tracker, frames[: SEARCHING + 5], truth[0])
    restored = pickle.loads(pickle.dumps(tracker))
    for frame in frames[SEARCHING + 5 : BACK + 5]:
        assert restored.update(frame) == tracker.update(frame)


@pytest.mark.parametrize(("name", "options"), [("KCF", {}), ("KCF", {"scale_filter": False}), ("fKCF", {}), ("MOSSE", {})])
def test_windows_are_looked_for_too(hidden, name, options):
    frames, truth = hidden
    found = []
    for recovers in (True, False):
        ok, boxes = follow(trackers.create(name, recovery=recovers, **options), frames, truth[0])
        found.append(overlap(boxes, truth)[BACK + 10 :])
        assert not ok[GONE:BACK].any() and np.isfinite(boxes).all()
    assert (found[0] > 0.5).all() and not (found[1] > 0.5).any()


@pytest.fixture(scope="module")
def plain():
    """A target that moves slowly; the frames, and its boxes."""
    made = slow((180, 240))
    return list(made.frames), made.boxes


def slow(size):
    """A sequence with a target that moves slowly, in pictures of a size."""
    return sequence(Scene(frames=8, size=size, distractors=0, motion=0.3, scale=0, rotation=0, illumination=0, blur=0, occlusion=0))


@pytest.mark.parametrize("name", ["fECO", "ECOHC", "STRCF"])
def test_one_that_jumps_is_found_in_the_same_frame(name):
    made = slow((180, 400))
    frames, truth = list(made.frames), made.boxes
    shift = 150 if truth[6][0] < 200 else -150  # farther than half of the search area, nearer than half of the picture
    jumped = [np.roll(frame, shift, axis=1) for frame in frames[6:]]
    there = truth[6] + (shift, 0, 0, 0)
    found = {}
    for recovers in (True, False):
        _, boxes = follow(trackers.create(name, recovery=recovers), [*frames[:6], *jumped], truth[0])
        found[recovers] = overlap(boxes[6][None], there[None])[0]
    assert found[True] > 0.7 and found[False] < 0.1


@pytest.mark.parametrize(("name", "zoom"), [("fECO", 1.6), ("fECO", 0.6), ("ECOHC", 1.4), ("ECOHC", 0.7), ("STRCF", 0.6)])
def test_one_that_changes_its_size_at_once_is_measured_anew(plain, name, zoom):
    frames, truth = plain
    changed, there = zoomed(frames[6], truth[6], zoom)
    found = {}
    for recovers in (True, False):
        _, boxes = follow(trackers.create(name, recovery=recovers), [*frames[:6], *[changed] * 3], truth[0])
        found[recovers] = overlap(boxes[8][None], there[None])[0]
    assert found[True] > 0.8 and found[False] < 0.6


@pytest.mark.parametrize(
    ("scores", "looked"),
    [
        ([0.3] * 7, [0, 3, 6]),  # two frames of rest after a look that brought nothing
        ([0.3, 0.22, 0.2, 0.2, 0.2], [0, 2]),  # but for a target that becomes much less sure
        ([0.3, 0.9, 0.9, 0.3], [0, 3]),
    ],
)
def test_a_second_look_that_brought_nothing_is_not_repeated_at_once(plain, monkeypatch, scores, looked):
    frames, truth = plain
    found, number = [], -1

    def judge(*_):
        nonlocal number
        number += 1
        return scores[number], scores[number], 1.0

    def bring_nothing(_, image, seen):
        found.append(number)
        return seen

    tracker = trackers.create("ECOHC")
    tracker.init(frames[0], truth[0])
    monkeypatch.setattr(Confidence, "judge", judge)
    monkeypatch.setattr(FollowedTarget, "_reconsidered", bring_nothing)
    for frame in frames[1 : len(scores) + 1]:
        tracker.update(frame)
    assert found == looked


@pytest.mark.parametrize("name", ["fECO", "KCF", "MOSSE"])
def test_a_hint_is_followed(plain, name):
    frames, truth = plain
    tracker = trackers.create(name)
    follow(tracker, frames[:6], truth[0])
    turned = np.roll(frames[6], 110, axis=1)  # the camera has turned
    there = truth[6] + (110 if truth[6][0] < 130 else -130, 0, 0, 0)
    with pytest.raises(InvalidBoxError):
        tracker.update(turned, near=(1, 2, 3))
    ok, box = tracker.update(turned, near=np.add(there, (3, -4, 10, 8)))
    assert ok and overlap(np.array([box]), there[None]) > 0.7


@pytest.mark.parametrize("name", ["fECO", "STRCF", "KCF"])
def test_the_authors_programs_know_of_no_recovery(name):
    assert not trackers.create(name, published=True).config.recovery


def test_recovery_is_true_or_false():
    with pytest.raises(UnknownOptionError, match="recovery='yes'"):
        trackers.create("fECO", recovery="yes")


def test_places_are_gone_through_from_the_inside():
    centre, step, shape = (100.0, 40.0), 30.0, (200, 300)
    inside = [
        (100.0 + step * i, 40.0 + step * j)
        for i in range(-recovery.RINGS, recovery.RINGS + 1)
        for j in range(-recovery.RINGS, recovery.RINGS + 1)
        if (i, j) != (0, 0) and 0 <= 100 + step * i < 200 and 0 <= 40 + step * j < 300
    ]
    turns = math.ceil(len(inside) / recovery.LOOKS)
    seen = [place for turn in range(turns) for place in recovery.places(centre, step, shape, turn)]
    assert set(seen) == set(inside)
    rings = [max(abs(y - 100), abs(x - 40)) / step for y, x in seen[: len(inside)]]
    assert rings == sorted(rings) and len(set(seen[: len(inside)])) == len(inside)
    assert seen[len(inside) :] == seen[: len(seen) - len(inside)]  # and then again


def test_farther_places_are_looked_at_later():
    seen = [place for turn in range(40) for place in recovery.places((100, 100), 20, (200, 200), turn, reach=45)]
    assert set(seen) == {(100 + 20 * i, 100 + 20 * j) for i in range(-2, 3) for j in range(-2, 3)} - {(100, 100)}
    assert len(set(recovery.places((100, 100), 20, (200, 200), 0, reach=0, looks=9))) == 8  # the neighbours, always


def test_where_nothing_is_inside_there_is_nowhere_to_look():
    assert list(recovery.places((50, 50), 100, (100, 100), 3)) == []
