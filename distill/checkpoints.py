"""The state of a training on disk, so that it can go on as if it had never stopped."""

import pickle
from pathlib import Path
from typing import Any

import torch

from cfvgg.files import whole
from distill.errors import DistillationError

State = dict[str, Any]


def save(path: Path, state: State) -> None:
    """Write a state, whole or not at all.

    Parameters
    ----------
    path : Path
    state : dict
        Of tensors, numbers, strings, and dicts and lists of these; "settings" are those that `load` checks.

    Raises
    ------
    DistillationError
        If the file cannot be written.
    """
    try:
        with whole(path) as file:
            torch.save(state, file)
    except (OSError, RuntimeError) as error:  # torch may report a full disk as a RuntimeError
        raise DistillationError(f"cannot write the checkpoint {path}: {error}") from error


def load(path: Path, settings: dict[str, str | float] | None = None) -> State:
    """Read a state.

    Parameters
    ----------
    path : Path
    settings : dict of str to str or number, or None
        What must not change between the parts of one training.

    Raises
    ------
    DistillationError
        If there is no checkpoint, it cannot be read, or it belongs to a training with other settings.
    """
    if not path.is_file():
        raise DistillationError(f"no checkpoint at {path}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        stored = state["settings"]
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise DistillationError(f"{path} is not a readable checkpoint: {error}") from error
    if settings is not None:
        differing = [name for name in {**stored, **settings} if stored.get(name) != settings.get(name)]
        if differing:
            changes = ", ".join(f"{name} was {stored.get(name)}, is now {settings.get(name)}" for name in differing)
            raise DistillationError(f"{path} belongs to another training: {changes}")
    return state
