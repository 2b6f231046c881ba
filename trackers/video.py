"""Where frames come from, and where boxes and annotated frames go."""

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from glob import glob
from pathlib import Path

import numpy as np

from cfvgg import files
from trackers.errors import VideoError
from trackers.opencv import cv2

PICTURES = (".bmp", ".jp2", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
VIDEOS = (".avi", ".mkv", ".mov", ".mp4")

# For sources that do not say how fast they were taken.
USUAL_FPS = 30.0

# Some containers only estimate how many frames they hold; a file is called broken when it gives less than this share of them.
COMPLETE = 0.9

FOUND, LOST = (80, 220, 60), (60, 60, 230)  # colours of a box: B, G, R


class Source(ABC):
    """Frames in order: BGR uint8 (H, W, 3). Every iteration begins at the first frame; a camera's at the present one.

    Attributes
    ----------
    length : int or None
        Number of frames, if it is known; of a video file as its header says it.
    fps : float
        Frames per second.
    """

    length: int | None = None
    fps: float = USUAL_FPS

    @abstractmethod
    def __iter__(self) -> Iterator[np.ndarray]:
        """Read the frames one by one; VideoError where one cannot be read, after all that could be."""


class Pictures(Source):
    """Picture files, in the given order."""

    def __init__(self, paths: list[Path]):
        self._paths = paths
        self.length = len(paths)

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(read_picture, self._paths)


class VideoFile(Source):
    """A video file; VideoError if not even its first frame can be read."""

    def __init__(self, path: Path):
        self._path = path
        capture = cv2.VideoCapture(os.fspath(path))
        if not capture.grab():
            raise VideoError(f"{path} is not a video that OpenCV can read, or it is broken")
        count, fps = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
        self.length = int(count) if count > 0 else None
        self.fps = fps if 1 <= fps <= 1000 else USUAL_FPS

    def __iter__(self) -> Iterator[np.ndarray]:
        count = 0
        for frame in _frames(cv2.VideoCapture(os.fspath(self._path))):
            yield frame
            count += 1
        if count < COMPLETE * (self.length or 0):
            raise VideoError(f"{self._path} breaks off: {count} of {self.length} frames could be read")


class Camera(Source):
    """A camera by its index; VideoError if it does not open."""

    def __init__(self, index: int):
        self._index = index
        self._capture = cv2.VideoCapture(index)
        if not self._capture.isOpened():
            raise VideoError(f"camera {index} does not open: is it connected, permitted, and not in use?")

    def __iter__(self) -> Iterator[np.ndarray]:
        yield from _frames(self._capture)
        raise VideoError(f"camera {self._index} gives no more frames")


def open_source(source: str | os.PathLike) -> Source:
    """Open a source of frames.

    Parameters
    ----------
    source : str or path
        A video file, a picture, a folder of pictures (in natural order: 2 before 10), a glob pattern of pictures, or the index of
        a camera, such as ``"0"``.

    Raises
    ------
    VideoError
        If there is no such thing, or nothing in it can be read.
    """
    path = Path(source).expanduser()
    try:
        if path.is_dir():
            return Pictures(_pictures(path.iterdir(), path))
        if path.is_file():
            path.open("rb").close()
            return Pictures([path]) if path.suffix.lower() in PICTURES else VideoFile(path)
    except OSError as error:
        raise VideoError(f"cannot read {source}: {error}") from error
    if path.name.isdecimal() and path.name == str(source):
        return Camera(int(path.name))
    if re.search(r"[*?\[]", str(path)):
        return Pictures(_pictures(map(Path, glob(str(path), recursive=True)), path))
    raise VideoError(f"no file or folder at {source}")


def read_picture(path: Path) -> np.ndarray:
    """Read a picture file as BGR uint8 (H, W, 3).

    Raises
    ------
    VideoError
        If it is missing, empty, truncated, or no picture.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise VideoError(f"cannot read {path}: {error}") from error
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    if picture is None or _is_cut_jpeg(content):
        raise VideoError(f"{path} is {'not a whole picture' if content else 'empty'}")
    return picture


class VideoWriter:
    """An annotated video, MPEG-4. Use as a context manager: leaving it, however that comes, finishes the file.

    Frames go to a temporary file in the same folder, which takes its name when it is finished. Without any frame nothing is left.

    Parameters
    ----------
    path : str or path
        Ends in .avi, .mkv, .mov or .mp4; replaced if it is there.
    fps : float
        Frames per second.

    Raises
    ------
    VideoError
        If the file cannot be written.
    """

    def __init__(self, path: str | os.PathLike, fps: float = USUAL_FPS):
        self._path, self._fps = Path(path), fps
        if self._path.suffix.lower() not in VIDEOS:
            raise VideoError(f"cannot write {self._path}: the name of a video ends in {', '.join(VIDEOS)}")
        check_writable(self._path)
        self._partial = self._path.with_name(f"{self._path.stem}.partial{self._path.suffix}")
        self._writer: cv2.VideoWriter | None = None
        self._shape: tuple[int, ...] = ()

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, *exception) -> None:
        if self._writer is not None:
            self._writer.release()
            os.replace(self._partial, self._path)

    def write(self, frame: np.ndarray) -> None:
        """Add a frame, BGR uint8 (H, W, 3), of the first one's size."""
        if self._writer is None:
            self._writer, self._shape = self._open(frame.shape[1], frame.shape[0]), frame.shape
        if frame.shape != self._shape:  # OpenCV would drop it without a word
            raise VideoError(f"cannot write {self._path}: a frame of shape {frame.shape} after frames of shape {self._shape}")
        self._writer.write(frame)

    def _open(self, width: int, height: int) -> cv2.VideoWriter:
        writer = cv2.VideoWriter(os.fspath(self._partial), cv2.VideoWriter_fourcc(*"mp4v"), self._fps, (width, height))
        if not writer.isOpened():
            self._partial.unlink(missing_ok=True)
            raise VideoError(f"cannot write {self._path}: OpenCV has no encoder for frames of {width} x {height} pixels")
        return writer


def write_boxes(path: str | os.PathLike, boxes: Iterable[Iterable[float]]) -> None:
    """Write boxes as text, ``x,y,w,h`` a line (pixels, 0-based), whole or not at all.

    Raises
    ------
    VideoError
        If the file cannot be written.
    """
    path = Path(path)
    try:
        with files.whole(path) as file:
            file.write("".join(f"{format_box(box)}\n" for box in boxes).encode())
    except OSError as error:
        raise VideoError(f"cannot write {path}: {error}") from error


def format_box(box: Iterable[float]) -> str:
    """``x,y,w,h`` to a ten-thousandth of a pixel."""
    return ",".join(f"{value:.4f}" for value in box)


def check_writable(path: str | os.PathLike) -> None:
    """Find out before any work is done whether a file can be written.

    Raises
    ------
    VideoError
        If its folder is missing or not writable, or something else than a file (a folder, a device) has its name.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise VideoError(f"cannot write {path}: it is there, and not a file")
    if not path.parent.is_dir():
        raise VideoError(f"cannot write {path}: there is no folder {path.parent}")
    try:
        files.check_writable(path)
    except OSError as error:
        raise VideoError(f"cannot write {path}: {error.strerror}") from error


def draw(frame: np.ndarray, box: Iterable[float], ok: bool = True, text: str = "") -> np.ndarray:
    """Draw a box, and a text above it, on a copy of a frame.

    Parameters
    ----------
    frame : ndarray, uint8, (H, W, 3)
        B, G, R.
    box : four numbers
        x, y, w, h in pixels, 0-based; drawn to a sixteenth of a pixel.
    ok : bool
        False (the target is lost) changes the colour.
    text : str
        Drawn within the picture, wherever the box lies.
    """
    height, width = frame.shape[:2]
    x, y, w, h = box
    # far outside the picture coordinates would overflow OpenCV's
    left, right = np.clip([x, x + w - 1], -width, 2 * width)
    top, bottom = np.clip([y, y + h - 1], -height, 2 * height)
    colour = FOUND if ok else LOST
    size = max(min(height, width) / 480, 0.6)
    canvas = frame.copy()
    corners = (np.array([left, top, right, bottom]) * 16).round().astype(int).tolist()
    cv2.rectangle(canvas, corners[:2], corners[2:], colour, max(round(2 * size), 1), cv2.LINE_AA, 4)
    if text:
        (text_width, text_height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5 * size, 1)
        at_x = int(np.clip(left, 0, max(width - text_width - 4, 0)))
        at_y = int(np.clip(top - below - 2, text_height + 2, height - below - 2))
        cv2.rectangle(canvas, (at_x, at_y - text_height - 2), (at_x + text_width + 4, at_y + below), colour, cv2.FILLED)
        cv2.putText(canvas, text, (at_x + 2, at_y), cv2.FONT_HERSHEY_SIMPLEX, 0.5 * size, (20, 20, 20), 1, cv2.LINE_AA)
    return canvas


def _frames(capture: cv2.VideoCapture) -> Iterator[np.ndarray]:
    while True:
        ok, frame = capture.read()
        if not ok:
            return
        yield frame


def _pictures(candidates: Iterable[Path], where: Path) -> list[Path]:
    """The pictures among files, in natural order."""
    candidates = list(candidates)
    pictures = [path for path in candidates if path.suffix.lower() in PICTURES]
    if not pictures:
        folders = sorted(path.name for path in candidates if path.is_dir())
        hint = f"; it has folders: {', '.join(folders)}" if folders else ""
        raise VideoError(f"no picture at {where} (looked for {', '.join(PICTURES)}){hint}")
    return sorted(pictures, key=_natural_key)


def _natural_key(path: Path) -> list[str | int]:
    """Text and numbers by turns, so that 2 comes before 10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", str(path))]


def _is_cut_jpeg(content: bytes) -> bool:
    """Whether the end mark of a JPEG is missing: OpenCV fills the missing part of the picture with grey."""
    if content[:2] != b"\xff\xd8":
        return False
    at = 2
    while content[at : at + 1] == b"\xff" and content[at + 1 : at + 2] != b"\xda":  # segments up to the start of the scan
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return b"\xff\xd9" not in content[at:]
