"""Hard versions of sequences: fewer frames, targets that something hides, and generated ones in which they vanish.

Trackers hardly ever lose the targets of good sequences, so what tells a lost target from a found one cannot be learnt from these.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from zlib import crc32

import numpy as np

from benchmarks import sequences, synthetic
from benchmarks.robustness.corruption import paint_over, window
from trackers.opencv import cv2

LONGEST = 150  # frames of a clip
STEPS = (3, 4, 5)  # of every so many frames one is left
HIDDEN = 40  # frames in a row, or fewer where a sequence is short
AFTER = 15  # frames behind them, at least
NEXT = 1.1  # sizes of the target away from it: the place that is copied over it

# Seeds of generated scenes: what is fitted to the first is measured on the others, which have each target on each background with each
# number of look-alikes twice. Constants were chosen on 100 to 325, those of fKCF and MOSSE on 700 to 925, too; 400 to 525 were looked at.
FITTED, UNSEEN = range(18), range(540, 648)
TARGETS = ("cup", "cat", "astronaut")
BACKGROUNDS = tuple(sorted(synthetic.BACKGROUNDS))
VANISH = (60, 100)


@dataclass(frozen=True, eq=False)
class HardClip:
    """A target that is hard to follow, N frames.

    Attributes
    ----------
    name : str
    video : str
        What it is made from: two clips of one video are not independent.
    boxes : ndarray, float64, (N, 4)
        True x, y, w, h, of a hidden target, too; NaN where they are not known.
    visible : ndarray, bool, (N,)
        Whether anything of the target may be seen.
    frames : callable
        The pictures, BGR uint8 (H, W, 3), one after the other; VideoError where one cannot be read.
    covered : ndarray, float64, (N,), or None
        What share of the target's width something is in front of, where that is known.
    """

    name: str
    video: str
    boxes: np.ndarray
    visible: np.ndarray
    frames: Callable[[], Iterator[np.ndarray]]
    covered: np.ndarray | None = None


def plain(sequence: sequences.Sequence) -> HardClip:
    """A sequence as it is."""
    boxes = np.where(sequence.valid[:, None], sequence.boxes, np.nan)
    visible = np.ones(len(boxes), bool) if sequence.visible is None else sequence.visible
    return HardClip(sequence.name, sequence.video, boxes, visible, sequence.frames)


def hard(found: Iterable[sequences.Sequence], seed: int = 0) -> Iterator[HardClip]:
    """Each sequence with a part of its frames, for each of `STEPS`, and with its target hidden, for each of `COVERS`.

    Sequences that are too short to hide their target and show it again come without the latter.
    """
    for sequence in found:
        clip = plain(sequence)
        for step in STEPS:
            yield thinned(clip, step)
        for number, cover in enumerate(COVERS):
            length = min(len(clip.boxes), LONGEST)
            first = int((0.25 + 0.1 * number) * length)
            end = min(first + HIDDEN, length - AFTER)
            if first < end:
                yield hidden(clip, cover, first, end, seed)


def look_alikes(seed: int) -> int:
    """How many copies of the target, mirrored and tinted, there are in the scene of a seed."""
    return (seed + seed // len(TARGETS) + seed // (len(TARGETS) * len(BACKGROUNDS))) % 3


def vanishing(seeds: Iterable[int]) -> Iterator[HardClip]:
    """Generated scenes, one for each seed, whose target is gone from frame 60 to frame 99."""
    for seed in seeds:
        scene = synthetic.Scene(
            frames=LONGEST,
            size=(240, 320),
            seed=seed,
            target=TARGETS[seed % len(TARGETS)],
            background=BACKGROUNDS[seed // len(TARGETS) % len(BACKGROUNDS)],
            motion=0.8,
            occlusion=0.8 if seed % 2 else 0.4,
            distractors=look_alikes(seed),
            vanish=VANISH,
        )
        video, name = synthetic.sequence(scene), f"generated {seed}"
        yield HardClip(name, name, video.boxes, video.visible, partial(iter, video.frames), video.covered)


def thinned(clip: HardClip, step: int) -> HardClip:
    """One of every `step` frames, from the first on."""
    boxes, visible = (values[::step][:LONGEST] for values in (clip.boxes, clip.visible))
    return HardClip(f"{clip.name}, every {step}", clip.video, boxes, visible, partial(_every, clip, step, len(boxes)))


def hidden(clip: HardClip, cover: str, first: int, end: int, seed: int) -> HardClip:
    """The first `LONGEST` frames, the target hidden from frame `first` to before `end` by one of `COVERS`, while it moves on."""
    boxes, visible = clip.boxes[:LONGEST], clip.visible[:LONGEST].copy()
    visible[first:end] = False
    return HardClip(f"{clip.name}, {cover}", clip.video, boxes, visible, partial(_covered, clip, cover, first, end, seed))


def copied_over(picture: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture (H, W, 3) with what is beside the box over it; painted over where there is no room for that."""
    rows, columns = window(picture, box)
    shape = height, width = rows.stop - rows.start, columns.stop - columns.start
    for down, right in rng.permutation([(0, 1), (0, -1), (1, 0), (-1, 0)]):
        top, left = (start + int(way * NEXT * n) for start, way, n in zip((rows.start, columns.start), (down, right), shape, strict=True))
        if min(top, left) >= 0 and top + height <= picture.shape[0] and left + width <= picture.shape[1]:
            share = np.outer(*map(_faded, shape))[..., None]
            covered = picture.copy()
            beside = picture[top : top + height, left : left + width]
            covered[rows, columns] = np.rint(share * beside + (1 - share) * picture[rows, columns])
            return covered
    return paint_over(picture, box)


def barred(picture: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture (H, W, 3) with an upright bar of blotches over the columns of the box."""
    _, columns = window(picture, box)
    covered = picture.copy()
    if columns.stop > columns.start:
        blotches = rng.integers(40, 200, (6, 4, 3)).astype(np.uint8)
        covered[:, columns] = cv2.resize(blotches, (columns.stop - columns.start, len(picture)), interpolation=cv2.INTER_CUBIC)
    return covered


COVERS: dict[str, Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]] = {
    "copied over": copied_over,
    "painted over": lambda picture, box, _: paint_over(picture, box),
    "barred": barred,
}


def _every(clip: HardClip, step: int, length: int) -> Iterator[np.ndarray]:
    return islice(clip.frames(), 0, step * length, step)


def _covered(clip: HardClip, cover: str, first: int, end: int, seed: int) -> Iterator[np.ndarray]:
    for index, picture in enumerate(islice(clip.frames(), LONGEST)):
        hides = first <= index < end and np.isfinite(clip.boxes[index]).all()
        # The same numbers in every frame, so that what hides the target does not flicker.
        rng = np.random.default_rng([seed, crc32(clip.name.encode())])
        yield COVERS[cover](picture, clip.boxes[index], rng) if hides else picture


def _faded(length: int) -> np.ndarray:
    """Ones that fade out over a twelfth at both ends, so that no edge shows, (length,)."""
    place = np.arange(length)
    return np.minimum((np.minimum(place, length - 1 - place) + 1) / (length // 12 + 1), 1)
