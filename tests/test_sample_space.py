"""ECO's memory and the covariance that stands for it: kernels against twins, every way a sample can be taken in, drift."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from trackers.filters.covariance import Covariance, add_parts, multiply_add, parts, rank_update
from trackers.filters.sample_space import SampleSpace
from trackers.filters.spectra import Layout
from trackers.fourier import cut_centred

LAYOUTS = [((1,), (1,)), ((4,), (5,)), ((3, 2), (9, 5)), ((2, 1, 3), (13, 7, 3)), ((1, 2), (11, 3))]
seeds = st.integers(0, 2**32 - 1)


def complex_normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)


def full_blocks(layout: Layout, vector: np.ndarray) -> list[np.ndarray]:
    return [naive.full(grid) for grid in layout.views(vector)]


def product_error(layout: Layout, covariance: Covariance, samples, weights, rng: np.random.Generator) -> float:
    """Relative difference of R f to the sum over samples, for a random f, in the largest of its blocks."""
    vector, out = complex_normal(rng, layout.size), np.zeros(layout.size, np.complex64)
    covariance.add_product(vector, out)
    expected = naive.data_term([full_blocks(layout, sample) for sample in samples], weights, full_blocks(layout, vector))
    return naive.difference(out, layout.join([naive.half(block) for block in expected], complex))


# Covariance


def planes(vectors):
    """Real and imaginary parts of vectors (.., channels, frequencies): (.., 2, channels, frequencies)."""
    return np.stack([vectors.real, vectors.imag], axis=-3)


@pytest.mark.parametrize(("large", "small"), [(7, 7), (9, 3), (5, 1)])
def test_parts_and_add_parts_equal_their_twins(large, small):
    spectrum = complex_normal(np.random.default_rng(small), 3, large, large // 2 + 1)
    found = parts(spectrum, small)
    np.testing.assert_array_equal(found, naive.parts(spectrum, small))
    np.testing.assert_array_equal(found, planes(cut_centred(spectrum, small).reshape(3, -1)))
    total = spectrum.copy()
    add_parts(found, small, total)
    assert naive.difference(total, naive.add_parts(found, small, spectrum)) < 1e-6


@pytest.mark.parametrize(("rows", "columns", "triangle"), [(1, 1, True), (4, 4, True), (3, 5, False), (5, 2, False)])
def test_rank_update_equals_its_twin(rows, columns, triangle):
    rng = np.random.default_rng(rows)
    right = complex_normal(rng, 3, columns, 7)
    left = right if triangle else complex_normal(rng, 3, rows, 7)
    matrix, gains = complex_normal(rng, rows, columns, 7), np.array([0.3, -0.7, 2], np.float32)
    halves = np.ascontiguousarray(np.stack([matrix.real, matrix.imag], axis=2))
    before = halves.copy()
    rank_update(halves, planes(left), planes(right), triangle, np.float32(0.9), gains)
    expected = naive.rank_update(matrix, left, right, 0.9, gains)
    upper = np.triu(np.ones((rows, columns), bool)) if triangle else np.ones((rows, columns), bool)
    assert naive.difference((halves[:, :, 0] + 1j * halves[:, :, 1])[upper], expected[upper]) < 1e-6
    np.testing.assert_array_equal(halves[~upper], before[~upper])


@pytest.mark.parametrize("frequencies", [1, 15, 512, 1030])
@pytest.mark.parametrize(("rows", "columns", "triangle"), [(1, 1, True), (4, 4, True), (3, 5, False)])
def test_multiply_add_equals_its_twin(rows, columns, triangle, frequencies):
    rng = np.random.default_rng(frequencies)
    matrix, right = complex_normal(rng, rows, columns, frequencies), complex_normal(rng, columns, frequencies)
    halves = np.ascontiguousarray(np.stack([matrix.real, matrix.imag], axis=2))
    right_parts = planes(right)
    if triangle:  # both sides are one vector, and the lower half of the matrix is not there
        halves[np.tril(np.ones((rows, rows), bool), -1)] = np.nan
        matrix = np.triu(matrix.transpose(2, 0, 1))
        matrix = (matrix + np.triu(matrix, 1).conj().transpose(0, 2, 1)).transpose(1, 2, 0)
        total = np.ones_like(right_parts)
        multiply_add(halves, right_parts, right_parts, total, total, True)
        pairs = [(total, naive.multiply_add(matrix, right, right)[0])]
    else:
        left = complex_normal(rng, rows, frequencies)
        left_parts = planes(left)
        left_sum, right_sum = np.ones_like(left_parts), np.ones_like(right_parts)
        multiply_add(halves, left_parts, right_parts, left_sum, right_sum, False)
        pairs = list(zip((left_sum, right_sum), naive.multiply_add(matrix, left, right), strict=True))
    for result, expected in pairs:
        assert naive.difference(result[0] - 1 + 1j * (result[1] - 1), expected) < 2e-6


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(LAYOUTS), st.lists(st.integers(1, 3), min_size=1, max_size=6), seeds)
def test_covariance_is_the_weighted_sum_over_samples(shape, updates, seed):
    layout, rng = Layout(*shape), np.random.default_rng(seed)
    covariance, samples, weights = Covariance(layout), [], []
    for count in updates:
        decay, terms = rng.uniform(0.5, 1), [(rng.uniform(-0.2, 1), complex_normal(rng, layout.size)) for _ in range(count)]
        covariance.update(decay, terms)
        weights = [weight * decay for weight in weights] + [gain for gain, _ in terms]
        samples += [sample for _, sample in terms]
    assert product_error(layout, covariance, samples, weights, rng) < 5e-6


# Sample space


class Stream:
    """A sample space and its twin side by side."""

    def __init__(self, shape: tuple, capacity: int, learning_rate: float):
        self.layout = Layout(*shape)
        self.space, self.twin = SampleSpace(self.layout, capacity, learning_rate), naive.SampleSpace(capacity, learning_rate)
        self.branches = []

    def add(self, vector: np.ndarray, gain: float | None = None) -> str:
        before = vector.copy()
        self.space.add(vector, gain)
        np.testing.assert_array_equal(vector, before)
        self.branches.append(self.twin.add(full_blocks(self.layout, vector), gain))
        return self.branches[-1]

    def check(self, rng: np.random.Generator) -> None:
        layout, space, twin = self.layout, self.space, self.twin
        count = len(twin.samples)
        assert space.count == count
        np.testing.assert_allclose(space.weights[:count], twin.weights, rtol=1e-9)
        assert not space.weights[count:].any()
        assert space.weights.sum() == pytest.approx(1, abs=1e-9)
        for vector, blocks in zip(space.vectors, twin.samples, strict=False):
            assert naive.difference(vector, layout.join([naive.half(block) for block in blocks], complex)) < 1e-6
        gram = np.array([[naive.product(a, b) for b in twin.samples] for a in twin.samples])
        assert naive.difference(space.gram[:count, :count], gram) < 1e-6
        assert naive.difference(space.mean, layout.join([naive.half(block) for block in twin.mean()], complex)) < 2e-6
        assert naive.difference(space.mean, space.weights @ space.vectors.astype(complex)) < 2e-6
        assert product_error(layout, space.covariance, space.vectors[:count], space.weights[:count], rng) < 5e-6


@pytest.mark.parametrize("shape", LAYOUTS)
@pytest.mark.parametrize(("capacity", "learning_rate"), [(2, 0.3), (5, 0.011), (6, 0.1)])
def test_sample_space_equals_its_twin(shape, capacity, learning_rate):
    rng, stream = np.random.default_rng(capacity), Stream(shape, capacity, learning_rate)
    scene = complex_normal(rng, stream.layout.size)
    for frame in range(40):
        scene = np.float32(0.9) * scene + np.float32(0.4) * complex_normal(rng, stream.layout.size)
        if frame % 13 == 12:  # now and then another scene
            scene = complex_normal(rng, stream.layout.size)
        stream.add(scene)
        if frame in (0, 1, capacity - 1, capacity, 20, 39):
            stream.check(rng)
    assert {"free", "merge new", "merge pair"} <= set(stream.branches)


def near(rng: np.random.Generator, vector: np.ndarray) -> np.ndarray:
    return vector + np.float32(0.01) * complex_normal(rng, len(vector))


@pytest.mark.parametrize("full_after", [1, 2, 3])
def test_a_free_place_is_taken_first(full_after):
    rng, stream = np.random.default_rng(1), Stream(LAYOUTS[2], 3, 0.1)
    first = complex_normal(rng, stream.layout.size)
    for _ in range(full_after):
        assert stream.add(near(rng, first)) == "free"
        stream.check(rng)


@pytest.mark.parametrize("nearest", [0, 1, 2])
def test_a_new_sample_is_merged_into_its_nearest(nearest):
    rng, stream = np.random.default_rng(2), Stream(LAYOUTS[2], 3, 0.1)
    stored = complex_normal(rng, 3, stream.layout.size)
    for vector in stored:
        stream.add(vector)
    before = stream.space.vectors.copy()
    assert stream.add(near(rng, stored[nearest])) == "merge new"
    stream.check(rng)
    changed = (stream.space.vectors != before).any(1)
    assert changed.tolist() == [place == nearest for place in range(3)]


@pytest.mark.parametrize(("pair", "freed"), [((0, 1), 1), ((0, 2), 2), ((1, 2), 1)])
def test_the_nearest_two_are_merged_for_a_far_new_sample(pair, freed):
    """Weights are 0.81, 0.09, 0.1: the heavier of the pair keeps its place, whichever comes first."""
    rng, stream = np.random.default_rng(3), Stream(LAYOUTS[2], 3, 0.1)
    stored = complex_normal(rng, 3, stream.layout.size)
    stored[pair[1]] = near(rng, stored[pair[0]])
    for vector in stored:
        stream.add(vector)
    new = complex_normal(rng, stream.layout.size)
    assert stream.add(new) == "merge pair"
    stream.check(rng)
    np.testing.assert_array_equal(stream.space.vectors[freed], new)
    assert stream.space.weights[freed] == 0.1


@pytest.mark.parametrize("outlier", [0, 1, 2])
def test_a_forgotten_sample_is_replaced(outlier):
    """A sample that nothing is like is never merged; its weight decays until the new sample takes its place."""
    rng, stream = np.random.default_rng(4), Stream(LAYOUTS[2], 3, 0.2)
    scene, lone = complex_normal(rng, 2, stream.layout.size)
    replaced = []
    for frame in range(40):
        new, weakest = lone if frame == outlier else near(rng, scene), int(np.argmin(stream.space.weights))
        if stream.add(new) == "forgotten":
            replaced.append(weakest)
            np.testing.assert_array_equal(stream.space.vectors[weakest], new)
            assert stream.space.weights[weakest] == 0.2
        stream.check(rng)
    assert outlier in replaced


def test_a_sample_may_have_a_weight_of_its_own():
    rng, stream, branches = np.random.default_rng(8), Stream(LAYOUTS[2], 4, 0.1), set()
    scene = complex_normal(rng, stream.layout.size)
    for frame in range(60):
        gain = rng.uniform(0.02, 0.5) if frame % 3 else None
        branches.add((stream.add(complex_normal(rng, stream.layout.size) if rng.random() < 0.3 else near(rng, scene), gain), gain is None))
        stream.check(rng)
    assert len(branches) == 8  # all four ways, each with both


def test_distances_are_infinite_on_the_diagonal():
    rng, stream = np.random.default_rng(6), Stream(LAYOUTS[2], 4, 0.1)
    for _ in range(3):
        stream.add(complex_normal(rng, stream.layout.size))
    distances = stream.space.distances()
    assert distances.shape == (3, 3)
    assert np.isinf(np.diag(distances)).all()
    for i, j in ((0, 1), (2, 0), (1, 2)):
        apart = full_blocks(stream.layout, stream.space.vectors[i] - stream.space.vectors[j])
        assert distances[i, j] == pytest.approx(naive.product(apart, apart), rel=1e-5)


def test_the_covariance_does_not_drift():
    """500 frames: ten times the capacity, hundreds of merges, each a rank-one change in single precision."""
    rng, layout = np.random.default_rng(7), Layout((3, 2), (9, 5))
    space = SampleSpace(layout, 50, 0.011)
    scene = complex_normal(rng, layout.size)
    for _ in range(500):
        scene = np.float32(0.98) * scene + np.float32(0.2) * complex_normal(rng, layout.size)
        space.add(scene)
    assert product_error(layout, space.covariance, space.vectors, space.weights, rng) < 1e-5
    assert naive.difference(space.mean, space.weights @ space.vectors.astype(complex)) < 1e-5
    exact = 2 * (space.vectors.astype(complex) @ space.vectors.astype(complex).conj().T).real
    assert naive.difference(space.gram, exact) < 1e-5
    assert space.weights.sum() == pytest.approx(1, abs=1e-9)
