"""What a tracker says of a video, errors among it."""

from collections.abc import Iterable, Iterator

import numpy as np

from benchmarks import peers
from trackers.errors import TrackerError
from trackers.opencv import cv2
from trackers.tracker import Box


def answers(tracker: peers.Trackable, frames: Iterable[np.ndarray], box: np.ndarray) -> Iterator[tuple[bool, Box] | None]:
    """``ok`` and the box of every frame but the first, on whose `box` it begins; None of those in which it raises an error.

    One that cannot begin has nothing to say of any.
    """
    frames = iter(frames)
    first, begun = next(frames), True
    try:
        tracker.init(first, box)
    except (cv2.error, TrackerError):
        begun = False
    for frame in frames:
        try:
            yield tracker.update(frame) if begun else None
        except (cv2.error, TrackerError):
            yield None
