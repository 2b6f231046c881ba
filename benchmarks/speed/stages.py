"""Where the time of an update goes, by the stages of the pipeline.

While this measures, the functions of each stage are replaced by ones that look at the clock; nothing is added to the trackers.
"""

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pkgutil import resolve_name

from tqdm import tqdm

from benchmarks import sequences
from benchmarks.peers import Spec, make
from benchmarks.speed.timing import WARM_UP, decoded, measure, timed_updates

# Where the functions of each stage are looked up when a tracker calls them. What such a function calls counts for it, as the crops of the
# scale filter; KCF and MOSSE window and transform their samples within 'response' and 'learn'.
STAGES = {
    "crop": ("trackers.patch.crop", "trackers.patch.resize", "trackers.kcf.crop", "trackers.kcf.resize"),
    "network": ("cfvgg.forward:Backbone.__call__",),
    "FHOG": ("trackers.features.stack.fhog", "trackers.kcf.fhog"),
    "colours": (
        "trackers.features.colour.table_means",
        "trackers.features.colour.grey",
        "trackers.filters.colour_model:ColourModel.respond",
        "trackers.filters.colour_model:ColourModel.learn",
    ),
    "window, transform": ("trackers.filters.eco:ECOFilter.encode", "trackers.filters.admm:STRCFFilter.encode"),
    "response": (
        "trackers.filters.eco:ECOFilter.respond",
        "trackers.filters.admm:STRCFFilter.respond",
        "trackers.filters.ridge:KernelFilter.respond",
        "trackers.filters.ridge:ContextFilter.respond",
        "trackers.mosse:RatioFilter.respond",
        "trackers.fourier:Inverse.__call__",
        "trackers.search.series",
    ),
    "localise": ("trackers.search.peak", "trackers.kcf.peak"),
    "scale": ("trackers.scale:ScaleFilter.change", "trackers.scale:ScaleFilter.learn"),
    "learn": (
        "trackers.filters.eco:ECOFilter.remember",
        "trackers.filters.eco:ECOFilter.train",
        "trackers.filters.eco:ECOFilter.iterate",
        "trackers.filters.admm:STRCFFilter.learn",
        "trackers.filters.ridge:KernelFilter.learn",
        "trackers.filters.ridge:ContextFilter.learn",
        "trackers.mosse:RatioFilter.learn",
    ),
}
REST = "rest"


class Clock:
    """CPU seconds of each stage since the last reset; of stages within each other the outermost counts."""

    def __init__(self):
        self.reset()
        self._running = False

    def reset(self) -> None:
        """Begin at zero."""
        self.seconds = dict.fromkeys(STAGES, 0.0)

    def timed(self, stage: str, function: Callable) -> Callable:
        """A function that does the same, and adds its time to a stage."""

        @functools.wraps(function)
        def run(*arguments, **options):
            """See `function`."""
            if self._running:
                return function(*arguments, **options)
            self._running, start = True, time.process_time()
            try:
                return function(*arguments, **options)
            finally:
                self.seconds[stage] += time.process_time() - start
                self._running = False

        return run


@contextmanager
def clocked() -> Iterator[Clock]:
    """A clock of all stages, whose functions are replaced until the end."""
    clock, originals = Clock(), []
    try:
        for stage, places in STAGES.items():
            for place in places:
                owner, _, name = place.rpartition(".")
                owner = resolve_name(owner)
                originals.append((owner, name, getattr(owner, name)))
                setattr(owner, name, clock.timed(stage, getattr(owner, name)))
        yield clock
    finally:
        for owner, name, function in originals:
            setattr(owner, name, function)


@dataclass(frozen=True)
class Profile:
    """Where the time of a tracker goes: seconds of CPU time of an update.

    Attributes
    ----------
    stages : dict of str to float
        By stage, `REST` the last.
    plain : float
        Of the same updates without clocks inside.
    """

    stages: dict[str, float]
    plain: float

    @property
    def difference(self) -> float:
        """By which share of it the sum of the stages differs from the time without clocks."""
        return sum(self.stages.values()) / self.plain - 1


def profile(spec: Spec, targets: Sequence[sequences.Sequence], rounds: int, most: int) -> Profile:
    """Profile a tracker of this project on the first frames of each target, with and without clocks by turns.

    Parameters are those of `benchmarks.speed.timing.take_turns`.
    """
    sums, plain, updates = dict.fromkeys((*STAGES, REST), 0.0), 0.0, 0
    for number, target in enumerate(tqdm(targets, unit="target", desc=spec.label, disable=None)):
        frames, box = decoded(target, most), target.boxes[0]
        if number == 0:
            measure(make(spec), frames[:WARM_UP], box)
        for _ in range(rounds):
            plain += measure(make(spec), frames, box).updates.sum()
            tracker = make(spec)
            with clocked() as clock:
                tracker.init(frames[0], box)
                clock.reset()
                seconds, _ = timed_updates(tracker, frames[1:])
            for stage, part in clock.seconds.items():
                sums[stage] += part
            sums[REST] += seconds.sum() - sum(clock.seconds.values())
            updates += len(seconds)
    return Profile({stage: float(part) / updates for stage, part in sums.items()}, float(plain) / updates)
