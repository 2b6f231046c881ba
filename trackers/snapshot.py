"""Trackers on disk: all that one knows of its target, from which it goes on bit by bit.

A file holds arrays and names, and nothing that runs: reading one makes objects of this package's own classes and fills them in.
"""

import importlib
import json
import os
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cfvgg import __version__
from cfvgg.files import whole
from trackers.errors import SnapshotError

# Where classes and functions that a tracker is made of are defined; none of these functions touches files or the network.
MODULES = (
    "cfvgg.forward", "cfvgg.weights", "distill.adaptation",
    "trackers.bacf", "trackers.confidence", "trackers.config", "trackers.eco", "trackers.fourier", "trackers.kcf", "trackers.kcf_config",
    "trackers.mosse", "trackers.others", "trackers.past", "trackers.patch", "trackers.scale", "trackers.strcf", "trackers.strcf_config",
    "trackers.tint", "trackers.features", "trackers.filters",
)  # fmt: skip
STATE = "state"  # entry of the file that says how its arrays belong together


def save(tracker: Any, path: str | os.PathLike) -> None:
    """Write a tracker to a file, whole or not at all.

    Raises
    ------
    SnapshotError
        If the file cannot be written, or the tracker holds something that is not of this package, such as a function given as `adapt`.
    """
    path, writer = Path(path), _Writer()
    state = {"version": __version__, "tracker": writer.encode(tracker), "objects": writer.objects}
    arrays = {f"array-{number}": array for number, array in enumerate(writer.arrays)}
    try:
        with whole(path) as file:
            np.savez(file, allow_pickle=False, **{STATE: np.frombuffer(json.dumps(state).encode(), np.uint8)}, **arrays)
    except OSError as error:
        raise SnapshotError(f"cannot write {path}: {error}") from error


def load(path: str | os.PathLike) -> Any:
    """The tracker in a file.

    Raises
    ------
    SnapshotError
        If it cannot be read, is no whole snapshot, or comes from another version of this package.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            state = json.loads(file[STATE].tobytes())
            arrays = [file[f"array-{number}"] for number in range(len(file.files) - 1)]
    except OSError as error:
        raise SnapshotError(f"cannot read {path}: {error}") from error
    except (AttributeError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise SnapshotError(f"{path} is no snapshot of a tracker, or it is broken: {error}") from error
    version = state.get("version") if isinstance(state, dict) else None
    if version != __version__:
        raise SnapshotError(f"{path} is a snapshot by version {version!r} of cfvgg; this is {__version__}, which goes on only with its own")
    try:
        return _Reader(state["objects"], arrays).decode(state["tracker"])
    except (AttributeError, ImportError, IndexError, KeyError, TypeError, ValueError) as error:
        raise SnapshotError(f"{path} is no snapshot of a tracker: {error!r}") from error


class _Writer:
    """Values as JSON. What may be shared stands in a list of its own: objects here, and arrays, which JSON cannot hold."""

    def __init__(self):
        self.objects, self.arrays = [], []
        self._numbers: dict[int, int] = {}  # by identity
        self._kept = []  # so that no identity is given out twice

    def encode(self, value: Any) -> Any:
        """A value that `_Reader.decode` turns back."""
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, np.ndarray):
            return {"array": self._number(value, self.arrays, lambda: value)}
        if isinstance(value, list):
            return [self.encode(item) for item in value]
        if isinstance(value, tuple):
            return {"tuple": [self.encode(item) for item in value]}
        if isinstance(value, dict):
            return {"dict": [[self.encode(key), self.encode(item)] for key, item in value.items()]}
        if isinstance(value, slice):
            return {"slice": [value.start, value.stop, value.step]}
        if isinstance(value, np.generic):
            return {"scalar": self._number(value, self.arrays, lambda: np.asarray(value))}
        if isinstance(value, partial):
            return {"partial": _name(value.func), "options": self.encode(value.keywords)}
        if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
            return {"name": _name(value)}
        return {"object": self._number(value, self.objects, lambda: self._state(value))}

    def _number(self, value: Any, table: list, make) -> int:
        """Its number in a table, to which it is added when it is met first."""
        if id(value) not in self._numbers:
            self._numbers[id(value)] = number = len(table)
            self._kept.append(value)
            table.append(None)
            table[number] = make()
        return self._numbers[id(value)]

    def _state(self, value: Any) -> dict:
        kind = type(value)
        if "__reduce__" in vars(kind):  # made anew from some numbers
            return {"made": _name(kind), "from": value.__reduce__()[1]}
        return {"class": _name(kind), "fields": {name: self.encode(field) for name, field in vars(value).items()}}


class _Reader:
    """Values from JSON; see `_Writer`."""

    def __init__(self, objects: list, arrays: list):
        self._objects, self._arrays, self._made = objects, arrays, {}

    def decode(self, value: Any) -> Any:
        """What `_Writer.encode` was given."""
        if isinstance(value, list):
            return [self.decode(item) for item in value]
        if not isinstance(value, dict):
            return value
        match value:
            case {"array": number}:
                return self._arrays[number]
            case {"tuple": items}:
                return tuple(self.decode(item) for item in items)
            case {"dict": items}:
                return {self.decode(key): self.decode(item) for key, item in items}
            case {"slice": bounds}:
                return slice(*bounds)
            case {"scalar": number}:
                return self._arrays[number][()]
            case {"partial": name, "options": options}:
                return partial(_named(name), **self.decode(options))
            case {"name": name}:
                return _named(name)
            case {"object": number}:
                return self._object(number)
        raise ValueError(f"unknown entry {list(value)}")

    def _object(self, number: int) -> Any:
        if number in self._made:
            return self._made[number]
        state = self._objects[number]
        kind = _named(state.get("class", state.get("made")))
        if not isinstance(kind, type):
            raise ValueError(f"{kind} is no class")
        if "made" in state:
            if "__reduce__" not in vars(kind) or not all(isinstance(value, int) for value in state["from"]):
                raise ValueError(f"{kind} is not made from numbers")
            self._made[number] = kind(*state["from"])
        else:
            self._made[number] = made = object.__new__(kind)
            vars(made).update({name: self.decode(field) for name, field in state["fields"].items()})
        return self._made[number]


def _name(thing: Any) -> str:
    name = f"{thing.__module__}:{thing.__qualname__}"
    try:
        found = _named(name)
    except (AttributeError, ImportError, ValueError):
        found = None
    if found is not thing:
        raise SnapshotError(f"{name} cannot be part of a snapshot, for it is not of this package")
    return name


def _named(name: str) -> Any:
    module, _, thing = name.partition(":")
    if not any(module == allowed or module.startswith(f"{allowed}.") for allowed in MODULES):
        raise ValueError(f"{name} does not belong into a snapshot")
    found = getattr(importlib.import_module(module), thing)
    if getattr(found, "__module__", None) != module:
        raise ValueError(f"{name} does not belong into a snapshot")
    return found
