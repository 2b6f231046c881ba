"""Teachers out of files, told apart by suffix and content."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import torch

from cfvgg import weights
from distill.errors import DistillationError
from distill.teachers.arrays import Arrays
from distill.teachers.backbone import Backbone
from distill.teachers.base import Teacher
from distill.teachers.dcfnet import DCFNet
from distill.teachers.resnet import ResNet50
from distill.teachers.squeezenet import SqueezeNet
from distill.teachers.state_dict import load_state_dict

NETWORKS = {"res2a.2a.weight": ResNet50, "fire2.squeeze.weight": SqueezeNet, "feature.0.weight": DCFNet}  # by an array that only it has
TRIAL = 224  # pixels of the picture that every teacher is tried on
TOLERANCE = 1.6  # of cells times stride against pixels: borders take some of them, but a pooling that was forgotten shows
WHERE = (
    "VGG-M is imagenet-vgg-m-2048.mat of https://www.vlfeat.org/matconvnet/pretrained/ (92 million numbers, about 370 MB); "
    "docs/teachers.rst says how to check it, and what else can be a teacher"
)


def load_teacher(path: str | os.PathLike) -> Teacher:
    """Read a teacher.

    Parameters
    ----------
    path : path
        ``.mat``: VGG-M, its first layers or a published CF-VGG, by MatConvNet. ``.safetensors``: a CF-VGG of ours, of any width.
        ``.npz``: ResNet-50 to stage 4, SqueezeNet 1.0 or DCFNet, known by the names of their arrays. ``.pth``, ``.pt``: torch state dict
        of VGG-M or of its first layers. ``.py``: a program whose function ``teacher()`` returns a `Teacher`; it is run.

    Raises
    ------
    DistillationError
        If the file is missing, of another suffix, broken, or its arrays do not fit each other.
    WeightsError
        If a ``.mat`` or ``.safetensors`` cannot be read or is of another network.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in READERS:
        raise DistillationError(f"{path}: teachers are read from {', '.join(READERS)}, not {suffix or 'a file without suffix'}")
    if not path.is_file():
        raise DistillationError(f"no teacher at {path}. {WHERE}")
    teacher = READERS[suffix](path)
    teacher.source = path.name
    check_teacher(teacher)
    return teacher


def _load_mat(path: Path) -> Backbone:
    filters, biases, mean = weights.first_layers(path)
    return Backbone.first_layers(filters, biases, mean, {"source": f"MatConvNet file {path.name}"})


def _load_safetensors(path: Path) -> Backbone:
    return Backbone(weights.load(path))


def _load_npz(path: Path) -> Teacher:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception as error:  # numpy and zipfile raise many kinds on a broken file; all mean the same here
        raise DistillationError(f"{path} is not a readable .npz file: {type(error).__name__}: {error}") from error
    for name, network in NETWORKS.items():
        if name in arrays:
            return network(Arrays(arrays, str(path)))
    kinds = ", ".join(f"{network.kind} (by its array {name})" for name, network in NETWORKS.items())
    raise DistillationError(f"{path} is none of {kinds}; it begins with {', '.join(list(arrays)[:5]) or 'nothing'}")


def _load_program(path: Path) -> Teacher:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    made = program.teacher() if hasattr(program, "teacher") else None
    if not isinstance(made, Teacher):
        raise DistillationError(f"{path} has no function teacher() that returns a distill.teachers.Teacher")
    return made


def check_teacher(teacher: Teacher) -> None:
    """Run a teacher on an empty picture: layers that do not fit each other, or their taps, show at once.

    Raises
    ------
    DistillationError
        If the network cannot be run, or an output has other channels, or many more or fewer cells, than its tap says.
    """
    name = teacher.source or teacher.kind
    try:
        found = teacher(torch.zeros(1, 3, TRIAL, TRIAL))
    except RuntimeError as error:
        raise DistillationError(f"{name}: the layers do not fit each other: {error}") from error
    for tap, place in teacher.taps(TRIAL, TRIAL).items():
        count, side = found[tap].shape[1], found[tap].shape[-1]
        if count != place.channels or not 1 / TOLERANCE < side * place.stride / TRIAL < TOLERANCE:
            raise DistillationError(
                f"{name}: {tap} has {count} channels and {side} cells along {TRIAL} pixels; "
                f"its tap says {place.channels} channels and stride {place.stride:g}"
            )


READERS = {
    ".mat": _load_mat,
    ".safetensors": _load_safetensors,
    ".npz": _load_npz,
    ".pth": load_state_dict,
    ".pt": load_state_dict,
    ".py": _load_program,
}
