"""The OTB toolkit's files for MATLAB, and those of its port to Python; both hold all runs of a tracker on a target."""

import json
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from benchmarks.results.run import Result, Run
from trackers.errors import VideoError


def read_matlab(path: Path, run: Run) -> Result:
    """Read a run from ``<Target>_<Tracker>.mat``: the variable ``results``, a cell with a struct for each run.

    Raises
    ------
    VideoError
        If the file is none, does not hold this run, or not as boxes.
    """
    try:
        cells = [cell[0, 0] for cell in loadmat(path)["results"].ravel()]
        held = [{name: cell[name] for name in cell.dtype.names} for cell in cells]
    except Exception as error:  # scipy raises what it likes on files that are none
        raise VideoError(f"{path} is no file of results of the OTB toolkit: {error}") from error
    return _chosen(path, held, run)


def read_json(path: Path, run: Run) -> Result:
    """Read a run from ``<Tracker>/<Target>.json``: a list with an object for each run.

    Raises
    ------
    VideoError
        If the file is none, does not hold this run, or not as boxes.
    """
    try:
        content = json.loads(path.read_text())
        held = [dict(each) for each in (content if isinstance(content, list) else [content])]
    except (OSError, ValueError, TypeError) as error:
        raise VideoError(f"{path} is no file of results of the OTB toolkit: {error}") from error
    return _chosen(path, held, run)


def _chosen(path: Path, held: list[dict], run: Run) -> Result:
    """The run that is asked for among those that a file holds."""
    number = run.start.number if run.start else 1
    if number > len(held):
        raise VideoError(f"{path} holds {len(held)} runs, not number {number}")
    about = held[number - 1]
    kind = next((str(np.ravel(about[name])[0]) for name in ("type", "resType", "transformType") if name in about), "rect")
    if kind.lower() != "rect":
        raise VideoError(f"{path}, run {number}: boxes are of type {kind}; only rect can be read")
    try:
        rows, fps = np.array(about["res"], float), _number(about, "fps")
        rows = rows.reshape(len(rows), 4)
    except (KeyError, TypeError, ValueError) as error:
        raise VideoError(f"{path}, run {number} has no boxes of four numbers") from error
    begins, first = _number(about, "startFrame"), _number(about, "annoBegin")
    line = int(begins - first) + 1 if begins and first else None
    return run.result(path, rows, np.full(len(rows), 1 / fps) if fps else None, line)


def _number(about: dict, name: str) -> float | None:
    """A field that is one number; None if it is missing, empty or not above zero."""
    value = np.ravel(about.get(name, ()))
    return float(value[0]) if len(value) and float(value[0]) > 0 else None
