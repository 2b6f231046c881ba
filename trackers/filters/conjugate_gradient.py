"""Preconditioned conjugate gradients as ECO runs them (PORTING 4.7), in real arithmetic.

The vectors are long and what is done to them is little: most of the time goes into reading them, so each pass does all it can.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit

from cfvgg.linear import FASTMATH, weighted_dot

# Squared residual over its first value at which single precision has nothing left to improve.
CONVERGED = 1e-13


@dataclass
class Direction:
    """What one run leaves for the next: the search direction, the residual before the last step, and its norm."""

    step: np.ndarray
    residual: np.ndarray
    rho: float


@dataclass(frozen=True)
class System:
    """A symmetric positive linear system over real vectors.

    Attributes
    ----------
    apply : callable
        The left side, vector -> vector.
    right : ndarray, (size,)
    preconditioner : ndarray, (size,)
        Diagonal by which a residual is divided.
    metric : ndarray, (size,)
        Weights of the inner product in which `apply` is symmetric.
    """

    apply: Callable[[np.ndarray], np.ndarray]
    right: np.ndarray
    preconditioner: np.ndarray
    metric: np.ndarray


def solve(
    system: System, start: np.ndarray, iterations: int, direction: Direction | None = None, fletcher_reeves: bool = False
) -> tuple[np.ndarray, Direction | None]:
    """Improve a solution by some iterations.

    Parameters
    ----------
    system : System
    start : ndarray, (size,)
        Not changed.
    iterations : int
    direction : Direction or None
        Kept from an earlier run on a similar system; None begins along the preconditioned residual.
    fletcher_reeves : bool
        The simpler rule, for a system that stays as it is; otherwise Polak-Ribiere, which forgets directions that no longer fit.

    Returns
    -------
    solution : ndarray, (size,)
    direction : Direction
        For the next run.
    """
    solution = start.copy()
    residual = system.right - system.apply(solution)
    converged = None
    for iteration in range(iterations):
        before = residual if direction is None else direction.residual
        scaled, rho, overlap = scale(residual, system.preconditioner, before, system.metric)
        converged = CONVERGED * rho if converged is None else converged
        if not rho > converged or math.isinf(rho):  # NaN too
            break
        if direction is not None:
            beta = (rho - (0.0 if fletcher_reeves else overlap)) / direction.rho
            if beta == 0 or math.isinf(beta):
                break
            add(direction.step, max(beta, 0.0), scaled)
        product = system.apply(scaled)
        curvature = weighted_dot(scaled, product, system.metric)
        direction = Direction(scaled, residual, rho)
        if not curvature > 0 or math.isinf(rho / curvature):
            break
        add(scaled, rho / curvature, solution)
        if iteration < iterations - 1:
            residual = residual.copy()
            add(product, -rho / curvature, residual)
    return solution, direction


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def scale(residual: np.ndarray, preconditioner: np.ndarray, before: np.ndarray, metric: np.ndarray) -> tuple[np.ndarray, float, float]:
    """The preconditioned residual, and its inner products with the residual and with that of the step before."""
    scaled = np.empty_like(residual)
    rho = overlap = 0.0
    for k in range(len(residual)):
        value = residual[k] / preconditioner[k]
        scaled[k] = value
        rho += residual[k] * value * metric[k]
        overlap += before[k] * value * metric[k]
    return scaled, rho, overlap


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def add(vector: np.ndarray, factor: float, out: np.ndarray) -> None:
    """out += factor vector, in single precision."""
    single = np.float32(factor)
    for k in range(len(vector)):
        out[k] += single * vector[k]
