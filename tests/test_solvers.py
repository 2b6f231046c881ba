"""Conjugate gradients, the joint problem of the first frame, and later trainings against dense and double-precision twins."""

import dataclasses
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from trackers import fourier
from trackers.config import ECOConfig, Feature
from trackers.filters.conjugate_gradient import CONVERGED, Direction, System, solve
from trackers.filters.eco import ECOFilter
from trackers.filters.encoder import Encoder, project
from trackers.filters.projection import JointProblem, learn_jointly, make_hermitian, precondition, principal_directions, respond
from trackers.filters.regularisation import Penalty
from trackers.filters.spectra import Layout

seeds = st.integers(0, 2**32 - 1)
WINDOW = np.array([[0.1, -0.3, 0.1], [0.4, 1.2, 0.4], [0.1, -0.3, 0.1]])
NAMES = ("conv1", "conv5", "fhog", "intensity")


def inner(system: System, a: np.ndarray, b: np.ndarray) -> float:
    return float((a.astype(float) * system.metric * b).sum())


def random_system(rng: np.random.Generator, size: int, metric: np.ndarray | float = 1.0) -> tuple[System, np.ndarray]:
    """A positive system of condition 50, symmetric in the inner product weighted by `metric`, and its matrix."""
    basis = np.linalg.qr(rng.normal(size=(size, size)))[0]
    metric = np.array(np.broadcast_to(metric, size))
    matrix = basis @ np.diag(np.geomspace(1, 50, size)) @ basis.T / metric[:, None]
    return System(lambda v: matrix @ v, rng.normal(size=size), rng.uniform(0.5, 2, size), metric), matrix


# Conjugate gradients


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.booleans(), st.booleans(), seeds)
def test_solve_converges_to_the_dense_solution(size, weighted, fletcher_reeves, seed):
    rng = np.random.default_rng(seed)
    metric = rng.uniform(1, 2, size) if weighted else np.ones(size)
    system, matrix = random_system(rng, size, metric)
    start, expected = rng.normal(size=size), np.linalg.solve(matrix, system.right)
    # twice the iterations that exact steps would need, and many more: what is solved stays solved
    for iterations in (2 * size + 5, 100):
        solution, _ = solve(system, start, iterations, fletcher_reeves=fletcher_reeves)
        # the norm of the residual falls to sqrt(CONVERGED); the condition, 50, times those of metric and preconditioner do the rest
        bound = np.sqrt(CONVERGED) * 50 * np.sqrt(2 * 4) * 2
        assert np.linalg.norm(solution - expected) < bound * np.linalg.norm(start - expected)


def test_a_solved_system_in_single_precision_stays_solved():
    """A picture that never changes: hundreds of trainings that have nothing left to gain."""
    rng = np.random.default_rng(12)
    system, matrix = random_system(rng, 200)
    matrix, right = matrix.astype(np.float32), system.right.astype(np.float32)
    single = System(lambda v: matrix @ v, right, system.preconditioner.astype(np.float32), np.ones(200, np.float32))
    solution, direction, expected = np.zeros(200, np.float32), None, np.linalg.solve(matrix.astype(float), right)
    for training in range(200):
        solution, direction = solve(single, solution, 5, direction)
        direction.rho /= 0.44
        assert training < 20 or naive.difference(solution, expected) < 1e-4


def as_kept(direction: Direction | None) -> naive.Kept | None:
    return direction and naive.Kept(direction.step.copy(), direction.residual.copy(), direction.rho)


@pytest.mark.parametrize("iterations", [1, 2, 5])
@pytest.mark.parametrize("fletcher_reeves", [True, False])
def test_solve_equals_its_twin_over_changing_systems(iterations, fletcher_reeves):
    """Trainings one after another: the system changes a little, the direction is kept, its norm divided by the forgetting."""
    rng = np.random.default_rng(iterations)
    system, matrix = random_system(rng, 10)
    solution, direction = np.zeros(10), None
    for _ in range(5):
        start, kept = solution.copy(), as_kept(direction)
        solution, direction = solve(system, start, iterations, direction, fletcher_reeves)
        expected, kept = naive.conjugate_gradient(
            system.apply, system.right, system.preconditioner, partial(inner, system), start, iterations, kept, fletcher_reeves
        )
        # the code's steps are rounded to single precision
        assert naive.difference(solution, expected) < 1e-5
        assert naive.difference(direction.step, kept.step) < 1e-5
        assert naive.difference(direction.residual, kept.residual) < 1e-5
        assert direction.rho == pytest.approx(kept.rho, rel=1e-5)
        direction.rho /= 0.44
        change = rng.normal(size=(10, 10)) * 0.1
        matrix = matrix + change @ change.T
        system = dataclasses.replace(system, apply=lambda v, m=matrix: m @ v, right=system.right + 0.2 * rng.normal(size=10))


