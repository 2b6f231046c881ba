"""Tracking from a source of frames to files, the screen or the terminal."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path

from tqdm import tqdm

from trackers.errors import VideoError
from trackers.tracker import Box, Tracker
from trackers.video import VideoWriter, check_writable, draw, format_box, open_source, write_boxes
from trackers.window import Window, check_display


def track_source(
    tracker: Tracker,
    source: str | os.PathLike,
    box: Box | None = None,
    *,
    video: str | os.PathLike | None = None,
    boxes: str | os.PathLike | None = None,
    show: bool = False,
) -> list[Box]:
    """Track a target from the first frame of a source to the last.

    Whatever ends it early (Ctrl-C, a broken frame, the user closing the window), what was tracked so far is written.
    Progress goes to stderr if that is a terminal. With neither `video`, `boxes` nor `show`, the boxes go to stdout.

    Parameters
    ----------
    tracker : Tracker
    source : str or path
        As `trackers.video.open_source` takes it.
    box : (x, y, w, h) or None
        The target in the first frame; None lets the user draw it in a window.
    video : path or None
        Annotated video to write.
    boxes : path or None
        Text file to write, ``x,y,w,h`` a line.
    show : bool
        Show the frames in a window while tracking.

    Returns
    -------
    list of (x, y, w, h)
        One box a frame; the first is `box`.

    Raises
    ------
    TrackerError
        For a source, box, output or display that does not do; before any tracking where that can be known.
    """
    if show or box is None:
        check_display()
    for output in (video, boxes):
        if output is not None and Path(output).exists() and Path(source).exists() and Path(output).samefile(source):
            raise VideoError(f"{output} would overwrite the source")
    frames = open_source(source)
    tracked: list[Box] = []
    with ExitStack() as stack:
        if boxes is not None:
            check_writable(boxes)
            stack.callback(lambda: tracked and write_boxes(boxes, tracked))
        writer = stack.enter_context(VideoWriter(video, frames.fps)) if video is not None else None
        window = stack.enter_context(Window(Path(source).name)) if show or box is None else None
        printed = not (video or boxes or show)
        bar = stack.enter_context(tqdm(frames, total=frames.length, unit=" frames", disable=None))
        for frame in bar:
            if tracked:
                ok, box = tracker.update(frame)
            else:
                box = box or window.select(frame)
                tracker.init(frame, box)
                ok = True
            tracked.append(box)
            if printed:
                bar.write(format_box(box))
                sys.stdout.flush()
            annotated = draw(frame, box, ok, f"{tracker.score:.2f}") if writer or show else frame
            if writer:
                writer.write(annotated)
            if show and not window.show(annotated):
                break
    return tracked
