"""The correlation filter of the tracking loss, in torch: ridge regression in closed form, with gradients through both of its branches.

Features are (N, C, h, w), one level of a network; a filter is learnt from each sample z and responds to its own crop x, or one filter to
every crop. It is the linear kernel of :mod:`trackers.filters.ridge`.
"""

import torch

from cfvgg.architecture import STRIDES
from distill.losses import Levels

REGULARISATION = 1e-4  # per value of a sample, as KCF's
LABEL_SIGMA = 0.1  # of the side of the target
TINY = 1e-12  # mean square of features
NARROWEST = 0.5  # cells: a narrower label between two cells would nearly vanish


def prepare(features: torch.Tensor) -> torch.Tensor:
    """Features (N, C, h, w), each scaled to a mean square of one, as the trackers do it, under a cosine window."""
    energy = features.square().mean(dim=(1, 2, 3), keepdim=True)
    kind = {"dtype": features.dtype, "device": features.device}
    rows, columns = (torch.hann_window(n + 2, periodic=False, **kind)[1:-1] for n in features.shape[2:])
    # a level that is zero everywhere has no gradient, but a finite one: the slope of 1 / sqrt overflows at smaller energies
    return features * energy.clamp(min=TINY).rsqrt() * torch.outer(rows, columns)


def respond(z: torch.Tensor, x: torch.Tensor, label: torch.Tensor, regularisation: float) -> torch.Tensor:
    """Response to x of the filter that gives `label` on z.

    With transforms in capitals, W_d = conj(Y) Z_d / (sum over k of |Z_k|^2 + lambda) and R = sum over d of conj(W_d) X_d.

    Parameters
    ----------
    z : tensor (1 or N, C, h, w)
    x : tensor (N, C, h, w)
        Both as `prepare` leaves them.
    label : tensor (h, w)
        Peak at [0, 0].
    regularisation : float
        Lambda over the number of values in z.

    Returns
    -------
    tensor (N, h, w)
        Peak at the shift of x against z, in cells, wrapped around.
    """
    size, values = label.shape, z[0].numel()
    z, x, label = (torch.fft.rfft2(block) for block in (z, x, label))
    energy = (z * z.conj()).real.sum(1)
    correlation = (z.conj() * x).sum(1)
    return torch.fft.irfft2(label * correlation / (energy + regularisation * values), size)


def gaussian(shape: tuple[int, int], sigma: float, places: torch.Tensor) -> torch.Tensor:
    """Gaussians (N, h, w) of height one, wrapped around, with their peaks at `places` (N, 2), rows and columns; all in cells."""
    axes = []
    for n, middle in zip(shape, places.T, strict=True):
        distance = torch.remainder(torch.arange(n, dtype=places.dtype, device=places.device) - middle[:, None] + n / 2, n) - n / 2
        axes.append(torch.exp(-0.5 * (distance / sigma).square()))
    return axes[0][:, :, None] * axes[1][:, None, :]


def labels(features: Levels, sigma: float, shifts: torch.Tensor) -> Levels:
    """Gaussian labels (N, h, w) for every level of `features`.

    Parameters
    ----------
    features : dict of str to tensor (.., h, w)
    sigma : float
        Standard deviation in pixels of the crop.
    shifts : tensor (N, 2)
        Where the target is in each crop, against z: rows and columns, in pixels.
    """
    return {
        level: gaussian(block.shape[-2:], max(sigma / STRIDES[level], NARROWEST), shifts / STRIDES[level])
        for level, block in features.items()
    }


def tracking_loss(z: Levels, x: Levels, y: Levels, g: Levels, regularisation: float = REGULARISATION) -> torch.Tensor:
    """Sum over the levels of |R(x) - g|^2 / |y|^2 for every crop: a response that is zero where the target is counts one a level.

    Parameters
    ----------
    z, x : dict of str to tensor (1 or N, C, h, w) and (N, C, h, w)
        Levels of a network, as it gives them.
    y : dict of str to tensor (1, h, w)
        Label of z, its peak at [0, 0].
    g : dict of str to tensor (N, h, w)
        Wanted response to each x.
    regularisation : float
        See `respond`.

    Returns
    -------
    tensor (N,)
    """
    found = responses({level: z[level] for level in g}, x, y, regularisation)
    errors = [(found[level] - wanted).square().sum(dim=(1, 2)) / y[level].square().sum() for level, wanted in g.items()]
    return torch.stack(errors).sum(0)


def responses(z: Levels, x: Levels, y: Levels, regularisation: float = REGULARISATION) -> Levels:
    """`respond` on the levels of `z`, (N, h, w), of features as a network gives them; parameters are those of `tracking_loss`."""
    return {level: respond(prepare(block), prepare(x[level]), y[level][0], regularisation) for level, block in z.items()}
