"""A part of a sequence is the sequence of its part."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.sequences import Sequence


@pytest.fixture
def sequence():
    frames, files = np.arange(6), tuple(Path(f"{number}.jpg") for number in range(6))
    boxes, polygons = np.add.outer(frames, np.arange(4.0)), np.add.outer(frames, np.arange(8.0))
    omitted = ((2, 3), (6, 9))
    return Sequence("Two-1", "Two", files, boxes, frames != 4, 1, 2, polygons, visible=frames > 1, omitted=omitted)


def test_usable_frames(sequence):
    np.testing.assert_array_equal(sequence.usable, [True, False, False, True, False, False])
    assert sequence.valid.sum() == 5  # as before


def test_since_a_frame(sequence):
    part = sequence.since(2)
    assert (len(part), part.first, part.origin, part.name, part.video) == (4, 4, 1, "Two-1", "Two")
    assert [file.stem for file in part.files] == ["2", "3", "4", "5"]
    np.testing.assert_array_equal(part.boxes[0], [2, 3, 4, 5])
    np.testing.assert_array_equal(part.polygons[0], np.arange(2, 10))
    np.testing.assert_array_equal(part.valid, [True, True, False, True])
    np.testing.assert_array_equal(part.visible, [True] * 4)
    np.testing.assert_array_equal(part.usable, sequence.usable[2:])
    np.testing.assert_array_equal(part.since(1).usable, sequence.since(3).usable)
    assert Sequence("a", "a", (), np.ones((1, 4)), np.ones(1, bool)).since(0).polygons is None


@pytest.mark.parametrize("step", [2, 3, 4])
def test_every_so_many_frames(sequence, step):
    part, kept = sequence.every(step), range(0, 6, step)
    assert (len(part), part.first, part.name, part.video) == (len(kept), 2, f"Two-1 1/{step}", "Two")
    assert [file.stem for file in part.files] == [str(frame) for frame in kept]
    np.testing.assert_array_equal(part.boxes[:, 0], kept)
    np.testing.assert_array_equal(part.polygons[:, 7], np.add(kept, 7))
    np.testing.assert_array_equal(part.visible, [frame > 1 for frame in kept])
    np.testing.assert_array_equal(part.usable, sequence.usable[::step])
    later = sequence.since(1).every(step).since(1)  # begins with frame 1 + step, whose line is one more than that of frame step
    assert (later.first, later.files[0].stem) == (3 + step, str(1 + step))
    assert sequence.every(1).name == sequence.name and len(sequence.every(1)) == 6
