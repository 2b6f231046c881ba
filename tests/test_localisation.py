"""The peak of a response: derivatives and Newton's method against plain twins, known shifts of band-limited signals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from trackers import fourier
from trackers.localisation import NEWTON_STEPS, climb, derivatives, peak, rival_peaks

odd = st.integers(1, 8).map(lambda k: 2 * k + 1)
angles = st.floats(-4, 4)
seeds = st.integers(0, 2**32 - 1)


def bump(n: int, row: float, column: float, width: float = 2) -> np.ndarray:
    """Half-spectrum of a Gaussian of `width` cells at (row, column) cells."""
    label = fourier.gaussian_label(n, width, n)
    return fourier.shift(label.astype(np.complex64)[None], (-2 * math.pi * row / n, -2 * math.pi * column / n))[0]


def peak_of(spectrum: np.ndarray) -> tuple[float, float, float]:
    return peak(spectrum, fourier.Inverse(len(spectrum))(spectrum))


@settings(max_examples=30, deadline=None)
@given(odd, angles, angles, st.booleans(), seeds)
def test_derivatives_equal_their_twin(n, y, x, hermitian, seed):
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.normal(size=(n, n)))
    if not hermitian:
        spectrum[:, 0] += 1j * rng.normal(size=n)
    spectrum = spectrum.astype(np.complex64)
    value, dy, dx, dyy, dxx, dxy = derivatives(spectrum, y, x)
    twin_value, gradient, hessian = naive.derivatives(naive.full(spectrum), y, x)
    scale = np.abs(naive.full(spectrum)).sum()
    assert abs(value - twin_value) < 1e-12 * scale
    np.testing.assert_allclose((dy, dx), gradient, rtol=0, atol=1e-12 * scale * n)
    np.testing.assert_allclose([[dyy, dxy], [dxy, dxx]], hessian, rtol=0, atol=1e-12 * scale * n * n)


@pytest.mark.parametrize("n", [5, 13, 21])
@pytest.mark.parametrize("steps", [0, 1, NEWTON_STEPS])
def test_climb_equals_its_twin(n, steps):
    spectrum = bump(n, 0.3, -0.4, 1.5) + np.float32(0.2) * bump(n, 1.5, 1.0, 1.5)
    np.testing.assert_allclose(climb(spectrum, 0.05, -0.1, steps), naive.climb(naive.full(spectrum), 0.05, -0.1, steps), rtol=0, atol=1e-10)


def test_climb_stays_where_the_response_is_flat():
    spectrum = np.zeros((5, 3), np.complex64)
    spectrum[0, 0] = 0.5
    assert climb(spectrum, 0.1, 0.2, NEWTON_STEPS) == (0.1, 0.2, 0.5)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from([9, 13, 53]), st.floats(-0.499, 0.499), st.floats(-0.499, 0.499))
def test_a_known_shift_is_found(n, row, column):
    """A symmetric bump, its frequencies all below n / 2, has its maximum exactly at its centre."""
    row, column = row * n, column * n
    found_row, found_column, height = peak_of(bump(n, row, column))
    # five steps from within half a cell; what remains is the spectrum's single precision
    assert abs(found_row - row) < 1e-5 * n
    assert abs(found_column - column) < 1e-5 * n
    assert abs(height - naive.derivatives(naive.full(bump(n, 0, 0)), 0, 0)[0]) < 1e-6


@pytest.mark.parametrize(("row", "column"), [(0, 0), (3, -5), (-6, 6), (6, -6)])
def test_shifts_of_whole_cells_and_their_wrapping(row, column):
    n = 13
    found = peak_of(bump(n, row, column))
    np.testing.assert_allclose(found[:2], (row, column), atol=1e-5)
    again = peak_of(bump(n, row + n, column - 2 * n))
    np.testing.assert_allclose(again, found, atol=1e-5)


def test_the_peak_lies_in_one_period():
    n = 13
    for shift in (6.4999, 6.5, 6.5001, -6.4999, -6.5):
        row, column, _ = peak_of(bump(n, shift, -shift))
        assert -n / 2 <= row < n / 2
        assert -n / 2 <= column < n / 2
        assert abs((row - shift + n / 2) % n - n / 2) < 1e-3


@settings(max_examples=30, deadline=None)
@given(odd, seeds)
def test_the_peak_is_never_below_the_grid(n, seed):
    spectrum = np.fft.rfft2(np.random.default_rng(seed).normal(size=(n, n))).astype(np.complex64)
    grid = fourier.Inverse(n)(spectrum).copy()
    row, column, height = peak(spectrum, grid)
    assert height >= grid.max()
    value = naive.derivatives(naive.full(spectrum), 2 * math.pi * row / n, 2 * math.pi * column / n)[0]
    assert abs(height - value) < 1e-5 * np.abs(naive.full(spectrum)).sum()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_broken_spectrum_leaves_the_grid_point(value):
    n = 7
    grid = np.zeros((n, n), np.float32)
    grid[5, 2] = 1
    spectrum = bump(n, 0, 0)
    spectrum[1, 1] = value
    row, column, height = peak(spectrum, grid)
    np.testing.assert_allclose((row, column, height), (-2, 2, 1), atol=1e-12)


def test_rivals_are_the_other_peaks_by_height():
    response = np.zeros((21, 30), np.float32)
    heights = {(0, 0): 1.0, (20, 29): 0.95, (5, 28): 0.7, (10, 10): 0.9, (12, 10): 0.8, (15, 15): 0.4}
    for place, height in heights.items():
        response[place] = height
    # (20, 29) is next to (0, 0) across the borders, (12, 10) two cells from (10, 10), and (15, 15) too low
    assert rival_peaks(response, 5, 0.5) == [(10, 10), (5, -2)]
    assert rival_peaks(response, 5, 0.3) == [(10, 10), (5, -2), (-6, 15 - 30)]
    assert rival_peaks(response, 1, 0.3) == [(10, 10)]
    assert rival_peaks(np.float32([[1, 0, 0, 0, 0, 0]]), 3, 0.5) == []
