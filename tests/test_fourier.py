"""Half-spectra: transforms, interpolation, label, shifts and cuts against their definitions on full spectra (PORTING 4.2, 4.3)."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal.windows import hann as symmetric_hann

from tests import naive
from trackers import fourier

odd = st.integers(1, 12).map(lambda k: 2 * k + 1)
seeds = st.integers(0, 2**32 - 1)


def random_half(seed: int, n: int, channels: int = 2, hermitian: bool = True) -> np.ndarray:
    """Half-spectra (channels, n, n // 2 + 1), of real signals or with an arbitrary column 0."""
    signal = np.random.default_rng(seed).normal(size=(channels, n, n))
    spectrum = np.fft.rfft2(signal)
    if not hermitian:
        spectrum[..., 0] = signal[..., 0] + 1j * signal[..., -1]
    return spectrum.astype(np.complex64)


def series(spectrum: np.ndarray, y: float, x: float) -> float:
    """Value of one half-spectrum's Fourier series at angles (y, x)."""
    return naive.derivatives(naive.full(spectrum), y, x)[0]


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 27), st.integers(1, 3), seeds)
def test_transform_equals_the_full_definition(n, channels, seed):
    signal = np.random.default_rng(seed).normal(size=(channels, n, n)).astype(np.float32)
    transform = fourier.Transform(channels, n)
    result = transform(signal)
    assert transform.odd == n + (n + 1) % 2
    assert result.dtype == np.complex64
    expected = np.stack([naive.transform(channel) for channel in signal])
    assert naive.difference(naive.full(result), expected) < 1e-6
    np.testing.assert_allclose(expected, expected[:, ::-1, ::-1].conj(), atol=1e-9)  # so a half says it all


@pytest.mark.parametrize("n", [4, 52])
def test_the_nyquist_line_is_copied_and_two_corners_are_zero(n):
    signal = np.random.default_rng(1).normal(size=(1, n, n)).astype(np.float32)
    spectrum, h = fourier.Transform(1, n)(signal)[0], n // 2
    whole = np.fft.fft2(signal[0])
    np.testing.assert_allclose(spectrum[h, :h], whole[h, :h], atol=1e-4)  # row + n / 2
    np.testing.assert_allclose(spectrum[h + 1, 1:h], whole[h, 1:h], atol=1e-4)  # row - n / 2: the same, not halved
    np.testing.assert_allclose(spectrum[h, h], whole[h, h], atol=1e-4)
    assert spectrum[h + 1, h] == 0
    assert abs(whole[h, h]) > 1e-3


def test_transform_writes_where_it_is_told_and_forgets_nothing():
    transform, rng = fourier.Transform(2, 6), np.random.default_rng(2)
    first, second = rng.normal(size=(2, 2, 6, 6)).astype(np.float32)
    kept = transform(first)
    copy, out = kept.copy(), np.full((2, 7, 4), np.nan, np.complex64)
    assert transform(second, out) is out
    np.testing.assert_array_equal(kept, copy)
    np.testing.assert_array_equal(out, fourier.Transform(2, 6)(second))


