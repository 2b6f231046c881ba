"""Real sequences are read by the rules of OTB."""

import numpy as np
import pytest

from benchmarks.sequences import read_sequences
from tests.sequences import save_sequences
from trackers.errors import VideoError


@pytest.fixture
def root(tmp_path, video):
    return save_sequences(tmp_path / "root", *video)


def test_sequences_are_read(root, video):
    frames, boxes = video
    found = read_sequences(root)
    assert [(target.name, target.video) for target in found] == [("Cup", "Cup"), ("Two.1", "Two"), ("Two.2", "Two")]
    for target in found:
        np.testing.assert_allclose(target.boxes, boxes, atol=1e-6)
        assert [file.name for file in target.files] == [f"{number:04d}.jpg" for number in range(1, 8)]
        assert np.abs(next(target.frames()).astype(int) - frames[0]).mean() < 5  # of the JPEG


def test_annotations_that_are_none(root, video):
    """OTB calls a box invalid in which any of the 1-based numbers is not above zero; a file without lines is no target."""
    path = root / "Cup" / "groundtruth_rect.txt"
    path.write_text("1,1,5,6\r\n\r\n0,3,5,6\n0 0 0 0\n8,9,0,5\n")
    (root / "Two" / "groundtruth_rect.1.txt").write_text("\n")
    cup, two = read_sequences(root)
    np.testing.assert_array_equal(cup.boxes, [(0, 0, 5, 6), [np.nan] * 4, [np.nan] * 4, [np.nan] * 4])
    assert len(cup.files) == 4  # pictures without a line are left out
    assert two.name == "Two.2"


def test_david_begins_in_the_middle(root):
    (root / "Cup").rename(root / "David")
    for index, file in enumerate(sorted((root / "David" / "img").iterdir())):
        file.rename(file.with_name(f"{296 + index:04d}.jpg"))
    path = root / "David" / "groundtruth_rect.txt"
    lines = path.read_text().splitlines()
    assert read_sequences(root)[0].files[0].stem == "0296"  # all have boxes, as where a copy holds the annotated ones only
    path.write_text("\n".join(lines[:3]))
    assert [file.stem for file in read_sequences(root)[0].files] == ["0300", "0301", "0302"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3\n", "four numbers"),
        ("1,2,3,x\n", "four numbers"),
        ("0,0,0,0\n1,2,3,4\n", "no box in the first line"),
        ("1,2,3,4\n" * 9, "has 9 boxes, .*img only 7 pictures"),
    ],
)
def test_sequences_that_are_none(root, text, message):
    (root / "Cup" / "groundtruth_rect.txt").write_text(text)
    with pytest.raises(VideoError, match=f"Cup.*{message}"):
        read_sequences(root)
    with pytest.raises(VideoError, match="no sequence in"):
        read_sequences(root / "Cup")
