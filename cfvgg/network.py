"""The torch twin of :mod:`cfvgg.forward`, for training and adaptation. The only module of the package that imports torch."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from cfvgg.architecture import LAYERS, LEVELS, LRN_ALPHA, LRN_KAPPA, LRN_WINDOW, Layer
from cfvgg.weights import Weights


class Network(torch.nn.Module):
    """VGG-M of any width as a torch module.

    Parameters
    ----------
    weights : Weights
        Initial filters, biases and mean picture.
    """

    def __init__(self, weights: Weights):
        super().__init__()
        self.convolutions = torch.nn.ModuleList()
        for layer, weight, bias in zip(LAYERS, weights.filters, weights.biases, strict=True):
            convolution = torch.nn.Conv2d(weight.shape[1], weight.shape[0], layer.kernel, layer.stride, layer.padding)
            convolution.weight.data = torch.from_numpy(weight.copy())
            convolution.bias.data = torch.from_numpy(bias.copy())
            self.convolutions.append(convolution)
        self.register_buffer("mean", torch.from_numpy(weights.mean.copy()))
        self.metadata = dict(weights.metadata)

    def forward(self, pictures: torch.Tensor, levels: Sequence[str] = LEVELS, rectified: bool = True) -> dict[str, torch.Tensor]:
        """Compute levels of a batch.

        Parameters
        ----------
        pictures : tensor, float32, (N, 3, H, W)
            R, G, B minus the mean picture.
        levels : sequence of str
            Which levels to return; nothing behind the last of them is computed.
        rectified : bool
            False gives the plain output of each convolution, before its ReLU: what distillation compares.

        Returns
        -------
        dict of str to tensor (N, C, h, w)
        """
        return self.both(pictures, levels)[1 if rectified else 0]

    def both(self, pictures: torch.Tensor, levels: Sequence[str] = LEVELS) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        """Levels before and behind their ReLU, in one pass: `forward` with `rectified` false, and true."""
        plain, rectified = {}, {}
        depth = max(LEVELS.index(level) for level in levels)
        for layer, convolution in zip(LAYERS[: depth + 1], self.convolutions, strict=False):
            plain[layer.name] = convolution(pictures)
            pictures = rectified[layer.name] = activate(layer, plain[layer.name])
            if layer.pooled and layer is not LAYERS[depth]:
                pictures = F.max_pool2d(F.pad(pictures, (0, 1, 0, 1), value=-torch.inf), 3, 2)
        return {level: plain[level] for level in levels}, {level: rectified[level] for level in levels}

    def export(self, **metadata: str) -> Weights:
        """The present parameters as `Weights`, with `metadata` added to that of the start."""
        filters = tuple(c.weight.detach().cpu().numpy().astype(np.float32) for c in self.convolutions)
        biases = tuple(c.bias.detach().cpu().numpy().astype(np.float32) for c in self.convolutions)
        return Weights(filters, biases, self.mean.cpu().numpy(), {**self.metadata, **metadata})


def activate(layer: Layer, plain: torch.Tensor) -> torch.Tensor:
    """A level behind its ReLU, and its normalisation where it has one, from the plain output (N, C, h, w) of its convolution."""
    rectified = F.relu(plain)
    return normalise(rectified) if layer.normalised else rectified


def normalise(planes: torch.Tensor) -> torch.Tensor:
    """Local response normalisation over the five channels around each, of planes (N, C, h, w).

    The sums of squares are a 1 x 1 convolution with a banded matrix, and the power -0.75 two square roots: together with the gradient
    about three times as fast as torch's own ``local_response_norm``, which also divides alpha by the window where MatConvNet does not.
    """
    channels = planes.shape[1]
    reach = LRN_WINDOW // 2
    band = planes.new_full((channels, channels), LRN_ALPHA).tril(reach).triu(-reach)
    root = F.conv2d(planes.square(), band[:, :, None, None], planes.new_full((channels,), LRN_KAPPA)).sqrt()
    return planes / (root * root.sqrt())
