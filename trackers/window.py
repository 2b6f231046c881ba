"""A window on the screen: showing frames, and selecting a box with the mouse."""

import os
import subprocess
import sys

import numpy as np

from trackers.errors import InvalidBoxError, VideoError
from trackers.opencv import cv2

LARGEST = (1280, 800)  # width and height of a window as it opens
END_KEYS = (27, ord("q"))  # Esc


def check_display() -> None:
    """Find out whether a window can be opened.

    Raises
    ------
    VideoError
        If there is no display, or OpenCV was built without windows.
    """
    remedy = "give the box with --box, and write the result with --out instead of --show"
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise VideoError(f"there is no display to open a window on (DISPLAY is not set): {remedy}")
    # Where a window cannot be opened OpenCV raises or ends the whole process, depending on its build; so another process tries.
    trial = subprocess.run([sys.executable, "-c", "import cv2; cv2.namedWindow('trial'); cv2.waitKey(1)"], capture_output=True, check=False)
    if trial.returncode != 0:
        raise VideoError(f"OpenCV cannot open a window: the display does not answer, or this is a headless build of OpenCV; {remedy}")


class Window:
    """A window, open from its first frame on. Use as a context manager; see `check_display` first."""

    def __init__(self, title: str):
        self._title = title
        self._is_open = False

    def __enter__(self) -> "Window":
        return self

    def __exit__(self, *exception) -> None:
        if self._is_open:
            cv2.destroyAllWindows()

    def select(self, frame: np.ndarray) -> tuple[float, float, float, float]:
        """Let the user draw a box (x, y, w, h) on a frame (H, W, 3).

        Raises
        ------
        InvalidBoxError
            If none is drawn.
        """
        self._open(frame)
        cv2.setWindowTitle(self._title, "Draw a box around the target, then press Enter (c: cancel)")
        x, y, w, h = cv2.selectROI(self._title, frame, showCrosshair=False, fromCenter=False, printNotice=False)
        if w == 0 or h == 0:
            raise InvalidBoxError("no box was drawn")
        cv2.setWindowTitle(self._title, self._title)
        return float(x), float(y), float(w), float(h)

    def show(self, frame: np.ndarray) -> bool:
        """Show a frame (H, W, 3); False when the user wants to end: Esc, q, or the window closed."""
        self._open(frame)
        cv2.imshow(self._title, frame)
        key = cv2.waitKey(1) & 0xFF
        return key not in END_KEYS and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1

    def _open(self, frame: np.ndarray) -> None:
        if not self._is_open:
            cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
            height, width = frame.shape[:2]
            shrink = min(1.0, LARGEST[0] / width, LARGEST[1] / height)
            cv2.resizeWindow(self._title, round(width * shrink), round(height * shrink))
            self._is_open = True
