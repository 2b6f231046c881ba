"""What a teacher is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from distill.errors import DistillationError

MEAN_COLOUR = (123.68, 116.779, 103.939)  # R, G, B of ImageNet, as the networks of the VGG group and of Caffe subtract it


@dataclass(frozen=True)
class Tap:
    """A place in a network where its output is taken.

    Attributes
    ----------
    channels : int
    stride : float
        Pixels of the input between two cells.
    centre : (float, float)
        Row and column of the centre of the first cell, in pixels of the input, 0-based.
    """

    channels: int
    stride: float
    centre: tuple[float, float]


class Teacher(torch.nn.Module, ABC):
    """A frozen network with named taps. Calling it gives their outputs, without gradients.

    Attributes
    ----------
    kind : str
        Of the network, for the names of losses.
    source : str
        File that it was read from, if any.
    unrectified : tuple of str
        Taps that are outputs of the student's own convolutions before their ReLU, named as the student's levels.
    """

    kind = "teacher"
    source = ""
    unrectified: tuple[str, ...] = ()

    @abstractmethod
    def taps(self, height: int, width: int) -> dict[str, Tap]:
        """Every tap for an input of `height` x `width` pixels: padding may move the centres with the size."""

    @abstractmethod
    def compute(self, pictures: torch.Tensor, names: Sequence[str]) -> dict[str, torch.Tensor]:
        """At least the taps in `names`; see `forward`."""

    @abstractmethod
    def default_mapping(self, widths: Sequence[int]) -> dict[str, str]:
        """The tap that teaches each level, where the user names none.

        Parameters
        ----------
        widths : sequence of int
            Channels of the student's five levels.
        """

    @torch.no_grad()
    def forward(self, pictures: torch.Tensor, names: Sequence[str] | None = None) -> dict[str, torch.Tensor]:
        """Outputs of the taps.

        Parameters
        ----------
        pictures : tensor, float32, (N, 3, H, W)
            R, G, B, 0 .. 255.
        names : sequence of str
            Taps; nothing behind the last of them is computed. All of them by default.

        Returns
        -------
        dict of str to tensor (N, C, h, w)

        Raises
        ------
        DistillationError
            If the network has no such tap.
        """
        known = list(self.taps(*pictures.shape[-2:]))
        names = known if names is None else list(names)
        for name in names:
            if name not in known:
                raise DistillationError(f"the teacher {self.kind} has no tap {name!r}; it has {', '.join(known)}")
        found = self.compute(pictures, names)
        return {name: found[name] for name in names}

    def freeze(self) -> None:
        """Take the parameters out of the reach of optimisers, for good."""
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "Teacher":
        """A teacher stays in evaluation mode."""
        return super().train(False)


def colour(values: Sequence[float]) -> torch.Tensor:
    """Three values as a tensor (3, 1, 1)."""
    return torch.tensor(values, dtype=torch.float32).reshape(3, 1, 1)
