"""What all targets have in common: where they are, and how a frame is followed."""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trackers import recovery
from trackers.confidence import KNOWN_FROM, SEVERAL, Confidence, Scoring, Verdict, target_cells
from trackers.localisation import rival_peaks
from trackers.others import Others
from trackers.patch import offset_within, turned
from trackers.scale import ScaleFilter, ShapeFilter
from trackers.tracker import Box

SMALLEST_TARGET = 5  # pixels of the sample; the scale never falls below it


@dataclass(frozen=True)
class Detection:
    """Where a response says that a target is.

    Attributes
    ----------
    place : (float, float)
        Row and column of the centre of the sample.
    scale : float
        Of the sample: pixels of the picture per pixel of it.
    angle : float
        By which the sample is turned, in radians.
    features : sequence of ndarray, float32, (C, n, m)
    sample : object
        What the filter makes of them.
    response : ndarray, (H, W)
    position : (float, float)
        Row and column of the target's centre.
    height : float
        Of the response's peak.
    """

    place: tuple[float, float]
    scale: float
    angle: float
    features: Sequence[np.ndarray]
    sample: Any
    response: np.ndarray
    position: tuple[float, float]
    height: float


@dataclass(frozen=True)
class Sighting:
    """What may be a target, judged.

    Attributes
    ----------
    found : Detection
    cells : sequence of ndarray, float32, (C, h, w)
        Features of what is taken for the target.
    score, evidence : float
        See `trackers.confidence`.
    """

    found: Detection
    cells: Sequence[np.ndarray]
    score: float
    evidence: float


