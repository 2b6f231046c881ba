"""What every tracker has in common: init, update, track."""

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from trackers import snapshot
from trackers.errors import NotInitialisedError, SnapshotError
from trackers.validation import check_box, check_channel_order, check_image

Box = tuple[float, float, float, float]


class Target(Protocol):
    """A target under way: the state of a tracker between `init` and the next `init`.

    Attributes
    ----------
    lost : bool
        Judged so in the last picture.
    """

    lost: bool

    @abstractmethod
    def follow(self, image: np.ndarray) -> tuple[Box, float]:
        """Box in the next picture (H, W, C), R, G, B or grey, and a score in [0, 1]."""

    @abstractmethod
    def expect(self, box: Box) -> None:
        """Look around the centre of a box in the next picture."""


@dataclass(frozen=True)
class Track:
    """A tracked video.

    Attributes
    ----------
    boxes : ndarray, float64, (N, 4)
        x, y, w, h; the first is the given box.
    scores : ndarray, float64, (N,)
        Confidence in [0, 1]; 1 for the first.
    seconds : ndarray, float64, (N,)
        Wall time of every frame, `init` for the first.
    """

    boxes: np.ndarray
    scores: np.ndarray
    seconds: np.ndarray


class Tracker(ABC):
    """Follows one target through a video.

    Parameters
    ----------
    channel_order : {'BGR', 'RGB'}
        Of the pictures given to `init` and `update`.
    seed : int
        For whatever a tracker draws at random.

    Attributes
    ----------
    score : float
        Confidence in [0, 1] in the last box: see `trackers.confidence`.
    """

    def __init__(self, *, channel_order: str = "BGR", seed: int = 0):
        self._channel_order = check_channel_order(channel_order)
        self._seed = seed
        self._target: Target | None = None
        self.score = 0.0

    @abstractmethod
    def _start(self, image: np.ndarray, box: Box) -> Target:
        """Learn the target in the first picture (H, W, C), R, G, B or grey."""

    def init(self, image: np.ndarray, box: Sequence[float]) -> None:
        """Begin with the target in `box`; may be called again at any time.

        Parameters
        ----------
        image : ndarray, uint8, (H, W, 3) or (H, W)
        box : four numbers
            x, y, w, h in pixels, x and y of the top left corner, 0-based; may reach outside the picture.

        Raises
        ------
        InvalidImageError, InvalidBoxError
            The tracker is then left as it was.
        """
        picture = check_image(image, self._channel_order)
        checked = check_box(box, picture.shape[:2])
        self._target = self._start(picture, checked)
        self._shape = picture.shape[:2]
        self.score = 1.0

    def update(self, image: np.ndarray, near: Sequence[float] | None = None) -> tuple[bool, Box]:
        """Find the target in the next picture.

        Parameters
        ----------
        image : ndarray, uint8, (H, W, 3) or (H, W)
            Of the first picture's size.
        near : four numbers, optional
            A box (x, y, w, h) around whose centre to look, where you know better than the last frame: from another sensor, or since the
            camera has turned. The target keeps its size.

        Returns
        -------
        ok : bool
            False where the target is judged lost; `box` is then the best guess.
        box : (float, float, float, float)
            x, y, w, h; may reach outside the picture.

        Raises
        ------
        NotInitialisedError, InvalidImageError, InvalidBoxError
            The tracker is then left as it was.
        """
        if self._target is None:
            raise NotInitialisedError("update before init: call init(image, box) with the first picture")
        picture = check_image(image, self._channel_order, self._shape)
        if near is not None:
            self._target.expect(check_box(near, self._shape))
        box, self.score = self._target.follow(picture)
        return not self._target.lost, box

    def save(self, path: str | os.PathLike) -> None:
        """Write the tracker and all that it knows of its target to a file, from which `load` goes on bit by bit.

        Raises
        ------
        SnapshotError
            If the file cannot be written, or an option was a function of your own.
        """
        snapshot.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Tracker":
        """A tracker that `save` wrote. Nothing that a file holds is run; one of another version of this package is refused.

        Raises
        ------
        SnapshotError
            If the file is missing, broken, or of another kind of tracker than the class that is asked.
        """
        tracker = snapshot.load(path)
        if not isinstance(tracker, cls):
            raise SnapshotError(f"{path} holds a {type(tracker).__name__}, no {cls.__name__}")
        return tracker

    def track(self, frames: Iterable[np.ndarray], box: Sequence[float]) -> Track:
        """Track a whole video.

        Parameters
        ----------
        frames : iterable of ndarray
            Pictures as `init` and `update` take them; the first is the one with the box.
        box : four numbers
            x, y, w, h in the first picture.
        """
        boxes, scores, seconds = [], [], []
        for number, image in enumerate(frames):
            start = time.perf_counter()
            if number == 0:
                self.init(image, box)
                found = tuple(float(v) for v in np.ravel(box))
            else:
                _, found = self.update(image)
            seconds.append(time.perf_counter() - start)
            boxes.append(found)
            scores.append(self.score)
        return Track(np.array(boxes).reshape(-1, 4), np.array(scores), np.array(seconds))
