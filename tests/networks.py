"""Small networks with the names and shapes of real teachers, and few channels."""

import numpy as np
import torch

from cfvgg.architecture import filter_shapes
from distill.teachers.resnet import BLOCKS

PICTURE = torch.from_numpy(np.random.default_rng(0).uniform(0, 255, (2, 3, 96, 96)).astype(np.float32))


def drawn(shapes, seed=0):
    """Arrays of random filters and biases that keep the size of what goes through them."""
    rng = np.random.default_rng(seed)
    made = {}
    for name, (out, inputs, kernel) in shapes.items():
        made[f"{name}.weight"] = rng.normal(0, (2 / inputs / kernel**2) ** 0.5, (out, inputs, kernel, kernel)).astype(np.float32)
        made[f"{name}.bias"] = rng.normal(0, 0.1, out).astype(np.float32)
    return made


def resnet_shapes():
    shapes, inputs = {"conv1": (6, 3, 7)}, 6
    for stage, letters in BLOCKS.items():
        for letter in letters:
            name, out = f"res{stage}{letter}", 6 + stage
            if letter == "a":
                shapes[f"{name}.1"] = (out, inputs, 1)
            shapes |= {f"{name}.2a": (4, inputs, 1), f"{name}.2b": (5, 4, 3), f"{name}.2c": (out, 5, 1)}
            inputs = out
    return shapes


def resnet_arrays():
    made, rng = drawn(resnet_shapes()), np.random.default_rng(1)
    for name in resnet_shapes():
        normalisation, out = name.replace("res", "bn").replace("conv1", "bn_conv1"), len(made[f"{name}.bias"])
        made[f"{normalisation}.gamma"] = rng.uniform(0.5, 1.5, out).astype(np.float32)
        made[f"{normalisation}.var"] = rng.uniform(0.5, 1.5, out).astype(np.float32)
        made[f"{normalisation}.beta"], made[f"{normalisation}.mean"] = rng.normal(0, 0.2, (2, out)).astype(np.float32)
    return made


def squeezenet_shapes():
    shapes, inputs = {"conv1": (5, 3, 7)}, 5
    for number in range(2, 10):
        shapes |= {f"fire{number}.squeeze": (3, inputs, 1), f"fire{number}.expand1x1": (4, 3, 1), f"fire{number}.expand3x3": (2, 3, 3)}
        inputs = 6
    return shapes


DCFNET_SHAPES = {"feature.0": (4, 3, 3), "feature.2": (5, 4, 3)}


def backbone_state(name, depth=5, widths=(4, 6, 8, 7, 5)):
    """State dict of the first layers; `name` has a place for the number of a layer."""
    made = drawn({name(i): (shape[0], shape[1], shape[2]) for i, shape in enumerate(filter_shapes(widths)[:depth])})
    return {key: torch.from_numpy(array) for key, array in made.items()}


def plain_names(i):
    return f"conv{i + 1}"


def mdnet_names(i):
    return f"shared_layers.conv{i + 1}.0"


def cadene_names(i):
    return f"features.{(0, 4, 8, 10, 12)[i]}"
