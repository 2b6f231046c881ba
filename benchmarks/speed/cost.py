"""What a tracker takes besides the time of its updates."""

import time
from dataclasses import dataclass
from itertools import islice

from benchmarks import sequences
from benchmarks.peers import Spec, make
from benchmarks.provenance import weights
from benchmarks.speed.alone import alone, import_seconds, peak_memory


@dataclass(frozen=True)
class Cost:
    """Costs of a tracker, each in a fresh process.

    Attributes
    ----------
    importing : float
        Seconds to import the package that it is of.
    cold : float
        Seconds to make it and learn its first frame, with all that is loaded or compiled once.
    memory : int
        Peak in bytes above that after the imports.
    model : int
        Bytes of the files of its network; 0 for none.
    """

    importing: float
    cold: float
    memory: int
    model: int


def cost(spec: Spec, target: sequences.Sequence, most: int) -> Cost:
    """Cost of a tracker on the first frames of a target, at most so many."""
    module, _, name = spec.name.partition(":")
    package = "trackers" if not name else "cv2" if module == "opencv" else module
    return Cost(import_seconds(package), *alone(_cold, spec, target, most))


def _cold(spec: Spec, target: sequences.Sequence, most: int) -> tuple[float, int, int]:
    """Cold start, memory and bytes of the model."""
    frames = target.frames()
    image, before, start = next(frames), peak_memory(), time.perf_counter()
    tracker = make(spec)
    tracker.init(image, target.boxes[0])
    cold = time.perf_counter() - start
    for frame in islice(frames, most - 1):
        tracker.update(frame)
    return cold, peak_memory() - before, sum(file.stat().st_size for file in weights(spec, tracker))