class PlacedTarget(ABC):
    """A target with a place in the picture.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, C)
        First picture; it decides whether the sequence is treated as coloured.
    recovers : bool
        Look again for an unsure target, and by what was known of it before it became doubtful: see `trackers.recovery`.

    Attributes
    ----------
    position : (float, float)
        Row and column of its centre.
    scale : float
        Pixels of the picture per pixel of the sample.
    lost : bool
        Judged so in the last picture: see `trackers.confidence.Verdict`.
    """

    position: tuple[float, float]
    scale: float
    lost = False
    _features: Any  # of a picture; they know nothing of the target
    _scoring: Scoring = SEVERAL
    _scales: Sequence[float] = recovery.SCALES  # at which a lost target is looked for, over that at which it was last
    _base: tuple[float, float]  # height and width at scale one
    _cell: float  # pixels of the sample per cell of the response
    _shape: tuple[int, int]  # of the picture
    _sample_sides: tuple[float, float]  # height and width of a sample, in its pixels
    _scale_filter: ScaleFilter | ShapeFilter | None = None
    _scale_limits = 0.0, math.inf

    def __init__(self, image: np.ndarray, recovers: bool):
        self._coloured, self._recovers, self._verdict = is_coloured(image), recovers, Verdict()
        self._others = Others()  # things in the picture
        self._rest = 0  # frames in which an unsure target is not looked at again
        self._unsure_at = 0.0  # its score when it last was
        self._doubts = 0  # frames in a row
        self._home: tuple[float, float] | None = None  # position before them
        self._before: PlacedTarget | None = None  # what was known then

    @abstractmethod
    def _look(self, image: np.ndarray, position: tuple[float, float], scale: float) -> Detection:
        """Look for the target around a position at one scale."""

    def _detect(self, image: np.ndarray) -> Detection:
        """Look for the target around its last place."""
        return self._look(image, self.position, self.scale)

    @abstractmethod
    def _take(self, image: np.ndarray, found: Detection) -> None:
        """Learn the target where it was found, which is where it now is, and find out its size."""

    def expect(self, box: Box) -> None:
        """Look around the centre of a box in the next picture, and take what is there for the target even if it was there before."""
        self.position = self._home = self._centre(box)
        self._others = Others()
        if self._before is not None:
            self._before.position, self._before._others = self.position, self._others

    def follow(self, image: np.ndarray) -> tuple[Box, float]:
        """Box in the next picture, and a score in [0, 1]: see `trackers.confidence`.

        An unsure target is looked at again. A doubtful one is followed on, for it may have changed; but a copy of what was known of it
        before is kept, which looks for it there and, a few places a frame, in the rest of the picture, and what it finds is believed.
        See `trackers.recovery`.
        """
        image = self._channels(image)
        seen = self._judged(image, self._detect(image))
        if self._rest > 0 and seen.score >= recovery.WAKE_BELOW * self._unsure_at:
            self._rest -= 1
        elif self._recovers and self._before is None and seen.score < recovery.UNSURE_BELOW:
            first, seen = seen, self._reconsidered(image, seen)
            self._rest = recovery.REST if seen is first else 0
            self._unsure_at = first.score
        if not self._confidence.doubts(seen.score):
            self._believe(image, seen)
        elif self._recovers:
            seen = self._doubt(image, seen)
        else:
            self._adopt(image, seen)
        self.lost = self._verdict(seen.score)
        return self._box(), seen.score

    def _reconsidered(self, image: np.ndarray, seen: Sighting) -> Sighting:
        """The likeliest of what is seen at the highest peaks; or farther away, or in another size, where it is then no longer doubtful."""
        found = seen.found
        shifts = rival_peaks(found.response, recovery.RIVALS, recovery.RIVAL_FROM)
        rivals = [self._at(found.place, shift, found.scale, found.angle) for shift in shifts]
        likeliest = max([seen, *self._looks(image, [found.position, *rivals], [1.0])], key=lambda look: look.evidence)
        if seen.score < recovery.OUTSIDE_BELOW:
            around = recovery.places(self.position, self._stride(), self._shape, 0, recovery.AROUND)
            likeliest = self._surer(likeliest, self._looks(image, around, [1.0]), recovery.FARTHER)
        return self._surer(likeliest, self._looks(image, [likeliest.found.position], self._scales[1:]), recovery.RESIZED)

    def _looks(self, image: np.ndarray, places: Iterable[tuple[float, float]], scales: Sequence[float]) -> list[Sighting]:
        """What is seen around places, at scales over the present one."""
        return [self._judged(image, self._look(image, self._within(place), self.scale * scale)) for place in places for scale in scales]

    def _surer(self, seen: Sighting, looks: Sequence[Sighting], margin: float) -> Sighting:
        """The likeliest of some looks, if it is not doubtful, and likelier by a margin than what was seen; else that."""
        best = max(looks, key=lambda look: look.evidence, default=seen)
        sure = best.evidence > seen.evidence + margin and not self._confidence.doubts(best.score)
        return best if sure else seen

    def _believe(self, image: np.ndarray, seen: Sighting) -> None:
        """Take what is seen for the target: go there, and learn it."""
        self._adopt(image, seen)
        self._confidence.learn(seen.score, seen.cells)
        if self._recovers and seen.score >= KNOWN_FROM:
            self._others.remember(image, self.position, self._sides())
        self._doubts, self._before = 0, None

    def _adopt(self, image: np.ndarray, seen: Sighting) -> None:
        """Go where something was seen, and let the filters learn it."""
        self.position, self.scale = seen.found.position, seen.found.scale
        self._take(image, seen.found)

    def _doubt(self, image: np.ndarray, seen: Sighting) -> Sighting:
        """Follow what may be the target, unless what was known before finds it. In a picture of nothing there is nothing to follow."""
        if self._doubts == 0:
            self._home = self.position
        self._doubts += 1
        if self._doubts == recovery.PATIENCE:
            self._before = copy.deepcopy(self, {id(shared): shared for shared in (self._features, self._others)})
            self._before.position = self._home
        if self._before is not None and (again := self._before._search(image, self.position, self._doubts - recovery.PATIENCE)):
            vars(self).update(vars(self._before), _verdict=self._verdict)
            self._believe(image, again)
            return again
        if seen.score < recovery.NOTHING_BELOW:
            return seen
        if self._before is not None:
            self._adopt(image, seen)
        else:
            self.position = seen.found.position
            self.position = self._limited()
        return seen

    def _search(self, image: np.ndarray, guess: tuple[float, float], turn: int) -> Sighting | None:
        """The likeliest of what is seen where the target was last, at a guess, and elsewhere; None if nothing is likely enough."""
        likely = []
        apart = math.dist(self.position, guess) >= recovery.APART * self._stride()
        near = dict.fromkeys((self.position, guess) if apart else (self.position,), recovery.NEAR)
        elsewhere = dict.fromkeys(recovery.places(self.position, self._stride(), self._shape, turn), recovery.FAR)
        for place, enough in (elsewhere | near).items():
            glance = self._judged(image, self._look(image, place, self.scale))
            if glance.evidence >= recovery.GLANCE:
                again = self._looks(image, [glance.found.position], self._scales)
                likely += [seen for seen in again if seen.evidence >= enough]
        return max(likely, key=lambda seen: seen.evidence, default=None)

    def _stride(self) -> float:
        """Pixels between the places at which a target is looked for that is not where it is expected."""
        return recovery.STRIDE * min(self._sample_sides) * self.scale

    def _within(self, place: tuple[float, float]) -> tuple[float, float]:
        """The nearest place in the picture."""
        return tuple(min(max(p, 0), n - 1) for p, n in zip(place, self._shape, strict=True))

    def _at(self, place: tuple[float, float], shift: tuple[float, float], scale: float, angle: float) -> tuple[float, float]:
        """Row and column in the picture of what is off the middle of a response by some cells."""
        return tuple(p + d * self._cell * scale for p, d in zip(place, turned(shift, angle), strict=True))

    def _rescale(self, image: np.ndarray) -> None:
        """Change the scale to that of the scale filter, where there is one, and keep it within its limits."""
        scale, (lowest, highest) = self.scale, self._scale_limits
        if self._scale_filter is not None:
            scale *= self._scale_filter.change(image, self.position, self.scale)
        self.scale = max(min(scale, highest), lowest)

    def _learn_beside(self, image: np.ndarray) -> None:
        """Update what helps the filter, the scale filter where there is one, with the target as it was found."""
        if self._scale_filter is not None:
            self._scale_filter.learn(image, self.position, self.scale)

    def _judged(self, image: np.ndarray, found: Detection) -> Sighting:
        cells = self._cells(found.features, found.place, found.scale, found.angle, found.position)
        sides = tuple(n * found.scale for n in self._upright())
        if self._others.include(image, found.position, sides, found.angle):
            return Sighting(found, cells, 0.0, -math.inf)
        return Sighting(found, cells, *self._confidence.judge(found.response, cells))

    def _cells(
        self, features: Sequence[np.ndarray], place: tuple[float, float], scale: float, angle: float, position: tuple[float, float]
    ) -> list[np.ndarray]:
        """What each block of features around `place` shows of the target at `position`: see `target_cells`."""
        cut, offset = [], offset_within(position, place, angle)
        for block in features:
            cells = [n / side for n, side in zip(block.shape[1:], self._sample_sides, strict=True)]  # per pixel
            middle = ((n - 1) / 2 + d / scale * k for n, d, k in zip(block.shape[1:], offset, cells, strict=True))
            cut.append(target_cells(block, tuple(middle), tuple(n * k for n, k in zip(self._base, cells, strict=True))))
        return cut

    def _know(self, features: Sequence[np.ndarray], place: tuple[float, float]) -> None:
        """Remember what the target looks like on the first frame, from features around `place`."""
        self._confidence = Confidence(self._scoring, self._cells(features, place, self.scale, self._angle, self.position))

    def _channels(self, image: np.ndarray) -> np.ndarray:
        """The picture with the channels that the first one had: one of a grey sequence, else three."""
        return np.repeat(image, 3, axis=2) if self._coloured and image.shape[2] == 1 else image if self._coloured else image[:, :, :1]

    def _centre(self, box: Box) -> tuple[float, float]:
        """Row and column of a box's centre."""
        x, y, width, height = box
        return y + (height - 1) / 2, x + (width - 1) / 2

    @property
    def _angle(self) -> float:
        """By which the target has turned since the first picture, in radians, from the x axis towards the y axis."""
        return self._scale_filter.angle if self._scale_filter else 0.0

    def _upright(self) -> tuple[float, float]:
        """Height and width of the target at scale one, before it is turned."""
        aspect = self._scale_filter.aspect if self._scale_filter else 1.0
        return self._base[0] * aspect, self._base[1] / aspect

    def _sides(self) -> tuple[float, float]:
        """Height and width of the box: of the ellipse that the target's sides hold, as it is turned."""
        angle, (height, width) = self._angle, (side * self.scale for side in self._upright())
        return math.hypot(height * math.cos(angle), width * math.sin(angle)), math.hypot(width * math.cos(angle), height * math.sin(angle))

    def _limited(self) -> tuple[float, float]:
        """The position, so that the box still touches the picture: a target that has left it comes back at its border."""
        return tuple(min(max(p, -n / 2), m - 1 + n / 2) for p, n, m in zip(self.position, self._sides(), self._shape, strict=True))

    def _box(self) -> Box:
        (row, column), (height, width) = self.position, self._sides()
        return column - (width - 1) / 2, row - (height - 1) / 2, width, height


def is_coloured(image: np.ndarray) -> bool:
    """Whether the channels of a picture (H, W, C) differ anywhere."""
    return image.shape[2] == 3 and bool(np.any(image[:, :, 0] != image[:, :, 1]) or np.any(image[:, :, 1] != image[:, :, 2]))
