"""The state of a training on disk, so that it can go on as if it had never stopped."""

import os
import pickle
from pathlib import Path

import numpy as np
import torch

from distill.errors import DistillationError


def save(
    path: Path, network: torch.nn.Module, optimiser: torch.optim.Optimizer, step: int, rng: np.random.Generator, settings: dict
) -> None:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path : Path
    network, optimiser, rng
        What changes from step to step.
    step : int
        Steps done; gives the place in the schedule of the learning rate.
    settings : dict of str to str or number
        What must not change between the parts of one training.

    Raises
    ------
    DistillationError
        If the file cannot be written.
    """
    state = {
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
        "rng": rng.bit_generator.state,
        "settings": settings,
    }
    partial = path.with_name(path.name + ".partial")
    try:
        torch.save(state, partial)
        os.replace(partial, path)
    except (OSError, RuntimeError) as error:  # torch reports a folder that is missing as a RuntimeError
        raise DistillationError(f"cannot write the checkpoint {path}: {error}") from error


def restore(path: Path, network: torch.nn.Module, optimiser: torch.optim.Optimizer, rng: np.random.Generator, settings: dict) -> int:
    """Put network, optimiser and rng into the state of a checkpoint and return the number of steps done.

    Raises
    ------
    DistillationError
        If there is no checkpoint, it cannot be read, or it belongs to a training with other settings.
    """
    if not path.is_file():
        raise DistillationError(f"nothing to resume: no checkpoint at {path}")
    try:
        state = torch.load(path, weights_only=True)
        stored, step = state["settings"], state["step"]
    except (OSError, RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise DistillationError(f"{path} is not a readable checkpoint: {error}") from error
    differing = [name for name in {**stored, **settings} if stored.get(name) != settings.get(name)]
    if differing:
        changes = ", ".join(f"{name} was {stored.get(name)}, is now {settings.get(name)}" for name in differing)
        raise DistillationError(f"{path} belongs to another training: {changes}")
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    rng.bit_generator.state = state["rng"]
    return step
