"""The spatial penalty: its filter against PORTING 4.2 and its operator against plain convolutions of full spectra."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d

from tests import naive
from trackers.config import ECOConfig
from trackers.filters.regularisation import Penalty, convolve_add, penalty_filter

CONFIG = ECOConfig()
seeds = st.integers(0, 2**32 - 1)
odd = st.integers(0, 7).map(lambda k: 2 * k + 1)


def random_half(seed: int, channels: int, n: int) -> np.ndarray:
    """Half-spectra with an arbitrary column 0, as a filter has between Gauss-Newton rounds."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(channels, n, n // 2 + 1)) + 1j * rng.normal(size=(channels, n, n // 2 + 1))).astype(np.complex64)


def random_window(seed: int, rows: int, columns: int) -> np.ndarray:
    """A real, even penalty spectrum, some of it zero."""
    window = np.random.default_rng(seed).normal(size=(rows, columns))
    window[np.abs(window) < 0.2] = 0
    return window + window[::-1, ::-1] + np.pad([[3.0]], [(rows // 2, rows // 2), (columns // 2, columns // 2)])


@pytest.mark.parametrize(
    ("support", "target", "sparsity"), [(208, (66.0, 22.5), 0.05), (48, (10.0, 12.0), 0.05), (49, (20.0, 6.0), 0.15), (33, (7.0, 7.0), 0.3)]
)
def test_penalty_filter_equals_its_twin_and_is_odd_and_even(support, target, sparsity):
    config = dataclasses.replace(CONFIG, penalty_sparsity=sparsity)
    window = penalty_filter(support, target, config)
    assert naive.difference(window, naive.penalty_filter(support, target, config)) < 1e-9
    assert all(side % 2 for side in window.shape)
    np.testing.assert_allclose(window, window[::-1, ::-1], atol=1e-9 * window.max())
    assert np.unravel_index(np.abs(window).argmax(), window.shape) == (window.shape[0] // 2, window.shape[1] // 2)


def test_the_published_size_of_crossing():
    assert penalty_filter(208, (50 / 0.656, 17 / 0.656), CONFIG).shape == (3, 7)


@pytest.mark.parametrize("support", [48, 51])
def test_the_penalty_is_least_where_the_filter_has_the_target(support):
    """The label's peak lies at the origin and the target in the middle of the sample, so the filter's middle is half a period off."""
    window = penalty_filter(support, (12.0, 12.0), dataclasses.replace(CONFIG, penalty_sparsity=0.02))
    waves = [np.exp(2j * np.pi * np.outer(np.arange(support), np.arange(n) - n // 2) / support) for n in window.shape]
    values = (waves[0] @ window @ waves[1].T).real
    # a real spectrum's value is the mean of two pixels of the window, neither of which is below its smallest value
    assert values.min() >= CONFIG.penalty_centre * (1 - 1e-9)
    assert values.max() > CONFIG.penalty_edge
    assert values[0, 0] > 0.9 * values.max()
    assert np.abs(np.array(np.unravel_index(values.argmin(), values.shape)) - support / 2).max() <= 2


def test_all_coefficients_give_the_window_itself():
    support, target = 17, (6.0, 8.0)
    config = dataclasses.replace(CONFIG, penalty_sparsity=0.0)
    v = np.arange(support) - (support - 1) / 2
    edge, centre = config.penalty_edge, config.penalty_centre
    window = (edge - centre) * ((v[:, None] / (target[0] / 2)) ** 2 + (v / (target[1] / 2)) ** 2) + centre
    spectrum = np.fft.fftshift(np.fft.fft2(window)).real / support**2
    spectrum[support // 2, support // 2] += centre - window.min()
    assert naive.difference(penalty_filter(support, target, config), spectrum) < 1e-9


@settings(max_examples=40, deadline=None)
@given(odd, odd, odd, st.integers(1, 3), seeds)
def test_penalty_equals_two_convolutions_of_the_full_spectrum(n, rows, columns, channels, seed):
    window, spectrum, before = random_window(seed, rows, columns), random_half(seed, channels, n), random_half(seed + 1, channels, n)
    penalty = Penalty(window)
    out = before.copy()
    penalty.add(spectrum, out)
    expected = naive.half(naive.penalise(naive.full(spectrum), window))
    scale = max(np.abs(expected).max(), np.abs(before).max())
    assert np.abs(out - before - expected).max() < 2e-6 * scale
    assert penalty.energy == pytest.approx((window**2).sum(), rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(odd, st.integers(0, 6), st.integers(0, 6), st.integers(1, 3), st.sampled_from([4, 8]), seeds)
def test_convolve_add_equals_its_twin(n, rows, columns, channels, taps, seed):
    rng, spectrum, before = np.random.default_rng(seed), random_half(seed, channels, n), random_half(seed + 1, channels, n)
    offsets = np.stack([rng.integers(-rows, rows + 1, taps), rng.integers(-columns, columns + 1, taps)], axis=1)
    weights = rng.normal(size=taps).astype(np.float32)
    out = before.copy()
    convolve_add(spectrum, offsets, weights, rows, columns, out)
    expected = naive.half(naive.convolve_add(naive.full(spectrum), offsets, weights))
    assert np.abs(out - before - expected).max() < 1e-6 * (np.abs(expected).max() + np.abs(before).max())


def test_the_penalty_is_the_energy_of_the_weighted_filter():
    """<f, w * (w * f)> = |w f|^2 in space, so it is never negative."""
    n = 21
    window = penalty_filter(n, (8.0, 5.0), dataclasses.replace(CONFIG, penalty_sparsity=0.2))
    spectrum = np.fft.rfft2(np.random.default_rng(3).normal(size=(2, n, n))).astype(np.complex64)
    out = np.zeros_like(spectrum)
    Penalty(window).add(spectrum, out)
    weighted = np.stack([convolve2d(channel, window, "full") for channel in naive.full(spectrum)])
    inner = (naive.full(spectrum).conj() * naive.full(out)).sum().real
    np.testing.assert_allclose(inner, (np.abs(weighted) ** 2).sum(), rtol=1e-5)
