"""What is done to the crops of a pair once they are cut out: distractors, occlusion, colour, light and blur."""

from dataclasses import dataclass
from math import exp, sqrt

import numpy as np

from distill.data import changes
from distill.data.augmentation import Augmentation
from distill.data.pasting import free_place, hidden_part, paste
from trackers.opencv import cv2

CANDIDATES = 8  # targets of other pairs of which those most alike are pasted
CONTEXT = 1.2  # of a pasted target's size: the paste fades outside of it
THUMBNAIL = 6  # pixels: what likeness is judged by
SIZES = (0.8, 1.25)  # of a pasted target against the target


@dataclass(frozen=True)
class Crops:
    """The two crops of a pair as they are cut out.

    Attributes
    ----------
    clip : int
        Index of the clip.
    source : str
        Of the clip.
    z, x : ndarray, uint8, (side, side, 3)
        R, G, B. The target is in the middle of z.
    z_size, size : ndarray, (2,)
        Height and width of the target in z and in x.
    shift : ndarray, (2,)
        Row and column of its centre in x minus those in z.
    """

    clip: int
    source: str
    z: np.ndarray
    x: np.ndarray
    z_size: np.ndarray
    size: np.ndarray
    shift: np.ndarray

    @property
    def place(self) -> np.ndarray:
        """Row and column of the target's centre in x."""
        return (len(self.x) - 1) / 2 + self.shift

    def target(self, context: float = 1.0) -> np.ndarray:
        """The target (h, w, 3) out of z, with `context` times its size."""
        side = len(self.z)
        size = np.clip(np.rint(self.z_size * context), 1, side).astype(int)
        top, left = ((side - size) // 2).tolist()
        return self.z[top : top + size[0], left : left + size[1]]


def mix(drawn: list[Crops], count: int, amounts: Augmentation, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """The crops z, x of the first `count` pairs, changed; all of the drawn lend what is pasted into those of other sources."""
    thumbnails = np.stack([cv2.resize(crops.target(), (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA) for crops in drawn])
    thumbnails = thumbnails.reshape(len(drawn), -1).astype(np.float32)
    mixed = []
    for own, crops in zip(thumbnails, drawn[:count], strict=False):
        x = crops.x.copy()
        others = np.array([i for i, other in enumerate(drawn) if other.source != crops.source], int)
        if len(others) and rng.random() < amounts.distracted:
            number = rng.integers(*amounts.distractors, endpoint=True)
            candidates = rng.permutation(others)[: max(CANDIDATES, number)]
            order = np.square(thumbnails[candidates] - own).sum(1).argsort(kind="stable")
            for index in candidates[order][:number]:
                _distract(x, crops, drawn[index], amounts.overlap, rng)
        if len(others) and rng.random() < amounts.occluded:
            _hide(x, crops, drawn[rng.choice(others)].z, rng.uniform(*amounts.occlusion), rng)
        z, x = _vary(crops.z, amounts, rng), _vary(x, amounts, rng)
        if rng.random() < amounts.greyed:  # last, since changed light has a colour
            z, x = changes.grey(z), changes.grey(x)
        mixed.append((z, x))
    return mixed


def _distract(x: np.ndarray, crops: Crops, lender: Crops, overlap: float, rng: np.random.Generator) -> None:
    """Paste the lender's target beside that of x, about as large as it; nothing where there is no room."""
    thing = lender.target(CONTEXT)
    factor = CONTEXT * exp(rng.uniform(*np.log(SIZES))) * sqrt(crops.size.prod() / (thing.shape[0] * thing.shape[1]))
    size = np.maximum(np.rint(np.array(thing.shape[:2]) * factor), 1)
    centre = free_place(len(x), size, (crops.place, crops.size), overlap, rng)
    if centre is not None:
        paste(x, cv2.resize(thing, size[::-1].astype(int).tolist(), interpolation=cv2.INTER_LINEAR), centre)


def _hide(x: np.ndarray, crops: Crops, foreign: np.ndarray, share: float, rng: np.random.Generator) -> None:
    """Hide a share of the target behind any part of a foreign crop, which comes in from one of its edges."""
    centre, size = hidden_part(crops.place, crops.size, share, int(rng.integers(4)))
    size = np.clip(np.rint(size), 1, len(x)).astype(int)
    top, left = (int(rng.integers(len(x) - n, endpoint=True)) for n in size)
    paste(x, foreign[top : top + size[0], left : left + size[1]], centre)


def _vary(crop: np.ndarray, amounts: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Blur and relight a crop, each by chance."""
    if rng.random() < amounts.blurred:
        if rng.random() < 0.5:
            crop = changes.defocus(crop, rng.uniform(*amounts.defocus))
        else:
            crop = changes.smear(crop, rng.uniform(*amounts.motion), along_rows=rng.random() < 0.5)
    if rng.random() < amounts.coloured:
        light = exp(rng.uniform(*np.log(amounts.brightness)))
        crop = changes.relight(crop, light * (1 + rng.uniform(-1, 1, 3) * amounts.tint))
    return crop
