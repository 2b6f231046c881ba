"""How good boxes are, by the rules of the OTB toolkit. Boxes are rows of x, y, w, h in pixels."""

import numpy as np

# MATLAB's 0:0.05:1, which is built from both ends: overlaps of whole boxes often lie exactly on a threshold.
OVERLAP_THRESHOLDS = np.array([k * 0.05 if k <= 10 else 1 - (20 - k) * 0.05 for k in range(21)])


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
    return shared / (a[:, 2:].prod(axis=1) + b[:, 2:].prod(axis=1) - shared)


def auc(overlaps: np.ndarray) -> float:
    """Area under the success curve: the mean, over 21 thresholds, of the share of overlaps (N,) above the threshold.

    Perfect boxes have 20/21, for no overlap is above 1; NaN counts as a miss.
    """
    return float((np.asarray(overlaps)[:, None] > OVERLAP_THRESHOLDS).mean())


def precision(boxes: np.ndarray, truth: np.ndarray, pixels: float = 20) -> float:
    """Share of boxes (N, 4) whose centre is at most `pixels` away from that of the truth (N, 4); NaN counts as a miss."""
    boxes, truth = np.asarray(boxes, float), np.asarray(truth, float)
    offset = boxes[:, :2] + (boxes[:, 2:] - 1) / 2 - (truth[:, :2] + (truth[:, 2:] - 1) / 2)
    return float((np.sqrt((offset**2).sum(axis=1)) <= pixels).mean())
