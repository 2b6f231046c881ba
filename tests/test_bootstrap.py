"""Intervals of differences: by hand, by the normal law, and against SciPy."""

import numpy as np
import pytest
from scipy.stats import bootstrap, norm

from benchmarks.bootstrap import paired_bootstrap
from trackers.errors import UnknownOptionError


@pytest.mark.parametrize(
    ("differences", "interval"),
    [
        ([0.05] * 7, (0.05, 0.05)),
        ([0.3], (0.3, 0.3)),
        ([0, 1], (0, 1)),  # means 0, 1/2, 1 with probabilities 1/4, 1/2, 1/4
        ([0] * 39 + [1], (0, 3 / 40)),  # of Poisson's law with mean 1, nearly: 0 in 37 %, and above 3 in 1.9 %
    ],
)
def test_intervals_that_are_known(differences, interval):
    assert paired_bootstrap(differences) == pytest.approx(interval)


def test_interval_of_many_is_normal():
    differences = np.random.default_rng(1).normal(0.02, 0.1, 400)
    reach = norm.ppf(0.975) * differences.std() / 20
    found = paired_bootstrap(differences)
    np.testing.assert_allclose(found, differences.mean() + np.array([-reach, reach]), atol=0.03 * reach)
    assert paired_bootstrap(-differences)[1] == pytest.approx(-found[0], abs=0.03 * reach)


def test_interval_agrees_with_scipy():
    differences = np.random.default_rng(2).gamma(1, 0.05, 19) - 0.03
    found = bootstrap((differences,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(5)).confidence_interval
    np.testing.assert_allclose(paired_bootstrap(differences), found, atol=5e-4)
    assert paired_bootstrap(differences, seed=3) == paired_bootstrap(differences, seed=3) != paired_bootstrap(differences, seed=4)


def test_groups_are_drawn_together():
    differences = np.random.default_rng(3).normal(0, 1, 12)
    doubled, groups = np.repeat(differences, 2), np.repeat(list("abcdefghijkl"), 2)
    assert paired_bootstrap(doubled, groups=groups) == pytest.approx(paired_bootstrap(differences))
    order = np.random.default_rng(4).permutation(24)
    low, high = paired_bootstrap(doubled[order], groups=groups[order])
    alone = paired_bootstrap(doubled)
    assert low < alone[0] < alone[1] < high  # as if there were twice as many
    assert paired_bootstrap([0, 0, 3], groups=[0, 0, 1]) == (0, 3)


@pytest.mark.parametrize(("differences", "groups"), [([], None), ([0.1, np.nan], None), ([0.1, 0.2], ["a"])])
def test_differences_that_make_no_sense(differences, groups):
    with pytest.raises(UnknownOptionError, match="one finite number each is needed"):
        paired_bootstrap(differences, groups=groups)
