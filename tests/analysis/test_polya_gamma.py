import numpy as np
import pytest

from analysis.polya_gamma import polya_gamma

DRAWS = 20_000


def by_definition(z: float, generator: np.random.Generator, *, terms: int = 400) -> np.ndarray:
    """Draws from the definition: an infinite sum of gammas (Polson, Scott, Windle 2013, equation 1), cut and mended."""
    k = np.arange(1, terms + 1)
    weights = 1 / ((k - 0.5) ** 2 + (z / (2 * np.pi)) ** 2) / (2 * np.pi**2)
    rest = mean(z) - weights.sum()
    return generator.standard_exponential((DRAWS, terms)) @ weights + rest


def mean(z: float) -> float:
    return 0.25 if z == 0 else float(np.tanh(z / 2) / (2 * z))


@pytest.mark.parametrize("z", [0.0, 0.5, 2.0, 5.0, 40.0, -3.0])
def test_the_laplace_transform_is_that_of_the_distribution(z: float) -> None:
    drawn = polya_gamma(np.full(DRAWS, z), np.random.default_rng(1))
    for t in (0.5, 3.0):
        known = np.cosh(z / 2) / np.cosh(np.sqrt((z**2 / 2 + t) / 2))
        found = np.exp(-t * drawn)
        assert abs(found.mean() - known) < 4.5 * found.std() / np.sqrt(DRAWS)


@pytest.mark.parametrize("z", [0.0, 1.5, 6.0])
def test_its_quantiles_are_those_of_the_sum_of_gammas_that_defines_it(z: float) -> None:
    drawn = polya_gamma(np.full(DRAWS, z), np.random.default_rng(2))
    plain = by_definition(z, np.random.default_rng(3))
    for share in (0.02, 0.1, 0.5, 0.9, 0.98):
        # Share of our draws below the other's quantile; both sides are random.
        below = np.mean(drawn < np.quantile(plain, share))
        assert abs(below - share) < 4.5 * np.sqrt(2 * share * (1 - share) / DRAWS)


def test_the_mean_holds_for_huge_tilts_and_the_shape_is_kept() -> None:
    z = np.array([[0.0, 10.0, 1000.0], [-1000.0, 50.0, 0.1]])
    drawn = np.stack([polya_gamma(z, np.random.default_rng(seed)) for seed in range(2000)])
    assert drawn.shape == (2000, 2, 3)
    known = np.vectorize(mean)(z)
    assert (np.abs(drawn.mean(axis=0) - known) < 4.5 * drawn.std(axis=0) / np.sqrt(2000)).all()
