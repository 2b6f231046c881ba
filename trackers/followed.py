"""Targets that are followed from picture to picture: judged, doubted, and looked for where they may be."""

import copy
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trackers import recovery
from trackers.confidence import KNOWN_FROM, SEVERAL, TOLERANCE_ELSEWHERE, TOLERANCE_HERE, Confidence, Scoring, Verdict
from trackers.localisation import rival_peaks
from trackers.others import Others
from trackers.target import Detection, PlacedTarget
from trackers.tint import Tint
from trackers.tracker import Box


@dataclass(frozen=True)
class Sighting:
    """What may be a target, judged.

    Attributes
    ----------
    found : Detection
    cells : sequence of ndarray, float32, (C, h, w)
        Features of what is taken for the target.
    score, colourless, evidence : float
        See `trackers.confidence`.
    restored : bool
        Whether a second look found it, farther away or in another size, and it is not doubted for that.
    """

    found: Detection
    cells: Sequence[np.ndarray]
    score: float
    colourless: float
    evidence: float
    restored: bool = False


class FollowedTarget(PlacedTarget):
    """A target that is followed.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, C)
        First picture, as in `PlacedTarget`.
    recovers : bool
        Look again for an unsure target, and by what was known of it before it became doubtful: see `trackers.recovery`.

    Attributes
    ----------
    lost : bool
        Judged so in the last picture: see `trackers.confidence.Verdict`.
    """

    lost = False
    _scoring: Scoring = SEVERAL
    _scales: Sequence[float] = recovery.SCALES  # at which a lost target is looked for, over that at which it was last

    def __init__(self, image: np.ndarray, recovers: bool):
        super().__init__(image)
        self._recovers = recovers
        self._others = Others()  # things in the picture
        self._tint = Tint()
        self._rest = 0  # frames in which an unsure target is not looked at again
        self._unsure_at = 0.0  # its score when it last was
        self._doubts = 0  # frames in a row
        self._home: tuple[float, float] | None = None  # position before them
        self._before: FollowedTarget | None = None  # what was known then, until there are no more doubts
        self._strayed = False  # whether what is followed was found elsewhere than where the target was expected
        self._turn = 0  # frames in which that has looked for the target
        self._trial = 0  # frames since it was lost last

    def _know(self, features: Sequence[np.ndarray], place: tuple[float, float]) -> None:
        """Remember what the target looks like on the first frame, from features around `place`."""
        self._confidence = Confidence(self._scoring, self._cells(features, place, self.scale, self._angle, self.position))
        self._verdict = Verdict(self._scoring)

    def expect(self, box: Box) -> None:
        """Look around the centre of a box in the next picture, and take what is there for the target even if it was there before."""
        self.position = self._home = self._centre(box)
        self._others = Others()
        self._strayed = False
        if self._before is not None:
            self._before.position, self._before._others = self.position, self._others

    def follow(self, image: np.ndarray) -> tuple[Box, float]:
        """Box in the next picture, and a score in [0, 1]: see `trackers.confidence`.

        An unsure target is looked at again. A doubtful one is followed on, for it may have changed; but a copy of what was known of it
        before is kept, which looks for it there and, a few places a frame, as far as it can have come by now. What that surely finds is
        believed, what else it finds is followed on trial, and so is what a second look finds elsewhere. See `trackers.recovery`.
        """
        image = self._channels(image)
        self._others.pass_frame()
        seen = first = self._judged(image, self._detect(image))
        if self._recovers and (self._unsure(first) or self._before is not None):
            self._others.watch(image)
            seen = first = self._unless_other(image, first)
        if self._rest > 0 and seen.score >= recovery.WAKE_BELOW * self._unsure_at:
            self._rest -= 1
        elif self._recovers and self._doubts < recovery.PATIENCE and self._unsure(seen):
            seen = self._reconsidered(image, first)
            self._rest = recovery.REST if seen is first else 0
            self._unsure_at = first.score
        doubtful = not seen.restored and self._confidence.doubts(seen.score)
        jumped = self._apart(seen, first)
        suspect = self._suspects(seen.found)
        if self._recovers and (doubtful or jumped or self._before is not None):
            seen = self._doubt(image, seen, doubtful, jumped)
        elif doubtful:
            self._adopt(image, seen)
        else:
            self._believe(image, seen)
        score = seen.score if suspect else seen.colourless  # a strange colour alone makes it doubtful, not lost
        self.lost = self._verdict(score)
        return self._box(), score

    def _unsure(self, seen: Sighting) -> bool:
        """Whether it takes another look to tell what is seen. A low score for its colour alone does not, if it is not doubtful."""
        return seen.colourless < recovery.UNSURE_BELOW or self._confidence.doubts(seen.score)

    def _reconsidered(self, image: np.ndarray, seen: Sighting) -> Sighting:
        """The likeliest of what is seen in its place; or at another peak, farther away, or in another size, where its score is not low."""
        found = seen.found
        shifts = rival_peaks(found.response, recovery.RIVALS, recovery.RIVAL_FROM)
        rivals = [self._at(found.place, shift, found.scale, found.angle) for shift in shifts]
        looks = self._looks(image, [found.position, *rivals], [1.0])
        near = [look for look in looks if not self._apart(look, seen)]
        far = [look for look in looks if self._apart(look, seen)]
        if seen.score < recovery.OUTSIDE_BELOW:
            around = recovery.places(self.position, self._stride(), self._shape, 0, looks=recovery.AROUND)
            far += self._looks(image, around, [1.0])
        likeliest = max([seen, *near], key=lambda look: look.evidence)
        likeliest = self._surer(likeliest, self._reachable(far), recovery.FARTHER)
        return self._surer(likeliest, self._resized(image, likeliest), recovery.RESIZED)

    def _looks(self, image: np.ndarray, places: Iterable[tuple[float, float]], scales: Sequence[float]) -> list[Sighting]:
        """What is seen around places, at scales over the present one."""
        return [self._judged(image, self._look(image, self._within(place), self.scale * scale)) for place in places for scale in scales]

    def _resized(self, image: np.ndarray, seen: Sighting) -> list[Sighting]:
        """The same in other sizes. Looks at more of the picture may show something else beside it, which does not count."""
        scale = seen.found.scale / self.scale
        looks = self._looks(image, [seen.found.position], [scale * other for other in self._scales[1:]])
        return [look for look in looks if not self._apart(look, seen)]

    def _apart(self, one: Sighting, other: Sighting) -> bool:
        """Whether two sightings are of different things."""
        return self._far(one.found.position, other.found.position)

    def _far(self, place: tuple[float, float], other: tuple[float, float]) -> bool:
        """Whether the target would not be the same in both places."""
        return math.dist(place, other) >= recovery.HERE * self._mean_side()

    def _reach(self) -> float:
        """Pixels that the target may have moved, beside the camera, since it was surely seen."""
        return self._mean_side() * (recovery.REACH + recovery.SPEED * self._others.frames)

    def _mean_side(self) -> float:
        """Side in pixels of the square of its area."""
        return math.sqrt(math.prod(self._sides()))

    def _reachable(self, looks: Iterable[Sighting]) -> list[Sighting]:
        """Those of what may be the target where it can have come by now."""
        reach = self._reach()
        return [look for look in looks if self._others.moved(look.found.position) <= reach]

    def _seen_sides(self, found: Detection) -> tuple[float, float]:
        """Height and width in pixels of what was found, before it is turned."""
        return tuple(n * found.scale for n in self._upright())

    def _surer(self, seen: Sighting, looks: Sequence[Sighting], margin: float) -> Sighting:
        """The likeliest of some looks, if its score is not low, and it is likelier by a margin than what was seen; else that."""
        best = max(looks, key=lambda look: look.evidence, default=seen)
        sure = best.evidence > seen.evidence + margin and not self._confidence.falls_below(recovery.RESTORED, best.score)
        return replace(best, restored=True) if sure else seen

    def _believe(self, image: np.ndarray, seen: Sighting) -> None:
        """Take what is seen for the target, and doubt no more."""
        self._adopt(image, seen)
        self._confidence.learn(seen.score, seen.cells, seen.evidence)
        if seen.colourless >= KNOWN_FROM:
            self._tint.learn(image, self.position, self._sides())
            if self._recovers:
                self._others.remember(image, self.position, self._sides())
        self._doubts, self._trial, self._before, self._strayed = 0, 0, None, False

    def _adopt(self, image: np.ndarray, seen: Sighting) -> None:
        """Go where something was seen, and let the filters learn it."""
        self.position, self.scale = seen.found.position, seen.found.scale
        self._take(image, seen.found)

    def _doubt(self, image: np.ndarray, seen: Sighting, doubtful: bool, jumped: bool) -> Sighting:
        """What is taken for a target of which there are doubts, or were not long ago: what is seen, or what is found by what was known.

        Something that was seen elsewhere than where the target was expected has jumped, and is on trial, too.
        """
        if self._doubts == 0 and self._before is None:
            self._home = self.position
        self._doubts = self._doubts + 1 if doubtful else 0
        lost = self._doubts >= recovery.PATIENCE
        self._trial = 0 if lost else self._trial + 1
        if (lost or jumped) and self._before is None:
            self._before = self._copy()
            self._before.position = self._home
        self._strayed = self._strayed or jumped
        before = self._before
        searches = before is not None and self._trial % recovery.EVERY == 0
        again = before._search(image, self.position, recovery.FAR if self._strayed else recovery.NEAR) if searches else None
        if again is not None:
            here = not self._apart(again, seen)
            margin = 0 if self._strayed else recovery.FARTHER  # what was itself found elsewhere is no likelier than what is found now
            likelier = not here and again.evidence > seen.evidence + margin
            displaces = doubtful or (self._strayed and likelier)
            if (here or displaces) and again.evidence >= recovery.SURE * before._confidence.usual_evidence:
                if displaces:
                    self._become(before)
                    seen = again
                self._believe(image, seen)
                return seen
            if (lost and here) or ((lost or self._strayed) and likelier):
                self._strayed = self._strayed or not here
                self._become(before._copy())
                self._before = before
                self._adopt(image, again)
                return again
        self._wait(image, seen, doubtful)
        return seen

    def _wait(self, image: np.ndarray, seen: Sighting, doubtful: bool) -> None:
        """Follow what may be the target. In a picture of nothing there is nothing to follow, and the first doubts may soon be over."""
        if not doubtful and self._trial >= recovery.TRIAL:
            self._believe(image, seen)
        elif not doubtful or (self._doubts >= recovery.PATIENCE and seen.colourless >= recovery.NOTHING_BELOW):
            self._adopt(image, seen)
        elif seen.colourless >= recovery.NOTHING_BELOW:
            self.position = seen.found.position
            self.position = self._limited()
        if doubtful and not self._strayed and not self._confidence.doubts(seen.colourless):
            self._tint.learn(image, self.position, self._sides(), recovery.STAYING)  # only its colour is doubted: it may have changed

    def _copy(self) -> "FollowedTarget":
        return copy.deepcopy(self, {id(shared): shared for shared in (self._features, self._others)})

    def _become(self, known: "FollowedTarget") -> None:
        """Take all that another knows of the target for true, of which there are no doubts yet."""
        vars(self).update(vars(known), _verdict=self._verdict, _strayed=self._strayed, _doubts=0, _trial=0)

    def _search(self, image: np.ndarray, guess: tuple[float, float], enough: float) -> Sighting | None:
        """The likeliest of what is seen where the target was last, at a guess, and elsewhere; None if nothing is likely enough.

        `enough` is the share of the usual evidence that it takes to believe that it is where it is guessed.
        """
        apart = math.dist(self.position, guess) >= recovery.APART * self._stride()
        near = {guess: enough, self.position: recovery.NEAR} if apart else {self.position: recovery.NEAR}
        places = recovery.places(self.position, self._stride(), self._shape, self._turn, self._reach())
        shares = dict.fromkeys(places, recovery.FAR) | near
        glances = [(seen, least) for place, least in shares.items() for seen in self._reachable(self._looks(image, [place], [1.0]))]
        glances += [(seen, recovery.SIZED) for seen in self._reachable(self._sized(image))]
        self._turn += 1
        glance, least = max(glances, key=lambda one: one[0].evidence / one[1], default=(None, 0.0))
        if glance is None or glance.evidence < recovery.GLANCE * self._confidence.usual_evidence:
            return None
        again = self._looks(image, [glance.found.position], [glance.found.scale / self.scale])
        looks = [glance, *again, *self._resized(image, glance)]
        likeliest = max(self._reachable(looks), key=lambda look: look.evidence)
        return likeliest if likeliest.evidence >= least * self._confidence.usual_evidence else None

    def _sized(self, image: np.ndarray) -> list[Sighting]:
        """What is seen in much other sizes, from which those of a second look reach to the usual one: where it was last, and in every
        second frame in one of the places around instead.
        """
        around = recovery.places(self.position, self._stride(), self._shape, self._turn // 2, self._reach(), looks=1)
        places = around if self._turn % 2 else [self.position]
        return self._looks(image, places, [scale**2 for scale in self._scales[1:]])

    def _stride(self) -> float:
        """Pixels between the places at which a target is looked for that is not where it is expected."""
        return recovery.STRIDE * min(self._sample_sides) * self.scale

    def _judged(self, image: np.ndarray, found: Detection) -> Sighting:
        cells = self._cells(found.features, found.place, found.scale, found.angle, found.position)
        change = self._tint.change(image, found.position, self._seen_sides(found))
        strangeness = max(change - (TOLERANCE_ELSEWHERE if self._suspects(found) else TOLERANCE_HERE), 0.0)
        return self._unless_other(image, Sighting(found, cells, *self._confidence.judge(found.response, cells, strangeness)))

    def _suspects(self, found: Detection) -> bool:
        """Whether something was found elsewhere than expected, or the target has been doubted: it may be something else."""
        expected = self._home if self._doubts > 0 else self.position
        return self._before is not None or self._far(found.position, expected)

    def _unless_other(self, image: np.ndarray, seen: Sighting) -> Sighting:
        """What is seen; as nothing like the target if it is something else."""
        found = seen.found
        other = self._others.include(image, found.position, self._seen_sides(found), found.angle)
        return replace(seen, score=0.0, colourless=0.0, evidence=-math.inf) if other else seen
