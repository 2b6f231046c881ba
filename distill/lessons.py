"""What the teachers teach: each some of the student's levels, compared in one loss."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from cfvgg.architecture import LAYERS, LEVELS, STRIDES
from cfvgg.network import activate
from distill import losses
from distill.alignment import align_to_level
from distill.errors import DistillationError
from distill.lifts import Lifts
from distill.losses import Levels
from distill.teachers.base import Teacher
from distill.teachers.load import load_teacher
from distill.teachers.mapping import check_levels, check_taps, parse

SIDE = 224  # channels of taps do not depend on the size


@dataclass(frozen=True, eq=False)
class Lesson:
    """A teacher, and what it teaches.

    Attributes
    ----------
    teacher : Teacher
    mapping : dict of str to str
        Its tap for each of the student's levels that it teaches.
    weight : float
        Of its levels in the loss.

    Raises
    ------
    DistillationError
        If it teaches nothing, a level or tap does not exist, or the weight is not positive.
    """

    teacher: Teacher
    mapping: dict[str, str]
    weight: float = 1.0

    def __post_init__(self):
        name = self.teacher.source or self.teacher.kind
        taps = self.teacher.taps(SIDE, SIDE)
        if not self.mapping:
            raise DistillationError(f"{name} teaches no level; name some as level=tap: levels {', '.join(LEVELS)}, taps {', '.join(taps)}")
        check_levels(self.mapping)
        check_taps(self.mapping, taps, name)
        if not 0 < self.weight < float("inf"):
            raise DistillationError(f"the weight of {name} is {self.weight}; it must be positive")

    def __str__(self) -> str:
        pairs = ",".join(f"{level}={tap}" for level, tap in self.mapping.items())
        return f"{self.teacher.source or self.teacher.kind}:{pairs}"

    def for_another(self, own: Sequence[int], other: Sequence[int]) -> "Lesson":
        """The same for a student of `other` widths than its `own`: what a teacher teaches by default depends on them."""
        by_default = self.mapping == self.teacher.default_mapping(own)
        return replace(self, mapping=self.teacher.default_mapping(other)) if by_default else self


def read_lesson(spec: str, widths: Sequence[int]) -> Lesson:
    """A lesson as the command line names it: ``FILE[:level=tap,level=tap,...]``.

    Parameters
    ----------
    spec : str
    widths : sequence of int
        Channels of the student's five levels, on which the mapping depends where none is named.

    Raises
    ------
    DistillationError, WeightsError
        See `distill.teachers.mapping.parse`, `distill.teachers.load_teacher` and `Lesson`.
    """
    path, mapping = parse(spec)
    teacher = load_teacher(path)
    return Lesson(teacher, teacher.default_mapping(widths) if mapping is None else mapping)


@dataclass(frozen=True)
class Pair:
    """A level of the student and the tap that teaches it; without a lift, plain outputs are compared channel by channel.

    `output` names the tap on the level's grid: levels on one grid, such as conv3 to conv5, share what is resampled.
    """

    name: str
    output: str
    lesson: Lesson
    level: str
    tap: str
    lifted: bool


class Fidelity(torch.nn.Module):
    """How far a student is from all its teachers; the fidelity term of Wang et al. 2020 for several of them.

    A teacher's tap that is the student's own layer, with as many channels, is compared before the ReLU, channel by channel. Any other is
    predicted by a lift from the student's level behind its ReLU and normalisation, since that is what trackers use: a lift of the plain
    output could turn its channels at will, and what a ReLU then leaves of them would not matter to the loss.

    Its state is that of the lifts, and the spreads; the teachers are moved along to another device, but are no part of it.

    Parameters
    ----------
    lessons : sequence of Lesson
        At least one.
    widths : sequence of int
        Channels of the student's five levels.
    rng : numpy.random.Generator
        Of the lifts.

    Attributes
    ----------
    lifts : Lifts
        Its parameters are all that this module has to train.
    pairs : list of Pair
    names : tuple of str
        Of the pairs of level and tap: "resnet50/conv5".

    Raises
    ------
    DistillationError
        If there is no lesson.
    """

    def __init__(self, lessons: Sequence[Lesson], widths: Sequence[int], rng: np.random.Generator):
        super().__init__()
        if not lessons:
            raise DistillationError("no teacher; the fidelity needs at least one")
        own, sizes = dict(zip(LEVELS, widths, strict=True)), {}
        self.pairs: list[Pair] = []
        kinds: list[str] = []
        for lesson in lessons:
            kinds.append(lesson.teacher.kind.replace(".", "-"))
            kind = kinds[-1] + (f"-{kinds.count(kinds[-1])}" if kinds[-1] in kinds[:-1] else "")
            taps = lesson.teacher.taps(SIDE, SIDE)
            for level, tap in lesson.mapping.items():
                channels = taps[tap].channels
                lifted = not (tap == level and tap in lesson.teacher.unrectified and channels == own[level])
                pair = Pair(f"{kind}/{level}", f"{kind}/{tap}@{STRIDES[level]}", lesson, level, tap, lifted)
                self.pairs.append(pair)
                self.register_buffer(f"spread {pair.name}", torch.ones(channels))
                if lifted:
                    sizes[pair.name] = own[level], channels
        self.lifts = Lifts(sizes, rng)
        self.names = tuple(pair.name for pair in self.pairs)

    @torch.no_grad()
    def outputs(self, pictures: torch.Tensor, names: Container[str] | None = None) -> Levels:
        """What the teachers make of pictures, on the student's grids, by the names of `Pair.output`.

        Parameters
        ----------
        pictures : tensor, float32, (N, 3, H, W)
            R, G, B, 0 .. 255.
        names : container of str or None
            Those wanted; a teacher of none of them is not run. None: all.
        """
        height, width = pictures.shape[-2:]
        taps: dict[Lesson, Levels] = {}
        found: Levels = {}
        for pair in self.pairs:
            if pair.output in found or (names is not None and pair.output not in names):
                continue
            teacher = pair.lesson.teacher
            if pair.lesson not in taps:
                taps[pair.lesson] = teacher(pictures, sorted(set(pair.lesson.mapping.values())))
            tap = teacher.taps(height, width)[pair.tap]
            found[pair.output] = align_to_level(taps[pair.lesson][pair.tap], tap, pair.level, height, width)
        return found

    def targets(self, pictures: torch.Tensor) -> Levels:
        """`outputs` by the names of the pairs."""
        return self.named(self.outputs(pictures))

    def named(self, outputs: Levels) -> Levels:
        """All `outputs` by the names of the pairs."""
        return {pair.name: outputs[pair.output] for pair in self.pairs}

    @torch.no_grad()
    def levels(self, targets: Levels) -> Levels:
        """The teachers' version of the student's levels, behind the ReLU as trackers tap them; of several teachers of one, the first's.

        Parameters
        ----------
        targets : dict of str to tensor (N, D, h, w)
            From `targets`.
        """
        found: Levels = {}
        for pair in self.pairs:
            if pair.level not in found:
                plain = pair.tap in pair.lesson.teacher.unrectified
                layer = LAYERS[LEVELS.index(pair.level)]
                found[pair.level] = activate(layer, targets[pair.name]) if plain else targets[pair.name]
        return found

    @torch.no_grad()
    def calibrate(self, targets: Levels, rectified: Levels, fit: bool = True) -> None:
        """Measure what the loss is divided by, the spreads of the teachers' channels (ones before), and fit the lifts.

        Parameters
        ----------
        targets : dict of str to tensor
            Of a good many pictures.
        rectified : dict of str to tensor
            The student's levels of these pictures, behind the ReLU; only those that are lifted need be there.
        fit : bool
            False leaves the weights of the lifts as they are.
        """
        for name, spread in losses.channel_spread(targets).items():
            self._spread(name).copy_(spread)
        levels = self._lifted_levels(rectified)
        self.lifts.measure(levels)
        if fit:
            self.lifts.fit(levels, {name: targets[name] / self._spread(name)[:, None, None] for name in levels})

    def predict(self, plain: Levels, rectified: Levels) -> Levels:
        """The student's version of the targets; arguments as `cfvgg.network.Network.both` returns them."""
        lifted = self.lifts(self._lifted_levels(rectified))
        return {
            pair.name: lifted[pair.name] * self._spread(pair.name)[:, None, None] if pair.lifted else plain[pair.level]
            for pair in self.pairs
        }

    def errors(self, plain: Levels, rectified: Levels, targets: Levels) -> dict[str, torch.Tensor]:
        """`distill.losses.fidelity` of every pair by its name."""
        found = self.predict(plain, rectified)
        return {name: losses.fidelity(found, targets, {name: self._spread(name)}) for name in self.names}

    def forward(self, plain: Levels, rectified: Levels, targets: Levels) -> torch.Tensor:
        """Mean of the errors of the pairs, weighted by the lessons' weights.

        Parameters
        ----------
        plain, rectified : dict of str to tensor (N, C, h, w)
            The student's levels, as `cfvgg.network.Network.both` returns them.
        targets : dict of str to tensor (N, D, h, w)
            From `targets`, on the same pictures.

        Returns
        -------
        tensor, ()
        """
        errors = torch.stack(list(self.errors(plain, rectified, targets).values()))
        weights = errors.new_tensor([pair.lesson.weight for pair in self.pairs])
        return (errors * weights).sum() / weights.sum()

    @torch.no_grad()
    def r_squared(self, plain: Levels, rectified: Levels, targets: Levels) -> dict[str, float]:
        """`distill.losses.r_squared` of every pair by its name."""
        return losses.r_squared(self.predict(plain, rectified), targets)

    def _spread(self, name: str) -> torch.Tensor:
        return getattr(self, f"spread {name}")

    def _lifted_levels(self, rectified: Levels) -> Levels:
        return {pair.name: rectified[pair.level] for pair in self.pairs if pair.lifted}

    def _apply(self, fn, recurse=True):
        for teacher in {pair.lesson.teacher for pair in self.pairs}:
            teacher._apply(fn, recurse)
        return super()._apply(fn, recurse)
