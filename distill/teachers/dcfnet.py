"""The features of DCFNet (Wang et al. 2017): two convolutions at full resolution, trained for tracking."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from distill.teachers.arrays import Arrays, convolution
from distill.teachers.base import Tap, Teacher, colour

MEAN = (123.0, 117.0, 104.0)  # R, G, B


class DCFNet(Teacher):
    """DCFNet's features, as in foolwood/DCFNet_pytorch. The tap conv1 is behind a ReLU; norm2, the network's output, is signed.

    Parameters
    ----------
    arrays : Arrays
        ``feature.0`` and ``feature.2``; colours are B, G, R.
    """

    kind = "dcfnet"

    def __init__(self, arrays: Arrays):
        super().__init__()
        weight, bias = arrays.filters("feature.0")
        self.conv1 = convolution(np.flip(weight, 1), bias, padding=1)  # B, G, R to R, G, B
        self.conv2 = convolution(*arrays.filters("feature.2"), padding=1)
        self.register_buffer("mean", colour(MEAN))
        self.freeze()

    def taps(self, height: int, width: int) -> dict[str, Tap]:
        """See `Teacher.taps`; the same for every size."""
        return {"conv1": Tap(self.conv1.out_channels, 1, (0.0, 0.0)), "norm2": Tap(self.conv2.out_channels, 1, (0.0, 0.0))}

    def compute(self, pictures: torch.Tensor, names: Sequence[str]) -> dict[str, torch.Tensor]:
        """See `Teacher.compute`."""
        x = F.relu(self.conv1(pictures - self.mean))
        return {"conv1": x, "norm2": F.local_response_norm(self.conv2(x), 5, alpha=1e-4, beta=0.75, k=1.0)}

    def default_mapping(self, widths: Sequence[int]) -> dict[str, str]:
        """Its output for the student's finest level."""
        return {"conv1": "norm2"}
