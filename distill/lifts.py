"""From the student's channels to a teacher's: 1 x 1 convolutions that are trained along and are no part of the student."""

from collections.abc import Mapping

import numpy as np
import torch

from distill.losses import Levels

RIDGE = 0.01  # of the regression, in mean variances of the student's channels
TINY = 1e-12


class Lifts(torch.nn.Module):
    """One 1 x 1 convolution for each pair of a level and a teacher's tap.

    The student's level is divided by its root mean square at the start, and what comes out is in units of the teacher's spread: so the
    weights are of one order of size for all pairs, and one learning rate suits them.

    Parameters
    ----------
    sizes : dict of str to (int, int)
        Channels of the student and of the teacher by the name of the pair, which has no dot in it.
    rng : numpy.random.Generator
        Of the first weights.
    """

    def __init__(self, sizes: Mapping[str, tuple[int, int]], rng: np.random.Generator):
        super().__init__()
        self.convolutions = torch.nn.ModuleDict()
        for name, (inputs, outputs) in sizes.items():
            convolution = torch.nn.utils.skip_init(torch.nn.Conv2d, inputs, outputs, 1)  # torch's own start would draw from its own numbers
            weight = rng.standard_normal((outputs, inputs, 1, 1)) / np.sqrt(inputs)
            convolution.weight.data = torch.from_numpy(weight.astype(np.float32))
            convolution.bias.data.zero_()
            self.convolutions[name] = convolution
            self.register_buffer(_scale(name), torch.ones(()))

    def forward(self, features: Levels) -> Levels:
        """Lift features (N, C, h, w) by the names of the pairs, to (N, D, h, w)."""
        return {name: convolution(features[name] / getattr(self, _scale(name))) for name, convolution in self.convolutions.items()}

    @torch.no_grad()
    def measure(self, features: Levels) -> None:
        """Take the root mean squares (ones before) of the student's features, by the names of the pairs."""
        for name in self.convolutions:
            getattr(self, _scale(name)).copy_(features[name].square().mean().sqrt().clamp(min=TINY))

    @torch.no_grad()
    def fit(self, features: Levels, targets: Levels) -> None:
        """Set the convolutions to what explains the targets best, by ridge regression: the student need not wait for its lifts.

        Parameters
        ----------
        features, targets : dict of str to tensor (N, C, h, w) and (N, D, h, w)
            By the names of the pairs. Of many more cells than there are channels.
        """
        for name, convolution in self.convolutions.items():
            weight, bias = regress(features[name] / getattr(self, _scale(name)), targets[name])
            convolution.weight.copy_(weight[:, :, None, None])
            convolution.bias.copy_(bias)


def _scale(name: str) -> str:
    """Name of the buffer of the student's root mean square."""
    return f"scale {name}"


def regress(features: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights (D, C) and biases (D,), float64, by which features (N, C, h, w) come nearest to targets (N, D, h, w), in least squares.

    The sum of squared weights is held down by `RIDGE`, so that dead channels do no harm.
    """
    inputs, outputs = features.shape[1], targets.shape[1]
    means = features.double().mean(dim=(0, 2, 3)), targets.double().mean(dim=(0, 2, 3))
    gram, cross = (features.new_zeros(inputs, n, dtype=torch.float64) for n in (inputs, outputs))
    for x, t in zip(features, targets, strict=True):  # one picture at a time: all of them in float64 may be gigabytes
        x, t = (block.double().flatten(1) - mean[:, None] for block, mean in zip((x, t), means, strict=True))
        gram += x @ x.T
        cross += x @ t.T
    ridge = RIDGE * gram.diagonal().mean() + torch.finfo(torch.float64).tiny
    weight = torch.linalg.solve(gram + ridge * torch.eye(inputs).to(gram), cross).T
    return weight, means[1] - weight @ means[0]
