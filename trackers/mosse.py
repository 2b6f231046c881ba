"""MOSSE (Bolme et al., "Visual object tracking using adaptive correlation filters", CVPR 2010)."""

import math
from collections.abc import Sequence

import numpy as np
import scipy.fft

from trackers import confidence
from trackers import config as settings
from trackers.features import colour
from trackers.features.stack import normalise
from trackers.kcf import WindowTarget
from trackers.kcf_config import MOSSE as SETTING
from trackers.kcf_config import MOSSEConfig
from trackers.opencv import cv2
from trackers.tracker import Box, Tracker

WARP = 0.1  # largest turn in radians, and stretch, of a changed view


class MOSSE(Tracker):
    """Minimum output sum of squared error: the fastest of the family, on grey values.

    Parameters
    ----------
    channel_order : {'BGR', 'RGB'}
        Of the pictures.
    seed : int
        For the changed views of the first frame.
    **options
        Fields of `trackers.kcf_config.MOSSEConfig`.

    Raises
    ------
    UnknownOptionError
    """

    def __init__(self, *, channel_order: str = "BGR", seed: int = 0, **options):
        super().__init__(channel_order=channel_order, seed=seed)
        self.config = settings.override(SETTING, options)

    def _start(self, image: np.ndarray, box: Box) -> "MOSSETarget":
        return MOSSETarget(image, box, self.config, np.random.default_rng(self._seed))


class LogGrey:
    """Logarithms of grey values, of zero mean and a mean square of one."""

    cell, margin, scoring = 1, 0, confidence.MOSSE

    def __call__(self, patch: np.ndarray) -> np.ndarray:
        grey = colour.grey(patch if patch.shape[2] == 3 else patch[:, :, 0], self.cell)
        values = np.log1p((grey + np.float32(0.5)) * 255)
        return normalise(values - values.mean(dtype=np.float64))


class RatioFilter:
    """The filter as a ratio of two running averages: of the products of labels and samples, and of the samples' energies.

    Parameters
    ----------
    regularisation : float
        Per value of a sample.
    context : float
        Weight of each of the surroundings, on which the filter is to give nothing.
    """

    def __init__(self, regularisation: float, context: float):
        self._regularisation, self._context = regularisation, context
        self._numerator, self._energy = np.complex64(0), np.float32(0)

    def learn(self, sample: np.ndarray, label: np.ndarray, surroundings: Sequence[np.ndarray], rate: float) -> None:
        """Take in a sample (1, H, W) with weight `rate`; its label is a half-spectrum, its surroundings are samples, too."""
        target, *others = scipy.fft.rfft2(np.stack([sample, *surroundings]))[:, 0]
        energy = _power(target) + self._context * sum(map(_power, others))
        self._numerator = (1 - rate) * self._numerator + rate * label * target.conj()
        self._energy = (1 - rate) * self._energy + rate * energy

    def respond(self, sample: np.ndarray) -> np.ndarray:
        """Response (H, W) float32 to a sample (1, H, W)."""
        filter_ = self._numerator / (self._energy + self._regularisation * sample.size)
        return scipy.fft.irfft2(filter_ * scipy.fft.rfft2(sample[0]), sample.shape[1:])


class MOSSETarget(WindowTarget):
    """One target that MOSSE follows; `random` draws the changed views of the first frame, the rest is as in `WindowTarget`."""

    def __init__(self, image: np.ndarray, box: Box, config: MOSSEConfig, random: np.random.Generator):
        self._random = random
        super().__init__(image, box, config, LogGrey(), RatioFilter(config.regularisation, config.context_regularisation))
        del self._random  # of the first frame alone

    def _learn_first(self, picture: np.ndarray) -> None:
        super()._learn_first(picture)
        patch, centre = self._patch(picture, self.position, self.scale)
        label, surroundings = self._label(centre), self._surroundings(picture)
        middle = [(n - 1) / 2 + (p - c) / self.scale for n, p, c in zip(self._patch_shape, self.position, centre, strict=True)]
        for number in range(self._config.warps):
            turn, stretch = self._random.uniform(-WARP, WARP, 2)
            matrix = cv2.getRotationMatrix2D(middle[::-1], math.degrees(turn), 1 + stretch)
            view = cv2.warpAffine(patch, matrix, patch.shape[1::-1], borderMode=cv2.BORDER_REFLECT).reshape(patch.shape)
            self._filter.learn(self._features(view) * self._window, label, surroundings, 1 / (number + 2))


def _power(spectrum: np.ndarray) -> np.ndarray:
    return spectrum.real**2 + spectrum.imag**2