@pytest.mark.parametrize("n", [3, 5, 13, 53])
def test_inverse_samples_the_series(n):
    spectrum = random_half(3, n)[0]
    grid = fourier.Inverse(n)(spectrum)
    scale = np.abs(grid).max()
    for row, column in ((0, 0), (0, n - 1), (1, 2), (n - 1, n // 2)):
        value = series(spectrum, 2 * math.pi * row / n, 2 * math.pi * column / n)
        assert abs(grid[row, column] - value) < 1e-6 * scale


@pytest.mark.parametrize("n", [1, 3, 5, 13, 53])
def test_frequencies_and_multiplicity(n):
    rows, columns = fourier.row_frequencies(n), fourier.column_frequencies(n)
    np.testing.assert_array_equal(rows, np.rint(np.fft.fftfreq(n) * n))
    np.testing.assert_array_equal(columns, np.rint(np.fft.rfftfreq(n) * n))
    spectrum = random_half(4, n)[0] if n > 1 else np.ones((1, 1), np.complex64)
    energy = (np.abs(spectrum) ** 2 * fourier.multiplicity(len(columns))).sum()
    np.testing.assert_allclose(energy, (np.abs(naive.full(spectrum)) ** 2).sum(), rtol=1e-6)


@pytest.mark.parametrize("n", [3, 13, 53])
@pytest.mark.parametrize("a", [-0.75, -0.5])
def test_interpolation_is_the_fourier_integral_of_the_cubic_kernel(n, a):
    expected = np.fft.ifftshift(naive.interpolation(n, a))
    # near k = 0 the closed form divides a difference of nearly equal numbers by f^4; it is rounded to single precision in the end
    np.testing.assert_allclose(fourier.interpolation(n, a), expected, rtol=0, atol=2e-7 / n)


def test_interpolation_runs_through_the_samples():
    n, rng = 15, np.random.default_rng(5)
    samples = rng.normal(size=n)
    series = np.fft.fft(samples) * fourier.interpolation(n)
    k = fourier.row_frequencies(n)
    # sample i lies at (i + 1/2) / n of the period; what the kernel has above n / 2 is cut off, so it is not met exactly
    values = [(series * np.exp(2j * np.pi * k * (i + 0.5) / n)).sum().real for i in range(n)]
    assert np.corrcoef(values, samples)[0, 1] > 0.9
    constant = np.fft.fft(np.ones(n)) * fourier.interpolation(n)
    np.testing.assert_allclose(constant, np.eye(n)[0], atol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 13, 52])
def test_series_is_undone_by_the_inverse(n):
    samples = np.random.default_rng(n).normal(size=(n, n)).astype(np.float32)
    coefficients = fourier.series(samples)
    assert coefficients.shape == (n, n // 2 + 1) and coefficients.dtype == np.complex64
    np.testing.assert_allclose(coefficients[0, 0], samples.mean(), atol=1e-6)
    np.testing.assert_allclose(fourier.Inverse(n)(coefficients), samples, atol=1e-5)


@pytest.mark.parametrize("n", [1, 2, 13, 52])
def test_hann_is_the_symmetric_window_without_its_zeros(n):
    np.testing.assert_allclose(fourier.hann(n), symmetric_hann(n + 2)[1:-1], atol=1e-12)


@pytest.mark.parametrize(("n", "output", "sigma"), [(13, 13, 0.9), (53, 53, 2.5), (13, 53, 4.0)])
def test_the_label_is_a_periodic_gaussian(n, output, sigma):
    label = fourier.gaussian_label(n, sigma, output)
    assert label.shape == (n, n // 2 + 1)
    assert label.dtype == np.float32
    cells = (np.arange(2048)[:, None] / 2048 - np.arange(-3, 4)) * output
    coefficients = np.fft.fft(np.exp(-(cells**2) / (2 * sigma**2)).sum(1)).real / 2048
    expected = np.outer(coefficients[fourier.row_frequencies(n)], coefficients[fourier.column_frequencies(n)])
    np.testing.assert_allclose(label, expected, rtol=1e-6, atol=1e-16)


@settings(max_examples=20, deadline=None)
@given(odd, st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3), seeds)
def test_shift_moves_the_signal_by_minus_the_angle(n, dy, dx, y, x, seed):
    spectrum = random_half(seed, n, 1)
    moved = fourier.shift(spectrum, (dy, dx))
    assert moved.dtype == np.complex64
    scale = np.abs(naive.full(spectrum)).sum()
    assert abs(series(moved[0], y, x) - series(spectrum[0], y + dy, x + dx)) < 1e-6 * scale
    np.testing.assert_allclose(naive.full(moved), naive.shift(naive.full(spectrum), (dy, dx)), atol=1e-6 * scale)


@settings(max_examples=25, deadline=None)
@given(odd, odd, st.booleans(), seeds)
def test_cut_and_add_equal_their_full_definitions(n, m, hermitian, seed):
    n, m = max(n, m), min(n, m)
    large, small = random_half(seed, n, 2, hermitian), random_half(seed + 1, m, 2, hermitian)
    middle = fourier.cut_centred(large, m)
    np.testing.assert_array_equal(naive.full(middle), naive.cut(naive.full(large), m))
    middle[:] = 0  # a copy
    expected = naive.full(large) + naive.padded(naive.full(small), n)
    fourier.add_cut(small, large)
    np.testing.assert_allclose(naive.full(large), expected, atol=1e-6 * np.abs(expected).max())
