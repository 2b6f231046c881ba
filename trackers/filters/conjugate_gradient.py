"""Preconditioned conjugate gradients as ECO runs them (PORTING 4.7)."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

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
    inner : callable
        Inner product in which `apply` is symmetric.
    """

    apply: Callable[[np.ndarray], np.ndarray]
    right: np.ndarray
    preconditioner: np.ndarray
    inner: Callable[[np.ndarray, np.ndarray], float]


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
    converged = CONVERGED * system.inner(residual, residual / system.preconditioner)
    for iteration in range(iterations):
        scaled = residual / system.preconditioner
        rho = system.inner(residual, scaled)
        if not rho > converged or math.isinf(rho):  # NaN too
            break
        if direction is None:
            step = scaled
        else:
            overlap = 0.0 if fletcher_reeves else system.inner(direction.residual, scaled)
            beta = (rho - overlap) / direction.rho
            if beta == 0 or math.isinf(beta):
                break
            step = scaled + np.float32(max(beta, 0.0)) * direction.step
        product = system.apply(step)
        curvature = system.inner(step, product)
        direction = Direction(step, residual, rho)
        if not curvature > 0 or math.isinf(rho / curvature):
            break
        alpha = np.float32(rho / curvature)
        solution += alpha * step
        if iteration < iterations - 1:
            residual = residual - alpha * product
    return solution, direction
