"""What the readers of all data sets share: lines of numbers, and folders of pictures."""

from collections.abc import Collection
from pathlib import Path

import numpy as np

from trackers.errors import VideoError
from trackers.video import PICTURES


def lines(path: Path) -> list[str]:
    """The lines of a text file, without line ends.

    Raises
    ------
    VideoError
        If it cannot be read, or is no text.
    """
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise VideoError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error


def numbers(path: Path, columns: Collection[int] | None = (4,)) -> np.ndarray:
    """The numbers in the lines of a text file, between commas, tabs or spaces; blank lines are left out.

    Parameters
    ----------
    path : Path
    columns : collection of int or None
        How many a line may have; None: any. All have as many as the first.

    Returns
    -------
    ndarray, float64, (N, C)
        N is at least 1.

    Raises
    ------
    VideoError
        If the file cannot be read or is empty, or a line is something else.
    """
    rows, allowed = [], "as many numbers as the first" if columns is None else f"{' or '.join(map(str, columns))} numbers"
    for number, line in enumerate(lines(path), 1):
        values = line.replace(",", " ").split()
        if not values:
            continue
        try:
            rows.append([float(value) for value in values])
        except ValueError:
            rows.append([])
        if len(rows[-1]) not in (columns or range(1, len(values) + 1)) or len(rows[-1]) != len(rows[0]):
            raise VideoError(f"{path}, line {number}: {line.strip()!r}; every line must be {allowed}")
    if not rows:
        raise VideoError(f"{path} is empty")
    return np.array(rows)


def pictures(folder: Path) -> list[Path]:
    """The pictures in a folder, in the order of their numbers.

    Raises
    ------
    VideoError
        If the folder cannot be read.
    """
    try:
        files = [path for path in folder.iterdir() if path.suffix.lower() in PICTURES]
    except OSError as error:
        raise VideoError(f"cannot read {folder}: {error.strerror}") from error
    return sorted(files, key=lambda path: (len(path.name), path.name))


def number(path: Path) -> int:
    """The number in the name of a picture; -1 if it is none."""
    return int(path.stem) if path.stem.isdecimal() else -1


def check_lengths(annotation: Path, count: int, files: list[Path], folder: Path) -> None:
    """Raise VideoError where an annotation has not as many lines as there are pictures."""
    if len(files) != count:
        raise VideoError(f"{annotation} has {count} boxes, {folder} has {len(files)} pictures")


def folders(root: Path) -> dict[str, Path]:
    """The folders in a folder by their names in small letters; none where there is no such folder."""
    return {path.name.lower(): path for path in sorted(root.iterdir()) if path.is_dir()} if root.is_dir() else {}
