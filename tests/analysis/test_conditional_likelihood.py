import math

import numpy as np
import pytest
from scipy import optimize, stats
from scipy.special import gammaln

from analysis.conditional_likelihood import Tables, most_likely, most_likely_without, tables_of
from analysis.simulation import TRUTHS, Design, study


def plainly(tables: Tables) -> float:
    """The maximum by summing over every possible cell of every table, one at a time."""

    def log_likelihood(log_odds: float) -> float:
        total = 0.0
        for right, spade, all_right, size in zip(
            tables.right, tables.spade, tables.all_right, tables.size, strict=True
        ):
            cells = np.arange(max(0, all_right - (size - spade)), min(spade, all_right) + 1)
            weights = -(gammaln(cells + 1) + gammaln(spade - cells + 1)) - (
                gammaln(all_right - cells + 1) + gammaln(size - spade - all_right + cells + 1)
            )
            terms = np.exp(weights + cells * log_odds)
            total += math.log(terms[cells == right][0] / terms.sum())
        return total

    found = optimize.minimize_scalar(lambda x: -log_likelihood(x), bounds=(-8, 8), method="bounded")
    return float(found.x)


@pytest.mark.parametrize("design", [Design(5, 12, 90), Design(24, 10, 400)])
def test_leaving_each_cluster_out_at_once_is_leaving_it_out_alone(design: Design) -> None:
    ratings = study(TRUTHS["paper, heterogeneous"], design, np.random.default_rng(1))
    right = ratings.outcome == 0
    whole = tables_of(right, ratings.spade, ratings.item, ratings.items)
    value, _ = most_likely(whole)
    assert value == pytest.approx(plainly(whole), abs=1e-4)
    for side in (ratings.rater, ratings.image):
        cells, group = np.unique(side * ratings.items + ratings.item, return_inverse=True)
        cluster, item = np.divmod(cells, ratings.items)
        part = tables_of(right, ratings.spade, group, cells.size)
        together = most_likely_without(whole, part, item, cluster, value)
        alone = []
        for one in range(int(side.max()) + 1):
            kept = side != one
            alone.append(most_likely(tables_of(right[kept], ratings.spade[kept], ratings.item[kept], ratings.items))[0])
        assert together == pytest.approx(alone, abs=1e-9)


def test_one_table_gives_the_conditional_odds_ratio_of_fishers_test() -> None:
    # R's fisher.test of matrix(c(3, 1, 1, 3), 2), the tea taster, prints the odds ratio 6.408309; its root is sought
    # to 1e-4, which is why ours and SciPy's end otherwise after the fifth digit.
    tables = Tables(*(np.array([one]) for one in (3, 4, 4, 8)))
    value, information = most_likely(tables)
    assert math.exp(value) == pytest.approx(6.408309, rel=1e-5)
    assert math.exp(value) == pytest.approx(stats.contingency.odds_ratio([[3, 1], [1, 3]]).statistic, rel=1e-6)
    # The information is the variance of the cell: sum over cells of C(4, k)^2 psi^k (k - 3)^2, normalised.
    weights = np.array([math.comb(4, k) ** 2 * math.exp(value) ** k for k in range(5)])
    chance = weights / weights.sum()
    assert information == pytest.approx(float(chance @ (np.arange(5) - 3) ** 2))


def test_far_from_one_the_roots_are_still_exact() -> None:
    # Two tables of opposite odds, about 99 * 99 and its inverse: together no difference, alone each far from it.
    tables = Tables(*(np.array(one) for one in ([99, 1], [100, 100], [100, 100], [200, 200])))
    assert most_likely(tables)[0] == pytest.approx(0, abs=1e-9)
    found = most_likely_without(tables, tables, np.array([0, 1]), np.array([0, 1]), 0.0)
    alone = math.log(stats.contingency.odds_ratio([[99, 1], [1, 99]]).statistic)
    assert found == pytest.approx([-alone, alone], rel=1e-6)


def test_without_comparisons_or_under_separation_there_is_no_maximum() -> None:
    none = Tables(*(np.array([one]) for one in (1, 2, 1, 2)))
    assert math.isnan(most_likely(none)[0])
    separated = Tables(*(np.array([one]) for one in (2, 2, 2, 4)))
    assert most_likely(separated)[0] == math.inf
    both = Tables(*(np.array(one) for one in ([2, 1], [2, 2], [2, 2], [4, 4])))
    second = Tables(*(np.array([one]) for one in (1, 2, 2, 4)))
    assert np.isnan(most_likely_without(both, second, np.array([1]), np.array([0]), 1.0)).all()
