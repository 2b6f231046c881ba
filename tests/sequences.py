"""Tiny sequences on disk, laid out like those of OTB."""

from pathlib import Path

import cv2
import numpy as np


def save_sequences(root: Path, frames: list[np.ndarray], boxes: np.ndarray) -> Path:
    """Write the same video twice, the second time with two targets, and return the folder of both."""
    for name in ("Cup", "Two"):
        (root / name / "img").mkdir(parents=True)
        for index, frame in enumerate(frames):
            cv2.imwrite(str(root / name / "img" / f"{index + 1:04d}.jpg"), frame)
    for name, separator in (("Cup/groundtruth_rect", ","), ("Two/groundtruth_rect.1", "\t"), ("Two/groundtruth_rect.2", " ")):
        np.savetxt(root / f"{name}.txt", np.add(boxes, (1, 1, 0, 0)), "%.6f", separator)
    return root
