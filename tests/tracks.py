"""What tests of trackers ask of a track."""

import numpy as np


def distances(boxes, truth):
    """Between the middles of boxes, in pixels."""
    return np.hypot(*(boxes[:, :2] + boxes[:, 2:] / 2 - truth[:, :2] - truth[:, 2:] / 2).T)


def assert_sound(found):
    """Finite boxes of some size, and scores in [0, 1]."""
    assert np.isfinite(found.boxes).all()
    assert (found.boxes[:, 2:] > 0).all()
    assert ((found.scores >= 0) & (found.scores <= 1)).all()
