"""What made a folder of results: ``run.json`` in it."""

import dataclasses
import hashlib
import importlib
import json
import os
import platform
import subprocess
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import cache
from importlib import metadata
from pathlib import Path

import trackers
from benchmarks import peers, threads
from benchmarks.files import write_json
from cfvgg import __version__
from cfvgg.weights import SHIPPED
from trackers.errors import UnknownOptionError, VideoError
from trackers.opencv import cv2

NAME = "run.json"
ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = ("joblib", "numba", "numpy", "pyFFTW", "scipy", "torch")
COMMAND_LINE = ("__main__.py", "cli.py", "describe.py")  # in cfvgg; no box depends on it


def check(folder: Path, spec: peers.Spec) -> None:
    """Make sure that what a tracker adds to the results in its folder, if there are any, is of one kind with them.

    Raises
    ------
    UnknownOptionError
        If they are of something else: another program, tracker, parameters, weights or code.
    TrackerError
        If there is no such tracker, or a file cannot be read; further, whatever a tracker of others raises when it is made.
    """
    before, now = _read(folder), identity(spec)
    changes = _changes(before, now) if before else ["they are of another program"] * any(folder.rglob("*.txt"))
    if changes:
        raise UnknownOptionError(
            f"{folder} has results that were made otherwise: {'; '.join(changes)}. "
            f"Give the tracker another label, as in new={spec.name}, or choose another folder"
        )


def record(folder: Path, spec: peers.Spec, **run) -> None:
    """Note in ``folder/run.json`` that a run of a tracker begins: its `identity`, and of each run the `environment` and `run`.

    Raises
    ------
    VideoError
        If the file cannot be written.
    """
    before = _read(folder) or {**identity(spec), "runs": []}
    write_json(folder / NAME, {**before, "runs": [*before["runs"], {**environment(), **run}]})


def identity(spec: peers.Spec) -> dict:
    """What boxes depend on, as JSON has it.

    Returns
    -------
    dict
        ``tracker``, ``options``, ``parameters`` (all fields of its configuration), ``weights`` (SHA-256 by name of the file) and ``code``.

    Raises
    ------
    TrackerError
        If there is no such tracker, or it does not take its options.
    """
    tracker = peers.make(spec)
    config = getattr(tracker, "config", None)
    found = {
        "tracker": spec.name,
        "options": spec.options,
        "parameters": dataclasses.asdict(config) if dataclasses.is_dataclass(config) else {},
        "weights": {file.name: sha256(file.read_bytes()) for file in weights(spec, tracker)},
        "code": _code(spec),
    }
    return json.loads(json.dumps(found, default=str))


def weights(spec: peers.Spec, tracker: peers.Trackable) -> Iterator[Path]:
    """Files of the networks that a tracker runs."""
    features = getattr(getattr(tracker, "config", None), "features", ())
    if spec.name in trackers.names() and any(feature.is_level for feature in features):
        yield Path(spec.options.get("backbone") or SHIPPED)
    yield from getattr(tracker, "files", ())


def environment() -> dict:
    """Date, version, commit, machine, libraries and threads of this process, as JSON has them."""
    installed = {name.lower(): metadata.version(name) for name in LIBRARIES if _is_installed(name)}
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "version": __version__,
        "git": _commit(),
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "system": platform.platform()},
        "libraries": {"python": platform.python_version(), "opencv": cv2.__version__, **installed},
        "threads": {"opencv": cv2.getNumThreads(), **{name: os.environ.get(name) for name in threads.VARIABLES}},
    }


def sha256(content: bytes) -> str:
    """Hash in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _read(folder: Path) -> dict | None:
    """What is noted in a folder; None if nothing is."""
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text())
        if {"tracker", "options", "parameters", "weights", "code", "runs"} <= content.keys():
            return content
    except (OSError, json.JSONDecodeError, AttributeError) as error:
        raise VideoError(f"cannot read {path}: {error}") from error
    raise VideoError(f"{path} does not say what made the results beside it")


def _changes(before: dict, now: dict) -> list[str]:
    """What differs between two identities; of parameters and weights, which."""
    changes = []
    for name, value in now.items():
        earlier = before[name]
        if name in ("parameters", "weights") and before["tracker"] == now["tracker"]:
            changes += [
                f"{each} was {_brief(earlier.get(each))}, is now {_brief(value.get(each))}"
                for each in {**earlier, **value}
                if earlier.get(each) != value.get(each)
            ]
        elif earlier != value:
            changes.append(f"{name} was {_brief(earlier)}, is now {_brief(value)}")
    return changes


def _brief(value: object) -> str:
    """Text for a message: the beginning of a hash, or of anything long."""
    text = str(value)
    return text if len(text) < 40 else text[:8] if text.isalnum() else f"{text[:40]} .."


def _code(spec: peers.Spec) -> str:
    """What stands for the code of a tracker: the hash of its sources, or OpenCV's version."""
    module = spec.name.partition(":")[0]
    if module == "opencv":
        return f"OpenCV {cv2.__version__}"
    if module != spec.name:
        file = getattr(importlib.import_module(module), "__file__", None)
        return sha256(Path(file).read_bytes()) if file else ""
    return sources(("cfvgg", "trackers", *("distill",) * bool(spec.options.get("adapt"))))


@cache
def sources(packages: tuple[str, ...]) -> str:
    """SHA-256 of what packages of this project consist of; the command line, on which no box depends, is left out."""
    files = (file for package in packages for file in sorted((ROOT / package).rglob("*.py")))
    return sha256(b"".join(file.read_bytes() for file in files if file.name not in COMMAND_LINE))


def _commit() -> str | None:
    """The commit of a checkout, with ``-dirty`` where it was changed since."""
    if not (ROOT / ".git").exists():
        return None
    try:
        found = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
