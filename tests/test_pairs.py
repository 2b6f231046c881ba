"""Pairs: where the target comes to lie in the crops, how often they are changed, and that the same seed gives the same bytes."""

from dataclasses import fields, replace

import cv2
import numpy as np
import pytest

from distill.data import changes
from distill.data.augmentation import Augmentation
from distill.data.clips import Clip
from distill.data.pairs import PairBatch, Pairs, random_box
from distill.data.pasting import free_place, hidden_part, paste, shared
from distill.data.store import Store
from distill.data.validation import HARD, MOVED, validation_pairs
from distill.data.view import view
from distill.errors import DistillationError
from trackers.patch import crop

STILL = Augmentation(shift=0, scale=1, rotation=0, flipped=0, greyed=0, blurred=0, coloured=0, occluded=0, distracted=0)
GROUND, LIGHT = 60, 220


def write(path, picture):
    """A picture R, G, B as a png, which keeps its values."""
    assert cv2.imwrite(str(path), picture[..., ::-1])
    return path


def still(path, box, shape=(90, 120), ground=GROUND, colour=(LIGHT, LIGHT, LIGHT)):
    """A clip of one picture of one colour with a box of another."""
    x, y, w, h = box
    picture = np.full((*shape, 3), ground, np.uint8)
    picture[y : y + h, x : x + w] = colour
    return Clip((write(path, picture),), np.array([box], float), None, str(path))


@pytest.fixture
def noise(tmp_path):
    """Six pictures of noise, and a video of three frames."""
    rng = np.random.default_rng(1)
    files = [write(tmp_path / f"{i}.png", rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)) for i in range(9)]
    stills = [Clip((file,), np.array([[20.0, 15, 16, 24]]), None, file.name) for file in files[:6]]
    return [*stills, Clip(files[6:], np.array([[20.0 + i, 15, 16, 24] for i in range(3)]), None, "video")]


def same(one, other):
    return all((getattr(one, field.name) == getattr(other, field.name)).all() for field in fields(PairBatch))


# the same and other bytes


def test_pairs_depend_on_the_seed_alone(noise):
    pairs = Pairs(noise, side=48)
    first = pairs.batch(8, np.random.default_rng(3))
    assert same(first, pairs.batch(8, np.random.default_rng(3))), "what was read before"
    assert same(first, Pairs(noise, side=48, store=Store(capacity=0)).batch(8, np.random.default_rng(3))), "the cache"
    other = pairs.batch(8, np.random.default_rng(4))
    assert (other.z != first.z).any() and (other.shift != first.shift).any()


def test_form(noise):
    batch = Pairs(noise, side=48).batch(5, np.random.default_rng(0))
    assert batch.z.shape == batch.x.shape == (5, 3, 48, 48) and batch.z.dtype == batch.x.dtype == np.uint8
    assert batch.shift.shape == batch.size.shape == (5, 2) and batch.shift.dtype == batch.size.dtype == np.float32
    assert batch.clips.shape == (5,) and len(batch) == 5 and batch.z.flags.c_contiguous
    assert len(Pairs(noise, side=48).batch(1, np.random.default_rng(0))) == 1


# geometry


def centroid_and_area(picture):
    """Row and column of the middle of what is light, and its area in pixels, in a crop (3, side, side)."""
    weight = (picture[0].astype(float) - GROUND) / (LIGHT - GROUND)
    rows, columns = np.indices(weight.shape)
    return np.array([(weight * rows).sum(), (weight * columns).sum()]) / weight.sum(), weight.sum()


