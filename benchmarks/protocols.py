"""Where runs of a tracker begin: one-pass evaluation, and the toolkit's tests of robustness in space and in time."""

from dataclasses import dataclass

import numpy as np

from benchmarks.sequences import Sequence
from trackers.errors import UnknownOptionError
from trackers.patch import round_half_away

PROTOCOLS = ("ope", "sre", "tre")
SHARE = 0.1  # of the target's size, by which SRE shifts its box
SCALES = (0.8, 0.9, 1.1, 1.2)
SEGMENTS, SHORTEST = 20, 20  # of TRE: runs, and frames of the last one


@dataclass(frozen=True, eq=False)
class Start:
    """Where a run begins; it ends with the sequence.

    Attributes
    ----------
    protocol : str
        One of `PROTOCOLS`.
    number : int
        Of the run, from 1.
    frame : int
        Counted from 0.
    box : ndarray, float64, (4,)
        What the tracker is given: x, y, w, h, 0-based.
    """

    protocol: str
    number: int
    frame: int
    box: np.ndarray


def starts(sequence: Sequence, protocol: str = "ope", shape: tuple[int, ...] | None = None) -> list[Start]:
    """The runs of a protocol.

    Parameters
    ----------
    sequence : Sequence
    protocol : str
        ``ope``: one from the first frame. ``sre``: 12 from there with another box. ``tre``: 20 from frames all over the sequence; fewer if
        it is short.
    shape : (int, int, ...) or None
        Height and width of the pictures, which SRE needs.

    Raises
    ------
    UnknownOptionError
        If there is no such protocol.
    """
    if protocol == "ope":
        begun = [(0, sequence.boxes[0])]
    elif protocol == "sre":
        begun = [(0, box) for box in shifted(sequence.boxes[0], shape)]
    elif protocol == "tre":
        begun = [(frame, sequence.boxes[frame]) for frame in segments(sequence)]
    else:
        raise UnknownOptionError(f"no protocol {protocol!r}; there are {', '.join(PROTOCOLS)}")
    return [Start(protocol, number, frame, box) for number, (frame, box) in enumerate(begun, 1)]


def shifted(box: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """SRE's boxes (12, 4) for a true one (4,), both 0-based, in a picture of height and width `shape`: the toolkit's shiftInitBB.

    They are: left, right, up, down; the corner moved out at top left, top right, bottom left and bottom right; the scales 0.8, 0.9, 1.1
    and 1.2 about the centre.
    """
    x, y, w, h = np.add(box, (1, 1, 0, 0))  # the toolkit rounds what is counted from 1
    right, bottom = x + w - 1, y + h - 1
    across, along = np.ceil(SHARE * w), np.ceil(SHARE * h)
    moved = [(x - across, y, w, h), (x + across, y, w, h), (x, y - along, w, h), (x, y + along, w, h)]
    left, top, end, base = map(round_half_away, (x - SHARE * w, y - SHARE * h, right + SHARE * w, bottom + SHARE * h))
    corners = ((left, top, right, bottom), (x, top, end, bottom), (left, y, right, base), (x, y, end, base))
    moved += [(x1, y1, x2 - x1 + 1, y2 - y1 + 1) for x1, y1, x2, y2 in corners]
    scaled = ((x + w / 2 - q * w / 2, y + h / 2 - q * h / 2, q * w, q * h) for q in SCALES)
    moved += [tuple(map(round_half_away, each)) for each in scaled]
    boxes = np.array(moved, float)
    boxes[:, :2] = np.maximum(boxes[:, :2], 1)
    boxes[:, 2:] = np.minimum(boxes[:, 2:], np.array(shape[1::-1]) - boxes[:, :2] + 1)
    return np.subtract(boxes, (1, 1, 0, 0))


def segments(sequence: Sequence) -> list[int]:
    """First frames of TRE's runs, counted from 0: the toolkit's splitSeqTRE.

    They lie evenly among the frames that are annotated, not omitted, and have at least 20 frames from there to the end; where there are
    fewer than 20 such frames some of them coincide and count once. A sequence of fewer than 20 frames has one run, from its first frame.
    """
    frames = np.flatnonzero(sequence.usable)
    count = int((frames <= len(sequence) - SHORTEST).sum())
    if not count:
        return [0]
    step = count / (SEGMENTS - 1)
    places = [int(1 + k * step) for k in range(SEGMENTS) if 1 + k * step <= count] + [count]
    return frames[np.unique(places) - 1].tolist()
