"""Starts of OPE, SRE and TRE: examples computed by hand from the toolkit's rules, and the rules in the toolkit's own, 1-based words."""

import math

import numpy as np
import pytest

from benchmarks.protocols import segments, shifted, starts
from benchmarks.sequences import Sequence
from trackers.errors import UnknownOptionError


def sequence(count, box=(99, 99, 40, 20), invalid=(), omitted=()):
    valid = ~np.isin(np.arange(count), invalid)
    return Sequence("Cup", "Cup", (), np.tile(np.array(box, float), (count, 1)), valid, 1, omitted=omitted)


def test_ope_has_one_start():
    (start,) = starts(sequence(9))
    assert (start.protocol, start.number, start.frame) == ("ope", 1, 0)
    np.testing.assert_array_equal(start.box, [99, 99, 40, 20])


def test_sre_of_the_example():
    """[100, 100, 40, 20] of the 1-based toolkit, in 640 x 480."""
    expected = {
        1: (96, 100, 40, 20), 2: (104, 100, 40, 20), 3: (100, 98, 40, 20), 4: (100, 102, 40, 20),
        5: (96, 98, 44, 22), 6: (100, 98, 44, 22), 7: (96, 100, 44, 22), 8: (100, 100, 44, 22),
        9: (104, 102, 32, 16), 10: (102, 101, 36, 18), 11: (98, 99, 44, 22), 12: (96, 98, 48, 24),
    }  # fmt: skip
    found = starts(sequence(9), "sre", (480, 640, 3))
    assert {start.number: tuple(np.add(start.box, (1, 1, 0, 0))) for start in found} == expected
    assert {(start.protocol, start.frame) for start in found} == {("sre", 0)}


def test_sre_rounds_halves_away_from_zero_and_stays_in_the_picture():
    """[2, 5, 25, 15] in 30 x 17: the shifts are 2.5 and 1.5, rounded up for a shift, and at corners away from zero."""
    found = np.add(shifted(np.array([1, 4, 25, 15]), (17, 30)), (1, 1, 0, 0))
    np.testing.assert_array_equal(found[0], [1, 5, 25, 13])  # 2 - 3 is left of the picture; the height is cut
    np.testing.assert_array_equal(found[1], [5, 5, 25, 13])
    np.testing.assert_array_equal(found[3], [2, 7, 25, 11])
    np.testing.assert_array_equal(found[4], [1, 4, 28, 14])  # x = round(-0.5) = -1, y = round(3.5) = 4; w = 26 + 1 + 1, h = 19 - 4 + 1
    np.testing.assert_array_equal(found[7], [2, 5, 28, 13])  # to round(28.5) = 29
    np.testing.assert_array_equal(found[11], [1, 4, 30, 14])  # round(-0.5), round(3.5), 30, 18


def test_tre_of_the_example():
    expected = [1, 5, 9, 13, 18, 22, 26, 30, 35, 39, 43, 47, 52, 56, 60, 64, 69, 73, 77, 81]
    found = starts(sequence(100), "tre")
    assert [start.frame + 1 for start in found] == expected
    assert [start.number for start in found] == list(range(1, 21))


def toolkit(count, omitted, invalid):
    """splitSeqTRE in its own words, frames counted from 1."""
    index = [frame for frame in range(1, count + 1) if frame - 1 not in invalid]
    index = [frame for frame in index if not any(first <= frame <= last for first, last in omitted)]
    end = max(place for place, frame in enumerate(index, 1) if count - frame + 1 >= 20)
    step, places, k = end / 19, [], 0
    while 1 + k * step <= end:
        places.append(math.floor(1 + k * step))
        k += 1
    return [index[place - 1] for place in (*places, end)]


@pytest.mark.parametrize(
    ("count", "omitted", "invalid"),
    [(100, ((7, 44), (71, 78)), ()), (354, ((1, 5), (9, 15), (332, 354)), (20, 21)), (59, ((-4, 0), (3, 3)), (58,)), (397, (), ())],
)
def test_tre_leaves_out_what_is_omitted(count, omitted, invalid):
    found = [frame + 1 for frame in segments(sequence(count, invalid=invalid, omitted=omitted))]
    assert found == toolkit(count, omitted, invalid) and len(found) == 20
    assert count - found[-1] + 1 >= 20


def test_tre_of_short_sequences():
    assert segments(sequence(30)) == list(range(11))  # all of which have 20 frames left
    assert segments(sequence(20)) == [0]
    assert segments(sequence(5)) == [0]


def test_an_unknown_protocol_is_said():
    with pytest.raises(UnknownOptionError, match="no protocol 'ops'; there are ope, sre, tre"):
        starts(sequence(5), "ops")
