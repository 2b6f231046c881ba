"""Pictures of a few targets with the true boxes and those of the trackers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks import sequences
from benchmarks.report.evaluation import Evaluation, Track
from trackers.errors import VideoError
from trackers.opencv import cv2

WIDTH = 360  # pixels, at most
QUALITY = 70  # of JPEG
SHOWN = 4  # frames of a target
ENDS = 3  # targets: so many of the worst, and of the best


@dataclass(frozen=True, eq=False)
class KeyFrame:
    """A picture, and boxes in its own pixels.

    Attributes
    ----------
    number : int
        Of the frame, counted from 1.
    size : (int, int)
        Width and height of the picture before it was made smaller.
    jpeg : bytes
    truth : ndarray, (4,)
        x, y, w, h, 0-based; NaN where there is none.
    boxes : dict of str to ndarray, (4,)
        By tracker.
    """

    number: int
    size: tuple[int, int]
    jpeg: bytes
    truth: np.ndarray
    boxes: dict[str, np.ndarray]


def ends(evaluation: Evaluation) -> tuple[list[sequences.Sequence], list[sequences.Sequence]]:
    """The targets on which the trackers did worst together, and those on which they did best; none twice."""
    means = np.mean([evaluation.values(tracker) for tracker in evaluation.tracks], axis=0)
    order = [evaluation.targets[place] for place in np.argsort(means, kind="stable")]
    return order[:ENDS], order[ENDS:][: -ENDS - 1 : -1]


def key_frames(sequence: sequences.Sequence, tracks: Mapping[str, Track]) -> list[KeyFrame]:
    """Some frames of a target at equal distances, the last among them.

    Raises
    ------
    VideoError
        If a picture cannot be read.
    """
    places = sorted({int(place) for place in np.ceil(np.linspace(0, len(sequence) - 1, SHOWN + 1)[1:])})
    return [_key_frame(sequence, tracks, place) for place in places]


def _key_frame(sequence: sequences.Sequence, tracks: Mapping[str, Track], place: int) -> KeyFrame:
    picture = next(iter(sequence.since(place).frames()))
    height, width = picture.shape[:2]
    scale = min(1, WIDTH / width)
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    done, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise VideoError(f"frame {place + 1} of {sequence.name}, {width} x {height} pixels, does not become a JPEG")
    truth = sequence.boxes[place] if sequence.valid[place] else np.full(4, np.nan)
    boxes = {tracker: track.boxes[place] for tracker, track in tracks.items()}
    return KeyFrame(place + 1, (width, height), jpeg.tobytes(), truth, boxes)
