"""How good boxes are, by the rules of the OTB toolkit. Boxes are rows of x, y, w, h in pixels.

Curves are means over frames: that of several runs (SRE, TRE) is that of their frames one behind the other, and that of a tracker the mean
of its curves over the sequences.
"""

import numpy as np

from benchmarks.sequences import Sequence

# MATLAB's 0:0.05:1, which is built from both ends: overlaps of whole boxes often lie exactly on a threshold.
OVERLAP_THRESHOLDS = np.array([k * 0.05 if k <= 10 else 1 - (20 - k) * 0.05 for k in range(21)])
ERROR_THRESHOLDS = np.arange(51)  # pixels
NORMALISED_THRESHOLDS = np.arange(51) / 100  # shares of the target's size

INVALID = -1.0  # overlap and error where the annotation is none: a miss by overlap, and by error a hit


def overlap(boxes_a: np.ndarray, boxes_b: np.ndarray) -> np.ndarray:
    """Intersection over union, box by box.

    Parameters
    ----------
    boxes_a, boxes_b : array_like, (N, 4)
        x, y, w, h; w and h above 0.

    Returns
    -------
    ndarray, float64, (N,)
        In [0, 1]; NaN where a box holds NaN.
    """
    a, b = np.asarray(boxes_a, float), np.asarray(boxes_b, float)
    # The toolkit's order, in which a box ends at its last pixel: another one rounds differently.
    sides = np.minimum(a[:, :2] + a[:, 2:] - 1, b[:, :2] + b[:, 2:] - 1) - np.maximum(a[:, :2], b[:, :2]) + 1
    shared = np.maximum(sides, 0).prod(axis=1)
    with np.errstate(invalid="ignore"):  # two boxes without area
        return shared / (a[:, 2:].prod(axis=1) + b[:, 2:].prod(axis=1) - shared)


def centre_offset(boxes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Centres of boxes (N, 4) minus those of the truth (N, 4), in pixels (N, 2): x and y."""
    boxes, truth = np.asarray(boxes, float), np.asarray(truth, float)
    return boxes[:, :2] + (boxes[:, 2:] - 1) / 2 - (truth[:, :2] + (truth[:, 2:] - 1) / 2)


def centre_error(boxes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Distance of the centres of boxes (N, 4) from those of the truth (N, 4), in pixels (N,); NaN where a box holds NaN."""
    return np.sqrt((centre_offset(boxes, truth) ** 2).sum(axis=1))


def repaired(boxes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Results (N, 4) as the toolkit counts them: the first is the truth, and a box that is none is the one before it.

    None is a box of four NaN, and one without width or height; a single NaN does not make it one. Where the truth (N, 4) holds NaN, boxes
    stay as they are.
    """
    boxes, truth = np.array(boxes, float), np.asarray(truth, float)
    unusable = (np.isnan(boxes).all(axis=1) | (boxes[:, 2:] <= 0).any(axis=1)) & ~np.isnan(truth).any(axis=1)
    unusable[:1] = False
    boxes = boxes[np.maximum.accumulate(np.where(unusable, 0, np.arange(len(boxes))))]
    boxes[:1] = truth[:1]
    return boxes


def frame_values(boxes: np.ndarray, sequence: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """Overlaps and centre errors of a run, frame by frame.

    Parameters
    ----------
    boxes : array_like, (N, 4)
        Results, 0-based.
    sequence : Sequence
        Of N frames.

    Returns
    -------
    overlaps, errors : ndarray, float64, (N,)
        In [0, 1], and in pixels; both `INVALID` where the annotation is not valid, NaN where a result holds NaN.
    """
    boxes = repaired(boxes, sequence.boxes)
    return tuple(np.where(sequence.valid, values(boxes, sequence.boxes), INVALID) for values in (overlap, centre_error))


def normalised_errors(boxes: np.ndarray, sequence: Sequence) -> np.ndarray:
    """Like the errors of `frame_values`, but the offset of the centres is divided by the true width and height."""
    offset = centre_offset(repaired(boxes, sequence.boxes), sequence.boxes)
    with np.errstate(divide="ignore", invalid="ignore"):  # annotations without size are not valid
        return np.where(sequence.valid, np.sqrt(((offset / sequence.boxes[:, 2:]) ** 2).sum(axis=1)), INVALID)


def success_curve(overlaps: np.ndarray) -> np.ndarray:
    """Share of overlaps (N,) above each of `OVERLAP_THRESHOLDS`, (21,); NaN counts as a miss."""
    return (np.asarray(overlaps)[:, None] > OVERLAP_THRESHOLDS).mean(axis=0)


def precision_curve(errors: np.ndarray) -> np.ndarray:
    """Share of centre errors (N,) not above each of `ERROR_THRESHOLDS`, (51,); NaN counts as a miss."""
    return (np.asarray(errors)[:, None] <= ERROR_THRESHOLDS).mean(axis=0)


def normalised_precision_curve(errors: np.ndarray) -> np.ndarray:
    """Share of normalised errors (N,) not above each of `NORMALISED_THRESHOLDS`, (51,); NaN counts as a miss."""
    return (np.asarray(errors)[:, None] <= NORMALISED_THRESHOLDS).mean(axis=0)


def auc(overlaps: np.ndarray) -> float:
    """Area under the success curve of overlaps (N,): the mean over its thresholds.

    Perfect boxes have 20/21, for no overlap is above 1; NaN counts as a miss.
    """
    return float((np.asarray(overlaps)[:, None] > OVERLAP_THRESHOLDS).mean())


def average_overlap(overlaps: np.ndarray) -> float:
    """Mean of the overlaps (N,) of `frame_values` where the annotation is valid; NaN counts as 0."""
    overlaps = np.asarray(overlaps)
    return float(np.nan_to_num(overlaps[overlaps != INVALID]).mean())


def precision(boxes: np.ndarray, truth: np.ndarray, pixels: float = 20) -> float:
    """Share of boxes (N, 4) whose centre is at most `pixels` away from that of the truth (N, 4); NaN counts as a miss."""
    return float((centre_error(boxes, truth) <= pixels).mean())
