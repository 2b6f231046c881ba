"""What Figures 11 and 12 have in common: frames with the boxes of trackers."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from benchmarks import sequences
from benchmarks.report.evaluation import Evaluation
from benchmarks.report.keyframes import SHOWN, key_frames
from benchmarks.report.plots import colour
from trackers.opencv import cv2


def frames(evaluation: Evaluation, targets: Sequence[sequences.Sequence]) -> Figure:
    """A row of key frames for each target; true boxes are white and dashed."""
    figure = Figure(figsize=(3 * SHOWN, 2.3 * len(targets) + 0.4), layout="constrained")
    for target, row in zip(targets, figure.subplots(len(targets), SHOWN, squeeze=False), strict=True):
        tracks = {tracker: found[target.name] for tracker, found in evaluation.tracks.items()}
        for axes in row:
            axes.axis("off")
        for frame, axes in zip(key_frames(target, tracks), row, strict=False):
            picture = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
            width, height = frame.size
            axes.imshow(picture, extent=(-0.5, width - 0.5, height - 0.5, -0.5))
            axes.set_title(f"{target.name} {frame.number}", fontsize=8)
            axes.add_patch(_rectangle(frame.truth, edgecolor="white", linestyle="--"))
            for number, box in enumerate(frame.boxes.values()):
                axes.add_patch(_rectangle(box, edgecolor=colour(number)))
    handles = [Rectangle((0, 0), 1, 1, fill=False, edgecolor=colour(number)) for number in range(len(evaluation.tracks))]
    figure.legend(handles, list(evaluation.tracks), loc="outside lower center", ncols=min(len(handles), 5), frameon=False)
    return figure


def _rectangle(box: np.ndarray, **style) -> Rectangle:
    x, y, width, height = box
    return Rectangle((x - 0.5, y - 0.5), width, height, fill=False, linewidth=1.5, **style)
