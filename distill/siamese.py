"""What a student learns from a teacher beyond its features: losses of Shen et al. 2022, "Distilled Siamese networks for visual tracking".

Numbers in brackets are those of its equations. Its trackers correlate a search region x with a small template z, and a network's head
makes classes and boxes of that. Here

- the response of the closed-form filter (`distill.correlation.respond`) takes the place of the head's outputs, both of them;
- squared error in units of the label's takes the place of the divergence between softened classes and of the smooth L1 between boxes: a
  response is a regression, and a softmax over values between 0 and 1 would be almost flat;
- z is a crop as large as x under a cosine window, in place of a tight template; the correlation wraps around.

Nothing here sends a gradient to the teacher. All losses are given for every crop, (N,), as `distill.correlation.tracking_loss` gives its
own, and in sizes that depend neither on the numbers of cells nor on those of channels.
"""

import torch

from distill.correlation import prepare
from distill.losses import Levels

# Weights of the three losses in (23): omega, eta and lambda. The paper's omega is 100, chosen for the scale of its maps. On maps of mean
# square one, the gradient of the target response at weight one is one to eight times as long as that of the teacher soft loss.
TARGET_RESPONSE, TEACHER_SOFT, ADAPTIVE_HARD = 1.0, 1.0, 0.1
MARGIN = 0.005  # m of (18)
FLOOR = 1e-12  # of a mean square: a dead level has no map to scale


def activation_map(features: torch.Tensor) -> torch.Tensor:
    """Sum over the channels of the absolute values: F(U) of (13), (N, h, w), of features (N, C, h, w)."""
    return features.abs().sum(1)


def search_weight(z: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """How much each place of x looks like z: the correlation of (15), W = Q_x * Q_z, summed over channels.

    Parameters
    ----------
    z, x : tensor (N, C, h, w)
        As `distill.correlation.prepare` leaves them.

    Returns
    -------
    tensor (N, h, w)
        Where x is z shifted by (r, c), the peak is in cell (h // 2 + r, w // 2 + c), wrapped around: where the middle of z went.
    """
    size = z.shape[2:]
    correlation = torch.fft.irfft2((torch.fft.rfft2(z).conj() * torch.fft.rfft2(x)).sum(1), size)
    return correlation.roll((size[0] // 2, size[1] // 2), (1, 2))


def target_response(student_z: Levels, student_x: Levels, teacher_z: Levels, teacher_x: Levels) -> torch.Tensor:
    """Siamese target response, (14): how far the student's activation is from being where the teacher's is, in z (16) and in x (15).

    Sum over the levels and both crops of the mean over cells of (student's map - teacher's)^2, as the paper's table 1 has it. The features
    are taken as the filter takes them, scaled and under the window, which holds the surroundings of z down as the paper's tight template
    does. Each map is scaled to a mean square of one: sums over unlike numbers of channels are of unlike size, and the filter divides the
    scale of features out in any case. So a level counts 2 (1 - cosine between the maps) for each crop, at most two.

    Parameters
    ----------
    student_z, student_x : dict of str to tensor (N, C, h, w)
        Levels of the student behind the ReLU.
    teacher_z, teacher_x : dict of str to tensor (N, D, h, w)
        The teacher's, likewise, on the student's grids. Their levels are those compared.

    Returns
    -------
    tensor (N,)
    """
    errors = []
    for level in teacher_z:
        student = _maps(student_z[level], student_x[level])
        with torch.no_grad():
            teacher = _maps(teacher_z[level], teacher_x[level])
        errors.append((student - teacher).square().mean(dim=(2, 3)).sum(0))
    return torch.stack(errors).sum(0)


def _maps(z: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """F(Q_z) of (16) and F(W Q_x) of (15), (2, N, h, w), each of a mean square of one."""
    z, x = prepare(z), prepare(x)
    # W has one value for all channels of a cell, so that F(W Q) = |W| F(Q).
    maps = torch.stack((activation_map(z), search_weight(z, x).abs() * activation_map(x)))
    return maps * maps.square().mean(dim=(2, 3), keepdim=True).clamp(min=FLOOR).rsqrt()


def response_errors(found: Levels, wanted: Levels, y: Levels) -> Levels:
    """|found - wanted|^2 / |y|^2 of every level and crop, (N,): `distill.correlation.tracking_loss` before its sum, of known responses.

    It is the L_r of (18) here. A response that is zero where the target is counts one, on grids of any size.

    Parameters
    ----------
    found, wanted : dict of str to tensor (N, h, w)
        Responses to each x, and what they should be. The levels of `wanted` are those compared.
    y : dict of str to tensor (1, h, w) or (N, h, w)
        Labels of z: of all, or of each.
    """
    return {level: _energy(found[level] - target) / _energy(y[level]) for level, target in wanted.items()}


def response_loss(found: Levels, wanted: Levels, y: Levels) -> torch.Tensor:
    """Sum over the levels of `response_errors`, (N,): with the truth as `wanted`, the loss L^GT of (28)."""
    return torch.stack(list(response_errors(found, wanted, y).values())).sum(0)


def teacher_soft(student: Levels, teacher: Levels, y: Levels) -> torch.Tensor:
    """Teacher soft loss, (17): how far the student's responses are from the teacher's.

    Parameters
    ----------
    student, teacher : dict of str to tensor (N, h, w)
        Responses to each x. The teacher's levels are those compared.
    y : dict of str to tensor (1, h, w) or (N, h, w)
        Labels of z.

    Returns
    -------
    tensor (N,)
    """
    return response_loss(student, _detached(teacher), y)


def adaptive_hard(student: Levels, teacher: Levels, g: Levels, y: Levels, margin: float = MARGIN) -> torch.Tensor:
    """Adaptive hard loss, (18) and (19): the student's error against the truth, until it is below the teacher's by a margin.

    The bound is one for each level and crop. As in (18), and in Chen et al. 2017, from where it comes, a student only as good as its
    teacher is still pulled towards the truth. (18) falls from L_r to zero where the bound is reached; this is L_r minus what it falls by,
    max(teacher's error - margin, 0), so that it is continuous. That is a constant to the student: the gradients are those of (18).
    The first term of (19), the unbounded loss of the classes, has no counterpart.

    Parameters
    ----------
    student, teacher : dict of str to tensor (N, h, w)
        Responses to each x. The teacher's levels are those compared.
    g : dict of str to tensor (N, h, w)
        Wanted responses.
    y : dict of str to tensor (1, h, w) or (N, h, w)
        Labels of z.
    margin : float
        The m of (18), in the units of `response_errors`.

    Returns
    -------
    tensor (N,)
    """
    wanted = {level: g[level] for level in teacher}
    bounds = response_errors(_detached(teacher), wanted, y)
    errors = response_errors(student, wanted, y)
    excess = [(error - (bounds[level] - margin).clamp(min=0)).clamp(min=0) for level, error in errors.items()]
    return torch.stack(excess).sum(0)


def _energy(block: torch.Tensor) -> torch.Tensor:
    return block.square().sum(dim=(1, 2))


def _detached(levels: Levels) -> Levels:
    return {level: block.detach() for level, block in levels.items()}
