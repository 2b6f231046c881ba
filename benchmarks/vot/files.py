"""Result files of VOT: ``<tracker>/baseline/<sequence>/<sequence>_001.txt`` of the first run, and so on, and the times of the runs.

A trajectory is a list of N rows, one for each frame: a code in an array (1,), or what the tracker found, x, y, w, h or a polygon
x1, y1, .. xN, yN in pixels, 0-based.
"""

import re
from pathlib import Path

import numpy as np

from benchmarks.datasets.files import lines, numbers
from benchmarks.files import write
from trackers.errors import VideoError

SKIPPED, INITIALISED, FAILED = 0, 1, 2  # codes of frames
TRACKED = 3  # in no file: frames with a region

Trajectory = list[np.ndarray]


def codes(trajectory: Trajectory) -> np.ndarray:
    """What happened in each frame, int, (N,)."""
    return np.array([int(row[0]) if len(row) == 1 else TRACKED for row in trajectory])


def runs(folder: Path, name: str) -> list[Path]:
    """Files of the runs of a tracker, whose folder this is, on a sequence of that name, in order."""
    return sorted((folder / "baseline" / name).glob(f"{name}_[0-9][0-9][0-9].txt"))


def write_run(folder: Path, name: str, trajectory: Trajectory, seconds: np.ndarray) -> None:
    """Add a run to those of a tracker on a sequence: first its times, then its trajectory, each whole or not at all.

    Parameters
    ----------
    folder : Path
        Of the tracker.
    name : str
        Of the sequence.
    trajectory : list of N ndarray
    seconds : ndarray, (N,)
        NaN for frames that were skipped.

    Raises
    ------
    VideoError
        If a file cannot be written.
    """
    place, number = folder / "baseline" / name, len(runs(folder, name)) + 1
    times = np.loadtxt(place / f"{name}_time.txt", delimiter=",", ndmin=2)[:, : number - 1] if number > 1 else np.empty((len(seconds), 0))
    times = np.column_stack([times, seconds])
    write(place / f"{name}_time.txt", "".join(",".join(f"{value:.6f}" for value in row) + "\n" for row in times))
    write(place / f"{name}_{number:03}.txt", "".join(_line(row) + "\n" for row in trajectory))


def read_run(path: Path, length: int) -> Trajectory:
    """Read the trajectory of a run, ours or of another toolkit.

    Raises
    ------
    VideoError
        If the file cannot be read, has not `length` lines, or is no trajectory: initialisations and failures take turns.
    """
    trajectory = []
    for number, line in enumerate(lines(path), 1):
        try:
            row = np.array([float(value) for value in line.split(",")])
        except ValueError:
            row = np.empty(0)
        if not _is_row(row):
            raise VideoError(f"{path}, line {number}: {line!r} is neither 0, 1 or 2 nor x,y,w,h nor the corners of a polygon")
        trajectory.append(row)
    if len(trajectory) != length:
        raise VideoError(f"{path} has {len(trajectory)} lines, the sequence has {length} frames")
    events = "".join(str(code) for code in codes(trajectory) if code in (INITIALISED, FAILED))
    if not re.fullmatch("(12)*1?", events) or len(trajectory[0]) != 1:
        raise VideoError(f"{path}: a run begins with 1, and 1 (initialised) and 2 (failed) take turns; here they are {events[:20]}")
    return trajectory


def read_seconds(folder: Path, name: str) -> np.ndarray | None:
    """Times of the frames of all of a tracker's runs on a sequence, seconds, (K,), or None: ours, VOT's in MATLAB, or toolkit 0.7.4's.

    Raises
    ------
    VideoError
        If a file of times is something else.
    """
    place = folder / "baseline" / name
    matlab, toolkit = place / f"{name}_time.txt", sorted(place.glob(f"{name}_[0-9][0-9][0-9]_time.value"))
    found = [numbers(path, range(1, 1000)).ravel() for path in ([matlab] if matlab.is_file() else toolkit)]
    return (seconds := np.concatenate(found))[~np.isnan(seconds)] if found else None


def _is_row(row: np.ndarray) -> bool:
    if len(row) == 1:
        return row[0] in (SKIPPED, INITIALISED, FAILED)
    return len(row) >= 4 and len(row) % 2 == 0


def _line(row: np.ndarray) -> str:
    return str(int(row[0])) if len(row) == 1 else ",".join(f"{value:.4f}" for value in row)
