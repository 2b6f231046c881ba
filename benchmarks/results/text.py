"""Files with a box a line, ``x,y,w,h``, as the toolkits for Python write them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.datasets.files import lines, numbers
from benchmarks.files import write
from benchmarks.protocols import Start
from benchmarks.results.run import Result, Run
from benchmarks.sequences import Sequence


@dataclass(frozen=True)
class Layout:
    """How a toolkit arranges the files in the folder of a tracker.

    Attributes
    ----------
    spelling : callable
        From a sequence to how its name is spelt in names of files.
    boxes, times : str
        Paths; ``{0}`` stands for the name. times "": none are written.
    separator : str
        Between numbers.
    """

    spelling: Callable[[Sequence], str]
    boxes: str = "{0}.txt"
    times: str = ""
    separator: str = ","


def _dotted(sequence: Sequence) -> str:
    """The got10k toolkit's Jogging.1 and Human4."""
    target = sequence.name.removeprefix(f"{sequence.video}-")
    return {"Human4-2": "Human4"}.get(sequence.name, sequence.name if target == sequence.name else f"{sequence.video}.{target}")


LAYOUTS = {
    "got10k": Layout(_dotted, times="times/{0}_time.txt"),
    "GOT-10k": Layout(lambda sequence: sequence.name, "{0}/{0}_001.txt", "{0}/{0}_time.txt"),
    "pysot": Layout(lambda sequence: sequence.name),
    "pytracking": Layout(lambda sequence: sequence.name.replace("-", "_"), times="{0}_time.txt", separator="\t"),
}


def write_result(
    folder: Path,
    sequence: Sequence,
    boxes: np.ndarray,
    seconds: np.ndarray | None = None,
    start: Start | None = None,
    layout: str = "got10k",
) -> None:
    """Write a run, boxes last, so that where they are all is.

    Parameters
    ----------
    folder : Path
        Of the tracker; made if it is not there. Runs of SRE and TRE are numbered in its folders ``sre`` and ``tre``.
    sequence : Sequence
    boxes : array_like, (N, 4)
        x, y, w, h, 0-based; written as the data set counts, with all digits.
    seconds : array_like, (N,), or None
        Time of each frame.
    start : Start or None
        Where the run began; None stands for OPE.
    layout : str
        One of `LAYOUTS`.

    Raises
    ------
    VideoError
        If a file cannot be written.
    """
    path, times = _paths(folder, sequence, start, LAYOUTS[layout])
    rows = np.add(boxes, (sequence.origin, sequence.origin, 0, 0))
    if seconds is not None and times:
        write(times, "".join(f"{value:.8f}\n" for value in seconds))
    write(path, "".join(f"{LAYOUTS[layout].separator.join(map(repr, row))}\n" for row in rows.astype(float).tolist()))


def is_done(folder: Path, sequence: Sequence, start: Start | None = None, layout: str = "got10k") -> bool:
    """Whether the file of a run is there, with a line for each frame."""
    path, _ = _paths(folder, sequence, start, LAYOUTS[layout])
    return path.is_file() and len(lines(path)) == len(sequence) - (start.frame if start else 0)


def read_text(path: Path, run: Run) -> Result:
    """Read a run from a file of any layout: numbers between commas, tabs or spaces, and beside them times, if there are any.

    Raises
    ------
    VideoError
        If the file is none, or too short.
    """
    times = (path.parent / "times" / f"{path.stem}_time.txt", path.with_name(f"{path.stem}_time.txt"))
    repeated = path.with_name(f"{path.stem.removesuffix('_001')}_time.txt")  # GOT-10k's, with a column for every run
    found = next((place for place in (*times, repeated) if place != path and place.is_file()), None)
    seconds = None if found is None else numbers(found, None)[:, 0]
    return run.result(path, numbers(path), seconds)


def _paths(folder: Path, sequence: Sequence, start: Start | None, layout: Layout) -> tuple[Path, Path | None]:
    """Files of boxes and times."""
    name = layout.spelling(sequence)
    if start is not None and start.protocol != "ope":
        folder, name = folder / start.protocol, f"{name}_{start.number}"
    return folder / layout.boxes.format(name), folder / layout.times.format(name) if layout.times else None
