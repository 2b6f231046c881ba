"""Hard clips, the statistics of scores by hand, and the command."""

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest

from benchmarks import datasets, peers, sequences
from benchmarks.datasets.generated import Generated
from benchmarks.robustness import hard, scores
from benchmarks.robustness.corruption import paint_over
from benchmarks.robustness.hard import HardClip
from benchmarks.robustness.scores import Said, Signs
from benchmarks.synthetic import Scene, sequence
from tests.stand_ins import Still
from trackers.confidence import DEEP_STRCF, SEVERAL, Scoring
from trackers.errors import UnknownOptionError, VideoError

BOX = 20, 24, 10, 15


@dataclass(frozen=True, eq=False)
class Numbered(sequences.Sequence):
    """Noise with the frame's number in the first pixel, and a white target that goes a pixel to the right in each frame."""

    def frames(self):
        for number, box in enumerate(self.boxes):
            picture = np.random.default_rng(number).integers(60, 200, (64, 200, 3)).astype(np.uint8)
            x, y, w, h = np.nan_to_num(box).astype(int)
            picture[y : y + h, x : x + w] = 255
            picture[0, 0] = number
            yield picture


def numbered(length, **more):
    boxes = BOX + np.arange(length)[:, None] * (1, 0, 0, 0)
    return Numbered("a", "video", (), boxes.astype(float), np.ones(length, bool), **more)


def numbers(clip):
    return [int(frame[0, 0, 0]) for frame in clip.frames()]


def still(number=100, **more):
    """A clip of black frames whose target stays where it is."""
    boxes = np.tile(np.array(BOX, float), (number, 1))
    visible = np.ones(number, bool)
    return HardClip("a", "a", boxes, visible, lambda: iter(np.zeros((number, 64, 80, 3), np.uint8)), **more)


# Hard clips


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
    assert sum(hard.look_alikes(seed) == 0 for seed in hard.UNSEEN) >= 20


# Statistics


def test_roc_auc_by_hand():
    found = np.array([True, True, False, False])
    assert scores.roc_auc(np.array([4, 3, 2, 1]), found) == 1
    assert scores.roc_auc(np.array([1, 2, 3, 4]), found) == 0
    assert scores.roc_auc(np.array([4, 2, 3, 1]), found) == 0.75
    assert scores.roc_auc(np.array([4, 3, 3, 1]), found) == 0.875  # of four pairs one is a tie
    assert scores.roc_auc(np.full(4, 0.3), found) == 0.5
    assert math.isnan(scores.roc_auc(np.arange(3), np.ones(3, bool))) and math.isnan(scores.roc_auc(np.zeros(0), np.zeros(0, bool)))


def test_roc_auc_is_the_share_of_pairs_in_order():
    rng = np.random.default_rng(0)
    values, found = rng.integers(0, 9, 60), rng.random(60) < 0.4
    pairs = [(a > b) + (a == b) / 2 for a, b in product(values[found], values[~found])]
    assert scores.roc_auc(values, found) == pytest.approx(np.mean(pairs), abs=1e-12)


def test_reliability_by_hand():
    means, shares = scores.reliability(np.array([0.31, 0.39, 0.31, 0.3, 1, 0.95, 0]), np.array([1, 0, 1, 1, 1, 0, 0], bool))
    np.testing.assert_allclose(means, [0, 0.3275, 0.975])
    np.testing.assert_allclose(shares, [0, 0.75, 0.5])


def test_a_fit_recovers_the_coefficients_that_drew_it():
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.normal(3, 0.5, 40_000), rng.uniform(-0.2, 1, 40_000)])
    found = rng.random(40_000) < 1 / (1 + np.exp(4.1 - values @ (0.33, 5.9)))
    np.testing.assert_allclose(scores.logistic(values, found, np.ones(40_000)), [-4.1, 0.33, 5.9], atol=0.2)


def test_a_fit_to_two_values_is_their_odds():
    values, found = np.array([0, 0, 0, 0, 1, 1, 1]), np.array([1, 0, 0, 0, 1, 1, 0], bool)
    offset, slope = scores.logistic(values[:, None], found, np.ones(7))
    np.testing.assert_allclose([offset, offset + slope], np.log([1 / 3, 2]), atol=1e-6)
    offset, slope = scores.logistic(values[:, None], found, np.array([6, 1, 1, 1, 1, 1, 5]))
    np.testing.assert_allclose([offset, offset + slope], np.log([2, 2 / 5]), atol=1e-6)


def sample(tracker, video, likeness, found, scoring=SEVERAL):
    values = np.column_stack([np.random.default_rng(len(likeness)).normal(size=len(likeness)), likeness])
    return Signs(tracker, video, scoring, values, np.array(found, bool))


