"""Kernels and closed forms of ridge regression against plain definitions: every shift by itself, dense matrices, double precision."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from trackers.filters import ridge
from trackers.mosse import RatioFilter

shapes = st.tuples(st.integers(1, 5), st.integers(1, 7), st.integers(2, 8))  # channels, rows, columns
seeds = st.integers(0, 2**32 - 1)


def sample(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def moves(shape):
    return [(row, column) for row in range(shape[0]) for column in range(shape[1])]


# Twins: every shift by itself, in double precision.


def kernel(x, z, of):
    """of(<x moved by -s, z>, |x|^2 + |z|^2, number of values) for every shift s, (H, W)."""
    x, z = x.astype(float), z.astype(float)
    values = [of((np.roll(x, (-r, -c), (1, 2)) * z).sum(), (x**2).sum() + (z**2).sum(), x.size) for r, c in moves(x.shape[1:])]
    return np.reshape(values, x.shape[1:])


def circulant(x):
    """Matrix (H W, C H W) that convolves filters (C, H, W) with a sample (C, H, W) and sums over channels."""
    columns = []
    for channel in x.astype(float):
        columns += [np.roll(channel, move, (0, 1)).ravel() for move in moves(x.shape[1:])]
    return np.array(columns).T


def dense_filter(samples, label, regularisation, context):
    """Least squares: the first sample gives the label, the others nothing."""
    weights = [1, *[math.sqrt(context)] * (len(samples) - 1)]
    size = samples[0].size
    rows = [weight * circulant(one) for weight, one in zip(weights, samples, strict=True)] + [math.sqrt(regularisation) * np.eye(size)]
    wanted = np.concatenate([label.ravel(), np.zeros(sum(len(block) for block in rows) - label.size)])
    return np.linalg.lstsq(np.concatenate(rows), wanted, rcond=None)[0].reshape(samples[0].shape)


def periodic_gaussian(shape, sigma, place):
    """The nearest copy of a Gaussian that repeats with the window's period."""
    out = np.zeros(shape)
    for row, column in moves(shape):
        distances = [abs(i - p - n * k) for i, p, n in zip((row, column), place, shape, strict=True) for k in (-2, -1, 0, 1, 2)]
        out[row, column] = math.exp(-0.5 * (min(distances[:5]) ** 2 + min(distances[5:]) ** 2) / sigma**2)
    return out


# Kernels


@settings(max_examples=50)
@given(shapes, seeds)
def test_kernels_are_those_of_all_shifts(shape, seed):
    x, z = sample(seed, 2, *shape)
    spectra, width = np.fft.rfft2(np.stack([x, z])), shape[2]
    pairs = [
        (ridge.linear(*spectra, width), kernel(x, z, lambda product, energy, n: product / n)),
        (ridge.polynomial(*spectra, width, power=3), kernel(x, z, lambda product, energy, n: (product / n + 1) ** 3)),
        (ridge.gaussian(*spectra, width, sigma=0.7), kernel(x, z, lambda product, energy, n: math.exp(-(energy - 2 * product) / n / 0.49))),
    ]
    for spectrum, expected in pairs:
        assert spectrum.dtype == np.complex64 and spectrum.shape == (shape[1], width // 2 + 1)
        np.testing.assert_allclose(np.fft.irfft2(spectrum, shape[1:]), expected, rtol=0, atol=1e-5 * max(np.abs(expected).max(), 1))


@settings(max_examples=50)
@given(shapes, seeds)
def test_energy_is_the_sum_of_squares(shape, seed):
    x = sample(seed, *shape)
    assert ridge.energy(np.fft.rfft2(x), shape[2]) == pytest.approx((x.astype(float) ** 2).sum(), rel=1e-5)


@settings(max_examples=50)
@given(st.tuples(st.integers(1, 9), st.integers(2, 9)), st.floats(0.3, 3), st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)))
def test_label_is_a_gaussian_about_its_place(shape, sigma, place):
    label = np.fft.irfft2(ridge.gaussian_label(shape, sigma, place), shape)
    np.testing.assert_allclose(label, periodic_gaussian(shape, sigma, place), rtol=0, atol=1e-5)


# Closed forms


@settings(max_examples=50)
@given(shapes, st.integers(0, 3), seeds)
def test_context_ridge_is_the_dense_solution(shape, surroundings, seed):
    samples = sample(seed, 1 + surroundings, *shape)
    label = sample(seed + 1, *shape[1:])
    filter_ = ridge.context_ridge(np.fft.rfft2(samples), np.fft.rfft2(label), 0.5, 2.0)
    expected = dense_filter(samples, label, 0.5, 2.0)
    np.testing.assert_allclose(np.fft.irfft2(filter_, shape[1:]), expected, rtol=0, atol=1e-4 * max(np.abs(expected).max(), 1e-3))


def test_context_ridge_of_one_channel_is_the_papers_fraction():
    a = np.fft.rfft2(sample(3, 3, 1, 6, 5))
    label = np.fft.rfft2(sample(4, 6, 5))
    expected = a[0, 0].conj() * label / (np.abs(a[0, 0]) ** 2 + 0.3 + 0.7 * (np.abs(a[1, 0]) ** 2 + np.abs(a[2, 0]) ** 2))
    assert naive.difference(ridge.context_ridge(a, label, 0.3, 0.7)[0], expected) < 1e-5