@pytest.mark.parametrize("side", [64, 97])
@pytest.mark.parametrize("box", [(50, 40, 12, 12), (31, 22, 21, 14), (70, 50, 9, 16), (40, 30, 40, 30)])
@pytest.mark.parametrize(
    "amounts",
    [
        replace(STILL, shift=1.0),
        replace(STILL, shift=1.0, flipped=1),
        replace(STILL, shift=1.0, scale=1.3),
        replace(STILL, shift=1.0, scale=1.3, rotation=30, flipped=0.5),
    ],
)
def test_target_is_where_it_is_said_to_be(amounts, box, side, tmp_path):
    """In z in the middle, in x at the shift from it, of the size that is said: measured on a light box on a dark ground."""
    batch = Pairs([still(tmp_path / "a.png", box)], side, augmentation=amounts).batch(12, np.random.default_rng(0))
    middle, wanted = (side - 1) / 2, (side / 5) ** 2
    assert np.abs(batch.shift).max() > 0.5 * side / 5
    assert np.abs(batch.shift).max() <= side / 5
    for z, x, shift, size in zip(batch.z, batch.x, batch.shift, batch.size, strict=True):
        place, area = centroid_and_area(z)
        np.testing.assert_allclose(place, middle, atol=0.3)
        assert area == pytest.approx(wanted, rel=0.03)
        place, area = centroid_and_area(x)
        np.testing.assert_allclose(place, middle + shift, atol=0.3)
        assert area == pytest.approx(size.prod(), rel=0.03)
        assert size[1] / size[0] == pytest.approx(box[2] / box[3], rel=1e-5)
        assert amounts.scale**-2 * 0.999 <= size.prod() / wanted <= amounts.scale**2 * 1.001


def test_target_that_is_shrunk_much(tmp_path):
    """Ten pixels of the picture make one of the crop; they are averaged: of a fine chequerboard no pattern is left."""
    picture = np.full((700, 900, 3), GROUND, np.uint8)
    picture[200:330, 300:430] = np.where(np.indices((130, 130)).sum(0) % 2, LIGHT, 2 * GROUND - LIGHT % 120)[..., None]
    target = picture[200:330, 300:430].mean()
    clip = Clip((write(tmp_path / "a.png", picture),), np.array([[300.0, 200, 130, 130]]), None, "a")
    batch = Pairs([clip], 64, augmentation=replace(STILL, shift=0.5, rotation=10)).batch(4, np.random.default_rng(0))
    for x, shift in zip(batch.x, batch.shift, strict=True):
        row, column = np.rint(31.5 + shift).astype(int)
        np.testing.assert_allclose(x[:, row - 3 : row + 4, column - 3 : column + 4], target, atol=3)
        weight = x[0].astype(float) - GROUND
        rows, columns = np.indices(weight.shape)
        np.testing.assert_allclose([(weight * rows).sum() / weight.sum(), (weight * columns).sum() / weight.sum()], 31.5 + shift, atol=0.3)


@pytest.mark.parametrize("first", [(20, 30), (-7, -9), (50, 70)])
def test_view_of_whole_pixels_is_a_crop(first):
    """Without a change of scale it takes the pixels as they are, and repeats the border's."""
    picture = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    place = np.array([5.0, 11.0])
    found = view(picture, place + first, 1.0, place, 24)
    np.testing.assert_array_equal(found, crop(picture, first, (24, 24)))


def test_both_are_mirrored(tmp_path):
    """A target whose left half is red."""
    clip = still(tmp_path / "a.png", (40, 30, 20, 20))
    picture = cv2.imread(str(clip.frames[0]))
    picture[30:50, 40:50, :2] = 0
    cv2.imwrite(str(clip.frames[0]), picture)
    batch = Pairs([clip], 60, augmentation=replace(STILL, flipped=0.5)).batch(300, np.random.default_rng(0))
    mirrored = [crops[:, 1, 30, 34] < crops[:, 1, 30, 25] for crops in (batch.z, batch.x)]
    np.testing.assert_array_equal(*mirrored)
    assert abs(mirrored[0].mean() - 0.5) < 0.1


def test_videos_are_not_turned(tmp_path):
    clip = still(tmp_path / "a.png", (40, 30, 24, 12))
    video = Clip((clip.frames[0], clip.frames[0]), np.repeat(clip.boxes, 2, 0), None, "a")
    turned, straight = (Pairs([c], 64, augmentation=replace(STILL, rotation=45)).batch(4, np.random.default_rng(0)) for c in (clip, video))
    np.testing.assert_array_equal(straight.x, straight.z)
    assert (turned.x != turned.z).any(axis=(1, 2, 3)).all()


# frames


def shaded_video(folder, count, absent=()):
    """Frames each of one shade, 10 apart."""
    boxes = np.array([[20.0, 20, 12, 12]] * count)
    boxes[list(absent)] = np.nan
    files = [write(folder / f"{i}.png", np.full((50, 60, 3), 10 * i, np.uint8)) for i in range(count)]
    return Clip(files, boxes, None, "video")


