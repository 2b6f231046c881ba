"""Scores on disk, so that nothing is measured twice."""

import hashlib
import json
import os
from functools import cache
from pathlib import Path

from benchmarks.ablation.rows import Row
from cfvgg.weights import load
from trackers.errors import VideoError

Scores = dict[str, list[float]]  # areas under the success curve of the runs, by target


class Results:
    """Scores of one tracker with one row's weights, on disk.

    Parameters
    ----------
    folder : Path
    row : Row
    tracker : str
        A key of `TRACKERS`.
    weights : Path
        Scores of other weights than these, or of other code, are forgotten.

    Raises
    ------
    WeightsError, VideoError
        If weights or earlier scores cannot be read.
    """

    def __init__(self, folder: Path, row: Row, tracker: str, weights: Path):
        self._path = folder / f"{row.weights}{'-adapted' if row.adapt else ''}-{tracker}.json"
        loaded = load(weights)
        arrays = hashlib.sha256(b"".join(array.tobytes() for array in (*loaded.filters, *loaded.biases, loaded.mean))).hexdigest()
        self._key = {"weights": arrays, "code": code(row.adapt)}
        try:
            stored = json.loads(self._path.read_text()) if self._path.is_file() else {}
        except (OSError, json.JSONDecodeError) as error:
            raise VideoError(f"{self._path} is no file of scores: {error}") from error
        self.scores: Scores = stored.get("auc", {}) if self._key.items() <= stored.items() else {}

    def add(self, target: str, found: list[float]) -> None:
        """Add the scores of further runs on a target, and write all."""
        self.scores[target] = self.scores.get(target, []) + found
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write(self._path, {**self._key, "auc": self.scores})
        except OSError as error:
            raise VideoError(f"cannot write {self._path}: {error}") from error


@cache
def code(adapt: bool) -> str:
    """Hash of the sources that a track depends on: a change of a tracker that moves all rows must not show as a difference of some."""
    root, packages = Path(__file__).resolve().parents[2], ("cfvgg", "trackers", *("distill",) * adapt)
    files = sorted(file for package in packages for file in (root / package).rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def write(path: Path, content: dict) -> None:
    """Write JSON, whole or not at all; OSError if that fails."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(content, indent=1) + "\n")
    os.replace(partial, path)
