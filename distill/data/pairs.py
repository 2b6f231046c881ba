"""Pairs for the tracking loss: a crop around a target, and another in which it has moved, drawn at random from clips of any kind."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from math import exp, isfinite, log
from pathlib import Path

import numpy as np

from distill.data.augmentation import Augmentation
from distill.data.clips import Clip
from distill.data.mixing import Crops, mix
from distill.data.store import Store
from distill.data.view import view
from distill.errors import DistillationError

SMALLEST = 8.0  # pixels, sqrt(w h): smaller targets are passed over, since little is to be learnt from a few pixels
FAILURES = 1000  # pictures in a row that cannot be read before it is given up
LENDERS = 32  # pairs that are made together, and lend each other distractors, where certain clips are asked for
PLAIN_SIZES, PLAIN_ASPECT = (0.1, 0.35), 2.0  # of a target drawn in a plain picture: side over the short one; at most so many times oblong


@dataclass(frozen=True)
class PairBatch:
    """N pairs.

    Attributes
    ----------
    z, x : ndarray, uint8, (N, 3, side, side)
        R, G, B. The target is in the middle of z.
    shift : ndarray, float32, (N, 2)
        Place of the target's centre in x minus that in z: rows and columns, in pixels of the crops.
    size : ndarray, float32, (N, 2)
        Height and width of the target in x, before any rotation, in pixels of the crop.
    clips : ndarray, int, (N,)
        Index of the clip that each is from.
    """

    z: np.ndarray
    x: np.ndarray
    shift: np.ndarray
    size: np.ndarray
    clips: np.ndarray

    def __len__(self) -> int:
        return len(self.z)

    def first(self, count: int) -> "PairBatch":
        """The first `count` of them."""
        return PairBatch(*(getattr(self, field.name)[:count] for field in fields(self)))


class Pairs:
    """Draws pairs.

    Two frames of a clip, or a single picture twice, are cropped around the target, `search_area` times as wide as it, and changed at random
    as `augmentation` says. What is drawn depends on the clips, the settings and the generator alone; not on what was read before.

    Parameters
    ----------
    clips : sequence of Clip
    side : int
        Pixels of a crop.
    search_area : float
        Side of a crop over that of the target, sqrt(w h).
    reach : int
        Frames between the two of a pair, at most.
    augmentation : Augmentation or None
        None: the default one.
    videos : float
        Share of pairs from clips of several frames, where there are clips of one frame, too.
    store : Store or None
        Reads the pictures; None: one of its own.

    Raises
    ------
    DistillationError
        If a setting makes no sense, or no clip holds a target.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        side: int = 224,
        search_area: float = 5.0,
        reach: int = 100,
        augmentation: Augmentation | None = None,
        videos: float = 0.5,
        store: Store | None = None,
    ):
        self.clips, self.side, self.augmentation = clips, side, augmentation or Augmentation()
        self._search_area, self._reach, self._store = search_area, reach, store or Store()
        if not (side >= 1 and isfinite(search_area) and search_area >= 1 and reach >= 0 and 0 <= videos <= 1):
            raise DistillationError(
                f"side={side}, search_area={search_area}, reach={reach}, videos={videos}; allowed: from 1, from 1, from 0, 0 to 1"
            )
        if self.augmentation.shift > search_area / 2:
            raise DistillationError(f"a shift of {self.augmentation.shift} target sizes leaves a crop of {search_area}")
        self._kinds = self._weighted(videos)

    def _weighted(self, videos: float) -> list[tuple[np.ndarray, float]]:
        """Indices of the clips of one frame, and of those of several, and how often each sort is drawn; none of a sort that is empty."""
        lengths = np.array([len(clip.frames) if len(clip.usable(SMALLEST)) else 0 for clip in self.clips])
        sorts = ((np.flatnonzero(lengths == 1), 1 - videos), (np.flatnonzero(lengths > 1), videos))
        found = [(indices, share) for indices, share in sorts if len(indices)]
        if not found:
            raise DistillationError(f"none of the {len(self.clips)} clips has a target of at least {SMALLEST:g} pixels")
        return found if len(found) > 1 else [(found[0][0], 1.0)]

    @property
    def broken(self) -> set[Path]:
        """Pictures that were drawn and could not be read; others were drawn in their place."""
        return self._store.broken

    def batch(self, count: int, rng: np.random.Generator) -> PairBatch:
        """`count` random pairs.

        Raises
        ------
        DistillationError
            If a thousand draws in a row fail, because pictures cannot be read or boxes are outside of them.
        """
        drawn: list[Crops] = []
        failures = 0
        while len(drawn) < max(count, 2):  # one alone would have nobody to lend it a distractor
            crops = self._cut(self._index(rng), rng)
            if crops is not None:
                drawn.append(crops)
                failures = 0
                continue
            failures += 1
            if failures == FAILURES:
                raise DistillationError(f"{failures} pairs in a row cannot be drawn; {self._broken_ones()}")
        return self._finish(drawn, count, rng)

    def of(self, indices: Iterable[int], rng: np.random.Generator) -> PairBatch:
        """A pair of each of the clips with these indices; those whose pictures cannot be read, or that hold no target, are left out.

        Raises
        ------
        DistillationError
            If none is left.
        """
        drawn = [crops for index in indices if (crops := self._cut(index, rng)) is not None]
        if not drawn:
            raise DistillationError(f"no pair can be drawn; {self._broken_ones()}")
        parts = [self._finish(drawn[start : start + LENDERS], LENDERS, rng) for start in range(0, len(drawn), LENDERS)]
        return PairBatch(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(PairBatch)))

    def _index(self, rng: np.random.Generator) -> int:
        """A random clip."""
        (indices, share), *others = self._kinds
        if others and rng.random() >= share:
            indices = others[0][0]
        return int(indices[rng.integers(len(indices))])

    def _cut(self, index: int, rng: np.random.Generator) -> Crops | None:
        """The two crops of a clip; None if a picture cannot be read or the target is not in it."""
        clip, amounts = self.clips[index], self.augmentation
        frames = self._frames(clip, rng)
        pictures = [self._store.read(clip.frames[frame]) for frame in frames]
        if not pictures or any(picture is None for picture in pictures):
            return None
        boxes = clip.boxes[frames] if clip.boxes is not None else np.stack([random_box(pictures[0].shape, rng)] * 2)
        sizes, centres = boxes[:, 3:1:-1], boxes[:, 1::-1] + (boxes[:, 3:1:-1] - 1) / 2
        limits = np.array([picture.shape[:2] for picture in pictures])
        if ((centres < -0.5) | (centres >= limits - 0.5)).any():
            return None
        scales = self._search_area * np.sqrt(sizes.prod(1)) / self.side
        scales[1] *= exp(rng.uniform(-1, 1) * log(amounts.scale))
        shift = rng.uniform(-1, 1, 2) * amounts.shift * self.side / self._search_area
        degrees = rng.uniform(-1, 1) * amounts.rotation if len(clip.frames) == 1 else 0.0
        mirrored = rng.random() < amounts.flipped
        middle = np.full(2, (self.side - 1) / 2)
        z = view(pictures[0], centres[0], scales[0], middle, self.side, mirrored=mirrored)
        x = view(pictures[1], centres[1], scales[1], middle + shift, self.side, degrees, mirrored)
        return Crops(index, clip.source, z, x, sizes[0] / scales[0], sizes[1] / scales[1], shift)

    def _frames(self, clip: Clip, rng: np.random.Generator) -> list[int]:
        """Two frames of a clip, at most the reach apart and the same only where there is no other; none if it has none."""
        usable = clip.usable(SMALLEST)
        if not len(usable):
            return []
        first = usable[rng.integers(len(usable))]
        near = usable[(np.abs(usable - first) <= self._reach) & (usable != first)]
        return [int(first), int(near[rng.integers(len(near))] if len(near) else first)]

    def _finish(self, drawn: list[Crops], count: int, rng: np.random.Generator) -> PairBatch:
        """The first `count` of the drawn pairs, with all other changes made."""
        mixed = mix(drawn, count, self.augmentation, rng)
        z, x = (np.ascontiguousarray(np.stack(crops).transpose(0, 3, 1, 2)) for crops in zip(*mixed, strict=True))
        shift, size = (np.array([getattr(crops, name) for crops in drawn[:count]], np.float32) for name in ("shift", "size"))
        return PairBatch(z, x, shift, size, np.array([crops.clip for crops in drawn[:count]]))

    def _broken_ones(self) -> str:
        """For a message."""
        first = f", the first is {min(self.broken)}" if self.broken else ""
        return f"{len(self.broken)} pictures cannot be read{first}"


def random_box(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """A box (4,), x, y, w, h, inside a picture of `shape` (H, W, ..), 0.1 to 0.35 short sides large and up to twice as long as wide."""
    height, width = shape[:2]
    large, long = rng.uniform(*PLAIN_SIZES) * min(height, width), PLAIN_ASPECT ** rng.uniform(-0.5, 0.5)
    size = np.array([large * long, large / long])
    return np.concatenate([rng.uniform(0, 1, 2) * (np.array([width, height]) - size), size])
