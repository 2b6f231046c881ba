"""Files that are there whole, or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def check_writable(path: Path) -> None:
    """Find out before any work is done whether `whole` can write a file; OSError if not."""
    trial = partial(path)
    trial.touch()
    trial.unlink()


def partial(path: Path) -> Path:
    """The file that holds what is to be `path` while it is written."""
    return path.with_name(path.name + ".partial")


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `path` when all is written; after an exception, what was there before stays.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    with partial(path).open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())  # else the new name may outlive a power cut, and its content not
    os.replace(partial(path), path)
