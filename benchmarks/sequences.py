"""One target of a video: its pictures and true boxes, whatever data set they come from."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trackers.video import read_picture


@dataclass(frozen=True, eq=False)
class Sequence:
    """One target of a video, N frames from the one in which a tracker begins.

    Attributes
    ----------
    name : str
        By which its data set calls the target; where a video has several, with a number: ``Jogging-2``.
    video : str
        What is measured on two targets of one video is not independent.
    files : tuple of Path
        N pictures in order.
    boxes : ndarray, float64, (N, 4)
        True x, y, w, h, 0-based pixels, as annotated: those that are not valid, too; NaN where the annotation has NaN or nothing.
    valid : ndarray, bool, (N,)
        Whether the annotation is one, by the data set's rule.
    origin : int
        What the data set's own files call the first pixel, 0 or 1; files of results do the same.
    first : int
        Line of the annotation, counted from 1, that belongs to the first frame: 6 for OTB's Tiger1, else 1.
    polygons : ndarray, float64, (N, 8), or None
        VOT's corners x, y of the target, 0-based pixels.
    attributes : frozenset of str
        What makes it hard, in the data set's abbreviations.
    visible : ndarray, bool, (N,), or None
        Whether the target may be seen, where the data set says so.
    omitted : tuple of (int, int)
        First and last frame, counted from 1, of ranges in which no run of TRE begins: OTB's initOmit.
    step : int
        Lines of the annotation, and frames of the video, from one frame to the next.
    """

    name: str
    video: str
    files: tuple[Path, ...]
    boxes: np.ndarray
    valid: np.ndarray
    origin: int = 0
    first: int = 1
    polygons: np.ndarray | None = None
    attributes: frozenset[str] = frozenset()
    visible: np.ndarray | None = None
    omitted: tuple[tuple[int, int], ...] = ()
    step: int = 1

    def __len__(self) -> int:
        return len(self.boxes)

    def frames(self) -> Iterator[np.ndarray]:
        """The pictures, BGR uint8 (H, W, 3); VideoError where one cannot be read."""
        return map(read_picture, self.files)

    @property
    def usable(self) -> np.ndarray:
        """Frames in which a run may begin, bool, (N,): annotated and not omitted."""
        usable = self.valid.copy()
        for first, last in self.omitted:
            usable[max(first - 1, 0) : max(last, 0)] = False
        return usable

    def since(self, frame: int) -> "Sequence":
        """The same without what comes before a frame, counted from 0."""
        return replace(
            self,
            files=self.files[frame:],
            boxes=self.boxes[frame:],
            valid=self.valid[frame:],
            first=self.first + frame * self.step,
            polygons=None if self.polygons is None else self.polygons[frame:],
            visible=None if self.visible is None else self.visible[frame:],
            omitted=tuple((first - frame, last - frame) for first, last in self.omitted),
        )

    def every(self, step: int) -> "Sequence":
        """The same at a lower rate: one of every `step` frames, from the first on."""
        return replace(
            self,
            name=self.name if step == 1 else f"{self.name} 1/{step}",
            files=self.files[::step],
            boxes=self.boxes[::step],
            valid=self.valid[::step],
            polygons=None if self.polygons is None else self.polygons[::step],
            visible=None if self.visible is None else self.visible[::step],
            omitted=tuple(((first - 2) // step + 2, (last - 1) // step + 1) for first, last in self.omitted),
            step=self.step * step,
        )