def test_found_and_lost_weigh_alike_and_so_do_trackers():
    rng = np.random.default_rng(1)

    def drawn(tracker, shift, found):
        return Signs(tracker, "a", SEVERAL, rng.normal(size=(60, 2)) + shift, np.full(60, found))

    parts = [drawn("a", 1, True), drawn("a", 0, False), drawn("b", 2, True), drawn("b", 0.5, False)]
    base = scores.fitted(parts)
    for more in ([parts[1], parts[1]], [parts[2]], parts[:2]):
        again = scores.fitted([*parts, *more])
        np.testing.assert_allclose(coefficients(again), coefficients(base), atol=1e-5)


def coefficients(scoring):
    return scoring.offset, scoring.sharpness, scoring.likeness


def test_nothing_to_fit():
    parts = [sample("a", "a", [0.1, 0.9], [0, 1]), sample("b", "a", [0.1, 0.9], [1, 1])]
    with pytest.raises(UnknownOptionError, match="nothing to fit for b:"):
        scores.fitted(parts)


def test_left_out_videos_are_scored_by_the_others():
    likeness = np.linspace(0, 1, 40)
    found = likeness > 0.5
    alike = [sample("a", video, likeness, found) for video in "xyz"]
    assert scores.left_out(alike)["a"] > 0.99
    contrary = [sample("a", "x", likeness, found), sample("a", "y", likeness, ~found)]
    assert scores.left_out(contrary)["a"] < 0.01
    two = scores.left_out([*alike, *(sample("b", video, likeness, ~found) for video in "xyz")])
    assert list(two) == ["a", "b"] and two["a"] == pytest.approx(1 - two["b"], abs=0.01)  # one fit for both


def test_fits_are_shown_beside_the_constants():
    rng, likeness = np.random.default_rng(0), np.linspace(0, 1, 200)
    parts = [sample("a", video, likeness, rng.random(200) < likeness, DEEP_STRCF) for video in "xy"]
    table, left_out = scores.fits(parts)
    new = scores.fitted(parts)
    assert table.rows == [["DEEP_STRCF, fitted", *coefficients(new)], ["DEEP_STRCF, as it is", *coefficients(DEEP_STRCF)]]
    share = np.mean([part.found.mean() for part in parts])
    assert left_out.rows == [["a", "DEEP_STRCF", 400, pytest.approx(share), scores.left_out(parts)["a"]]]


# What trackers say


def test_labels():
    clip = still(6)
    clip.visible[2] = False
    clip.boxes[[2, 4]] = np.nan
    boxes = np.array([BOX, BOX, (25, 24, 10, 15), BOX, (23, 24, 10, 15)])  # overlaps of frames 3 and 5: 1/3 and 7/13
    found, known = scores.labels(clip, boxes)
    assert found.tolist() == [True, False, False, False, True] and known.tolist() == [True, True, True, False, True]


class Wavers(Still):
    """Is sure in even frames, and says so; fails in frame 7."""

    def update(self, image):
        super().update(image)
        self.score = 1 / self.frame
        if self.frame == 7:
            raise VideoError("no")
        return self.frame % 2 == 0, self.box


def test_listening_to_a_tracker_by_hand():
    clip = still(12, covered=np.arange(12) / 12)
    clip.visible[[1, 4, 5, 6, 7]] = False
    clip.boxes[9] = np.nan
    (spec,) = peers.parse("tests.test_scores:Wavers")
    said = scores.listen(spec, clip)
    frames = [1, 2, 3, 4, 5, 6, 7, 8, 10, 11]
    assert said.found.tolist() == [frame in (2, 3, 8, 10, 11) for frame in frames]
    assert said.gone.tolist() == [1, 0, 0, 1, 2, 3, 4, 0, 0, 0]
    assert said.ok.tolist() == [frame % 2 == 0 for frame in frames]
    np.testing.assert_allclose(said.scores, [1 / frame for frame in frames])
    np.testing.assert_allclose(said.covered, [frame / 12 for frame in frames])


def test_shares_by_hand():
    gone = np.array([0, 0, 0, 0, 9, 10, 11, 12, 13, 0])
    ok = np.array([1, 1, 0, 1, 1, 1, 0, 0, 0, 0], bool)
    found = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0], bool)
    covered = np.array([0, 0.3, 0.31, 0.2, 0, 0, 0, 0, 0, 0])
    said = [
        ("a", Said(found, gone, ok, np.arange(10.0), covered)),
        ("b", Said(found[:4], gone[:4], ok[:4], np.full(4, np.nan), np.array([0.0, 0.5, 0.0, 0.0]))),
    ]
    table = scores.measured(said, "title")
    assert table.rows == [["a", 10, 4, 0.0, 0.25, 0.25, 0], ["b", 4, 4, None, None, 0.25, pytest.approx(1 / 3)]]
    assert "25.0" in scores.plain(table)


def test_trackers_without_a_score():
    spec, opencv = peers.parse("tests.stand_ins:Still,opencv:MIL")
    assert np.isnan(scores.listen(opencv, still(3)).scores).all()
    said = scores.listen(spec, still(5))
    assert np.isnan(said.scores).all() and said.ok.all() and said.found.all()
    assert scores.measured([("still", said)], "title").rows == [["still", 4, 4, None, None, 0, 0]]


