"""Scale of the target: the filter of fDSST (Danelljan et al. 2017; PORTING 5), and such filters for its ratio of sides and its angle."""

import math

import numpy as np

from cfvgg.linear import inner_products
from trackers.config import ScaleFilterConfig
from trackers.features.fhog import fhog
from trackers.patch import centred_crop, resize_about, resize_nested

THINNEST = 2  # how far a target's ratio of height to width may leave its first, to either side, as the root
TURN = 1.1  # radians by which the patches of the filter of angles are turned, times the logarithm of a scale: steps of 6 degrees
STILL = math.radians(3)  # a target that has turned by less is taken as upright
ENLARGED = 2  # how far a small target is enlarged at most, to be seen in more cells


class ScaleFilter:
    """One-dimensional correlation filter over patches of the target at several sizes.

    The published program reduces its sample vectors to an orthonormal basis. Every quantity that it then forms is an inner product
    of samples, which a basis of their span leaves as it is; so here the products are taken at once, and no basis is needed.

    Parameters
    ----------
    target : (float, float)
        Height and width of the target on the first frame, in pixels.
    base : (float, float)
        Its height and width at scale one.
    config : ScaleFilterConfig
    wrap : bool
        Let the parabola through the best scale and its neighbours reach round from the largest to the smallest scale, as published.

    Attributes
    ----------
    aspect : float
        By what the target's height has grown, and its width shrunk, beside its scale: here always one.
    angle : float
        By which it has turned: here always zero.
    """

    aspect = 1.0
    angle = 0.0

    def __init__(self, target: tuple[float, float], base: tuple[float, float], config: ScaleFilterConfig, wrap: bool = False):
        self._config, self._base, self._wrap = config, base, wrap
        count, wide = config.scales, config.interpolated
        shrink = min(math.sqrt(config.model_area / (target[0] * target[1])), 1)
        self._model = tuple(max(int(side * shrink), 2 * config.cell) for side in target)
        exponents = (np.arange(count) - count // 2) * wide / count
        self._factors = config.step**exponents
        self._fine_factors = config.step ** np.fft.ifftshift(np.arange(wide) - wide // 2)
        label = np.exp(-0.5 * np.fft.ifftshift(exponents) ** 2 / (config.sigma * wide) ** 2)
        self._label = np.fft.fft(label).real
        window = 0.5 * (1 - np.cos(2 * np.pi * np.arange(count) / (count - 1)))
        frequencies = np.arange(count)
        self._waves = window * np.exp(-2j * np.pi * np.outer(frequencies, frequencies) / count)
        self._model_sample: np.ndarray | None = None

    def learn(self, image: np.ndarray, centre: tuple[float, float], scale: float) -> None:
        """Update the filter with the target at `centre` (row, column) and `scale`."""
        sample = self.sample(image, centre, scale)
        energy = self._correlation(sample, sample).real
        if self._model_sample is None:
            self._model_sample, self._energy = sample, energy
            return
        rate = np.float32(self._config.learning_rate)
        self._model_sample = (1 - rate) * self._model_sample + rate * sample
        self._energy = (1 - rate) * self._energy + rate * energy

    def change(self, image: np.ndarray, centre: tuple[float, float], scale: float) -> float:
        """By which factor the scale of the target has changed since `scale`."""
        return self._best_factor(self.response(self.sample(image, centre, scale)))

    def response(self, sample: np.ndarray) -> np.ndarray:
        """Response at the interpolated scales (interpolated,), the present one first, to a sample (scales, features)."""
        count, wide = self._config.scales, self._config.interpolated
        spectrum = self._label * self._correlation(self._model_sample, sample) / (self._energy + self._config.regularisation)
        padded = np.zeros(wide, complex)
        half = count // 2 + 1
        padded[:half], padded[half - count :] = spectrum[:half], spectrum[half:]
        return np.fft.ifft(padded * wide / count).real

    def sample(self, image: np.ndarray, centre: tuple[float, float], scale: float) -> np.ndarray:
        """FHOG vectors (scales, features) of the target's patch at all scales."""
        return fhog(self.patches(image, centre, scale), self._config.cell).reshape(self._config.scales, -1)

    def patches(self, image: np.ndarray, centre: tuple[float, float], scale: float) -> np.ndarray:
        """The target's patch at all scales in the model's size, (scales, rows, columns, C) uint8."""
        factors = (scale * self._factors).tolist()
        step = max(int(factors[0]), 1)
        shapes = [tuple(max(int(side * factor / step), 1) for side in self._base) for factor in factors]
        return resize_nested(centred_crop(image, centre, shapes[-1], step), shapes, self._model)

    def _correlation(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Spectrum (scales,) of the windowed correlation of two samples along the scales, summed over features."""
        products = inner_products(left, right).astype(np.float64)
        return ((self._waves.conj() @ products) * self._waves).sum(1)

    def _best_factor(self, response: np.ndarray) -> float:
        best, wide = int(np.argmax(response)), len(response)
        at_end = best in (wide // 2, wide // 2 + 1)
        if at_end and not self._wrap:
            return float(self._fine_factors[best])
        around = [(best - 1) % wide, best, (best + 1) % wide]
        return parabola_vertex(self._fine_factors[around], response[around])


class SideFilter(ScaleFilter):
    """A scale filter over patches whose sides need not be whole pixels; its scales may stretch them unequally, or turn them.

    Parameters
    ----------
    target, base, config
        As for `ScaleFilter`.
    powers : (int, int, float)
        To which powers of a scale height and width are stretched; and by how many radians they are turned, times its logarithm.

    Attributes
    ----------
    base : (float, float)
        Height and width of the target at scale one; they may be changed.
    angle : float
        By which it has turned, in radians; it may be changed.
    """

    def __init__(self, target: tuple[float, float], base: tuple[float, float], config: ScaleFilterConfig, powers: tuple[int, int, float]):
        super().__init__(target, base, config)
        self.base, self._stretch, self._turn = base, powers[:2], powers[2]
        enlarge = min(math.sqrt(config.model_area / math.prod(target)), ENLARGED)
        self._model = tuple(max(int(side * enlarge), 2 * config.cell) for side in target)

    def sample(self, image: np.ndarray, centre: tuple[float, float], scale: float) -> np.ndarray:
        """FHOG vectors (scales, features) of the target's patch; zeros at the outermost two scales, which the window weighs by zero."""
        seen = fhog(self.patches(image, centre, scale), self._config.cell)
        sample = np.zeros((self._config.scales, seen[0].size), np.float32)
        sample[1:-1] = seen.reshape(len(seen), -1)
        return sample

    def patches(self, image: np.ndarray, centre: tuple[float, float], scale: float) -> np.ndarray:
        """The target's patch at all scales but the outermost two in the model's size, (scales - 2, rows, columns, C) uint8."""
        factors = self._factors[1:-1]
        sides = scale * np.array(self.base) * factors[:, None] ** self._stretch
        angles = self.angle + self._turn * np.log(factors)
        return resize_about(image, centre, sides, self._model, max(int(scale * self._factors[0]), 1), angles if angles.any() else None)


class ShapeFilter:
    """Scale, ratio of sides and angle of a target, each by a filter of its own.

    Parameters
    ----------
    target, base, config
        As for `ScaleFilter`.

    Attributes
    ----------
    aspect : float
        By what the target's height has grown, and its width shrunk, beside its scale.
    """

    def __init__(self, target: tuple[float, float], base: tuple[float, float], config: ScaleFilterConfig):
        self.aspect, self._turned, self._base = 1.0, 0.0, base
        self._scale, self._aspect = (SideFilter(target, base, config, powers) for powers in ((1, 1, 0), (1, -1, 0)))
        self._angle = SideFilter(target, base, config, (0, 0, TURN)) if config.angle else None
        self._filters = [self._scale, self._aspect, *([self._angle] if config.angle else [])]
        self._due = self._filters  # to learn

    @property
    def angle(self) -> float:
        """By which the target has turned, in radians, from the x axis towards the y axis; 0 while it may as well not have."""
        return self._turned if abs(self._turned) >= STILL else 0.0

    def learn(self, image: np.ndarray, centre: tuple[float, float], scale: float) -> None:
        """Update the filters by turns, at first all, with the target at `centre` (row, column) and `scale`."""
        for filter_ in self._due:
            self._shaped(filter_).learn(image, centre, scale)
        self._due = [self._filters[(self._filters.index(self._due[-1]) + 1) % len(self._filters)]]

    def change(self, image: np.ndarray, centre: tuple[float, float], scale: float) -> float:
        """By which factor the scale of the target has changed since `scale`; `aspect` and `angle` follow."""
        factor = self._shaped(self._scale).change(image, centre, scale)
        aspect = self.aspect * self._shaped(self._aspect).change(image, centre, scale * factor)
        self.aspect = min(max(aspect, 1 / THINNEST), THINNEST)
        if self._angle is not None:
            self._turned += TURN * math.log(self._shaped(self._angle).change(image, centre, scale * factor))
        return factor

    def _shaped(self, filter_: SideFilter) -> SideFilter:
        """A filter, after it has been told the present shape."""
        filter_.base = self._base[0] * self.aspect, self._base[1] / self.aspect
        filter_.angle = self._turned if filter_ is self._angle else self.angle
        return filter_


def scale_filter(
    target: tuple[float, float], base: tuple[float, float], config: ScaleFilterConfig, wrap: bool = False
) -> ScaleFilter | ShapeFilter:
    """What `config` asks for; parameters are `ScaleFilter`'s."""
    return ShapeFilter(target, base, config) if config.aspect else ScaleFilter(target, base, config, wrap)


def parabola_vertex(x: np.ndarray, y: np.ndarray) -> float:
    """Abscissa of the vertex of the parabola through three points; the middle point's where they lie on a line."""
    left, right = (y[1] - y[0]) / (x[1] - x[0]), (y[2] - y[1]) / (x[2] - x[1])
    if left == right:
        return float(x[1])
    return float((x[0] + x[1]) / 2 - left * (x[2] - x[0]) / (2 * (right - left)))
