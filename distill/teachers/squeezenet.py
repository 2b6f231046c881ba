"""SqueezeNet 1.0 (Iandola et al. 2016) without its classifier, as TensorFlow Lite's model zoo has it."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from distill.teachers.arrays import Arrays, convolution
from distill.teachers.base import Tap, Teacher

FIRES = range(2, 10)
POOLED_BEFORE = (2, 5, 9)  # the fires that follow a pooling
KERNEL, STRIDE = 7, 2  # of the first convolution


def same_padding(size: int) -> tuple[int, int]:
    """Zeros before and behind an axis of `size` pixels under TensorFlow's SAME, for the first convolution; the odd one is behind."""
    total = max((-(-size // STRIDE) - 1) * STRIDE + KERNEL - size, 0)
    return total // 2, total - total // 2


class Fire(torch.nn.Module):
    """1 x 1 to few channels, and from there 1 x 1 and 3 x 3 side by side.

    Parameters
    ----------
    arrays : Arrays
    name : str
    """

    def __init__(self, arrays: Arrays, name: str):
        super().__init__()
        self.squeeze = convolution(*arrays.filters(f"{name}.squeeze"))
        self.narrow = convolution(*arrays.filters(f"{name}.expand1x1"))
        self.wide = convolution(*arrays.filters(f"{name}.expand3x3"), padding=1)
        self.channels = self.narrow.out_channels + self.wide.out_channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """From (N, C, h, w) to (N, D, h, w)."""
        x = F.relu(self.squeeze(x))
        return F.relu(torch.cat((self.narrow(x), self.wide(x)), 1))


class SqueezeNet(Teacher):
    """SqueezeNet 1.0 to fire9. All taps are behind a ReLU. Its conv1 has the shape of VGG-M's: 96 filters 7 x 7, stride 2.

    Parameters
    ----------
    arrays : Arrays
        ``conv1``, ``fire2.squeeze``, ``fire2.expand1x1``, ``fire2.expand3x3`` and so on to ``fire9``; colours are R, G, B.
    """

    kind = "squeezenet"

    def __init__(self, arrays: Arrays):
        super().__init__()
        self.conv1 = convolution(*arrays.filters("conv1"), stride=STRIDE)
        self.fires = torch.nn.ModuleList(Fire(arrays, f"fire{number}") for number in FIRES)
        self.freeze()

    def taps(self, height: int, width: int) -> dict[str, Tap]:
        """See `Teacher.taps`; the padding of the first convolution depends on the size."""
        stride, centre = STRIDE, [(KERNEL - 1) / 2 - same_padding(size)[0] for size in (height, width)]
        found = {"conv1": Tap(self.conv1.out_channels, stride, tuple(centre))}
        for number, fire in zip(FIRES, self.fires, strict=True):
            if number in POOLED_BEFORE:
                stride, centre = 2 * stride, [c + stride for c in centre]
            found[f"fire{number}"] = Tap(fire.channels, stride, tuple(centre))
        return found

    def compute(self, pictures: torch.Tensor, names: Sequence[str]) -> dict[str, torch.Tensor]:
        """See `Teacher.compute`."""
        (above, below), (left, right) = (same_padding(size) for size in pictures.shape[-2:])
        x = F.relu(self.conv1(F.pad((pictures - 127.5) / 127.5, (left, right, above, below))))
        found = {"conv1": x}
        for number, fire in zip(FIRES, self.fires, strict=True):
            if found.keys() >= set(names):
                break
            x = fire(F.max_pool2d(x, 3, 2) if number in POOLED_BEFORE else x)
            found[f"fire{number}"] = x
        return found

    def default_mapping(self, widths: Sequence[int]) -> dict[str, str]:
        """Its first convolution for the student's first, which it resembles."""
        return {"conv1": "conv1"}
