"""Hostile inputs, each in a process of its own: ``python -m benchmarks.robustness.hostile`` prints what every tracker makes of them."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import threads

if __name__ == "__main__":
    threads.hold_libraries()

import numpy as np

from benchmarks import peers
from benchmarks.report.tables import Column, Table, plain
from benchmarks.robustness.cases import BOX, Case, Found, cases, frames
from benchmarks.robustness.isolated import Death, Hang, isolated
from trackers import Tracker
from trackers.errors import TrackerError
from trackers.opencv import cv2

OWN = ("fECO", "fKCF", "KCF", "MOSSE", "STRCF", "BACF", "fDeepSTRCF", "ECOHC")
PEERS = ("CSRT", "KCF", "MIL", "MOSSE")
LIMIT = 20.0  # seconds for a case

KINDS = ("valid", "typed error", "wrong result", "internal error", "death", "hang")
GOOD_KINDS = KINDS[:2]
INTERNAL = ("Assertion failed", "Insufficient memory")  # what OpenCV says where it did not look at its arguments


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    text : str
        Of the error.
    kept : bool or None
        Whether a refused call left a tracker of ours under way as it was, bit for bit, and it found the target in the next frame as if
        nothing had happened. None for others, and where nothing was refused.
    """

    kind: str
    text: str = ""
    kept: bool | None = None

    @property
    def good(self) -> bool:
        """Whether a user can live with it."""
        return self.kind in GOOD_KINDS and self.kept is not False


@dataclass(frozen=True)
class Prepared:
    """A tracker made ready for a case, which uses it up.

    Attributes
    ----------
    new, begun : Trackable
        Without a target, and under way: it knows the first two of the good frames.
    state : bytes
        What `begun` knows, if it is ours.
    expected : tuple
        What that one has to find in the third.
    """

    new: peers.Trackable
    begun: peers.Trackable
    state: bytes = b""
    expected: tuple = ()


def prepare(make: Callable[[], peers.Trackable]) -> Prepared:
    """What a case needs of a tracker."""
    cv2.setRNGSeed(0)
    new, begun = make(), make()
    begun.init(frames()[0], BOX)
    begun.update(frames()[1])
    if not isinstance(begun, Tracker):
        return Prepared(new, begun)
    other = make()
    other.init(frames()[0], BOX)
    other.update(frames()[1])
    return Prepared(new, begun, _state(begun), (other.update(frames()[2]), other.score))


def attempt(case: Case, prepared: Prepared) -> Outcome:
    """Put a case to a tracker."""
    tracker = prepared.begun if case.begun else prepared.new
    own, kept = isinstance(tracker, Tracker), None
    try:
        kind, text = _judge(case.play(tracker), tracker), ""
    except Exception as error:
        kind, text = _kind(error, own), f"{type(error).__name__}: {error}"
    if own and kind == "typed error":
        kept = _is_kept(case, prepared)
    return Outcome(kind, text, kept)


def run(specs: list[peers.Spec], limit: float = LIMIT) -> dict[str, dict[str, Outcome]]:
    """Outcomes of all cases by tracker and case, each in a process of its own that is ended after `limit` seconds."""
    found = {}
    for spec in specs:
        start = time.perf_counter()
        _prepared(spec)  # here, whence forks have it
        found[spec.label] = {name: _isolated(spec, name, limit) for name in cases()}
        print(f"{spec.label}: {len(cases())} cases, {time.perf_counter() - start:.0f} s", file=sys.stderr)
    return found


def table(found: dict[str, dict[str, Outcome]]) -> Table:
    """How many cases came to what, by tracker."""
    rows = []
    for label, outcomes in found.items():
        counts = Counter(outcome.kind for outcome in outcomes.values())
        kept = [outcome.kept for outcome in outcomes.values() if outcome.kept is not None]
        rows.append([label, len(outcomes), *(counts[kind] for kind in KINDS), f"{sum(kept)} of {len(kept)}" if kept else None])
    columns = [Column("tracker"), Column("cases", 0), *(Column(kind, 0) for kind in KINDS), Column("state kept")]
    return Table("hostile", "Hostile inputs", columns, rows)


def main(arguments: list[str] | None = None) -> int:
    """Print the table, and every case that came to no good; the exit code is 1 if one of our trackers has such."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.robustness.hostile", description=__doc__)
    parser.add_argument("--trackers", metavar="TRACKERS", help="between commas, as for cfvgg bench run (all of this project, and OpenCV's)")
    parser.add_argument("--models", type=Path, metavar="FOLDER", help=f"where {' and '.join(peers.NANO)} of opencv:Nano are")
    parser.add_argument("--limit", type=float, default=LIMIT, metavar="S", help="seconds after which a case hangs (%(default)g)")
    given = parser.parse_args(arguments)
    threads.hold_opencv()
    usual = [*OWN, *(f"opencv:{name}" for name in (*PEERS, *(["Nano"] if given.models else [])))]
    try:
        found = run(peers.parse(given.trackers or ",".join(usual), given.models), given.limit)
    except TrackerError as error:
        print(error, file=sys.stderr)
        return 1
    print(plain(table(found)))
    bad = [(label, name, outcome) for label, outcomes in found.items() for name, outcome in outcomes.items() if not outcome.good]
    for label, name, outcome in bad:
        print(f"{label}, {name}: {outcome.kind}{', state changed' * (outcome.kept is False)}: {' '.join(outcome.text.split())[:200]}")
    return 1 if any(not label.startswith("opencv") for label, *_ in bad) else 0


_ready: dict[str, Prepared] = {}


def _prepared(spec: peers.Spec) -> Prepared:
    if spec.label not in _ready:
        _ready[spec.label] = prepare(lambda: peers.make(spec))
    return _ready[spec.label]


def _isolated(spec: peers.Spec, name: str, limit: float) -> Outcome:
    try:
        return isolated(_attempt, spec, name, limit=limit)
    except Hang as hang:
        return Outcome("hang", str(hang))
    except Death as death:
        return Outcome("death", str(death))


def _attempt(spec: peers.Spec, name: str) -> Outcome:
    return attempt(cases()[name], _prepared(spec))


def _state(tracker: Tracker) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        tracker.save(path)
        return path.read_bytes()


def _judge(found: Found, tracker: peers.Trackable) -> str:
    """``valid`` for a finite box of some size and, of ours, a score in [0, 1]; others need no box where they say that it is lost."""
    own = isinstance(tracker, Tracker)
    if found is None or (own and not 0 <= tracker.score <= 1):
        return "wrong result"
    ok, box = found
    sound = np.shape(box) == (4,) and np.isfinite(box).all() and min(box[2:]) > 0
    return "valid" if sound or not (ok or own) else "wrong result"


def _kind(error: Exception, own: bool) -> str:
    """Whether an error is meant for the user. Of others that is any of Python's own, and OpenCV's but for `INTERNAL` and strange ones."""
    if own:
        meant = isinstance(error, TrackerError)
    elif isinstance(error, cv2.error):
        meant = str(error).startswith("OpenCV") and not any(words in str(error) for words in INTERNAL)
    else:
        meant = not isinstance(error, MemoryError)
    return "typed error" if meant else "internal error"


def _is_kept(case: Case, prepared: Prepared) -> bool:
    """Whether what is refused leaves the tracker under way as it was."""
    tracker = prepared.begun
    if not case.begun:
        try:
            case.play(tracker)
        except TrackerError:
            pass
        else:
            return True  # it is not refused once a target is known
    return _state(tracker) == prepared.state and (tracker.update(frames()[2]), tracker.score) == prepared.expected


if __name__ == "__main__":
    sys.exit(main())