def test_a_kept_direction_goes_on_as_if_never_stopped():
    rng = np.random.default_rng(2)
    system, _ = random_system(rng, 12)
    whole, _ = solve(system, np.zeros(12), 8)
    part, direction = solve(system, np.zeros(12), 3)
    assert naive.difference(solve(system, part, 5, direction)[0], whole) < 1e-6
    assert naive.difference(solve(system, part, 5)[0], whole) > 1e-4  # a fresh start does not do that


def test_polak_ribiere_begins_anew_where_the_rule_is_negative():
    rng = np.random.default_rng(3)
    system, _ = random_system(rng, 6)
    start = rng.normal(size=6)
    residual = system.right - system.apply(start)
    overlapping = Direction(rng.normal(size=6), 2 * residual, 1.0)
    assert naive.difference(solve(system, start, 1, overlapping)[0], solve(system, start, 1)[0]) < 1e-6


def test_exits_leave_the_solution_as_it_is():
    rng = np.random.default_rng(4)
    system, _ = random_system(rng, 6)
    start = rng.normal(size=6)
    before = start.copy()
    exact = dataclasses.replace(system, right=system.apply(start))
    solution, direction = solve(exact, start, 5)
    np.testing.assert_array_equal(solution, start)
    assert direction is None
    for curvature in (0.0, -1.0, np.nan):
        solution, _ = solve(dataclasses.replace(system, apply=lambda v, c=curvature: c * v), start, 5)
        np.testing.assert_array_equal(solution, start)
    solution, _ = solve(dataclasses.replace(system, right=np.full(6, np.inf)), start, 5)
    np.testing.assert_array_equal(solution, start)
    residual = system.right - system.apply(start)
    orthogonal = Direction(start, residual, 1.0)  # beta is exactly 0
    np.testing.assert_array_equal(solve(system, start, 5, orthogonal)[0], start)
    np.testing.assert_array_equal(start, before)


# Encoder and response


def random_features(rng: np.random.Generator, sizes, channels) -> list[np.ndarray]:
    return [rng.normal(size=(count, n, n)).astype(np.float32) for n, count in zip(sizes, channels, strict=True)]


def random_projections(rng: np.random.Generator, channels, dimensions) -> list[np.ndarray]:
    return [np.linalg.qr(rng.normal(size=(c, d)))[0].astype(np.float32) for c, d in zip(channels, dimensions, strict=True)]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(2, 12), st.integers(1, 5), st.integers(1, 3)), min_size=1, max_size=3), seeds)
def test_encoder_equals_its_twin(blocks, seed):
    blocks = [(n, channels, min(dimension, channels)) for n, channels, dimension in blocks]
    sizes, channels, dimensions = zip(*blocks, strict=True)
    rng = np.random.default_rng(seed)
    features, projections = random_features(rng, sizes, channels), random_projections(rng, channels, dimensions)
    encoder = Encoder(sizes, dimensions)
    vector = encoder(features, projections)
    assert vector.shape == (encoder.layout.size,)
    assert list(encoder.layout.sides) == sorted({n + 1 - n % 2 for n in sizes}, reverse=True)
    whole = encoder.unprojected(features)
    for block, spectrum, feature, projection in zip(encoder.blocks(vector), whole, features, projections, strict=True):
        assert naive.difference(naive.full(block), naive.encode(feature, projection)) < 2e-6
        assert naive.difference(naive.full(spectrum), naive.encode(feature, np.eye(len(feature)))) < 2e-6
        assert naive.difference(project(spectrum, projection), block) < 2e-6


