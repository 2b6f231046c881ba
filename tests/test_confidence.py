"""The score of a target: what stands out, and what looks alike."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import naive
from trackers import confidence
from trackers.confidence import (
    BACF,
    COLOUR,
    COLOUR_TO_SHARPNESS,
    DOUBTFUL_BELOW,
    LOST_BELOW,
    SEVERAL,
    Confidence,
    Verdict,
    peak_to_sidelobe,
    target_cells,
)


def unit(cells):
    """Without each channel's mean, and of length one."""
    cells = cells - cells.mean((1, 2), keepdims=True)
    return cells / max(np.linalg.norm(cells), 1e-30)


def looked_at(blocks):
    """All of each block, as the target's."""
    return [target_cells(block, tuple((n - 1) / 2 for n in block.shape[1:]), block.shape[1:]) for block in blocks]


@given(st.integers(4, 30), st.integers(4, 30), st.integers(0, 10_000))
def test_peak_to_sidelobe_is_its_definition(rows, columns, seed):
    response = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    place = np.unravel_index(np.argmax(response), response.shape)
    mean, deviation = naive.sidelobe(response, *place, int(confidence.LOBE * rows), int(confidence.LOBE * columns))
    assert peak_to_sidelobe(response) == pytest.approx((response[place] - mean) / deviation, rel=1e-5)


@given(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.integers(0, 10_000))
def test_cells_are_those_of_the_definition(channels, height, width, seed):
    rng = np.random.default_rng(seed)
    block = rng.normal(size=(channels, height, width)).astype(np.float32)
    rows, columns = (int(rng.integers(1, n + 1)) for n in (height, width))
    place = rng.uniform(0, height - rows), rng.uniform(0, width - columns)
    found = confidence.unit_cells(block, *place, rows, columns)
    np.testing.assert_allclose(found, naive.unit_cells(block, *place, rows, columns), atol=1e-5)
    other = rng.normal(size=found.shape).astype(np.float32)
    assert confidence.cosine(found, other) == pytest.approx(naive.cosine(found, other), abs=1e-6)


def test_a_flat_response_has_no_peak():
    assert peak_to_sidelobe(np.full((9, 9), 0.25, np.float32)) == 0


def test_height_and_place_of_a_response_do_not_matter():
    response = np.random.default_rng(0).normal(size=(21, 21))
    moved = np.roll(3 * response + 5, (4, -7), (0, 1))
    assert peak_to_sidelobe(moved) == pytest.approx(peak_to_sidelobe(response))


@pytest.mark.parametrize(
    ("centre", "size", "rows", "columns"),
    [
        ((5, 5), (3, 3), (4, 7), (4, 7)),
        ((4.5, 6), (2, 5), (4, 6), (4, 9)),
        ((0, 11), (3, 3), (0, 3), (9, 12)),  # moved into the block
        ((5, 5), (40, 0.2), (0, 12), (5, 6)),  # larger than the block, smaller than a cell
        ((-50, 80), (2, 2), (0, 2), (10, 12)),
    ],
)
def test_cells_of_the_target(centre, size, rows, columns):
    block = np.random.default_rng(2).normal(size=(2, 12, 12)).astype(np.float32)
    np.testing.assert_allclose(target_cells(block, centre, size), unit(block[:, slice(*rows), slice(*columns)]), atol=1e-6)


def test_cells_between_cells():
    ramp = np.add.outer(np.arange(12), 10 * np.arange(12)).astype(np.float32)[None]
    found = target_cells(ramp, (5.25, 6.4), (3, 2))
    np.testing.assert_allclose(found, unit(np.add.outer([4.25, 5.25, 6.25], 10 * np.array([5.9, 6.9]))[None]), atol=1e-6)


@pytest.fixture
def blocks():
    return [np.random.default_rng(1).normal(size=shape).astype(np.float32) for shape in ((3, 4, 5), (1, 8, 8))]


def test_likeness_is_a_mean_of_cosines(blocks):
    known = Confidence(SEVERAL, looked_at(blocks))
    assert known.likeness(looked_at(blocks)) == pytest.approx(1)
    assert known.likeness(looked_at([2 * block + 7 for block in blocks])) == pytest.approx(1)  # neither contrast nor brightness
    assert known.likeness(looked_at([-block for block in blocks])) == pytest.approx(-1)
    assert known.likeness(looked_at([blocks[0], np.ones_like(blocks[1])])) == pytest.approx(0.5, abs=1e-5)  # a flat block is like nothing
    other = [np.ascontiguousarray(block[:, ::-1]) for block in blocks]
    expected = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(blocks[1:], other[1:], strict=True)]
    assert Confidence(SEVERAL, looked_at(blocks[1:])).likeness(looked_at(other[1:])) == pytest.approx(expected[0], abs=1e-6)


