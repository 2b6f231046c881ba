"""The statistics of scores by hand, and the command."""

import math
from itertools import product

import numpy as np
import pytest

from benchmarks import datasets, peers
from benchmarks.datasets.generated import Generated
from benchmarks.robustness import hard, scores
from benchmarks.robustness.hard import HardClip
from benchmarks.robustness.scores import Said, Signs
from benchmarks.synthetic import Scene, sequence
from tests.numbered import BOX, numbered
from tests.stand_ins import Still
from trackers.confidence import COLOUR, DEEP_STRCF, SEVERAL, Scoring
from trackers.errors import UnknownOptionError, VideoError


def still(number=100, **more):
    """A clip of black frames whose target stays where it is."""
    boxes = np.tile(np.array(BOX, float), (number, 1))
    visible = np.ones(number, bool)
    return HardClip("a", "a", boxes, visible, lambda: iter(np.zeros((number, 64, 80, 3), np.uint8)), **more)


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
    other = np.random.default_rng(len(likeness)).normal(size=(2, len(likeness)))
    values = np.column_stack([other[0], likeness, other[1]])
    return Signs(tracker, video, scoring, values, np.array(found, bool))


def test_found_and_lost_weigh_alike_and_so_do_trackers():
    rng = np.random.default_rng(1)

    def drawn(tracker, shift, found):
        return Signs(tracker, "a", SEVERAL, rng.normal(size=(60, 3)) + shift, np.full(60, found))

    parts = [drawn("a", 1, True), drawn("a", 0, False), drawn("b", 2, True), drawn("b", 0.5, False)]
    base = scores.fitted(parts)
    for more in ([parts[1], parts[1]], [parts[2]], parts[:2]):
        again = scores.fitted([*parts, *more])
        np.testing.assert_allclose(coefficients(again), coefficients(base), atol=1e-5)


def coefficients(scoring):
    return scoring.offset, scoring.sharpness, scoring.likeness, COLOUR


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


class Unable(Still):
    """Cannot begin."""

    def init(self, image, box):
        raise VideoError("no")


def test_a_tracker_that_cannot_begin_is_lost_all_along():
    (spec,) = peers.parse("tests.test_scores:Unable")
    said = scores.listen(spec, still(5))
    assert not said.ok.any() and said.found.all()  # where it was put is where the target is


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
        logits = scoring.offset + found.values @ (scoring.sharpness, scoring.likeness, COLOUR)
        np.testing.assert_allclose(1 / (1 + np.exp(-logits)), scores.listen(spec, clip).scores, rtol=1e-9)
        assert (found.tracker, found.video) == (spec.label, "v") and found.scoring in scores.CONSTANTS


# The command


@pytest.fixture
def short(monkeypatch):
    """Two generated clips of 20 frames whose target is gone in frames 6 to 17, and the data set a short sequence."""
    monkeypatch.setattr(hard, "LONGEST", 20)
    monkeypatch.setattr(hard, "VANISH", (6, 18))
    monkeypatch.setattr(hard, "UNSEEN", range(102, 104))
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
    (alone,) = [number for number, line in enumerate(lines) if line == "Those of them without look-alikes: 1 targets"]  # that of seed 102
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
    assert "MOSSE, as it is" in out and "MOSSE, fitted" in out
    (row,) = [line.split() for line in out.splitlines() if line.startswith("MOSSE ")]
    assert row[:3] == ["MOSSE", "MOSSE", str(7 + 5 + 4 + 19 + 19)]


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