def test_nano_has_a_score(shared):
    (spec,) = peers.parse("opencv:Nano", shared("weights/peers"))
    clip = hard.plain(numbered(4))
    said = scores.listen(spec, clip)
    assert ((said.scores > 0) & (said.scores <= 1)).all() and len(said.scores) == 3


def test_what_scores_are_made_of(video):
    """By the coefficients as they are, the noted values give the scores that the tracker gave."""
    frames, boxes = video
    clip = HardClip("a", "v", boxes, np.ones(len(boxes), bool), lambda: iter(frames))
    for name in ("MOSSE", "KCF"):
        (spec,) = peers.parse(f'{name}{{"recovery":false}}')
        found = scores.signs(spec, clip)
        scoring: Scoring = found.scoring
        logits = scoring.offset + found.values @ (scoring.sharpness, scoring.likeness)
        np.testing.assert_allclose(1 / (1 + np.exp(-logits)), scores.listen(spec, clip).scores, rtol=1e-9)
        assert (found.tracker, found.video) == (spec.label, "v") and found.scoring in scores.CONSTANTS


# The command


@pytest.fixture
def short(monkeypatch):
    """Two generated clips of 20 frames whose target is gone in frames 6 to 17, and the data set a short sequence."""
    monkeypatch.setattr(hard, "LONGEST", 20)
    monkeypatch.setattr(hard, "VANISH", (6, 18))
    monkeypatch.setattr(hard, "UNSEEN", range(103, 105))
    monkeypatch.setattr(hard, "FITTED", range(2))
    scene = Scene(frames=24, size=(60, 80), distractors=0, occlusion=0, motion=3)
    made = Generated("a", "a", (), sequence(scene).boxes, np.ones(24, bool), scene=scene)
    monkeypatch.setattr(datasets, "load", lambda name, root: datasets.Dataset(name, name, "otb", "got10k", 1, [made]))


def test_measuring(short, capsys, tmp_path):
    trackers = "MOSSE,still=tests.stand_ins:Still"
    assert scores.main(["measure", "--trackers", trackers, "--figure", str(tmp_path / "curve.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("2 targets") and "ROC-AUC" in lines[2]
    mosse, standing = lines[4].split(), lines[5].split()
    assert mosse[:2] == ["MOSSE", "38"] and standing[:2] == ["still", "38"]
    assert standing[3:] == ["-", "100.0", "0.0", "0.0"]
    (alone,) = [number for number, line in enumerate(lines) if line == "Those of them without look-alikes: 1 targets"]  # that of seed 104
    assert lines[alone + 4].split()[:2] == ["MOSSE", "19"]
    assert (tmp_path / "curve.png").read_bytes()[1:4] == b"PNG"
    assert scores.main(["measure", "--trackers", trackers]) == 0
    assert capsys.readouterr().out.splitlines() == lines


def test_measuring_on_a_data_set(short, capsys):
    assert scores.main(["measure", "--dataset", "synthetic", "--trackers", "MOSSE"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "synthetic: 1 targets" and lines[4].split()[:2] == ["MOSSE", "23"] and lines[4].split()[4] == "-"


def test_fitting(short, capsys):
    assert scores.main(["fit", "--root", "nowhere", "--trackers", "MOSSE"]) == 0
    out = capsys.readouterr().out
    # Of the sequence every 3rd (8 frames), 4th (6) and 5th (5), none hidden, for frame 5 of 20 is none of the first; of two scenes 20
    # each. All but the first of a clip count.
    assert "SEVERAL, as it is" in out and "SEVERAL, fitted" in out
    (row,) = [line.split() for line in out.splitlines() if line.startswith("MOSSE")]
    assert row[:3] == ["MOSSE", "SEVERAL", str(7 + 5 + 4 + 19 + 19)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["measure", "--trackers", "fECHO"], "did you mean fECO?"),
        (["measure", "--trackers", "KCF", "--dataset", "otb"], "needs a folder"),
        (["measure", "--trackers", "KCF", "--jobs", "0"], "at least one process"),
        (["fit", "--trackers", "KCF"], "needs a folder"),
        (["fit", "--trackers", "KCF,opencv:MIL", "--root", "."], "opencv-MIL; only scores of"),
    ],
)
def test_bad_arguments(monkeypatch, capsys, arguments, message):
    monkeypatch.setattr(hard, "UNSEEN", [100])
    assert scores.main(arguments) == 1
    assert message in capsys.readouterr().err


def test_a_figure_that_cannot_be_written(short, capsys, tmp_path):
    arguments = ["measure", "--dataset", "synthetic", "--trackers", "MOSSE", "--figure"]
    for name in ("curve.nothing", "curve"):
        assert scores.main([*arguments, str(tmp_path / name)]) == 1
        assert "cannot write" in capsys.readouterr().err