@pytest.mark.parametrize(("channels", "sides"), [((1,), (1,)), ((3,), (7,)), ((2, 3), (9, 5)), ((2, 1, 2), (13, 7, 3))])
def test_response_equals_its_twin(channels, sides):
    rng, layout = np.random.default_rng(5), Layout(channels, sides)
    sample, filter_ = ((rng.normal(size=layout.size) + 1j * rng.normal(size=layout.size)).astype(np.complex64) for _ in range(2))
    kept = sample.copy()
    result = naive.full(respond(layout, sample, filter_))
    blocks = [[naive.full(grid) for grid in layout.views(vector)] for vector in (sample, filter_)]
    assert naive.difference(result, naive.response(*blocks)) < 1e-6
    np.testing.assert_array_equal(sample, kept)


# The first frame


@pytest.mark.parametrize(("channels", "dimension", "n"), [(5, 2, 7), (12, 3, 10), (3, 3, 4)])
def test_principal_directions_are_those_of_the_covariance(channels, dimension, n):
    rng = np.random.default_rng(6)
    block = np.einsum("ck,kyx->cyx", rng.normal(size=(channels, channels)), rng.normal(size=(channels, n, n))).astype(np.float32) + 5
    found = principal_directions(block, dimension)
    _, vectors = np.linalg.eigh(np.cov(block.reshape(channels, -1).astype(float)))
    assert found.shape == (channels, dimension)
    np.testing.assert_allclose(np.abs((found * vectors[:, ::-1][:, :dimension]).sum(0)), 1, atol=1e-5)


PROBLEMS = {
    "one channel": ((5,), (1,), (1,)),
    "even": ((6,), (4,), (2,)),
    "odd": ((7,), (5,), (3,)),
    "two grids": ((8, 3), (3, 5), (2, 2)),
    "three blocks, two of a grid": ((7, 3, 6), (4, 5, 3), (2, 3, 1)),
    "smallest first": ((4, 9), (2, 3), (1, 2)),
}


def problem(sizes, channels, dimensions, seed=7, **options):
    """Encoder, configuration, label, features, projections of a small problem that is as well posed as a real one."""
    rng = np.random.default_rng(seed)
    blocks = tuple(Feature(name, dimension, 16) for name, dimension in zip(NAMES, dimensions, strict=False))
    config = ECOConfig(features=blocks, projection_regularisation=1e-3, precondition_projection=2.0, **options)
    output = max(n + 1 - n % 2 for n in sizes)
    label = fourier.gaussian_label(output, output / 8, output)
    return Encoder(sizes, dimensions), config, label, random_features(rng, sizes, channels), random_projections(rng, channels, dimensions)


@pytest.mark.parametrize("case", PROBLEMS)
@pytest.mark.parametrize(("rounds", "iterations"), [(1, 1), (1, 4), (3, 3)])
def test_learn_jointly_equals_its_twin(case, rounds, iterations):
    encoder, config, label, features, projections = problem(*PROBLEMS[case], first_rounds=rounds, first_iterations=iterations)
    spectra = [fourier.shift(spectrum, (0.3, -0.2)) for spectrum in encoder.unprojected(features)]
    filter_, learnt = learn_jointly(spectra, projections, encoder, label, Penalty(WINDOW), config)
    expected, matrices = naive.learn_jointly([naive.full(s) for s in spectra], projections, naive.full(label), WINDOW, config)
    for block, twin in zip(encoder.blocks(filter_), expected, strict=True):
        assert naive.difference(naive.full(block), twin) < 2e-5
    for matrix, start, twin in zip(learnt, projections, matrices, strict=True):
        assert naive.difference(matrix, twin) < 2e-6
        # in the first round the filter, and with it the matrices' gradient, is zero
        moved = np.abs(matrix - (1 if rounds > 1 else 0) * start).max()
        assert moved > 1e-6


