"""Pictures of files, decoded."""

from pathlib import Path

import numpy as np

from trackers.errors import VideoError
from trackers.opencv import cv2
from trackers.video import read_picture

CACHE_BYTES = 2 << 30


class Store:
    """Reads pictures, and keeps them decoded in memory until there is no room; those that came later are read again and again.

    Parameters
    ----------
    capacity : int
        Bytes for decoded pictures.

    Attributes
    ----------
    broken : set of Path
        Files that were asked for and could not be read.
    """

    def __init__(self, capacity: int = CACHE_BYTES):
        self.broken: set[Path] = set()
        self._free = capacity
        self._cache: dict[Path, np.ndarray] = {}

    def read(self, file: Path) -> np.ndarray | None:
        """A picture, uint8, (height, width, 3), R, G, B; None if it is missing, cut off or no picture."""
        if file in self._cache:
            return self._cache[file]
        if file in self.broken:
            return None
        try:
            picture = cv2.cvtColor(read_picture(file), cv2.COLOR_BGR2RGB)
        except VideoError:
            self.broken.add(file)
            return None
        if picture.nbytes <= self._free:
            self._cache[file] = picture
            self._free -= picture.nbytes
        return picture
