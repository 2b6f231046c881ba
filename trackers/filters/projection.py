"""ECO's factorised convolution: channels are projected by a matrix that is learnt with the filter on the first frame (PORTING 4.6)."""

from collections.abc import Sequence

import numpy as np

from cfvgg.linear import inner_products
from trackers.config import ECOConfig
from trackers.filters.conjugate_gradient import System, solve
from trackers.filters.encoder import Encoder, project
from trackers.filters.regularisation import Penalty
from trackers.filters.spectra import Layout
from trackers.fourier import add_cut, cut_centred


def principal_directions(block: np.ndarray, dimension: int) -> np.ndarray:
    """First principal directions (C, dimension) float32 of a feature block (C, H, W) over its cells."""
    cells = block.reshape(len(block), -1)
    centred = cells - cells.mean(1, keepdims=True)
    vectors, _, _ = np.linalg.svd(inner_products(centred, centred))
    return np.ascontiguousarray(vectors[:, :dimension])


def learn_jointly(
    spectra: Sequence[np.ndarray],
    projections: Sequence[np.ndarray],
    encoder: Encoder,
    label: np.ndarray,
    penalty: Penalty,
    config: ECOConfig,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Filter and projection matrices from one sample, by Gauss-Newton rounds of conjugate gradients.

    Parameters
    ----------
    spectra : sequence of ndarray, complex64, (C, n, n // 2 + 1)
        The sample, all channels of each block.
    projections : sequence of ndarray, float32, (C, D)
        Where to start.
    encoder : Encoder
        Says how blocks lie in a filter.
    label : ndarray, float32, (n, n // 2 + 1)
        Half-spectrum of the wanted response on the largest grid.
    penalty : Penalty
    config : ECOConfig

    Returns
    -------
    filter : ndarray, complex64, (encoder.layout.size,)
    projections : list of ndarray, float32, (C, D)
    """
    problem = JointProblem(spectra, projections, encoder, label, penalty, config)
    filter_, projections = np.zeros(encoder.layout.size, np.complex64), list(projections)
    for _ in range(config.first_rounds):
        solution, _ = solve(problem.linearised(filter_, projections), problem.start(filter_), config.first_iterations, fletcher_reeves=True)
        filter_, increments = problem.split(solution)
        make_hermitian(encoder.layout.views(filter_))
        projections = [matrix + more for matrix, more in zip(projections, increments, strict=True)]
    return filter_, projections


class JointProblem:
    """The least-squares problem in filter and projection; its unknowns lie in one real vector, filter first."""

    def __init__(self, spectra, projections, encoder: Encoder, label: np.ndarray, penalty: Penalty, config: ECOConfig):
        self._spectra, self._encoder, self._penalty = spectra, encoder, penalty
        self._regularisation = np.float32(config.projection_regularisation)
        self._labels = [cut_centred(label, n) for n in encoder.layout.sides]
        self._shapes = [matrix.shape for matrix in projections]
        size = sum(rows * columns for rows, columns in self._shapes)
        self._metric = np.concatenate([encoder.layout.metric, np.ones(size, np.float32)])
        channels = sum(len(spectrum) for spectrum in spectra)
        energies = [2 * float((self._labels[grid] ** 2).sum()) / channels for grid, _ in encoder.places]
        matrices = [
            np.full(rows * columns, config.precondition_projection * (energy + config.projection_regularisation))
            for energy, (rows, columns) in zip(energies, self._shapes, strict=True)
        ]
        energy = np.abs(self._encode(projections)) ** 2
        self._preconditioner = np.concatenate([np.repeat(precondition(energy, encoder, penalty, config), 2), *matrices]).astype(np.float32)

    def start(self, filter_: np.ndarray) -> np.ndarray:
        """The vector of a filter and no change of the projections."""
        return self._join(filter_, [np.zeros(shape, np.float32) for shape in self._shapes])

    def split(self, vector: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Filter (size,) complex64 and matrices (C, D) of a vector, without copying."""
        first = 2 * self._encoder.layout.size
        ends = np.cumsum([first] + [rows * columns for rows, columns in self._shapes])
        matrices = [vector[a:b].reshape(shape) for a, b, shape in zip(ends[:-1], ends[1:], self._shapes, strict=True)]
        return vector[:first].view(np.complex64), matrices

    def linearised(self, filter_: np.ndarray, projections: Sequence[np.ndarray]) -> System:
        """The normal equations around a filter and projections."""
        sample = self._encode(projections)

        def apply(vector: np.ndarray) -> np.ndarray:
            """The left side."""
            unknown, increments = self.split(vector)
            response = self._response(sample, unknown) + self._response(self._encode(increments), filter_)
            residual = [cut_centred(response, n) for n in self._encoder.layout.sides]
            out = self._correlate(sample, residual)
            for grid, result in zip(self._encoder.layout.views(unknown), self._encoder.layout.views(out), strict=True):
                self._penalty.add(grid, result)
            gradients = self._gradients(filter_, residual)
            return self._join(out, [g + self._regularisation * m for g, m in zip(gradients, increments, strict=True)])

        gradients = self._gradients(filter_, self._labels)
        right = self._join(
            self._correlate(sample, self._labels), [g - self._regularisation * m for g, m in zip(gradients, projections, strict=True)]
        )
        return System(apply, right, self._preconditioner, self._metric)

    def _join(self, filter_: np.ndarray, matrices: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate([filter_.view(np.float32), *(matrix.ravel() for matrix in matrices)])

    def _encode(self, projections: Sequence[np.ndarray]) -> np.ndarray:
        vector = np.empty(self._encoder.layout.size, np.complex64)
        for block, spectrum, matrix in zip(self._encoder.blocks(vector), self._spectra, projections, strict=True):
            block[:] = project(spectrum, matrix)
        return vector

    def _response(self, sample: np.ndarray, filter_: np.ndarray) -> np.ndarray:
        return respond(self._encoder.layout, sample, filter_)

    def _correlate(self, sample: np.ndarray, responses: Sequence[np.ndarray]) -> np.ndarray:
        grids = self._encoder.layout.views(sample)
        return self._encoder.layout.join([grid.conj() * response for grid, response in zip(grids, responses, strict=True)])

    def _gradients(self, filter_: np.ndarray, responses: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Of the matrices: 2 Re sum conj(x_c f_d) response. Column 0 is left out, as in ECO's code."""
        gradients = []
        for block, spectrum, (grid, _) in zip(self._encoder.blocks(filter_), self._spectra, self._encoder.places, strict=True):
            target = block.conj() * responses[grid]
            target[:, :, 0] = 0
            rows, columns = (np.ascontiguousarray(a).reshape(len(a), -1).view(np.float32) for a in (spectrum, target))
            gradients.append(2 * inner_products(rows, columns))
        return gradients


def respond(layout: Layout, sample: np.ndarray, filter_: np.ndarray) -> np.ndarray:
    """Half-spectrum of the response (n, n // 2 + 1) on the largest grid: sum over channels of filter times sample."""
    products = [grid.sum(0) for grid in layout.views(filter_ * sample)]
    for small in products[1:]:
        add_cut(small, products[0])
    return products[0]


def precondition(energy: np.ndarray, encoder: Encoder, penalty: Penalty, config: ECOConfig) -> np.ndarray:
    """Diagonal preconditioner (size,) float32: the samples' energy |x|^2, partly averaged over channels, and the penalty's."""
    diagonal = np.empty(encoder.layout.size, np.float32)
    own, weight = config.precondition_data, config.precondition_regularisation
    for block, target in zip(encoder.blocks(energy), encoder.blocks(diagonal), strict=True):
        target[:] = (1 - weight) * (own * block + (1 - own) * block.mean(0)) + weight * penalty.energy
    return diagonal


def make_hermitian(grids: Sequence[np.ndarray]) -> None:
    """Make column 0 of half-spectra (channels, n, m) that of a real signal, in place: rows -k from rows k."""
    for grid in grids:
        half = grid.shape[1] // 2
        grid[:, half + 1 :, 0] = grid[:, half:0:-1, 0].conj()
