"""Workspaces of the VOT toolkit 0.7.4, which is a program of its own: what it reads there, and links to a data set."""

import configparser
import json
import os
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import sequences as data
from benchmarks.peers import Spec
from trackers.errors import VideoError

STACKS = {"vot2015": "vot2015/rgb", "vot2016": "vot2016/rgb", "vot2018": "vot2018/shortterm"}  # the toolkit's names, where they are others
TIMEOUT = 300  # seconds for an answer; kernels are compiled for the first
PACKAGES = Path(__file__).resolve().parents[2]


def create(folder: Path, stack: str, sequences: Sequence[data.Sequence], specs: Sequence[Spec]) -> None:
    """Write a workspace: ``config.yaml``, ``trackers.ini`` and ``sequences``.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    stack : str
        The toolkit's name of the experiments, such as ``vot2017``; ``vot2016`` and others are known, too.
    sequences : sequence of Sequence
        Of a data set of VOT.
    specs : sequence of Spec
        The toolkit starts these trackers with the present interpreter.

    Raises
    ------
    VideoError
        If there is a workspace already, or files cannot be written.
    """
    if (folder / "config.yaml").exists():
        raise VideoError(f"{folder} is a workspace already; choose another folder, or edit its trackers.ini")
    try:
        for sequence in sequences:
            _link(folder / "sequences" / sequence.name, sequence)
        (folder / "sequences" / "list.txt").write_text("".join(f"{sequence.name}\n" for sequence in sequences))
        with (folder / "trackers.ini").open("w") as file:
            _registry(specs).write(file)
        (folder / "config.yaml").write_text(f"registry:\n- ./trackers.ini\nstack: {STACKS.get(stack, stack)}\n")
    except OSError as error:
        raise VideoError(f"cannot write the workspace {folder}: {error}") from error


def identifier(spec: Spec) -> str:
    """What the toolkit calls a tracker."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", spec.label)


def _link(folder: Path, sequence: data.Sequence) -> None:
    """Make the folder of a sequence: links to its annotation, and to the folder of its pictures wherever that is."""
    picture = sequence.files[0].resolve()
    source = picture.parent if (picture.parent / "groundtruth.txt").is_file() else picture.parent.parent
    texts = (path for pattern in ("groundtruth.txt", "*.tag", "*.label") for path in source.glob(pattern))
    links = {"color": picture.parent} | {path.name: path for path in texts}
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in links.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)
    pattern = f"color/%0{len(picture.stem)}d{picture.suffix}"
    (folder / "sequence").write_text(f"channels.color={pattern}\nformat=default\nfps=30\nname={sequence.name}\n")


def _registry(specs: Sequence[Spec]) -> configparser.ConfigParser:
    """The trackers.ini: a section for each tracker. The toolkit starts trackers in a folder of its own."""
    registry = configparser.ConfigParser()
    for spec in specs:
        label = f"{spec.label}=" if spec.label != spec.name else ""
        text = f"{label}{spec.name}{json.dumps(spec.options) if spec.options else ''}"
        command = [sys.executable, "-m", "cfvgg", "bench", "trax", text, *(("--models", str(spec.models.resolve())) if spec.models else ())]
        settings = {
            "label": spec.label,
            "protocol": "trax",
            "command": shlex.join(command),
            "timeout": str(TIMEOUT),
            "env_PYTHONPATH": os.pathsep.join([str(PACKAGES), os.getcwd()]),
        }
        registry[identifier(spec)] = {key: value.replace("%", "%%") for key, value in settings.items()}
    return registry
