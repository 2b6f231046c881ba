"""Pairs that a network is validated on: the same ones every time."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from distill.data.augmentation import Augmentation
from distill.data.clips import Clip
from distill.data.pairs import PairBatch, Pairs
from distill.data.store import Store

MOST = 600  # pairs: 180 MB
VIEWS = 8  # pairs of each clip of several frames, where the target itself changes, too

# The target moves by up to one target size along rows and along columns, beside two distractors; nothing else is changed.
MOVED = Augmentation(
    scale=1, rotation=0, flipped=0, greyed=0, blurred=0, coloured=0, occluded=0, shift=1, distracted=1, distractors=(2, 2)
)
# Strong changes besides. Surroundings that move along give even random filters 9 of 10 targets of `MOVED`; of these they give conv5 fewer
# than trained ones do.
HARD = replace(
    MOVED, scale=1.3, rotation=25, coloured=1, brightness=(0.5, 2.0), tint=0.3, blurred=0.7, defocus=(1, 3), motion=(5, 15),
    distractors=(8, 8),
)  # fmt: skip


def validation_pairs(
    clips: Sequence[Clip], seed: int = 0, side: int = 224, augmentation: Augmentation = MOVED, store: Store | None = None
) -> PairBatch:
    """One pair of every still and eight of every video, out of crops that are five times as wide as the target.

    Their order is random, so that all sorts lend each other distractors. Where there would be too many, evenly spread ones are left.

    Parameters
    ----------
    clips : sequence of Clip
        Held out from training.
    seed : int
    side : int
        Pixels of a crop.
    augmentation : Augmentation
        `MOVED`, `HARD` or others.
    store : Store or None
        Reads the pictures; None: one of its own.

    Raises
    ------
    DistillationError
        If no pair can be drawn.
    """
    pairs = Pairs(clips, side, augmentation=augmentation, store=store)
    rng = np.random.default_rng(seed)
    indices = np.repeat(np.arange(len(clips)), [VIEWS if len(clip.frames) > 1 else 1 for clip in clips])
    if len(indices) > MOST:
        indices = indices[np.linspace(0, len(indices) - 1, MOST).round().astype(int)]
    return pairs.of(rng.permutation(indices).tolist(), rng)
