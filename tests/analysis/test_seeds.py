import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from analysis.errors import AnalysisError
from analysis.seeds import detectable_mean, mean_over_seeds, power_of_mean, predict_fresh_seed, seeds_needed


def test_the_mean_over_seeds_has_the_textbook_interval() -> None:
    values = [0.81, 0.39, 0.73, 1.10]
    result = mean_over_seeds(values, level=0.95, power=0.8)
    test = stats.ttest_1samp(values, 0)
    assert (result.low, result.high) == pytest.approx(tuple(test.confidence_interval(0.95)))
    assert result.p_value == pytest.approx(test.pvalue)
    assert result.n == 4


def test_one_seed_has_a_mean_and_nothing_else() -> None:
    result = mean_over_seeds([2.0], level=0.95, power=0.8)
    assert result.mean == 2.0
    assert all(math.isnan(x) for x in (result.sd, result.low, result.p_value, result.detectable, result.seeds_needed))


def test_seeds_that_all_agree_resolve_any_effect_but_zero() -> None:
    agree = mean_over_seeds([2.0, 2.0, 2.0], level=0.95, power=0.8)
    assert (agree.p_value, agree.detectable, agree.seeds_needed) == (0.0, 0.0, 2.0)
    zero = mean_over_seeds([0.0, 0.0], level=0.95, power=0.8)
    assert (zero.p_value, zero.seeds_needed) == (1.0, math.inf)


@pytest.mark.parametrize("n", [2, 3, 5, 10, 30])
def test_the_detectable_mean_agrees_with_statsmodels(n: int) -> None:
    plain = TTestPower().solve_power(nobs=n, alpha=0.05, power=0.8) * 1.3
    assert detectable_mean(1.3, n, level=0.95, power=0.8) == pytest.approx(plain, rel=1e-5)


@pytest.mark.parametrize("true_mean", [2.0, 0.76, 0.3, -0.3, 0.05])
def test_the_seeds_needed_are_the_first_number_with_enough_power(true_mean: float) -> None:
    n = seeds_needed(true_mean, 0.6, level=0.95, power=0.8)
    assert power_of_mean(true_mean, 0.6, n, level=0.95) >= 0.8 > power_of_mean(true_mean, 0.6, n - 1, level=0.95)


def test_an_effect_nobody_could_resolve_needs_infinitely_many_seeds() -> None:
    assert math.isinf(seeds_needed(1e-6, 1.0, level=0.95, power=0.8))


def test_power_is_how_often_simulated_seeds_are_resolved() -> None:
    rounds = 4000
    draws = np.random.default_rng(5).normal(0.7, 1.0, size=(rounds, 10))
    resolved = np.mean(np.asarray(stats.ttest_1samp(draws, 0, axis=1).pvalue) < 0.05)
    predicted = power_of_mean(0.7, 1.0, 10, level=0.95)
    assert abs(resolved - predicted) < 3.3 * math.sqrt(predicted * (1 - predicted) / rounds)


@pytest.mark.parametrize("level", [0.9, 0.999])
def test_the_prediction_interval_holds_a_fresh_seed_as_often_as_it_says(level: float) -> None:
    rounds = 4000
    draws = np.random.default_rng(9).normal(90.0, 2.0, size=(rounds, 11))
    inside = 0
    for *measured, fresh in draws.tolist():
        prediction = predict_fresh_seed(measured, level=level)
        inside += prediction.low <= fresh <= prediction.high
    assert abs(inside / rounds - level) < 3.3 * math.sqrt(level * (1 - level) / rounds)


def test_a_larger_spread_measured_otherwise_widens_the_prediction_and_a_smaller_one_does_not() -> None:
    alone = predict_fresh_seed([1.0, 2.0, 3.0], level=0.95)
    assert predict_fresh_seed([1.0, 2.0, 3.0], level=0.95, other_sd=0.5) == alone
    wider = predict_fresh_seed([1.0, 2.0, 3.0], level=0.95, other_sd=2.0)
    assert wider.high - wider.low == pytest.approx(2 * (alone.high - alone.low))


def test_a_prediction_from_one_seed_is_refused() -> None:
    with pytest.raises(AnalysisError, match="1 seed"):
        predict_fresh_seed([1.0], level=0.95)


def test_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(AnalysisError, match="1 of 2"):
        mean_over_seeds([1.0, math.inf], level=0.95, power=0.8)
