"""A teacher's output on the student's grid."""

import numpy as np
import torch

from cfvgg.architecture import grids, level_sizes
from distill.teachers.base import Tap


def align(output: torch.Tensor, tap: Tap, grid: tuple[float, float], size: tuple[int, int]) -> torch.Tensor:
    """Resample an output, bilinearly, at the centres of the student's cells.

    Parameters
    ----------
    output : tensor (N, C, h, w)
    tap : Tap
        Stride and first centre of its cells.
    grid : (float, float)
        Stride and first centre, along both axes, of the student's: see `cfvgg.architecture.grids`.
    size : (int, int)
        Rows and columns of the student's level.

    Returns
    -------
    tensor (N, C, *size)
        Cells beyond the border of the output have the values at the border. Where the two grids are one, `output` itself.
    """
    stride, centre = grid
    for axis, (count, first) in enumerate(zip(size, tap.centre, strict=True), 2):
        last = output.shape[axis] - 1
        places = np.clip((centre - first + stride * np.arange(count)) / tap.stride, 0, last)  # in the output's cells
        output = _interpolate(output, axis, places)
    return output


def align_to_level(output: torch.Tensor, tap: Tap, level: str, height: int, width: int) -> torch.Tensor:
    """`align` for a level of the student's, of an input of `height` x `width` pixels."""
    return align(output, tap, grids()[level], (level_sizes(height)[level], level_sizes(width)[level]))


def _interpolate(output: torch.Tensor, axis: int, places: np.ndarray) -> torch.Tensor:
    """Values between the cells of one axis; places that are cells give these bit by bit."""
    before = np.floor(places).astype(np.int64)
    if (before == places).all() and (np.diff(before) == 1).all():  # nothing is copied
        return output if len(places) == output.shape[axis] else output.narrow(axis, int(before[0]), len(before))
    below = output.index_select(axis, torch.from_numpy(before).to(output.device))
    fraction = places - before
    if not fraction.any():
        return below
    behind = np.minimum(before + 1, output.shape[axis] - 1)
    above = output.index_select(axis, torch.from_numpy(behind).to(output.device))
    shape = [-1 if i == axis else 1 for i in range(output.ndim)]
    return torch.lerp(below, above, torch.from_numpy(fraction).to(output).reshape(shape))
