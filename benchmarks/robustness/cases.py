"""Hostile inputs: boxes, pictures, orders of calls and broken files that a tracker must refuse with a clear error, or cope with."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks import synthetic
from benchmarks.peers import Trackable
from trackers import Tracker
from trackers.errors import TrackerError
from trackers.opencv import cv2
from trackers.video import read_picture

SCENE = synthetic.Scene(frames=4, size=(96, 128), target_size=0.35, motion=2, camera=0.3, distractors=0, occlusion=0, noise=1)
BOX = (68, 7, 46, 43)  # of its target in the first frame
HEIGHT, WIDTH = SCENE.size
CUT = 1024  # bytes

Found = tuple[bool, Any] | None  # what `update` gives, or None where the tracker was made to see something that is not there
Play = Callable[[Trackable], Found]


@dataclass(frozen=True)
class Case:
    """A hostile input.

    Attributes
    ----------
    name : str
        Kind and what is wrong.
    play : callable
        Makes the hostile call, and the call that a program makes after it if that is accepted; returns what the last `update` found.
    begun : bool
        Whether the tracker is under way, in the frames of `frames`, rather than new.
    """

    name: str
    play: Play
    begun: bool


@cache
def frames() -> list[np.ndarray]:
    """The good frames, (96, 128, 3) uint8, B, G, R."""
    return list(synthetic.sequence(SCENE).frames)


@cache
def cases() -> dict[str, Case]:
    """All cases by name."""
    found = [Case(f"box: {name}", partial(_init_box, make), False) for name, make in BOXES.items()]
    for name, make in PICTURES.items():
        found.append(Case(f"first picture: {name}", partial(_init_picture, make), False))
        found.append(Case(f"picture: {name}", partial(_update, make), True))
    found += [Case(f"calls: {name}", play, begun) for name, (play, begun) in CALLS.items()]
    for suffix in FILES:
        size = len(_file(suffix))
        found += [Case(f"file: {suffix} cut at {cut} bytes", partial(_read_cut, suffix, cut), True) for cut in range(0, size, CUT)]
    return {case.name: case for case in found}


class Treacherous:
    """Not an array, though it says that it can become one."""

    def __array__(self, *_, **__):
        raise RuntimeError("no array after all")

    def __len__(self) -> int:
        return 4


def _cyclic() -> list:
    endless = [1, 2, 3]
    endless.append(endless)
    return endless


# What is given to `init` with a good picture; each is made when it is needed, for some can be used but once.
BOXES: dict[str, Callable[[], Any]] = {
    "one NaN": lambda: (10, float("nan"), 30, 30),
    "all NaN": lambda: (float("nan"),) * 4,
    "width NaN": lambda: (10, 10, float("nan"), 30),
    "x infinite": lambda: (float("inf"), 10, 30, 30),
    "y minus infinite": lambda: (10, float("-inf"), 30, 30),
    "width infinite": lambda: (10, 10, float("inf"), 30),
    "width negative": lambda: (40, 40, -30, 30),
    "height negative": lambda: (40, 40, 30, -30),
    "width zero": lambda: (40, 40, 0, 30),
    "height zero": lambda: (40, 40, 30, 0),
    "all zero": lambda: (0, 0, 0, 0),
    "width beyond any picture": lambda: (-1e9, 10, 2e9, 30),
    "size of 1e5": lambda: (-5e4, -5e4, 1e5, 1e5),
    "size of 1e200": lambda: (-1e200, -1e200, 2e200, 2e200),
    "position beyond 32 bits": lambda: (2**40, 2**40, 30, 30),
    "position beyond 64 bits": lambda: (10**30, 10, 30, 30),
    "size of 1e-9": lambda: (40, 40, 1e-9, 1e-9),
    "size of 1e-320": lambda: (40, 40, 1e-320, 1e-320),
    "a third of a pixel": lambda: (60.3, 40.2, 0.33, 0.33),
    "one pixel": lambda: (60, 40, 1, 1),
    "one pixel wide": lambda: (60, 0, 1, HEIGHT),
    "one pixel high": lambda: (0, 40, WIDTH, 1),
    "the whole picture": lambda: (0, 0, WIDTH, HEIGHT),
    "larger than the picture": lambda: (-100, -100, 400, 400),
    "outside, right": lambda: (WIDTH + 10, 10, 30, 30),
    "outside, left": lambda: (-50, 10, 30, 30),
    "outside, above": lambda: (10, -50, 30, 30),
    "outside, below": lambda: (10, HEIGHT, 30, 30),
    "outside, far": lambda: (9e5, 9e5, 30, 30),
    "only a corner inside": lambda: (WIDTH - 0.5, HEIGHT - 0.5, 30, 30),
    "strings": lambda: ("10", "10", "30", "30"),
    "one string": lambda: "10,10,30,30",
    "bytes": lambda: b"abcd",
    "no number": lambda: (),
    "one number": lambda: 7,
    "three numbers": lambda: (10, 10, 30),
    "five numbers": lambda: (10, 10, 30, 30, 30),
    "a million numbers": lambda: np.ones(10**6),
    "None": lambda: None,
    "four None": lambda: (None,) * 4,
    "array of bool": lambda: np.ones(4, bool),
    "complex": lambda: (10j, 10, 30, 30),
    "array (1, 4)": lambda: np.array([[10, 10, 30, 30]]),
    "array (2, 2)": lambda: np.array([[10, 10], [30, 30]]),
    "array (4, 4)": lambda: np.full((4, 4), 30),
    "array of objects": lambda: np.array([10, 10, 30, 30], object),
    "array float16": lambda: np.array([10, 10, 30, 30], np.float16),
    "array of times": lambda: np.array([10, 10, 30, 30], "m8[s]"),
    "array with fields": lambda: np.zeros(4, [("x", float), ("y", float)]),
    "masked array": lambda: np.ma.array([10, 10, 30, 30], mask=[0, 1, 0, 0]),
    "ragged": lambda: [[10, 10], [30]],
    "a list that holds itself": _cyclic,
    "dict": lambda: {"x": 10, "y": 10, "w": 30, "h": 30},
    "set": lambda: {10, 11, 30, 31},
    "generator": lambda: (value for value in (10, 10, 30, 30)),
    "object": object,
    "an array that raises": Treacherous,
    "times": lambda: (timedelta(1),) * 4,
    "decimals": lambda: (Decimal(10),) * 4,
    "a picture": lambda: frames()[0],
}


def _good() -> np.ndarray:
    return frames()[2]


def _grey() -> np.ndarray:
    return _good()[:, :, 1]


def _with_nan() -> np.ndarray:
    picture = _good() / 255
    picture[40:60, 50:70] = np.nan
    return picture


def _strided() -> np.ndarray:
    large = np.zeros((2 * HEIGHT, 3 * WIDTH, 3), np.uint8)
    large[::2, 1::3] = _good()
    return large[::2, 1::3]


def _read_only() -> np.ndarray:
    picture = _good().copy()
    picture.flags.writeable = False
    return picture


def _unaligned() -> np.ndarray:
    return np.frombuffer(b" " + _good().tobytes(), np.uint8)[1:].reshape(HEIGHT, WIDTH, 3)


# What is given to `init`, and to `update` under way.
PICTURES: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "name of a file": lambda: "frame.jpg",
    "bytes": lambda: _good().tobytes(),
    "list": lambda: _good()[:4, :4].tolist(),
    "tuple of rows": lambda: tuple(_good()),
    "object": object,
    "an array that raises": Treacherous,
    "memoryview": lambda: memoryview(_good()),
    "number": lambda: 7,
    "array ()": lambda: np.array(7, np.uint8),
    "array (100,)": lambda: np.zeros(100, np.uint8),
    "array (1, H, W, 3)": lambda: _good()[None],
    "channels first": lambda: np.ascontiguousarray(_good().transpose(2, 0, 1)),
    "empty": lambda: np.zeros((0, 0, 3), np.uint8),
    "no row": lambda: np.zeros((0, WIDTH, 3), np.uint8),
    "no channel": lambda: np.zeros((HEIGHT, WIDTH, 0), np.uint8),
    "2 channels": lambda: _good()[:, :, :2],
    "4 channels": lambda: np.dstack([_good(), _grey()]),
    "5 channels": lambda: np.dstack([_good(), _good()[:, :, :2]]),
    "600 channels": lambda: np.zeros((HEIGHT, WIDTH, 600), np.uint8),
    "float with NaN": _with_nan,
    "float all infinite": lambda: np.full((HEIGHT, WIDTH, 3), np.inf),
    "float 0..1": lambda: _good() / 255,
    "float 0..255": lambda: _good().astype(float),
    "float16": lambda: _good().astype(np.float16),
    "float32": lambda: _good().astype(np.float32),
    "int8": lambda: _good().astype(np.int8),
    "uint16": lambda: _good().astype(np.uint16) * 257,
    "uint16, other byte order": lambda: _good().astype(">u2"),
    "int64": lambda: _good().astype(np.int64),
    "bool": lambda: _good() > 100,
    "complex": lambda: _good() * 1j,
    "objects": lambda: _good().astype(object),
    "strings": lambda: _good().astype(str),
    "fields": lambda: np.zeros((HEIGHT, WIDTH), [("b", np.uint8), ("g", np.uint8), ("r", np.uint8)]),
    "masked": lambda: np.ma.array(_good(), mask=_good() > 200),
    "matrix": lambda: np.asmatrix(_grey()),
    "record array": lambda: _good().view(np.recarray),
    "not contiguous": _strided,
    "negative strides": lambda: np.ascontiguousarray(_good()[::-1, ::-1])[::-1, ::-1],
    "strides of zero": lambda: np.broadcast_to(_grey()[:, :, None], (HEIGHT, WIDTH, 3)),
    "read-only": _read_only,
    "Fortran order": lambda: np.asfortranarray(_good()),
    "begins at an odd byte": _unaligned,
    "black": lambda: np.zeros((HEIGHT, WIDTH, 3), np.uint8),
    "white": lambda: np.full((HEIGHT, WIDTH, 3), 255, np.uint8),
    "grey": _grey,
    "grey (H, W, 1)": lambda: _grey()[:, :, None],
    "1 x 1": lambda: np.full((1, 1, 3), 90, np.uint8),
    "2 x 2": lambda: _good()[:2, :2],
    "1 x 20000": lambda: np.full((1, 20000, 3), 90, np.uint8),
    "20000 x 1": lambda: np.full((20000, 1, 3), 90, np.uint8),
    "one pixel narrower": lambda: _good()[:, :-1],
    "turned": lambda: np.rot90(_good()),
    "twice as large": lambda: _good().repeat(2, axis=0).repeat(2, axis=1),
}


def _init_box(make: Callable[[], Any], tracker: Trackable) -> Found:
    tracker.init(frames()[0], make())
    return tracker.update(frames()[1])


def _init_picture(make: Callable[[], Any], tracker: Trackable) -> Found:
    """Begin on the picture, with a box that meets it if it is one, and go on."""
    picture = make()
    small = isinstance(picture, np.ndarray) and picture.ndim > 1 and min(picture.shape[:2]) < 40
    tracker.init(picture, (0, 0, 1, 1) if small else BOX)
    return tracker.update(picture)


def _update(make: Callable[[], Any], tracker: Trackable) -> Found:
    tracker.update(make())
    return tracker.update(frames()[3])


def _before_init(tracker: Trackable) -> Found:
    return tracker.update(frames()[0])


def _after_refusal(tracker: Trackable) -> Found:
    """Begin badly, ignore that, and go on."""
    with suppress(cv2.error, TrackerError):
        tracker.init(frames()[0], (10, 10, -30, 30))
    return tracker.update(frames()[1])


def _init_again(picture: Callable[[], np.ndarray], box: tuple, tracker: Trackable) -> Found:
    tracker.init(picture(), box)
    return tracker.update(picture())


def _grey_first(tracker: Trackable) -> Found:
    tracker.init(frames()[0][:, :, 1], BOX)
    return tracker.update(frames()[1])


def _overwritten(tracker: Trackable) -> Found:
    """One buffer for all frames, as cameras have."""
    buffer = frames()[0].copy()
    tracker.init(buffer, BOX)
    for frame in frames()[1:]:
        buffer[:] = frame
        found = tracker.update(buffer)
        buffer[:] = 0
    return found


CALLS: dict[str, tuple[Play, bool]] = {
    "update before init": (_before_init, False),
    "update after an init that was refused": (_after_refusal, False),
    "init again": (partial(_init_again, _good, (20, 30, 40, 50)), True),
    "init again, in a larger picture": (partial(_init_again, PICTURES["twice as large"], (100, 60, 80, 70)), True),
    "init again, in a grey picture": (partial(_init_again, _grey, BOX), True),
    "init again, one pixel": (partial(_init_again, _good, (60, 40, 1, 1)), True),
    "init twice": (lambda tracker: (tracker.init(frames()[0], BOX), _init_again(_good, BOX, tracker))[1], False),
    "colour after grey": (_grey_first, False),
    "the picture overwritten after each call": (_overwritten, False),
}

FILES = (".jpg", ".png", ".bmp", ".webp", ".tiff")


@cache
def _file(suffix: str) -> bytes:
    """A good frame as a picture file."""
    return cv2.imencode(suffix, _good())[1].tobytes()


def _read_cut(suffix: str, size: int, tracker: Trackable) -> Found:
    """Follow the target in what is read of a broken file: by our reader, or by OpenCV's for others."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"cut{suffix}"
        path.write_bytes(_file(suffix)[:size])
        picture = read_picture(path) if isinstance(tracker, Tracker) else cv2.imread(str(path))
    if picture is None:
        raise ValueError("so cv2.imread says that it cannot read a file")
    if not np.array_equal(picture, cv2.imdecode(np.frombuffer(_file(suffix), np.uint8), cv2.IMREAD_COLOR)):
        return None
    return tracker.update(picture)
