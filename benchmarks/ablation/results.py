"""Scores on disk, so that nothing is measured twice."""

import hashlib
import json
from pathlib import Path

from benchmarks.ablation.rows import Row
from benchmarks.files import write_json
from benchmarks.provenance import sources
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
        self._key = {"weights": arrays, "code": sources(("cfvgg", "trackers", *("distill",) * row.adapt))}
        try:
            stored = json.loads(self._path.read_text()) if self._path.is_file() else {}
        except (OSError, json.JSONDecodeError) as error:
            raise VideoError(f"{self._path} is no file of scores: {error}") from error
        self.scores: Scores = stored.get("auc", {}) if self._key.items() <= stored.items() else {}

    def add(self, target: str, found: list[float]) -> None:
        """Add the scores of further runs on a target, and write all."""
        self.scores[target] = self.scores.get(target, []) + found
        write_json(self._path, {**self._key, "auc": self.scores})
