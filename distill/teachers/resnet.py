"""ResNet-50 (He et al. 2016), from its beginning to the end of stage 4, as Keras had it in 2018."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from distill.teachers.arrays import Arrays, convolution
from distill.teachers.base import MEAN_COLOUR, Tap, Teacher, colour

BLOCKS = {2: "abc", 3: "abcd", 4: "abcdef"}  # by stage
EPSILON = 1e-3  # of the batch normalisations


class Block(torch.nn.Module):
    """A bottleneck: 1 x 1 (with the stride), 3 x 3, 1 x 1, and a shortcut around them.

    Parameters
    ----------
    arrays : Arrays
    name : str
        Stage and letter, as in "3a".
    """

    def __init__(self, arrays: Arrays, name: str):
        super().__init__()
        stride = 2 if name in ("3a", "4a") else 1
        parts = {number: arrays.folded(f"res{name}.{number}", f"bn{name}.{number}", EPSILON) for number in ("2a", "2b", "2c")}
        self.reduce, self.middle, self.expand = (
            convolution(*parts["2a"], stride),
            convolution(*parts["2b"], padding=1),
            convolution(*parts["2c"]),
        )
        self.shortcut = torch.nn.Identity()
        if name.endswith("a"):
            self.shortcut = convolution(*arrays.folded(f"res{name}.1", f"bn{name}.1", EPSILON), stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """From (N, C, h, w) to (N, D, h, w), or to half the size."""
        y = F.relu(self.middle(F.relu(self.reduce(x))))
        return F.relu(self.expand(y) + self.shortcut(x))


class ResNet50(Teacher):
    """ResNet-50 to the end of stage 4, batch normalisations folded into the convolutions. All taps are behind a ReLU.

    Parameters
    ----------
    arrays : Arrays
        ``conv1``, ``bn_conv1``, and for every block ``res2a.2a``, ``bn2a.2a`` and so on, by Keras' names; colours are B, G, R.
    """

    kind = "resnet50"

    def __init__(self, arrays: Arrays):
        super().__init__()
        weight, bias = arrays.folded("conv1", "bn_conv1", EPSILON)
        self.stem = convolution(np.flip(weight, 1), bias, stride=2, padding=3)  # B, G, R to R, G, B
        stages = [torch.nn.Sequential(*(Block(arrays, f"{number}{letter}") for letter in letters)) for number, letters in BLOCKS.items()]
        self.stages = torch.nn.ModuleList(stages)
        self.register_buffer("mean", colour(MEAN_COLOUR))
        self.freeze()

    def taps(self, height: int, width: int) -> dict[str, Tap]:
        """See `Teacher.taps`; the same for every size. The pooling behind the stem has no padding, so the stages begin at pixel 2."""
        found = {"stem": Tap(self.stem.out_channels, 2, (0.0, 0.0))}
        for number, stage in zip(BLOCKS, self.stages, strict=True):
            found[f"stage{number}"] = Tap(stage[-1].expand.out_channels, 2**number, (2.0, 2.0))
        return found

    def compute(self, pictures: torch.Tensor, names: Sequence[str]) -> dict[str, torch.Tensor]:
        """See `Teacher.compute`."""
        x = F.relu(self.stem(pictures - self.mean))
        found = {"stem": x}
        x = F.max_pool2d(x, 3, 2)
        for number, stage in zip(BLOCKS, self.stages, strict=True):
            if found.keys() >= set(names):
                break
            found[f"stage{number}"] = x = stage(x)
        return found

    def default_mapping(self, widths: Sequence[int]) -> dict[str, str]:
        """The stage of the same stride for every level but the first, for which the stem is a poor model of VGG-M's large filters."""
        return {"conv2": "stage3", "conv3": "stage4", "conv4": "stage4", "conv5": "stage4"}
