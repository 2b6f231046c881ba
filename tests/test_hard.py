"""Hard versions of sequences, by hand."""

from collections import Counter

import numpy as np
import pytest

from benchmarks.robustness import hard
from benchmarks.robustness.corruption import paint_over
from benchmarks.synthetic import Scene, sequence
from tests.numbered import numbered


def numbers(clip):
    return [int(frame[0, 0, 0]) for frame in clip.frames()]


def test_every_sequence_comes_in_six_hard_versions():
    clips = list(hard.hard([numbered(100)]))
    ways = ["every 3", "every 4", "every 5", "copied over", "painted over", "barred"]
    assert [clip.name for clip in clips] == [f"a, {way}" for way in ways]
    assert {clip.video for clip in clips} == {"video"}
    for clip in clips:
        assert len(clip.boxes) == len(clip.visible) == len(list(clip.frames()))


@pytest.mark.parametrize("step", [3, 4, 5])
def test_thinned_boxes_belong_to_thinned_frames(step):
    visible = np.arange(100) % 8 != 0
    clip = hard.thinned(hard.plain(numbered(100, visible=visible)), step)
    assert numbers(clip) == list(range(0, 100, step))
    assert clip.boxes[:, 0].tolist() == [20 + number for number in range(0, 100, step)]
    assert clip.visible.tolist() == [number % 8 != 0 for number in range(0, 100, step)]


def test_clips_are_no_longer_than_150_frames():
    assert [len(clip.boxes) for clip in hard.hard([numbered(170)])] == [57, 43, 34, 150, 150, 150]


@pytest.mark.parametrize(("cover", "first"), [("copied over", 25), ("painted over", 35), ("barred", 45)])
def test_what_is_hidden_is_hidden(cover, first):
    """40 frames from a quarter, or one or two tenths later; at most up to 15 before the end."""
    whole = numbered(100)
    (clip,) = [clip for clip in hard.hard([whole]) if cover in clip.name]
    assert np.flatnonzero(~clip.visible).tolist() == list(range(first, first + 40))
    np.testing.assert_array_equal(clip.boxes, whole.boxes)
    for index, (frame, original) in enumerate(zip(clip.frames(), whole.frames(), strict=True)):
        if clip.visible[index]:
            np.testing.assert_array_equal(frame, original)
            continue
        rows, columns = np.nonzero((frame != original).any(axis=2))
        # A tenth more to each side, and whole pixels: 1 and 2 (of 1.5).
        assert columns.min() >= 20 + index - 1 and columns.max() <= 20 + index + 10
        if cover != "barred":
            assert rows.min() >= 22 and rows.max() <= 40
        target = frame[24:39, 20 + index : 30 + index]
        assert (target == 255).all(axis=2).mean() < 0.05 and (target == 255).all(axis=2)[3:-3, 3:-3].sum() == 0


def test_what_is_beside_the_target_is_copied_over_it():
    ramp = np.broadcast_to(np.arange(200, dtype=np.uint8)[:, None], (100, 200, 3))

    def shift(top, seed):
        covered = hard.copied_over(ramp, np.array([100, top, 20, 20]), np.random.default_rng(seed))
        return int(covered[top + 10, 110, 0]) - 110

    # Rows are alike, so what comes from above or below changes nothing; from a side it comes over 26 pixels: 1.1 times 24.
    assert {shift(40, seed) for seed in range(20)} == {-26, 0, 26}
    assert {shift(40, 0) for _ in range(3)} == {shift(40, 0)}
    ramp = ramp[:64]
    assert {shift(20, seed) for seed in range(20)} == {-26, 26}  # no room for 24 rows above row 18, nor below row 44


def test_where_nothing_fits_beside_it_is_painted_over():
    picture = np.random.default_rng(0).integers(0, 255, (30, 40, 3)).astype(np.uint8)
    box = np.array([6, 6, 26, 18])
    np.testing.assert_array_equal(hard.copied_over(picture, box, np.random.default_rng(0)), paint_over(picture, box))


def test_covers_at_the_border_and_outside():
    picture = np.random.default_rng(0).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    for cover in hard.COVERS.values():
        for box in ([-5, -5, 12, 12], [55, 30, 12, 12], [48, -3, 2, 6]):
            covered = cover(picture, np.array(box, float), np.random.default_rng(0))
            assert covered.shape == picture.shape and not np.array_equal(covered, picture)
        outside = cover(picture, np.array([80, 90, 12, 12.0]), np.random.default_rng(0))
        np.testing.assert_array_equal(outside, picture)


def test_one_seed_decides_everything():
    def last(seed):
        return [list(clip.frames())[50] for clip in hard.hard([numbered(100)], seed) if "every" not in clip.name]

    first, again, others = last(0), last(0), [last(seed) for seed in range(1, 9)]
    np.testing.assert_array_equal(first, again)
    assert not all(np.array_equal(first[0], other[0]) for other in others)  # copied from another side
    assert not any(np.array_equal(first[2], other[2]) for other in others)  # another bar
    bar = [frame for clip in hard.hard([numbered(100)]) if "barred" in clip.name for frame in clip.frames()]
    np.testing.assert_array_equal(bar[60][1:, 79:91], bar[70][1:, 89:101])  # that goes with the target


def test_a_sequence_that_is_too_short_hides_nothing():
    assert [len(clip.boxes) for clip in hard.hard([numbered(16)])] == [6, 4, 4]


def test_frames_without_annotation_are_unknown():
    whole = numbered(100)
    whole.valid[[7, 50]] = False
    clip = hard.plain(whole)
    assert np.flatnonzero(np.isnan(clip.boxes).all(axis=1)).tolist() == [7, 50] and clip.visible.all()
    assert not np.isnan(whole.boxes).any()
    (painted,) = [clip for clip in hard.hard([whole]) if "painted" in clip.name]
    np.testing.assert_array_equal(list(painted.frames())[50], list(whole.frames())[50])


def test_targets_of_generated_scenes_vanish():
    assert len(hard.UNSEEN) >= 20 and not set(hard.UNSEEN) & set(hard.FITTED)
    (clip,) = hard.vanishing([110])  # 2 modulo 3, and a third of it 0 modulo 6
    scene = Scene(150, (240, 320), 110, "astronaut", "garage", motion=0.8, occlusion=0.4, distractors=2, vanish=(60, 100))
    made = sequence(scene)
    np.testing.assert_array_equal(clip.boxes, made.boxes)
    np.testing.assert_array_equal(clip.visible, made.visible)
    assert not clip.visible[60:100].any()
    frames = clip.frames()
    assert all(np.array_equal(next(frames), made.frames[index]) for index in range(2))
    assert len({clip.boxes[0].tobytes() for clip in hard.vanishing(range(6))}) == 6
    kinds = {(seed % 3, hard.look_alikes(seed)) for seed in hard.FITTED}
    assert len(kinds) == 9  # each target alone, with one look-alike and with two
    every = Counter((seed % 3, seed // 3 % 6, hard.look_alikes(seed)) for seed in hard.UNSEEN)  # target, background, look-alikes
    assert len(every) == 3 * 6 * 3 and set(every.values()) == {2}
