"""How toolkits count the frames of a run: each convention is a function from boxes and a sequence to overlaps and curves."""

from typing import NamedTuple

import numpy as np

from benchmarks.metrics import (
    ERROR_THRESHOLDS,
    INVALID,
    NORMALISED_THRESHOLDS,
    centre_error,
    centre_offset,
    frame_values,
    normalised_errors,
    normalised_precision_curve,
    precision_curve,
    success_curve,
)
from benchmarks.sequences import Sequence


class Values(NamedTuple):
    """Overlaps (N,), `INVALID` where they do not count; success (21,), precision (51,) and normalised precision (51,) of their frames."""

    overlaps: np.ndarray
    success: np.ndarray
    precision: np.ndarray
    normalised: np.ndarray


def otb(boxes: np.ndarray, sequence: Sequence) -> Values:
    """The OTB toolkit's for MATLAB: see `benchmarks.metrics`. Frames whose annotation is not valid are misses by overlap."""
    overlaps, errors = frame_values(boxes, sequence)
    normalised = normalised_precision_curve(normalised_errors(boxes, sequence))
    return Values(overlaps, success_curve(overlaps), precision_curve(errors), normalised)


def got10k(boxes: np.ndarray, sequence: Sequence) -> Values:
    """The got10k toolkit's for OTB: frames without annotation are left out, others count as annotated, and no box is repaired."""
    truth, boxes = sequence.boxes, np.array(boxes, float)
    boxes[:1] = truth[:1]
    there = ~np.isnan(truth).any(axis=1)
    overlaps = np.full(len(truth), INVALID)
    overlaps[there] = _overlap(boxes[there], truth[there])
    offset = np.sqrt(((centre_offset(boxes, truth) / np.maximum(1, truth[:, 2:])) ** 2).sum(axis=1))[there]
    return Values(
        overlaps,
        (overlaps[there, None] > np.linspace(0, 1, 21)).mean(axis=0),
        (centre_error(boxes, truth)[there, None] <= ERROR_THRESHOLDS).mean(axis=0),
        (offset[:, None] <= NORMALISED_THRESHOLDS).mean(axis=0),
    )


CONVENTIONS = {"otb": otb, "got10k": got10k}


def _overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Like `benchmarks.metrics.overlap`, in got10k's order of rounding: boxes of whole numbers often lie on a threshold."""
    sides = np.minimum(a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = np.maximum(sides, 0).prod(axis=1)
    union = a[:, 2:].prod(axis=1) + b[:, 2:].prod(axis=1) - shared
    return np.clip(shared / (union + np.finfo(float).eps), 0, 1)
