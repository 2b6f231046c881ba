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


class Descent:
    """Conjugate gradients under way: what is between two iterations.

    Parameters
    ----------
    system : System
        Its left side may change a little on the way.
    start : ndarray, (size,)
        Not changed.
    direction : Direction or None
        Kept from an earlier run on a similar system; None begins along the preconditioned residual.
    fletcher_reeves : bool
        The simpler rule, for a system that stays as it is; otherwise Polak-Ribiere, which forgets directions that no longer fit.

    Attributes
    ----------
    solution : ndarray, (size,)
        So far.
    direction : Direction or None
        For the next run.
    """

    def __init__(self, system: System, start: np.ndarray, direction: Direction | None = None, fletcher_reeves: bool = False):
        self._system, self._fletcher_reeves = system, fletcher_reeves
        self.solution, self.direction = start.copy(), direction
        self._residual = system.right - system.apply(self.solution)
        self._last: tuple[np.ndarray, float] | None = None  # step that the residual has not followed yet
        self._converged: float | None = None
        self._ended = False

    def iterate(self) -> None:
        """One iteration, if there is anything left to improve."""
        if not self._ended:
            self._ended = not self._improve()

    def _improve(self) -> bool:
        """One iteration; whether another may follow."""
        system, direction = self._system, self.direction
        if self._last is not None:
            self._residual = self._residual.copy()
            add(*self._last, self._residual)
        before = self._residual if direction is None else direction.residual
        step, rho, overlap = scale(self._residual, system.preconditioner, before, system.metric)
        self._converged = CONVERGED * rho if self._converged is None else self._converged
        if not rho > self._converged or math.isinf(rho):  # NaN too
            return False
        if direction is not None:
            beta = (rho - (0.0 if self._fletcher_reeves else overlap)) / direction.rho
            if beta == 0 or math.isinf(beta):
                return False
            add(direction.step, max(beta, 0.0), step)
        product = system.apply(step)
        curvature = weighted_dot(step, product, system.metric)
        self.direction = Direction(step, self._residual, rho)
        if not curvature > 0 or math.isinf(rho / curvature):
            return False
        add(step, rho / curvature, self.solution)
        self._last = product, -rho / curvature
        return True


def solve(
    system: System, start: np.ndarray, iterations: int, direction: Direction | None = None, fletcher_reeves: bool = False
) -> tuple[np.ndarray, Direction | None]:
    """Improve a solution by some iterations; parameters as for `Descent`, whose solution and direction are returned."""
    descent = Descent(system, start, direction, fletcher_reeves)
    for _ in range(iterations):
        descent.iterate()
    return descent.solution, descent.direction


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
