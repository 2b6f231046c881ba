"""A network as an ``.onnx`` file, for other programs."""

import os
from pathlib import Path

import torch

from cfvgg.architecture import LEVELS, minimum_size
from cfvgg.files import whole
from cfvgg.network import Network
from cfvgg.weights import Weights
from distill.errors import DistillationError
from distill.students import mean_picture

SIDE = 224


class _Levels(torch.nn.Module):
    """Pictures (N, 3, side, side), R, G, B, 0 .. 255, to a tuple of all levels as trackers tap them."""

    def __init__(self, weights: Weights, side: int):
        super().__init__()
        self.network = Network(weights)
        self.register_buffer("mean", mean_picture(self.network, side))

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """All levels."""
        return tuple(self.network(pictures - self.mean).values())


def save_onnx(weights: Weights, path: str | os.PathLike, side: int = SIDE) -> None:
    """Write a network as ONNX, whole or not at all.

    Its input is ``pictures``, float32, (N, 3, side, side), R, G, B, 0 .. 255, of any N; the mean picture is subtracted inside. Its outputs
    are the levels ``conv1`` .. ``conv5`` behind ReLU and normalisation, (N, C, h, w).

    Parameters
    ----------
    weights : Weights
    path : path
        Ends in ``.onnx``.
    side : int
        Pixels of a picture.

    Raises
    ------
    ImportError
        If ``onnx`` or ``onnxscript`` is not installed.
    DistillationError
        If the side is too small for the network, or the file cannot be written.
    """
    import onnx  # torch needs both, and says so only later
    import onnxscript  # noqa: F401

    path = Path(path)
    if side < minimum_size(LEVELS[-1]):
        raise DistillationError(f"pictures of {side} pixels; the network needs at least {minimum_size(LEVELS[-1])}")
    example, count = torch.zeros(2, 3, side, side), torch.export.Dim("count", min=1)
    program = torch.onnx.export(
        _Levels(weights, side).eval(), (example,), input_names=["pictures"], output_names=list(LEVELS),
        dynamic_shapes=({0: count},), dynamo=True, verbose=False,
    )  # fmt: skip
    model = program.model_proto
    onnx.helper.set_model_props(model, weights.metadata)
    try:
        with whole(path) as file:
            file.write(model.SerializeToString())
    except OSError as error:
        raise DistillationError(f"cannot write {path}: {error}") from error