@settings(max_examples=40)
@given(shapes, st.sampled_from(["gaussian", "polynomial", "linear"]), seeds)
def test_kernel_filter_is_kernel_ridge_regression(shape, name, seed):
    """Its response is sum_i a_i k(z moved, x moved by i), with a = (K + lambda)^-1 y and K the kernel of all pairs of moved samples."""
    x, z, label = sample(seed, *shape), sample(seed + 1, *shape), sample(seed + 2, *shape[1:])
    of = {
        "gaussian": lambda product, energy, n: math.exp(-(energy - 2 * product) / n / 2.25),
        "polynomial": lambda product, energy, n: (product / n + 1) ** 2,
        "linear": lambda product, energy, n: product / n,
    }[name]
    fast = {
        "gaussian": lambda *a: ridge.gaussian(*a, sigma=1.5),
        "polynomial": lambda *a: ridge.polynomial(*a, power=2),
        "linear": ridge.linear,
    }[name]

    def pairs(left, right):
        """k(left moved by -i, right moved by -j)."""
        found = np.array([np.roll(kernel(left, right, of), move, (0, 1)).ravel() for move in moves(shape[1:])])
        return found.T

    coefficients = np.linalg.solve(pairs(x, x) + 0.1 * np.eye(label.size), label.ravel().astype(float))
    expected = (pairs(z, x) @ coefficients).reshape(label.shape)
    filter_ = ridge.KernelFilter(fast, 0.1)
    filter_.learn(x, np.fft.rfft2(label), [], 1.0)
    np.testing.assert_allclose(filter_.respond(z), expected, rtol=0, atol=2e-4 * max(np.abs(expected).max(), 1))


@settings(max_examples=40)
@given(shapes, seeds)
def test_context_filter_without_context_is_the_linear_kernel(shape, seed):
    x, z, label = sample(seed, *shape), sample(seed + 1, *shape), np.fft.rfft2(sample(seed + 2, *shape[1:]))
    dual, primal = ridge.KernelFilter(ridge.linear, 0.1), ridge.ContextFilter(0.1, 1.0)
    for filter_ in (dual, primal):
        filter_.learn(x, label, [], 1.0)
    np.testing.assert_allclose(primal.respond(z), dual.respond(z), rtol=0, atol=1e-4 * max(np.abs(dual.respond(z)).max(), 1))


def test_filters_are_running_averages():
    x, label = sample(5, 3, 2, 6, 5), np.fft.rfft2(sample(6, 2, 6, 5))
    kernel_filter, context_filter = ridge.KernelFilter(ridge.linear, 0.1), ridge.ContextFilter(0.1, 1.0)
    once = [ridge.ContextFilter(0.1, 1.0), ridge.ContextFilter(0.1, 1.0)]
    for number in (0, 1):
        kernel_filter.learn(x[number], label[number], [], (1.0, 0.25)[number])
        context_filter.learn(x[number], label[number], [x[2]], (1.0, 0.25)[number])
        once[number].learn(x[number], label[number], [x[2]], 1.0)
    expected = 0.75 * once[0].respond(x[2]) + 0.25 * once[1].respond(x[2])
    assert naive.difference(context_filter.respond(x[2]), expected) < 1e-5
    spectra = np.fft.fft2(x.astype(float))
    full = np.fft.fft2(np.fft.irfft2(label, (6, 5)).astype(float))
    n = x[0].size
    duals = [full[i] / ((np.abs(spectra[i]) ** 2).sum(0) / n + 0.1) for i in (0, 1)]
    model = 0.75 * spectra[0] + 0.25 * spectra[1]
    expected = np.fft.ifft2((0.75 * duals[0] + 0.25 * duals[1]) * (spectra[2] * model.conj()).sum(0) / n).real
    assert naive.difference(kernel_filter.respond(x[2]), expected) < 1e-5


@pytest.mark.parametrize("shape", [(5, 6), (6, 5), (4, 4)])
def test_mosse_minimises_over_all_samples(shape):
    """Samples of equal weight: the filter of least squared error over all of them and their surroundings."""
    x, context, label = sample(7, 3, *shape), sample(8, *shape), sample(9, 3, *shape)
    filter_ = RatioFilter(0.2, 0.6)
    for number in range(3):
        filter_.learn(x[number][None], np.fft.rfft2(label[number]), [context[None]], 1 / (number + 1))
    size = math.prod(shape)
    rows = [circulant(one[None]) for one in x] + [math.sqrt(3 * 0.6) * circulant(context[None]), math.sqrt(3 * 0.2 * size) * np.eye(size)]
    wanted = np.concatenate([label.ravel(), np.zeros(2 * size)])
    solution = np.linalg.lstsq(np.concatenate(rows), wanted, rcond=None)[0]
    z = sample(10, *shape)
    assert naive.difference(filter_.respond(z[None]), (circulant(z[None]) @ solution).reshape(shape)) < 1e-4
