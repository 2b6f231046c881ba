"""Background-aware correlation filter (BACF; Kiani Galoogahi, Fagg and Lucey, ICCV 2017).

The filter has the size of the target, and learns from all shifts of a search area that is much larger: with P, which crops the target's
cells out of the T cells of the sample, the filters h_k of the channels x_k minimise

    1/2 |y - sum_k x_k * (P' h_k)|^2 + lambda/2 sum_k |h_k|^2        (*: correlation)

A second filter g, over all cells, is to equal P' h; ADMM with penalty mu and multiplier zeta, all of them spectra but h, repeats

    g = argmin |y - sum_k conj(g_k) x_k|^2 / T + mu sum_k |g_k - F P' h_k + zeta_k / mu|^2    at every frequency, by Sherman and Morrison
    h = P F^-1 (mu g + zeta) / (mu + lambda / T)                                              F: not normalised; T as in the public code
    zeta = zeta + mu (g - F P' h)

That is STRCF's solver (`trackers.filters.admm`), whose window w divides by w^2 + mu: w^2 is lambda / T on the target, and infinite, a mask,
elsewhere. As published, g is what detects. The model x is a running mean of the frames' spectra, and every frame begins with h = 0.
"""

import math
from collections.abc import Sequence

import numpy as np

from trackers.filters.admm import GridFilter, STRCFFilter, target_cells
from trackers.strcf_config import BACFConfig


class BACFFilter(STRCFFilter):
    """One background-aware filter on every grid that features share, and the sum of their responses; parameters are `STRCFFilter`'s."""

    def _grid(self, channels: int, label: np.ndarray, target: Sequence[float], config: BACFConfig) -> "BackgroundAwareFilter":
        return BackgroundAwareFilter(channels, label, target, config)


class BackgroundAwareFilter(GridFilter):
    """The filter of all channels on one grid.

    Parameters
    ----------
    channels : int
    label : ndarray, float32, (n, n // 2 + 1)
        Spectrum of the wanted response, real.
    target : (float, float)
        Rows and columns of cells to which the filter is confined; see `target_cells`.
    config : BACFConfig
    """

    def __init__(self, channels: int, label: np.ndarray, target: Sequence[float], config: BACFConfig):
        n = len(label)
        window = np.full((n, n), np.inf)
        window[target_cells(n, target)] = math.sqrt(config.regularisation) / n
        super().__init__(channels, label, window, n * n, config)
        self._model: np.ndarray | None = None

    def learn(self, sample: np.ndarray) -> None:
        """Take an encoded sample into the model, and learn the filter anew."""
        rate = self._config.learning_rate
        self._model = sample if self._model is None else (1 - rate) * self._model + rate * sample
        self.filter = self._solve(self._model, temporal=0.0)
