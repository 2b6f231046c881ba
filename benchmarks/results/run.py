"""What a run left, and how its lines belong to frames."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.protocols import Start
from benchmarks.sequences import Sequence
from trackers.errors import VideoError

# Lines that are missing: no number where MATLAB's repair does not put the box before it, so that they are misses.
ABSENT = (np.nan, np.nan, 1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Result:
    """A run over N frames.

    Attributes
    ----------
    boxes : ndarray, float64, (N, 4)
        x, y, w, h, 0-based pixels.
    seconds : ndarray, float64, (N,), or None
        Time of each frame, if it was written; the first is that of the initialisation.
    """

    boxes: np.ndarray
    seconds: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Run:
    """Which run a file is expected to hold.

    Attributes
    ----------
    sequence : Sequence
    start : Start or None
        Where it began; None stands for OPE.
    allow_short : bool
        Frames behind the last line are misses, not an error.
    """

    sequence: Sequence
    start: Start | None = None
    allow_short: bool = False

    def result(self, path: Path, rows: np.ndarray, seconds: np.ndarray | None, line: int | None = None) -> Result:
        """Rows (n, 4), as a file counts pixels, with the times (n,), as the result.

        Rows of other frames than those of the sequence are left out: before the first (the toolkit for MATLAB begins Tiger1 with the
        sixth frame, others with the first) and behind the last (of a copy that is cut). `line` is that of the annotation to which the
        first row belongs, from 1; None: the first, if the rows reach from there to the end.

        Raises
        ------
        VideoError
            If there are fewer rows than frames, or they begin later.
        """
        begins = self.start.frame if self.start else 0
        count, first = len(self.sequence) - begins, self.sequence.first + begins
        if line is None:
            line = 1 if len(rows) >= count + first - 1 else first
        if line > first:
            raise VideoError(f"{path} begins with frame {line} of the annotation, the run on {self.sequence.name} with frame {first}")
        rows, seconds = rows[first - line :], None if seconds is None else seconds[first - line :]
        if len(rows) < count:
            if not self.allow_short:
                raise VideoError(f"{path} has {len(rows)} boxes for the {count} frames of {self.sequence.name}: was the run broken off?")
            rows = np.vstack([rows, np.tile(ABSENT, (count - len(rows), 1))])
        boxes = np.subtract(rows[:count], (self.sequence.origin, self.sequence.origin, 0, 0))
        return Result(boxes, None if seconds is None or len(seconds) < count else seconds[:count])