def test_what_is_learnt_becomes_like(blocks):
    known, other = Confidence(SEVERAL, looked_at(blocks)), looked_at([np.ascontiguousarray(block[:, ::-1]) for block in blocks])
    before = known.likeness(other)
    known.learn(0.4, other, 7.0)
    assert known.likeness(other) == before  # that was not surely the target
    for _ in range(100):
        known.learn(0.9, other, 7.0)
    assert before < 0.5 and known.likeness(other) > 0.999


def test_score_and_evidence_rise_with_both_and_the_score_stays_within_0_and_1(blocks):
    rng, known = np.random.default_rng(0), Confidence(SEVERAL, looked_at(blocks))
    sharp, blurred = (rng.normal(0, noise, (21, 21)) for noise in (0.01, 0.3))
    sharp[3, 5] = blurred[3, 5] = 1.5
    cells, unlike = looked_at(blocks), looked_at([-block for block in blocks])
    for which in range(3):
        low, blurry, high = (known.judge(*seen, 0.0)[which] for seen in ((blurred, unlike), (blurred, cells), (sharp, cells)))
        assert low < blurry < high and low < known.judge(sharp, unlike, 0.0)[which] < high
    assert 0 < known.judge(blurred, unlike, 3.0)[0] < known.judge(sharp, cells, 0.0)[0] < 1
    assert 0 <= known.judge(np.zeros((21, 21)), [np.zeros_like(block) for block in blocks], 0.0)[0] < LOST_BELOW


def test_another_colour_lowers_score_and_evidence_but_not_the_colourless_score(blocks):
    rng, known = np.random.default_rng(0), Confidence(SEVERAL, looked_at(blocks))
    response, cells = rng.normal(0, 0.1, (21, 21)), looked_at(blocks)
    score, colourless, evidence = known.judge(response, cells, 0.0)
    assert score == colourless
    for strangeness in (0.1, 1.0, 4.0):
        other = known.judge(response, cells, strangeness)
        odds = score / (1 - score) * math.exp(COLOUR * strangeness)
        assert other == pytest.approx((odds / (1 + odds), colourless, evidence + COLOUR_TO_SHARPNESS * strangeness), rel=1e-9)


@pytest.mark.parametrize("scoring", [SEVERAL, BACF])
def test_a_score_is_doubted_when_it_is_low_or_has_dropped(blocks, scoring):
    known = Confidence(scoring, looked_at(blocks))
    assert known.doubts(DOUBTFUL_BELOW - 0.01) and not known.doubts(DOUBTFUL_BELOW + 0.01)
    for _ in range(200):
        known.learn(0.8, looked_at(blocks), 7.0)
    assert known.doubts(0.8 * scoring.drop - 0.01) and not known.doubts(0.8 * scoring.drop + 0.01)


def test_usual_evidence_is_a_running_mean(blocks):
    known, expected = Confidence(SEVERAL, looked_at(blocks)), confidence.EVIDENCE
    for evidence in (5.0, 6.5, 4.0):
        known.learn(0.8, looked_at(blocks), evidence)
        expected = (1 - confidence.RATE) * expected + confidence.RATE * evidence
    assert known.usual_evidence == pytest.approx(expected)


@pytest.mark.parametrize("scoring", [SEVERAL, BACF])
def test_what_a_second_look_finds_needs_another_share_of_the_usual_score(blocks, scoring):
    known = Confidence(scoring, looked_at(blocks))
    for _ in range(200):
        known.learn(0.8, looked_at(blocks), 7.0)
    assert known.falls_below(0.4, 0.8 * 0.4 - 0.01) and not known.falls_below(0.4, 0.8 * 0.4 + 0.01)
    assert known.falls_below(0.0, DOUBTFUL_BELOW - 0.01)


@pytest.mark.parametrize(("scoring", "low", "high"), [(SEVERAL, 0.1, 0.2), (BACF, 0.2, 0.4)])  # shares of a level close to 0.8
def test_a_target_is_lost_below_a_share_of_its_level_and_the_longer_the_more_it_takes_to_be_back(scoring, low, high):
    brief, long = Verdict(scoring), Verdict(scoring)
    assert not any(lost(0.8) for lost in (brief, long) for _ in range(50))
    assert [brief(score) for score in (low + 0.01, low - 0.01, high, low + 0.02)] == [False, True, False, False]
    assert all(long(low - 0.01) for _ in range(confidence.RISING))
    assert [long(score) for score in (low + 0.02, high - 0.01, high + 0.01, high - 0.01)] == [True, True, False, False]


def test_a_level_falls_slowly_and_rises_fast():
    falling, rising = Verdict(BACF), Verdict(BACF)
    for lost, scores in ((falling, [0.8, *[0.4] * 20]), (rising, [0.2, *[0.8] * 20])):
        assert not any(map(lost, scores))
    assert falling(0.15) and rising(0.15)  # levels above 0.6
    assert not Verdict(SEVERAL)(LOST_BELOW + 0.01) and Verdict(SEVERAL)(LOST_BELOW - 0.01)
