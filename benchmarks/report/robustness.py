"""Accuracy from other first boxes (SRE) and other first frames (TRE), where a tracker has such runs."""

from collections.abc import Sequence

import numpy as np

from benchmarks import results, sequences
from benchmarks.metrics import auc, frame_values
from benchmarks.protocols import SCALES, Start, segments
from trackers.errors import VideoError

SHIFTS = 8 + len(SCALES)  # runs of SRE


def robustness(tracks: results.Tracks, targets: Sequence[sequences.Sequence], protocol: str) -> float | None:
    """AUC of a protocol, ``sre`` or ``tre``: the mean over targets, on each of which all frames of all runs count alike.

    Returns
    -------
    float or None
        None if a run is missing.
    """
    found = []
    for target in targets:
        overlaps = []
        frames = [0] * SHIFTS if protocol == "sre" else segments(target)
        for number, frame in reversed(list(enumerate(frames, 1))):  # files that hold but one run lack the last
            try:
                result = tracks.read(target, Start(protocol, number, frame, target.boxes[frame]))
            except VideoError:
                result = None
            if result is None:
                return None
            overlaps.append(frame_values(result.boxes, target.since(frame))[0])
        found.append(auc(np.concatenate(overlaps)))
    return float(np.mean(found))
