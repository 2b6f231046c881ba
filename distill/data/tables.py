"""Annotation files that are tables of numbers, and the files that are left out because they cannot be read."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from xml.etree.ElementTree import ParseError

import numpy as np

from distill.data.clips import Clip

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png")
UNREADABLE = (OSError, ValueError, KeyError, TypeError, ParseError)


def gather(files: Iterable[Path], read: Callable[[Path], list[Clip]], broken: list[Path]) -> list[Clip]:
    """The clips that `read` finds in every file; files that are not what they should be are added to `broken` instead."""
    clips = []
    for file in files:
        try:
            clips += read(file)
        except UNREADABLE:
            broken.append(file)
    return clips


def read_boxes(file: Path, origin: int, absent: np.ndarray | None = None) -> np.ndarray:
    """Boxes of a text file with x, y, w, h in every line, between commas, tabs, spaces or semicolons.

    Parameters
    ----------
    file : Path
        Empty lines are skipped.
    origin : int
        What the file calls the first pixel: 0 or 1.
    absent : ndarray, bool, (N,), or None
        Frames without the target.

    Returns
    -------
    ndarray, float64, (N, 4)
        0-based; NaN where the target is absent, or its box is empty or no number.

    Raises
    ------
    OSError, ValueError
        If the file is not such a table, or `absent` is of another length.
    """
    text = file.read_text()
    lines = sum(not line.isspace() for line in text.splitlines() if line)
    numbers = np.array(re.sub("[,;]", " ", text).split(), float)
    if numbers.size != 4 * lines:
        raise ValueError(f"{file}: {lines} lines with {numbers.size} numbers, not 4 in each")
    return clean(numbers.reshape(-1, 4) - (origin, origin, 0, 0), absent)


def clean(boxes: np.ndarray, absent: np.ndarray | None = None) -> np.ndarray:
    """Boxes (N, 4) with NaN for those that are marked as absent (N,), empty, or not finite; ValueError if the lengths differ."""
    useless = ~(np.isfinite(boxes).all(1) & (boxes[:, 2:] > 0).all(1))
    if absent is not None:
        if len(absent) != len(boxes):
            raise ValueError(f"{len(absent)} flags for {len(boxes)} boxes")
        useless |= absent
    boxes[useless] = np.nan
    return boxes


def read_flags(file: Path) -> np.ndarray | None:
    """Flags, bool, (N,), of a text file of 0 and 1, between commas or in lines; None if there is no such file."""
    return np.array(file.read_text().replace(",", " ").split(), int) != 0 if file.is_file() else None


def pictures(folder: Path) -> list[Path]:
    """The pictures in a folder, in the order of their names: shorter names first, so that 2.jpg comes before 10.jpg."""
    files = (file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    return sorted(files, key=lambda file: (len(file.name), file.name))
