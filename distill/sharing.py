"""Students of different sizes that are trained together learn from one another: knowledge sharing of Shen et al. 2022.

Numbers in brackets are those of its equations; :mod:`distill.siamese` says what takes the place of its classes and boxes. A student
follows another's responses as given, without sending a gradient to it: squared error would else pull the better one to the worse as
strongly as the other way round, past the condition of (28).
"""

from collections.abc import Sequence

import torch

from distill.losses import Levels
from distill.siamese import teacher_soft

GAP = 0.005  # h of (28)
DISCOUNT = 0.5  # beta of (30)
FALL = 100.0  # our choice: the paper does not give the ratio of (28); its learning rate falls by as much over its epochs


def decay(epoch: float, epochs: float, fall: float = FALL) -> float:
    """Weight of the sharing in an epoch, f(e) of (28): falls geometrically from 1 in epoch 0 to 1 / `fall` in epoch `epochs` - 1."""
    return fall ** (-epoch / max(epochs - 1, 1))


def reliable(losses: torch.Tensor, teacher: torch.Tensor, gap: float = GAP) -> torch.Tensor:
    """The condition of (28), for every crop: whether a student is worth following, its loss below the teacher's plus `gap`.

    Parameters
    ----------
    losses : tensor (.., N)
        Of students, against the truth: `distill.siamese.response_loss`.
    teacher : tensor (N,)
        The teacher's, on the same levels.
    gap : float
        The h of (28), in the units of the losses.

    Returns
    -------
    tensor, bool, (.., N)
    """
    return losses.detach() - teacher.detach() < gap


def discounts(sizes: Sequence[float], discount: float = DISCOUNT) -> list[list[float]]:
    """How far student i (row) relies on student j (column), beta_ij of (32): `discount` for a smaller one, 1 for others, 0 for itself.

    Parameters
    ----------
    sizes : sequence of float
        Of every student: parameters, or any other number that grows with them.
    discount : float
        The beta of (30), from 0 to 1.
    """
    return [[0.0 if i == j else discount if other < own else 1.0 for j, other in enumerate(sizes)] for i, own in enumerate(sizes)]


def sharing_weights(
    losses: torch.Tensor, teacher: torch.Tensor, betas: Sequence[Sequence[float]], share: float, gap: float = GAP
) -> torch.Tensor:
    """How strongly each student follows each other one on each crop: beta_ij sigma of (28) and (32) over the number of other students.

    (32) divides by the number of all students, but (29) and (30), of two students, by nothing. The number of the others fits the latter.

    Parameters
    ----------
    losses, teacher : tensor (n, N) and (N,)
        Of every student and of the teacher, on every crop: see `reliable`.
    betas : sequence of sequence of float, n x n
        From `discounts`.
    share : float
        From `decay`.
    gap : float
        See `reliable`.

    Returns
    -------
    tensor (n, n, N)
        By the one that follows and the one that is followed; no gradient leads through it.
    """
    sigma = share * reliable(losses, teacher, gap).to(losses.dtype)
    return losses.new_tensor(betas)[:, :, None] * sigma / max(len(losses) - 1, 1)


def sharing(responses: Sequence[Levels], y: Levels, weights: torch.Tensor) -> torch.Tensor:
    """Knowledge sharing loss of every student, the second term of (29), (30) and (32); its sum over students is that of (31).

    L^KS of (25) to (27) is the teacher soft loss (17) with the other student in the teacher's place.

    Parameters
    ----------
    responses : sequence of dict of str to tensor (N, h, w)
        Of every student to each x, all of the same levels.
    y : dict of str to tensor (1, h, w) or (N, h, w)
        Labels of z.
    weights : tensor (n, n, N)
        From `sharing_weights`.

    Returns
    -------
    tensor (n, N)
        Row i trains student i alone.
    """
    rows = [torch.stack([teacher_soft(own, other, y) for other in responses]) for own in responses]
    return (weights * torch.stack(rows)).sum(1)
