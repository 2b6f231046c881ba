"""A tiny sequence whose frames tell their numbers."""

from dataclasses import dataclass

import numpy as np

from benchmarks import sequences

BOX = 20, 24, 10, 15


@dataclass(frozen=True, eq=False)
class Numbered(sequences.Sequence):
    """Noise with the frame's number in the first pixel, and a white target that goes a pixel to the right in each frame."""

    def frames(self):
        for number, box in enumerate(self.boxes):
            picture = np.random.default_rng(number).integers(60, 200, (64, 200, 3)).astype(np.uint8)
            x, y, w, h = np.nan_to_num(box).astype(int)
            picture[y : y + h, x : x + w] = 255
            picture[0, 0] = number
            yield picture


def numbered(length, **more):
    boxes = BOX + np.arange(length)[:, None] * (1, 0, 0, 0)
    return Numbered("a", "video", (), boxes.astype(float), np.ones(length, bool), **more)
