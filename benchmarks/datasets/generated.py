"""Generated videos whose true boxes are exact: each shows one difficulty, and the first a little of all."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks import synthetic
from benchmarks.sequences import Sequence
from benchmarks.synthetic import Scene
from trackers.opencv import cv2

EASY = Scene(frames=100, size=(240, 320), scale=0, rotation=0, blur=0, illumination=0, occlusion=0, distractors=0, camera=0.5)
SCENES = {
    "Everything": (Scene(frames=100, size=(240, 320)), ("SV", "OCC", "MB", "FM", "IPR", "IV", "BC")),
    "Motion": (replace(EASY, target="astronaut", background="launch", motion=2, blur=1, seed=1), ("MB", "FM")),
    "Scale": (replace(EASY, target="cat", background="gravel", scale=1, seed=2), ("SV",)),
    "Rotation": (replace(EASY, background="grass", rotation=60, seed=3), ("IPR",)),
    "Shadow": (replace(EASY, target="astronaut", background="tissue", illumination=0.8, seed=4), ("IV",)),
    "Occlusion": (replace(EASY, target="cat", occlusion=0.8, seed=5), ("OCC",)),
    "Clutter": (replace(EASY, background="tissue", distractors=6, noise=8, seed=6), ("BC",)),
    "Border": (replace(EASY, target="astronaut", background="garage", reach=1.3, seed=7), ("OV",)),
    "Small": (replace(EASY, target="cat", background="launch", target_size=0.08, seed=8), ("LR",)),
    "Grey": (replace(EASY, background="gravel", grey=True, scale=0.4, seed=9), ("SV",)),
}


@dataclass(frozen=True, eq=False)
class Generated(Sequence):
    """A sequence whose pictures are rendered when they are asked for.

    Attributes
    ----------
    scene : Scene
        What it shows.
    """

    scene: Scene = EASY

    def frames(self) -> Iterator[np.ndarray]:
        """The pictures, BGR uint8 (H, W, 3)."""
        video = synthetic.sequence(self.scene).frames
        pictures = (video[index] for index in range(self.first - 1, len(video), self.step))
        return (cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) for picture in pictures) if self.scene.grey else pictures


def find(_: Path | None) -> dict[str, str]:
    """All names; there is nothing on disk."""
    return {name: name for name in SCENES}


def read(name: str, _: str) -> Generated:
    """The sequence of a name; valid where anything of the target may be seen."""
    scene, attributes = SCENES[name]
    video = synthetic.sequence(scene)
    return Generated(name, name, (), video.boxes, video.visible, attributes=frozenset(attributes), visible=video.visible, scene=scene)
