"""Convolutions out of the named arrays of a file."""

from collections.abc import Mapping

import numpy as np
import torch

from distill.errors import DistillationError

BATCH_NORMALISATION = ("gamma", "beta", "mean", "var")


def convolution(weight: np.ndarray, bias: np.ndarray, stride: int = 1, padding: int = 0) -> torch.nn.Conv2d:
    """A convolution with filters (out, in, k, k) and biases (out,), float32."""
    out, inputs, kernel, _ = weight.shape
    made = torch.nn.Conv2d(inputs, out, kernel, stride, padding)
    made.weight.data = torch.from_numpy(np.array(weight, np.float32))
    made.bias.data = torch.from_numpy(np.array(bias, np.float32))
    return made


def fold(weight: np.ndarray, bias: np.ndarray, normalisation: Mapping[str, np.ndarray], epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """Filters and biases of a convolution that does what the given one and the batch normalisation behind it do.

    gamma (w x + b - mean) / sqrt(var + epsilon) + beta is a convolution with w and b scaled and shifted: half the arrays, half the time.

    Parameters
    ----------
    weight : ndarray (out, in, k, k)
    bias : ndarray (out,)
    normalisation : dict of str to ndarray (out,)
        gamma, beta, mean and var.
    epsilon : float
    """
    gamma, beta, mean, var = (normalisation[name].astype(np.float64) for name in BATCH_NORMALISATION)
    scale = gamma / np.sqrt(var + epsilon)
    return weight * scale[:, None, None, None], (bias - mean) * scale + beta


class Arrays:
    """The arrays of a file, each checked when it is asked for.

    Parameters
    ----------
    arrays : dict of str to ndarray
        Filters are NAME.weight, (out, in, k, k), biases NAME.bias.
    source : str
        Of the arrays, for errors.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], source: str):
        self._arrays, self._source = arrays, source

    def filters(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Filters and biases of a convolution, float64.

        Raises
        ------
        DistillationError
            If they are missing, of another shape, or not finite.
        """
        weight, bias = self._get(f"{name}.weight"), self._get(f"{name}.bias")
        if weight.ndim != 4 or weight.shape[2] != weight.shape[3] or bias.shape != weight.shape[:1]:
            raise DistillationError(
                f"{self._source}: {name} has filters {weight.shape} and bias {bias.shape}; expected (n, m, k, k) and (n,)"
            )
        return weight, bias

    def folded(self, name: str, normalisation: str, epsilon: float) -> tuple[np.ndarray, np.ndarray]:
        """Filters and biases of a convolution with the batch normalisation behind it: see `fold`."""
        weight, bias = self.filters(name)
        stored = {part: self._get(f"{normalisation}.{part}") for part in BATCH_NORMALISATION}
        if any(array.shape != bias.shape for array in stored.values()) or (stored["var"] < 0).any():
            raise DistillationError(f"{self._source}: {normalisation} is no batch normalisation of {len(bias)} channels")
        return fold(weight, bias, stored, epsilon)

    def _get(self, name: str) -> np.ndarray:
        if name not in self._arrays:
            raise DistillationError(f"{self._source} has no array {name}")
        array = np.asarray(self._arrays[name])
        if array.dtype.kind not in "fiu":
            raise DistillationError(f"{self._source}: {name} is no array of numbers")
        array = array.astype(np.float64)
        if not np.isfinite(array).all():
            raise DistillationError(f"{self._source}: {name} holds NaN or infinite values")
        return array
