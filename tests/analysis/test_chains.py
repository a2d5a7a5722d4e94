import math

import numpy as np
import pytest

from analysis.chains import bulk_ess, r_hat, tail_ess


def autoregressive(rho: float, chains: int, n: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    noise = generator.standard_normal((chains, n))
    found = np.empty((chains, n))
    found[:, 0] = noise[:, 0]
    for step in range(1, n):
        found[:, step] = rho * found[:, step - 1] + math.sqrt(1 - rho**2) * noise[:, step]
    return found


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_the_effective_size_of_an_autoregression_is_the_known_one(rho: float) -> None:
    # n (1 - rho) / (1 + rho) for an AR(1).
    draws = autoregressive(rho, 4, 5000, 1)
    assert bulk_ess(draws) == pytest.approx(20_000 * (1 - rho) / (1 + rho), rel=0.15)


def test_chains_of_one_distribution_agree_and_a_shifted_or_wider_one_does_not() -> None:
    draws = np.random.default_rng(2).standard_normal((4, 1000))
    assert r_hat(draws) < 1.01
    assert r_hat(draws + np.array([[0], [0], [0], [1]])) > 1.1
    assert r_hat(draws * np.array([[1], [1], [1], [3]])) > 1.1


def test_a_chain_that_drifts_is_seen_although_all_chains_drift_alike() -> None:
    draws = np.random.default_rng(3).standard_normal((4, 1000)) + np.linspace(0, 2, 1000)
    assert r_hat(draws) > 1.1


def test_tails_are_worth_less_than_the_middle_of_a_chain_that_sticks_there() -> None:
    draws = autoregressive(0.0, 4, 4000, 4)
    stuck = np.where(draws > 1.3, np.roll(draws, 1, axis=1), draws)
    stuck[:, 100:140] = 3.0
    assert tail_ess(stuck) < tail_ess(draws) / 2


def test_draws_that_do_not_vary_have_no_diagnostics() -> None:
    same = np.ones((4, 100))
    assert math.isnan(r_hat(same))
    assert math.isnan(bulk_ess(same))
