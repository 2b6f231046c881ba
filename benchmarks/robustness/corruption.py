"""Faults of a video: what comes between a camera and a tracker, or between the target and the camera."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

BEFORE, LONGEST, AFTER = 10, 30, 20  # frames of a clip: at least so many good ones, then the fault, then those that count
MARGIN = 0.1  # of the target's size that is painted over, too: boxes are tight


@dataclass(frozen=True)
class Clip:
    """A part of a video.

    Attributes
    ----------
    frames : list of ndarray, uint8, (H, W, 3)
        N pictures.
    boxes : ndarray, float64, (N, 4)
        True x, y, w, h.
    """

    frames: list[np.ndarray]
    boxes: np.ndarray


@dataclass(frozen=True)
class Fault:
    """Something that happens in a clip.

    Attributes
    ----------
    length : int
        How many frames it takes, up to `LONGEST`.
    apply : callable
        From a clip, the first frame that is hit, the first that is not, and a generator of random numbers to what a tracker sees.
    """

    length: int
    apply: Callable[[Clip, int, int, np.random.Generator], Clip]

    def __call__(self, clip: Clip, rng: np.random.Generator) -> Clip:
        """The clip with the fault, which ends `AFTER` frames before its end: the same frames follow every fault."""
        end = len(clip.frames) - AFTER
        return self.apply(clip, end - self.length, end, rng)


def paint_over(picture: np.ndarray, box: np.ndarray) -> np.ndarray:
    """A picture without what is in a box: between its surroundings to the left and right, and above and below, colours pass evenly.

    Parameters
    ----------
    picture : ndarray, uint8, (H, W, C)
    box : ndarray, (4,)
        x, y, w, h, grown by `MARGIN` on each side; where there is none (NaN) nothing is painted.

    Returns
    -------
    ndarray, uint8, (H, W, C)
        A copy.
    """
    painted = picture.copy()
    if not np.isfinite(box).all():
        return painted
    rows, columns = window(picture, box)
    ways = _across(picture[rows], columns), _across(picture[:, columns].swapaxes(0, 1), rows).swapaxes(0, 1)
    known = [way for way in ways if not np.isnan(way).any()]
    painted[rows, columns] = np.rint(np.mean(known, axis=0) if known else picture.mean(axis=(0, 1)))
    return painted


def window(picture: np.ndarray, box: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of a picture (H, W, C) that a box x, y, w, h touches, grown by `MARGIN` on each side."""
    size = np.array(picture.shape[1::-1])
    first = np.clip(np.floor(box[:2] - MARGIN * box[2:]), 0, size).astype(int)
    end = np.clip(np.ceil(box[:2] + (1 + MARGIN) * box[2:]), 0, size).astype(int)
    columns, rows = (slice(*ends) for ends in zip(first.tolist(), end.tolist(), strict=True))
    return rows, columns


def shifted(picture: np.ndarray, dx: int, dy: int) -> np.ndarray:
    """A picture (H, W, C) moved by whole pixels to the right and down; what comes in repeats its border."""
    height, width = picture.shape[:2]
    rows, columns = np.clip(np.arange(height) - dy, 0, height - 1), np.clip(np.arange(width) - dx, 0, width - 1)
    return picture[rows[:, None], columns]


def _across(strip: np.ndarray, columns: slice) -> np.ndarray:
    """Colours (h, w, C) for some columns of a strip (h, W, C), even from the one before to the one behind; NaN if there is neither."""
    width = columns.stop - columns.start
    sides = [column for column in (columns.start - 1, columns.stop) if 0 <= column < strip.shape[1]]
    if not sides:
        return np.full((len(strip), width, strip.shape[2]), np.nan)
    before, behind = strip[:, sides[:1]].astype(float), strip[:, sides[-1:]].astype(float)
    return before + np.arange(1, width + 1)[:, None] / (width + 1) * (behind - before)


def _replaced(picture: Callable[[np.ndarray, np.random.Generator], np.ndarray], clip: Clip, first: int, end: int, rng) -> Clip:
    """Every frame that is hit is another picture."""
    hit = [picture(frame, rng) for frame in clip.frames[first:end]]
    return Clip([*clip.frames[:first], *hit, *clip.frames[end:]], clip.boxes)


def _frozen(clip: Clip, first: int, end: int, _) -> Clip:
    """The last good frame comes again and again."""
    return Clip([*clip.frames[:first], *[clip.frames[first - 1]] * (end - first), *clip.frames[end:]], clip.boxes)


def _hidden(clip: Clip, first: int, end: int, _) -> Clip:
    """The target is not to be seen, and moves on."""
    hit = [paint_over(frame, box) for frame, box in zip(clip.frames[first:end], clip.boxes[first:end], strict=True)]
    return Clip([*clip.frames[:first], *hit, *clip.frames[end:]], clip.boxes)


def _dropped(clip: Clip, first: int, end: int, _) -> Clip:
    """The frames that are hit are missing."""
    return Clip([*clip.frames[:first], *clip.frames[end:]], np.delete(clip.boxes, slice(first, end), axis=0))


def _shift(share: float, clip: Clip, first: int, _: int, rng: np.random.Generator) -> Clip:
    """The camera has turned: all is moved by a share of the target's size in some direction, to the side that has more room."""
    angle = rng.uniform(0, np.pi / 2)
    box, size = clip.boxes[first], np.array(clip.frames[0].shape[1::-1])
    towards = np.where(box[:2] + box[2:] / 2 < size / 2, 1, -1)
    dx, dy = np.rint(share * box[2:] * (np.cos(angle), np.sin(angle)) * towards).astype(int)
    boxes = clip.boxes.copy()
    boxes[first:, :2] += dx, dy
    return Clip([*clip.frames[:first], *(shifted(frame, dx, dy) for frame in clip.frames[first:])], boxes)


FAULTS = {
    "none": Fault(0, lambda clip, *_: clip),
    "black x 5": Fault(5, partial(_replaced, lambda frame, _: np.zeros_like(frame))),
    "white x 5": Fault(5, partial(_replaced, lambda frame, _: np.full_like(frame, 255))),
    "noise x 5": Fault(5, partial(_replaced, lambda frame, rng: rng.integers(0, 256, frame.shape, np.uint8))),
    "frozen x 10": Fault(10, _frozen),
    "hidden x 10": Fault(10, _hidden),
    "hidden x 30": Fault(30, _hidden),
    "dropped x 5": Fault(5, _dropped),
    "shift by 1/2": Fault(0, partial(_shift, 0.5)),
    "shift by 1": Fault(0, partial(_shift, 1.0)),
}
