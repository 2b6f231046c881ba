"""Files, whole or not there at all."""

import json
import os
from pathlib import Path

from trackers.errors import VideoError


def write(path: Path, content: bytes | str) -> None:
    """Write a file by way of a temporary one beside it; its folder is made if it is not there.

    Raises
    ------
    VideoError
        If that fails.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.replace(partial, path)
    except OSError as error:
        raise VideoError(f"cannot write {path}: {error.strerror}") from error


def write_json(path: Path, content: dict) -> None:
    """`write` JSON."""
    write(path, json.dumps(content, indent=1) + "\n")
