import math

import numpy as np
import pytest
from scipy import stats

from analysis.errors import AnalysisError
from analysis.replication import Fresh, Printed, replication, samples_needed, spread_between


def test_the_interval_is_the_written_formula() -> None:
    # s = 8, n = 64 and n' = 111: error = 8 sqrt(1/111 + 1/64); t with 63 degrees of freedom; r = .005
    found = replication(Printed(90.0, 0.005, 111), Fresh(91.0, 8.0, 64), level=0.95)
    error = 8 * math.sqrt(1 / 111 + 1 / 64)
    half = stats.t.ppf(0.975, 63) * error + 0.005
    assert (found.difference, found.error, found.df) == pytest.approx((1.0, error, 63))
    assert (found.low, found.high) == pytest.approx((90 - half, 90 + half))
    assert found.inside


def test_the_spread_over_augmentation_seeds_counts_once_in_print_and_by_seed_in_ours() -> None:
    found = replication(Printed(90.0, 0.005, 111), Fresh(91.0, 0.0, 64, seed_sd=0.6, seeds=5), level=0.95)
    assert found.error == pytest.approx(0.6 * math.sqrt(1 + 1 / 5))
    assert found.df == pytest.approx(4)


def test_two_tables_of_the_same_source_bound_the_error_from_below() -> None:
    found = replication(Printed(90.0, 0.05, 100), Fresh(91.0, 1.0, 100), level=0.95, replicate_sd=1.2)
    assert found.error == pytest.approx(1.2 * math.sqrt(2))


def test_the_spread_between_tables_is_pooled_over_their_cells() -> None:
    # columns (1, 3) and (2, 2): variances 2 and 0, mean 1
    assert spread_between([[1.0, 2.0], [3.0, 2.0]]) == 1.0
    with pytest.raises(AnalysisError, match="two or more tables"):
        spread_between([[1.0, 2.0]])


def test_the_samples_needed_are_the_fewest_that_do() -> None:
    def half(n: float) -> float:
        return float(stats.t.ppf(0.95, n - 1)) * 8 * math.sqrt(1 / 111 + 1 / n)

    needed = samples_needed(8.0, 111, half_width=2.0, level=0.9)
    assert half(needed) <= 2.0 < half(needed - 1)


def test_no_number_of_samples_makes_up_for_those_the_paper_lacked() -> None:
    # 1.645 * 8 / sqrt(111) = 1.249 is left however many are drawn
    assert samples_needed(8.0, 111, half_width=1.2, level=0.9) == math.inf
    assert math.isfinite(samples_needed(8.0, 111, half_width=1.3, level=0.9))


@pytest.mark.parametrize("fresh", [Fresh(1.0, 1.0, 1), Fresh(math.nan, 1.0, 5)])
def test_too_little_to_compare_is_refused(fresh: Fresh) -> None:
    with pytest.raises(AnalysisError, match="comparison with print needs"):
        replication(Printed(90.0, 0.005, 111), fresh, level=0.95)


def test_a_fresh_mean_falls_where_it_was_predicted_as_often_as_the_level_says() -> None:
    draw, rounds, hits = np.random.default_rng(4), 2000, 0
    for _ in range(rounds):
        paper, ours = draw.normal(90, 8, size=111), draw.normal(90, 8, size=40)
        printed = Printed(round(float(paper.mean()), 2), 0.005, 111)
        hits += replication(printed, Fresh(ours.mean(), ours.std(ddof=1), 40), level=0.95).inside
    # 3.3 binomial standard errors of 2,000 rounds are 1.6 points.
    assert abs(hits / rounds - 0.95) < 0.016