def test_frames_are_near_and_not_the_same_and_not_absent(tmp_path):
    pairs = Pairs([shaded_video(tmp_path, 12, absent=(3, 4, 9))], 16, reach=2, augmentation=STILL)
    batch = pairs.batch(400, np.random.default_rng(0))
    first, second = (crops[:, 0, 8, 8].astype(int) // 10 for crops in (batch.z, batch.x))
    assert set(np.abs(first - second)) == {1, 2}
    assert set(first) == set(second) == set(range(12)) - {3, 4, 9}


def test_lonely_frame_is_taken_twice(tmp_path):
    pairs = Pairs([shaded_video(tmp_path, 6, absent=(1, 2, 3, 4))], 16, reach=3, augmentation=STILL)
    batch = pairs.batch(20, np.random.default_rng(0))
    np.testing.assert_array_equal(batch.z, batch.x)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_share_of_videos(share, noise):
    batch = Pairs(noise, 16, videos=share).batch(500, np.random.default_rng(0))
    assert abs((batch.clips == 6).mean() - share) < 0.07
    assert set(batch.clips[batch.clips != 6]) == (set(range(6)) if share < 1 else set())


def test_small_and_outlying_targets_are_passed_over(noise):
    tiny = replace(noise[0], boxes=np.array([[20.0, 20, 7, 9]]))
    outside = replace(noise[1], boxes=np.array([[200.0, 20, 16, 16]]))
    assert set(Pairs([tiny, outside, noise[2]], 16).batch(20, np.random.default_rng(0)).clips) == {2}
    with pytest.raises(DistillationError, match="none of the 1 clips has a target of at least 8 pixels"):
        Pairs([tiny], 16)


def test_plain_pictures(noise):
    rng = np.random.default_rng(0)
    boxes = np.array([random_box((60, 80, 3), rng) for _ in range(300)])
    assert (boxes[:, :2] >= 0).all() and (boxes[:, :2] + boxes[:, 2:] <= (80, 60)).all()
    sides = np.sqrt(boxes[:, 2:].prod(1))
    assert 6 <= sides.min() < 8 and 18 < sides.max() <= 21
    plain = [replace(clip, boxes=None) for clip in noise[:3]]
    batch = Pairs(plain, 32, augmentation=replace(STILL, shift=1)).batch(6, np.random.default_rng(0))
    np.testing.assert_allclose(np.sqrt(batch.size.prod(1)), 32 / 5, rtol=1e-5)


# changes


def is_grey(crops):
    return (np.ptp(crops, axis=1) == 0).all(axis=(1, 2))


def test_a_quarter_is_grey(noise):
    """Both crops of a pair."""
    batch = Pairs(noise, 16).batch(1000, np.random.default_rng(0))
    np.testing.assert_array_equal(is_grey(batch.z), is_grey(batch.x))
    assert abs(is_grey(batch.z).mean() - 0.25) < 0.04


def test_each_crop_is_blurred_and_lit_by_itself(noise):
    untouched = Pairs(noise[:1], 48, augmentation=STILL).batch(1, np.random.default_rng(0)).z[0]
    for change in ({"blurred": 0.3}, {"coloured": 0.3}):
        batch = Pairs(noise[:1], 48, augmentation=replace(STILL, **change)).batch(600, np.random.default_rng(0))
        changed = [(crops != untouched).any(axis=(1, 2, 3)) for crops in (batch.z, batch.x)]
        # one blur in sixteen or so is over a length that rounds to one pixel at most, and changes nothing
        assert all(abs(c.mean() - 0.3) < 0.06 for c in changed)
        assert abs((changed[0] & changed[1]).mean() - 0.09) < 0.04


def test_changes_by_hand():
    crop = np.zeros((9, 9, 3), np.uint8)
    crop[4, 4] = (90, 60, 200)
    smeared = changes.smear(crop, 3.9, along_rows=True)
    assert smeared[4, 3:6].tolist() == [[30, 20, 67]] * 3 and smeared.sum() == 3 * 117
    assert changes.smear(crop, 5, along_rows=False)[2:7, 4, 0].tolist() == [18] * 5
    assert changes.relight(crop, np.array([1.5, 0.5, 2.0]))[4, 4].tolist() == [135, 30, 255]
    assert changes.grey(crop)[4, 4].tolist() == [round(0.299 * 90 + 0.587 * 60 + 0.114 * 200)] * 3
    blurred = changes.defocus(crop, 1.0)[:, :, 0].astype(float)
    assert blurred[4, 4] / blurred[4, 5] == pytest.approx(np.exp(0.5), abs=0.3)


# what is pasted


def test_shared_area_by_hand():
    """A box of 4 x 6 around (10, 10): rows 8 to 12, columns 7 to 13."""
    centres = np.array([[10.0, 10], [13, 10], [12, 14], [15, 10], [10, 30]])
    found = shared(centres, np.array([4.0, 4]), np.array([10.0, 10]), np.array([4.0, 6]))
    assert found.tolist() == [16, 4, 2, 0, 0]


def test_no_free_place():
    everywhere = np.array([50.0, 50]), np.array([300.0, 300])
    assert free_place(100, np.array([10.0, 10]), everywhere, 0.1, np.random.default_rng(0)) is None


@pytest.mark.parametrize(("edge", "centre", "size"), [(0, (6, 10), (2, 6)), (1, (10, 7.75), (10, 1.5)), (2, (14, 10), (2, 6))])
def test_hidden_part_by_hand(edge, centre, size):
    """Of a box of 10 x 6 around (10, 10), whose edges are 5 to 15 and 7 to 13."""
    share = 0.2 if edge != 1 else 0.25
    found = hidden_part(np.array([10.0, 10]), np.array([10.0, 6]), share, edge)
    np.testing.assert_allclose(found, [centre, size])


@pytest.mark.parametrize("centre", [(15, 15), (0, 29), (-40, 10)])
def test_paste_is_cut_off_at_the_border(centre):
    ground = np.full((30, 30, 3), 10, np.uint8)
    paste(ground, np.full((9, 11, 3), 250, np.uint8), np.array(centre, float))
    changed = np.argwhere((ground != 10).any(axis=2))
    assert len(changed) == 0 or np.abs(changed - centre).max() <= 5
    assert (ground[15, 15] == 250).all() == (centre == (15, 15))


def coloured_stills(folder, count=6):
    """The first one's ground is black and its target green; the others are white all over."""
    others = [still(folder / f"{i}.png", (50, 40, 20, 14), ground=255, colour=(255, 255, 255)) for i in range(1, count)]
    return [still(folder / "0.png", (50, 40, 16, 20), ground=0, colour=(0, 200, 0)), *others]


def test_distractors_do_not_cover_the_target(tmp_path):
    pairs = Pairs(coloured_stills(tmp_path), 100, augmentation=replace(STILL, shift=1, distracted=1, distractors=(2, 2)))
    covered, seen = [], []
    for seed in range(30):
        batch = pairs.of(range(6), np.random.default_rng(seed))
        first, size = (49.5 + batch.shift[0]) - (batch.size[0] - 1) / 2, batch.size[0]
        top, left, bottom, right = *np.ceil(first).astype(int), *np.floor(first + size - 1).astype(int)
        pasted = batch.x[0, 0] > 40  # neither the ground nor the target has any red
        covered.append(pasted[top : bottom + 1, left : right + 1].mean())
        seen.append(pasted.sum() / size.prod())
    assert max(covered) < 2 * 0.1 + 0.05  # by two distractors
    assert 0.8 < np.mean(seen) < 2.5  # they are about as large as the target each, but may leave the crop or lie on one another
    assert (batch.z[0, 0] < 40).all(), "z stays as it is"


def test_a_part_of_the_target_is_hidden(tmp_path):
    pairs = Pairs(coloured_stills(tmp_path), 100, augmentation=replace(STILL, shift=1, occluded=1, occlusion=(0.4, 0.4)))
    for seed in range(20):
        batch = pairs.of(range(6), np.random.default_rng(seed))
        red, green = batch.x[0, 0].astype(float) / 255, batch.x[0, 1] > 100
        assert 0.25 < red.sum() / batch.size[0].prod() <= 0.41  # the paste fades at its edge
        assert green.sum() / batch.size[0].prod() > 0.9


def test_those_of_one_source_lend_nothing(tmp_path):
    """They may show the same object, which would be no distractor but a second target."""
    clips = [replace(clip, source="one video") for clip in coloured_stills(tmp_path)]
    batch = Pairs(clips, 100, augmentation=replace(STILL, distracted=1, occluded=1)).of(range(6), np.random.default_rng(0))
    np.testing.assert_array_equal(batch.x, batch.z)


def test_the_most_alike_are_pasted(tmp_path):
    """Of a red, a green and a blue target, the red one is pasted beside another red one."""
    colours = ((250, 0, 0), (0, 250, 0), (0, 0, 250), (200, 30, 30))
    clips = [still(tmp_path / f"{i}.png", (50, 40, 20, 20), ground=0, colour=colour) for i, colour in enumerate(colours)]
    amounts = replace(STILL, distracted=1, distractors=(1, 1))
    pairs = Pairs(clips, 100, augmentation=amounts)
    for seed in range(5):
        x = pairs.of(range(4), np.random.default_rng(seed)).x[3]
        assert x[1:].max() <= 31 and x[0].max() >= 240


# what cannot be drawn


def test_broken_pictures_are_passed_over_and_counted(noise, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 no picture")
    clips = [*noise[:2], *(Clip((file,), noise[0].boxes, None, file.name) for file in (broken, tmp_path / "missing.jpg"))]
    pairs = Pairs(clips, 16)
    batch = pairs.batch(40, np.random.default_rng(0))
    assert set(batch.clips) == {0, 1} and pairs.broken == {broken, tmp_path / "missing.jpg"}
    assert same(batch, pairs.batch(40, np.random.default_rng(0))), "it does not matter that they are known to be broken"
    assert pairs.of([2, 1, 3], np.random.default_rng(0)).clips.tolist() == [1]
    with pytest.raises(DistillationError, match="2 pictures cannot be read, the first is .*broken.jpg"):
        pairs.of([2, 3], np.random.default_rng(0))
    with pytest.raises(DistillationError, match="1000 pairs in a row cannot be drawn; 1 pictures cannot be read, .*missing.jpg"):
        Pairs(clips[3:], 16).batch(1, np.random.default_rng(0))


@pytest.mark.parametrize("setting", [
    {"shift": -1}, {"scale": 0.9}, {"rotation": 200}, {"flipped": 1.1}, {"greyed": float("nan")}, {"defocus": (2, 1)},
    {"defocus": (0, 1)}, {"motion": (3, 5, 7)}, {"brightness": (0.0, 1.0)}, {"tint": 2}, {"occlusion": (0.5, 1.5)},
    {"distractors": (1, 2.5)}, {"distractors": 2}, {"shift": (0, 1)}, {"overlap": -0.1},
])  # fmt: skip
def test_amounts_that_make_no_sense(setting):
    with pytest.raises(DistillationError, match=next(iter(setting))):
        Augmentation(**setting)


@pytest.mark.parametrize("setting", [{"side": 0}, {"search_area": 0.5}, {"reach": -1}, {"videos": 1.5}, {"search_area": 1.5}])
def test_settings_that_make_no_sense(setting, noise):
    with pytest.raises(DistillationError, match=f"{next(iter(setting))}|leaves a crop"):
        Pairs(noise, **setting)


# validation


def test_validation_pairs(noise):
    first, again = (validation_pairs(noise, side=48) for _ in range(2))
    assert same(first, again)
    assert sorted(first.clips) == [0, 1, 2, 3, 4, 5] + 8 * [6]
    assert 0.5 < np.abs(first.shift).max() / (48 / 5) <= 1
    np.testing.assert_allclose(np.sqrt(first.size.prod(1)), 48 / 5, rtol=1e-5)
    assert MOVED.distractors == (2, 2) and (first.x != first.z).any()
    assert not same(first, validation_pairs(noise, seed=1, side=48))
    assert len(validation_pairs(noise, side=48, augmentation=HARD)) == 14
    many = validation_pairs(noise * 100, side=16).clips  # 1400 would be too many
    assert len(many) == 600 and {many.min(), many.max()} == {0, 699}
