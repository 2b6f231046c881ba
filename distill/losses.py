"""How far a student's features are from its teacher's.

All compare the outputs of the convolutions before their ReLU. Behind the ReLU a filter that starts dead gets no gradient, and the training
stalls.
"""

import torch

# Channels that hardly vary (dead ones) would weigh without bound; they count as if they varied by this part of the layer's largest.
SPREAD_FLOOR = 0.15

Levels = dict[str, torch.Tensor]


def channel_spread(teacher: Levels) -> Levels:
    """Standard deviation of every channel of every level, at least 15 % of the layer's largest.

    Parameters
    ----------
    teacher : dict of str to tensor (N, C, h, w)

    Returns
    -------
    dict of str to tensor (C,)
    """
    spreads = {level: output.std(dim=(0, 2, 3), correction=0) for level, output in teacher.items()}
    return {level: spread.clamp(min=SPREAD_FLOOR * spread.max().item()) for level, spread in spreads.items()}


def fidelity(student: Levels, teacher: Levels, spreads: Levels) -> torch.Tensor:
    """Mean over the levels of the mean over elements of ((student - teacher) / spread of the channel)^2.

    The fidelity term of Wang et al. 2020, on several levels and normalised so that levels and channels weigh alike.

    Parameters
    ----------
    student, teacher : dict of str to tensor (N, C, h, w)
    spreads : dict of str to tensor (C,)
        From `channel_spread`; its levels are those compared.

    Returns
    -------
    tensor, ()
    """
    errors = [((student[level] - teacher[level]) / spread[:, None, None]).square().mean() for level, spread in spreads.items()]
    return torch.stack(errors).mean()


def r_squared(student: Levels, teacher: Levels) -> dict[str, float]:
    """Part of the teacher's variance that the student explains, for each level: 1 is perfect, 0 no better than the channels' means.

    1 - sum (student - teacher)^2 / sum (teacher - mean of its channel)^2, both sums over all elements of the level.

    Parameters
    ----------
    student, teacher : dict of str to tensor (N, C, h, w)
    """
    explained = {}
    for level, wanted in teacher.items():
        residual = (student[level] - wanted).square().sum()
        total = (wanted - wanted.mean(dim=(0, 2, 3), keepdim=True)).square().sum()
        explained[level] = 1 - float(residual / total)
    return explained
