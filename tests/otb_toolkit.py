"""The OTB toolkit's own raw results and curves, of the reference numbers."""

from pathlib import Path

import numpy as np

from benchmarks.datasets import canonical, otb
from benchmarks.metrics import frame_values, precision_curve, success_curve
from benchmarks.sequences import Sequence

TRACKERS = ("KCF", "DSST", "SRDCF", "MEEM")  # whose boxes are there


class Toolkit:
    """Sequences, boxes and curves of the 100 targets."""

    def __init__(self, path: Path):
        with np.load(path) as arrays:
            self._arrays = dict(arrays)
        self._names = {canonical(name, otb.TARGETS): name for name in self._arrays["targets"].tolist()}
        self.sequences = [self._sequence(name, given) for name, given in self._names.items()]

    def _sequence(self, name: str, given: str) -> Sequence:
        rows = self._arrays[f"anno/{given}"]
        begins, first, _ = self._arrays[f"frames/KCF/{given}"]
        folder = otb.TARGETS[name]["folder"]
        whole = Sequence(name, folder, (), rows - (1, 1, 0, 0), (rows > 0).all(axis=1), 1, attributes=otb.attributes(name))
        return whole.since(int(begins - first))

    def boxes(self, tracker: str, sequence: Sequence) -> np.ndarray:
        """Raw result, 0-based."""
        return self._arrays[f"boxes/{tracker}/{self._names[sequence.name]}"] - (1, 1, 0, 0)

    def frames(self, sequence: Sequence) -> tuple[int, int]:
        """The numbers of the first picture of the result and of the annotation."""
        begins, first, _ = self._arrays[f"frames/KCF/{self._names[sequence.name]}"]
        return int(begins), int(first)

    def differences(self, tracker: str, sequence: Sequence, boxes: np.ndarray) -> float:
        """Largest difference of the curves of some boxes from the toolkit's for a tracker."""
        at = self._arrays["trackers"].tolist().index(tracker), list(self._names).index(sequence.name)
        overlaps, errors = frame_values(boxes, sequence)
        success = np.abs(success_curve(overlaps) - self._arrays["success_curves"][at]).max()
        return max(success, np.abs(precision_curve(errors) - self._arrays["precision_curves"][at]).max())
