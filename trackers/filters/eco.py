"""ECO's filter: what it has learnt of the target, and how it responds (Danelljan et al. 2017; PORTING 4.3 to 4.8)."""

from collections.abc import Sequence

import numpy as np

from trackers.config import ECOConfig
from trackers.filters.conjugate_gradient import Descent, System, solve
from trackers.filters.covariance import Covariance
from trackers.filters.encoder import Encoder
from trackers.filters.projection import learn_jointly, precondition, principal_directions, respond
from trackers.filters.regularisation import Penalty
from trackers.filters.sample_space import SampleSpace
from trackers.filters.spectra import Layout
from trackers.fourier import cut_centred, shift

VIEWS_WEIGHT = 2  # of all changed views of the first frame together over the unchanged one


class ECOFilter:
    """Factorised continuous convolution filter over a sample space.

    Parameters
    ----------
    sizes : sequence of int
        Cells of each feature block.
    label : ndarray, float32, (n, n // 2 + 1)
        Half-spectrum of the wanted response, on the largest odd grid.
    penalty : Penalty
    config : ECOConfig
    """

    def __init__(self, sizes: Sequence[int], label: np.ndarray, penalty: Penalty, config: ECOConfig):
        self._config, self._label, self._penalty = config, label, penalty
        self._encoder = Encoder(sizes, [feature.dimension for feature in config.features])
        self._training: Descent | None = None
        self.samples = SampleSpace(self._encoder.layout, config.samples, config.learning_rate, config.compared)

    @property
    def side(self) -> int:
        """Side of the response's grid."""
        return self._encoder.layout.sides[0]

    def initialise(self, features: Sequence[np.ndarray], angle: tuple[float, float]) -> None:
        """Learn filter and projection from the first sample.

        Parameters
        ----------
        features : sequence of ndarray, float32, (C, n, n)
        angle : (float, float)
            Where the target is off the sample's centre (rows, columns), in radians of the sample's period.
        """
        spectra = [shift(spectrum, angle) for spectrum in self._encoder.unprojected(features)]
        projections = [principal_directions(block, f.dimension) for block, f in zip(features, self._config.features, strict=True)]
        self._energy = np.abs(self._shifted(self._encoder(features, projections), angle)) ** 2
        self.filter, self.projections = learn_jointly(spectra, projections, self._encoder, self._label, self._penalty, self._config)
        self.samples.add(self._shifted(self._encoder(features, self.projections), angle))

    def augment(self, views: Sequence[Sequence[np.ndarray]], angle: tuple[float, float]) -> None:
        """Learn the first frame's changed views too: together they weigh `VIEWS_WEIGHT` times as much as the sample of `initialise`.

        Parameters
        ----------
        views : sequence of sequence of ndarray, float32, (C, n, n)
            Features of each view.
        angle : (float, float)
            As for `initialise`.
        """
        for number, features in enumerate(views, start=1):
            self.samples.add(self._shifted(self.encode(features), angle), gain=VIEWS_WEIGHT / (len(views) + VIEWS_WEIGHT * number))
        found, _ = solve(self._system(), self.filter.view(np.float32), self._config.augmentation_iterations)
        self.filter = found.view(np.complex64)

    def encode(self, features: Sequence[np.ndarray]) -> np.ndarray:
        """A sample (size,) complex64 from its features."""
        return self._encoder(features, self.projections)

    def respond(self, sample: np.ndarray) -> np.ndarray:
        """Half-spectrum of the response (side, side // 2 + 1) to an encoded sample."""
        return respond(self._encoder.layout, sample, self.filter)

    def remember(self, sample: np.ndarray, angle: tuple[float, float]) -> np.ndarray:
        """Add an encoded sample, moved by `angle` so that the target is centred, to the sample space; the moved sample."""
        centred = self._shifted(sample, angle)
        self.samples.add(centred)
        return centred

    def train(self, newest: np.ndarray) -> None:
        """Begin a training on the sample space, which goes on in the direction of the last one; `iterate` is what learns.

        Parameters
        ----------
        newest : ndarray, complex64, (size,)
            The newest sample: the preconditioner follows its energy.
        """
        rate = self._config.learning_rate
        self._energy = np.float32(1 - rate) * self._energy + np.float32(rate) * np.abs(newest) ** 2
        direction = None if self._training is None else self._training.direction
        if direction is not None:
            direction.rho /= (1 - rate) ** self._config.forgetting
        self._training = Descent(self._system(), self.filter.view(np.float32), direction)

    def iterate(self, count: int) -> None:
        """Some iterations of the training that is under way, if one is."""
        if self._training is not None:
            for _ in range(count):
                self._training.iterate()
            self.filter = self._training.solution.view(np.complex64)

    def _system(self) -> System:
        """The normal equations of the sample space."""
        layout = self._encoder.layout
        labels = [cut_centred(self._label, n) for n in layout.sides]
        right = layout.join([mean.conj() * label for mean, label in zip(layout.views(self.samples.mean), labels, strict=True)])
        preconditioner = np.repeat(precondition(self._energy, self._encoder, self._penalty, self._config), 2)
        left = NormalEquations(layout, self.samples.covariance, self._penalty)
        return System(left, right.view(np.float32), preconditioner, layout.metric)

    def _shifted(self, sample: np.ndarray, angle: tuple[float, float]) -> np.ndarray:
        return self._encoder.layout.join([shift(grid, angle) for grid in self._encoder.layout.views(sample)])


class NormalEquations:
    """The left side of the normal equations, of a filter in the flat form of a layout, as real numbers.

    Parameters
    ----------
    layout : Layout
    covariance : Covariance
        Of the samples; it may go on changing.
    penalty : Penalty
    """

    def __init__(self, layout: Layout, covariance: Covariance, penalty: Penalty):
        self._layout, self._covariance, self._penalty = layout, covariance, penalty

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        """Real and imaginary parts (2 size,) float32 from those of a filter."""
        filter_ = numbers.view(np.complex64)
        out = np.zeros_like(filter_)
        self._covariance.add_product(filter_, out)
        for grid, result in zip(self._layout.views(filter_), self._layout.views(out), strict=True):
            self._penalty.add(grid, result)
        return out.view(np.float32)
