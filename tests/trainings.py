"""A tiny data set, a teacher and settings, for tests of the training."""

import json
from pathlib import Path

import cv2
import numpy as np

from cfvgg import weights
from cfvgg.architecture import channels, filter_shapes
from distill.config import Config
from distill.processes import Processes

TINY = {"epochs": 2, "pairs": 8, "batch": 4, "side": 64, "validation": 4, "optimiser": "adamw", "rate": 1e-3, "decay": 0.0, "warmup": 2}


class Rank(Processes):
    """One of two processes that does not know the other."""

    def __init__(self, rank):
        super().__init__()
        self.count, self.rank = 2, rank

    def _exchange(self, tensors, operation):
        return None


def tiny(**changes) -> Config:
    """Two epochs of two steps, unless changed."""
    return Config(**(TINY | changes))


def options(**changes) -> list[str]:
    """Those of the command that make the same."""
    return [word for name, value in (TINY | changes).items() for word in (f"--{name.replace('_', '-')}", str(value))]


def random_weights(ratio: float = 64, seed: int = 1) -> weights.Weights:
    """A network whose levels have a sensible size."""
    rng = np.random.default_rng(seed)
    shapes = filter_shapes(channels(ratio))
    filters = tuple(rng.normal(0, np.prod(shape[1:]) ** -0.5, shape).astype(np.float32) for shape in shapes)
    biases = tuple(rng.normal(0, 0.1, shape[0]).astype(np.float32) for shape in shapes)
    return weights.Weights(filters, biases, np.full((3, 1, 1), 120, np.float32))


def save_teacher(path: Path, ratio: float = 64) -> str:
    """Write a teacher, and return its path."""
    weights.save(random_weights(ratio), path)
    return str(path)


def save_pictures(folder: Path) -> str:
    """Write three videos of three frames and five stills, one of each held out, and return the folder."""
    rng = np.random.default_rng(2)
    for number in range(3):
        clip = folder / "video" / f"clip{number}"
        clip.mkdir(parents=True)
        surroundings, target = noise(rng, (80, 100)), noise(rng, (16, 20))
        places = [(40 + 3 * number + 4 * frame, 30 + 2 * frame) for frame in range(3)]
        for frame, (x, y) in enumerate(places):
            picture = surroundings.copy()
            picture[y : y + 16, x : x + 20] = target
            cv2.imwrite(str(clip / f"{frame}.png"), picture)
        (clip / "boxes.txt").write_text("".join(f"{x},{y},20,16\n" for x, y in places))
    stills = folder / "stills"
    stills.mkdir()
    for number in range(5):
        cv2.imwrite(str(stills / f"{number}.png"), noise(rng, (70, 90)))
    (stills / "boxes.csv").write_text("file,x,y,w,h,label\n" + "".join(f"{number}.png,30,20,24,20,thing\n" for number in range(5)))
    (folder / "validation.txt").write_text("video/clip2\nstills/4.png\n")
    return str(folder)


def noise(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Coarse coloured noise."""
    return cv2.resize(rng.integers(0, 256, (size[0] // 8, size[1] // 8, 3), dtype=np.uint8), size[::-1], interpolation=cv2.INTER_CUBIC)


def metrics(out: Path) -> list[dict]:
    """The lines of metrics beside some weights, without the one thing that differs between equal trainings."""
    lines = [json.loads(line) for line in out.with_suffix(".jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def assert_equal(one: weights.Weights, other: weights.Weights) -> None:
    """Bit by bit."""
    for got, wanted in zip((*one.filters, *one.biases, one.mean), (*other.filters, *other.biases, other.mean), strict=True):
        np.testing.assert_array_equal(got, wanted)
