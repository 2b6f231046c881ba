"""VGG-M out of a torch state dict: all of it, its first layers, or MDNet's changed copy of those."""

import re
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

from cfvgg.architecture import LAYERS, filter_shapes
from distill.errors import DistillationError
from distill.teachers.arrays import convolution
from distill.teachers.backbone import RECTIFIED, Backbone
from distill.teachers.base import Tap, Teacher
from distill.teachers.module import ModuleTeacher

# Places of the convolutions in the `features` of Cadene's pretrained-models.pytorch, whose colours are B, G, R.
PLACES = {"0": 0, "4": 1, "8": 2, "10": 3, "12": 4}
PARAMETER = re.compile(r"(?:^|\.)(?:conv(?P<number>[1-5])(?:\.0)?|features\.(?P<place>0|4|8|10|12))\.(?P<kind>weight|bias)$")
MDNET = "shared_layers."  # py-MDNet's name for what its sequences have in common
MDNET_MEAN = (128, 128, 128)


def load_state_dict(path: Path) -> Teacher:
    """The teacher in a ``.pth`` or ``.pt`` file; see `state_teacher`.

    Raises
    ------
    DistillationError
        If the file cannot be read, holds more than tensors and plain containers, or is not of VGG-M.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds on a broken file; all mean the same here
        raise DistillationError(f"{path} is not a readable file of tensors: {type(error).__name__}: {error}") from error
    return state_teacher(flatten(content), str(path))


def flatten(content: object, prefix: str = "") -> dict[str, torch.Tensor]:
    """All tensors in dicts of dicts, by their names joined with dots."""
    if isinstance(content, torch.Tensor):
        return {prefix: content}
    found = {}
    if isinstance(content, dict):
        for name, value in content.items():
            found.update(flatten(value, f"{prefix}.{name}" if prefix else str(name)))
    return found


def state_teacher(state: dict[str, torch.Tensor], source: str) -> Teacher:
    """A teacher from the parameters of convolutions, from the first one on as far as they go.

    Parameters
    ----------
    state : dict of str to tensor
        Names end in ``conv1.weight`` or ``conv1.0.weight`` (colours are R, G, B), or in ``features.0.weight``, ``features.4.weight`` and
        so on (B, G, R); other names are ignored. Where they begin with ``shared_layers``, the network is that of py-MDNet.
    source : str
        For errors.

    Raises
    ------
    DistillationError
        If there is no first convolution, one is there twice, or shapes are not VGG-M's.
    """
    found: dict[tuple[int, str], str] = {}
    for name in state:
        match = PARAMETER.search(name)
        if match:
            number = int(match["number"]) - 1 if match["number"] else PLACES[match["place"]]
            other = found.setdefault((number, match["kind"]), name)
            if other != name:
                raise DistillationError(f"{source} is not VGG-M's, or more than that: {other} and {name} are the same layer")
    filters, biases = [], []
    while (len(filters), "weight") in found and (len(filters), "bias") in found:
        weight, bias = (state[found[len(filters), kind]].detach().float().numpy() for kind in ("weight", "bias"))
        filters.append(weight)
        biases.append(bias)
    if not filters:
        raise DistillationError(
            f"{source} holds no VGG-M: no conv1.weight and conv1.bias, and no features.0.weight and features.0.bias; "
            f"it begins with {', '.join(list(state)[:5]) or 'no tensor'}"
        )
    _check(filters, biases, source)
    first = found[0, "weight"]
    if first.startswith(MDNET):
        return _mdnet(filters, biases)
    if "features" in first:
        filters[0] = np.ascontiguousarray(filters[0][:, ::-1])
    return Backbone.first_layers(filters, biases)


def _check(filters: list[np.ndarray], biases: list[np.ndarray], source: str) -> None:
    widths = [len(weight) for weight in filters]
    shapes = filter_shapes((*widths, *[1] * (len(LAYERS) - len(widths))))
    for layer, weight, bias, shape in zip(LAYERS, filters, biases, shapes, strict=False):
        if weight.shape != shape or bias.shape != shape[:1]:
            raise DistillationError(
                f"{source}: {layer.name} has filters {weight.shape} and bias {bias.shape}; VGG-M has {shape} and {shape[:1]}"
            )
        if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
            raise DistillationError(f"{source}: {layer.name} holds NaN or infinite weights")


def _mdnet(filters: list[np.ndarray], biases: list[np.ndarray]) -> ModuleTeacher:
    """MDNet's layers (Nam and Han 2016, in PyTorch): VGG-M's, trained further without padding and with another normalisation."""
    layers, taps, stride, centre = {}, {}, 1, 0.0
    for number, (layer, weight, bias) in enumerate(zip(LAYERS, filters, biases, strict=False), 1):
        layers[layer.name] = convolution(weight, bias, layer.stride)
        layers[f"relu{number}"] = torch.nn.ReLU()
        centre += stride * (layer.kernel - 1) / 2
        stride *= layer.stride
        taps[layer.name] = taps[RECTIFIED[layer.name]] = Tap(len(weight), stride, (centre, centre))
        if layer.normalised:
            layers[f"norm{number}"] = torch.nn.LocalResponseNorm(2)
        if layer.pooled:
            layers[f"pool{number}"] = torch.nn.MaxPool2d(3, 2)
            centre += stride
            stride *= 2
    mapping = {layer.name: RECTIFIED[layer.name] for layer, _ in zip(LAYERS, filters, strict=False)}
    return ModuleTeacher(torch.nn.Sequential(OrderedDict(layers)), taps, MDNET_MEAN, mapping=mapping, kind="mdnet")
