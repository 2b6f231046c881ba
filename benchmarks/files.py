"""Files, whole or not there at all."""

import json
from pathlib import Path

from cfvgg.files import whole
from trackers.errors import VideoError


def write(path: Path, content: bytes | str) -> None:
    """Write a file by way of a temporary one beside it; its folder is made if it is not there.

    Raises
    ------
    VideoError
        If that fails.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as file:
            file.write(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        raise VideoError(f"cannot write {path}: {error.strerror}") from error


def write_json(path: Path, content: dict) -> None:
    """`write` JSON."""
    write(path, json.dumps(content, indent=1) + "\n")
