"""Regions, and videos with a tracker that loses its target, the same on every machine: what the VOT toolkit's numbers are of."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import numpy as np

from benchmarks.regions import bounding_rectangles
from benchmarks.sequences import Sequence
from benchmarks.vot.files import write_run
from benchmarks.vot.runner import supervised

SIZE = 160, 120  # of pictures, width and height
LENGTHS = {"long": 450, "longer": 480, "short": 70}
RUNS = {"long": 3, "longer": 2, "short": 3}


class Numbered(Sequence):
    """A sequence whose pictures are black but for their number."""

    def frames(self) -> Iterator[np.ndarray]:
        for number in range(len(self)):
            picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
            picture[0, 0] = number % 256, number // 256, 0
            yield picture


class Still:
    """Stays where it begins."""

    def init(self, image, box):
        self.box = box

    def update(self, image):
        return True, self.box


class Careless:
    """Finds the target nearly, and now and then not at all: most often in the first 80 frames."""

    def __init__(self, truth: np.ndarray, random: Random):
        self.truth, self.random = truth, random

    def init(self, image, box):
        pass

    def update(self, image):
        number = np.dot(image[0, 0], (1, 256, 0))
        x, y, w, h = self.truth[number]
        if self.random.random() < (0.05 if number < 80 else 0.0015):
            return False, (x + 2 * w, y, w, h)
        error = [0.6 * (self.random.random() - 0.5) for _ in range(4)]
        return True, (x + w * error[0], y + h * error[1], w * (1 + error[2]), h * (1 + error[3]))


def numbered(name: str, truth: np.ndarray) -> Numbered:
    """A sequence of that truth, boxes (N, 4) or polygons (N, 8)."""
    boxes, polygons = (bounding_rectangles(truth), truth) if truth.shape[1] == 8 else (truth, None)
    return Numbered(name, name, (), boxes, np.ones(len(truth), bool), polygons=polygons)


def turning(name: str) -> Numbered:
    """A rectangle that turns, and goes out of the picture here and there."""
    corners = []
    for t in range(LENGTHS[name]):
        x, y, angle = 80 + 68 * math.sin(t / 31), 60 + 46 * math.sin(t / 23), t / 40
        along, across = (15 * math.cos(angle), 15 * math.sin(angle)), (-9 * math.sin(angle), 9 * math.cos(angle))
        axes = list(zip((x, y), along, across, strict=True))
        corners.append([centre + u * a + v * b for u, v in ((-1, -1), (1, -1), (1, 1), (-1, 1)) for centre, a, b in axes])
    return numbered(name, np.round(corners, 2))


def pairs(count: int) -> list[tuple[list[float], list[float]]]:
    """Pairs of regions of all kinds and sizes, most of them near to each other; some have no area, some lie outside the picture."""
    random, found = Random(0), []
    while len(found) < count:
        scale = random.choice([2, 6, 20, 40, 80])
        a, b = _region(random, scale), _region(random, scale)
        if random.random() < 0.85:
            shift = [scale * (random.random() - 0.5) for _ in range(2)]
            b = [round(value + shift[i % 2], 2) if len(a) > 4 or i < 2 else value for i, value in enumerate(a)]
        found.append((a, b))
    return found


def _region(random: Random, scale: float) -> list[float]:
    x, y, w, h = random.uniform(-10, 170), random.uniform(-10, 130), random.uniform(0, scale), random.uniform(0, scale)
    kind = random.choice(["rectangle", "whole", "turned", "any"])
    if kind == "whole":
        return [float(round(value)) for value in (x, y, w, h)]
    if kind == "rectangle":
        region = [x, y, w, h]
    elif kind == "turned":
        cos, sin = w / math.hypot(w, h), h / math.hypot(w, h)
        region = [x, y, x + w * cos, y + w * sin, x + w * cos - h * sin, y + w * sin + h * cos, x - h * sin, y + h * cos]
    else:
        region = [start + random.uniform(0, scale) for _ in range(random.choice([3, 4, 5, 7])) for start in (x, y)]
    return [round(value, 2) for value in region]


def make(sequence: Sequence, random: Random) -> Callable[[], Careless]:
    """What makes the tracker that goes with a sequence."""
    return lambda: Careless(sequence.boxes, random)


def write(folder: Path) -> list[Numbered]:
    """Write the regions, the truth and the results of the tracker ``Careless`` as the toolkit reads them, and give the sequences."""
    lines = [";".join(",".join(map(str, region)) for region in pair) for pair in pairs(1000)]
    (folder / "pairs.txt").write_text("\n".join(lines))
    sequences = [turning(name) for name in LENGTHS]
    for sequence in sequences:
        np.savetxt(folder / f"{sequence.name}.txt", sequence.polygons, "%.2f", ",")
        random = Random(len(sequence))
        for _ in range(RUNS[sequence.name]):
            write_run(folder / "Careless", sequence.name, *supervised(make(sequence, random), sequence, "bbox"))
    return sequences
