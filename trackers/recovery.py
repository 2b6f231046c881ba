"""What is done with a target that is unsure or lost: where else it is looked for, and what it takes to believe that it is there.

The thresholds were chosen on development sequences, also with hidden targets, and on generated ones: see docs/robustness.rst.
"""

import math
from collections.abc import Iterator

UNSURE_BELOW = 0.4  # score of a target that is looked at again, at once
REACH, SPEED = 1.0, 0.2  # sizes of itself, and a frame, that a target may have moved since it was surely seen
RIVALS, RIVAL_FROM = 2, 0.5  # other peaks of the response that are looked at; their height over the highest
OUTSIDE_BELOW = 0.1  # score of a target that may have left what the look showed
AROUND = 4  # places at which it is then looked for
FARTHER, RESIZED = 0.5, 0.2  # evidence that it takes more to believe that it is elsewhere, and that it is of another size
RESTORED = 0.4  # share of the usual score that this takes, too
REST, WAKE_BELOW = 2, 0.7  # frames without a second look after one that brought nothing; share of the score then that ends them

PATIENCE = 3  # doubtful frames in a row, after which it is looked for
LOOKS = 3  # places of a frame at which a lost target is looked for, beside where it was last
STRIDE = 0.4  # between two of them, over the shorter side of what a look shows
APART = 0.5  # strides between where it was last and where it is taken to be now, from which both are looked at
RINGS = 6  # of places, around where it was last
SCALES = (1.0, 0.8, 1.25)  # of a second look, over that of the first
NOTHING_BELOW = 0.05  # score of a picture in which there is nothing to follow

# Shares of the evidence that is usual for it that it takes to look a second time, to believe on trial that it is where it was or may be,
# that it is elsewhere, and that its size is much another, for many places and sizes make many errors, and to believe it for good.
GLANCE, NEAR, FAR, SIZED, SURE = 0.5, 0.64, 0.72, 0.8, 0.9
TRIAL = 60  # frames in which what is taken for the target is not lost again, after which it is believed
STAYING = 0.005  # rate at which a colour is learnt that is doubted, but that of what was followed all along
EVERY = 3  # frames of a trial, in one of which it is looked for elsewhere
HERE = 0.5  # sizes of the target between what is seen and what is found, if both are one

_GRID = [(i, j) for i in range(-RINGS, RINGS + 1) for j in range(-RINGS, RINGS + 1) if (i, j) != (0, 0)]
_OFFSETS = sorted(_GRID, key=lambda offset: (max(map(abs, offset)), offset[0] ** 2 + offset[1] ** 2))


def places(
    centre: tuple[float, float], step: float, shape: tuple[int, int], turn: int, reach: float = math.inf, looks: int = LOOKS
) -> Iterator[tuple[float, float]]:
    """Where to look for a target in one frame: a few places of a grid around `centre`, which frames go through from the inside.

    Parameters
    ----------
    centre : (float, float)
        Row and column at which it was last.
    step : float
        Pixels between neighbours.
    shape : (int, int)
        Height and width of the picture; places outside do not count.
    turn : int
        How many frames it has been looked for before.
    reach : float
        Pixels from `centre` to the farthest; but its neighbours always count.
    looks : int
        How many places.
    """
    grid = [tuple(c + step * k for c, k in zip(centre, offset, strict=True)) for offset in _OFFSETS]
    inside = [place for place in grid if all(0 <= p < n for p, n in zip(place, shape, strict=True))]
    inside = [place for place in inside if max(abs(p - c) for p, c in zip(place, centre, strict=True)) <= max(reach, step)]
    for look in range(min(looks, len(inside))):
        yield inside[(turn * looks + look) % len(inside)]