@pytest.mark.parametrize("case", PROBLEMS)
def test_column_0_is_made_hermitian_after_every_round(case):
    """Rounding alone makes column 0 that of no real signal; here it is so from the start, that the step may show."""
    encoder, config, label, features, projections = problem(*PROBLEMS[case], first_rounds=2, first_iterations=2)
    spectra, rng = encoder.unprojected(features), np.random.default_rng(13)
    for spectrum in spectra:
        spectrum[:, :, 0] += 0.1 * np.abs(spectrum).max() * rng.normal(size=spectrum.shape[:2])
    filter_, learnt = learn_jointly(spectra, projections, encoder, label, Penalty(WINDOW), config)
    expected, matrices = naive.learn_jointly([naive.full(s) for s in spectra], projections, naive.full(label), WINDOW, config)
    for block, twin in zip(encoder.blocks(filter_), expected, strict=True):
        assert naive.difference(naive.full(block), twin) < 2e-5
        k = np.arange(1, block.shape[1] // 2 + 1)
        np.testing.assert_array_equal(block[:, -k, 0], block[:, k, 0].conj())
    assert max(naive.difference(a, b) for a, b in zip(learnt, matrices, strict=True)) < 2e-6


@pytest.mark.parametrize("case", PROBLEMS)
def test_the_joint_problem_is_symmetric_and_positive(case):
    """But for column 0, which the matrices' gradient leaves out, the operator is symmetric in its inner product."""
    encoder, config, label, features, projections = problem(*PROBLEMS[case])
    spectra = encoder.unprojected(features)
    for spectrum in spectra:
        spectrum[:, :, 0] = 0  # so the asymmetry is gone
    joint, rng = JointProblem(spectra, projections, encoder, label, Penalty(WINDOW), config), np.random.default_rng(8)
    start = joint.start((rng.normal(size=encoder.layout.size) + 1j * rng.normal(size=encoder.layout.size)).astype(np.complex64))
    filter_, increments = joint.split(start)
    assert not any(matrix.any() for matrix in increments)
    make_hermitian(encoder.layout.views(filter_))
    system = joint.linearised(filter_.copy(), projections)
    a, b = rng.normal(size=(2, len(start))).astype(np.float32)
    for vector in (a, b):
        grids = encoder.layout.views(joint.split(vector)[0])
        make_hermitian(grids)
        for grid in grids:
            grid[:, 0, 0] = grid[:, 0, 0].real
    left, right = inner(system, a, system.apply(b)), inner(system, system.apply(a), b)
    length = inner(system, a, system.apply(a))
    assert length > 0
    assert abs(left - right) < 1e-5 * length


def test_preconditioner_equals_its_twin():
    encoder, config, *_ = problem(*PROBLEMS["three blocks, two of a grid"])
    energy = np.random.default_rng(9).random(encoder.layout.size).astype(np.float32)
    diagonal = encoder.blocks(precondition(energy, encoder, Penalty(WINDOW), config))
    for block, expected in zip(diagonal, naive.precondition(encoder.blocks(energy), WINDOW, config), strict=True):
        assert naive.difference(block, expected) < 1e-6


@pytest.mark.parametrize("n", [1, 3, 9])
def test_make_hermitian(n):
    rng = np.random.default_rng(10)
    grid = rng.normal(size=(2, n, n // 2 + 1)) + 1j * rng.normal(size=(2, n, n // 2 + 1))
    before = grid.copy()
    make_hermitian([grid])
    k = np.arange(1, n // 2 + 1)
    np.testing.assert_array_equal(grid[:, -k, 0], before[:, k, 0].conj())
    before[:, -k, 0] = grid[:, -k, 0]
    np.testing.assert_array_equal(grid, before)


# Later trainings


class Life:
    """A filter and its twin, which keeps its samples, from the first frame on."""

    def __init__(self, case: str, **options):
        self.sizes, self.channels, _ = PROBLEMS[case]
        self.encoder, self.config, label, features, _ = problem(*PROBLEMS[case], first_rounds=2, first_iterations=3, **options)
        self.eco, angle = ECOFilter(self.sizes, label, Penalty(WINDOW), self.config), (0.1, -0.05)
        self.eco.initialise(features, angle)
        self.features, self.label, self.rng = features, naive.full(label), np.random.default_rng(11)
        starts = [principal_directions(block, f.dimension) for block, f in zip(features, self.config.features, strict=True)]
        whole = [naive.full(fourier.shift(spectrum, angle)) for spectrum in self.encoder.unprojected(features)]
        self.filters, self.projections = naive.learn_jointly(whole, starts, self.label, WINDOW, self.config)
        self.energy = [np.abs(np.einsum("cd,cyx->dyx", p, x)) ** 2 for p, x in zip(starts, whole, strict=True)]
        self.samples, self.kept = naive.SampleSpace(self.config.samples, self.config.learning_rate), None
        self.samples.add(self.moved(features, angle))

    def moved(self, features: list[np.ndarray], angle: tuple[float, float]) -> list[np.ndarray]:
        encoded = [naive.half(naive.encode(block, p)) for block, p in zip(features, self.projections, strict=True)]
        return [naive.full(fourier.shift(block.astype(np.complex128), angle)) for block in encoded]

    def next_features(self) -> list[np.ndarray]:
        changes = random_features(self.rng, self.sizes, self.channels)
        self.features = [np.float32(0.8) * block + np.float32(0.6) * change for block, change in zip(self.features, changes, strict=True)]
        return self.features

    def train(self, iterations: int, kept: naive.Kept | None = None) -> None:
        self.filters, self.kept = naive.train(self.filters, self.samples, self.energy, self.label, WINDOW, self.config, iterations, kept)

    def check(self) -> None:
        blocks = [naive.full(block) for block in self.encoder.blocks(self.eco.filter)]
        pairs = [*zip(blocks, self.filters, strict=True), *zip(self.eco.projections, self.projections, strict=True)]
        response = naive.full(self.eco.respond(self.eco.encode(self.features)))
        pairs.append((response, naive.response(self.moved(self.features, (0, 0)), self.filters)))
        # single precision through up to a dozen conjugate gradient runs, one upon the other
        assert max(naive.difference(a, b) for a, b in pairs) < 1e-4


@pytest.mark.parametrize("case", ["one channel", "even", "two grids", "three blocks, two of a grid"])
def test_training_equals_its_twin_over_explicit_samples(case):
    """First frame, samples that are remembered, merged and trained on, the direction kept over five trainings."""
    life = Life(case, samples=4, learning_rate=0.05)
    life.check()
    rate = life.config.learning_rate
    for frame in range(10):
        features, angle = life.next_features(), tuple(life.rng.uniform(-0.2, 0.2, 2))
        newest, moved = life.eco.remember(life.eco.encode(features), angle), life.moved(features, angle)
        for block, expected in zip(life.encoder.blocks(newest), moved, strict=True):
            assert naive.difference(naive.full(block), expected) < 1e-5
        life.samples.add(moved)
        if frame % 2:
            life.eco.train(newest)
            life.eco.iterate(life.config.iterations)
            life.energy = [(1 - rate) * e + rate * np.abs(x) ** 2 for e, x in zip(life.energy, moved, strict=True)]
            if life.kept is not None:
                life.kept.rho /= (1 - rate) ** life.config.forgetting
            life.train(life.config.iterations, life.kept)
            life.check()


def test_a_training_in_parts_goes_on_from_where_it_was():
    whole, parts = (Life("even", samples=4, learning_rate=0.05).eco for _ in range(2))
    for eco in (whole, parts):
        eco.iterate(3)  # nothing is under way
        eco.train(eco.samples.vectors[0])
    before = parts.filter.copy()
    whole.iterate(5)
    for _ in range(5):
        parts.iterate(1)
        assert not np.array_equal(parts.filter, before)
        before = parts.filter.copy()
    np.testing.assert_array_equal(parts.filter, whole.filter)


@pytest.mark.parametrize("case", ["even", "three blocks, two of a grid"])
def test_changed_views_weigh_twice_as_much_as_the_first_sample(case):
    life, angle = Life(case, samples=8, augmentation_iterations=6), (0.1, -0.05)
    views = [life.next_features() for _ in range(5)]
    life.eco.augment(views, angle)
    np.testing.assert_allclose(life.eco.samples.weights, [1 / 3, *[2 / 15] * 5, 0, 0], atol=1e-12)
    for number, features in enumerate(views, start=1):
        life.samples.add(life.moved(features, angle), 2 / (len(views) + 2 * number))
    life.train(6)
    life.check()
