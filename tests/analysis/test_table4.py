import math

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from analysis.errors import AnalysisError
from analysis.measure import TABLE_4
from analysis.simulation import PAPER_DESIGN, TRUTHS, study
from analysis.table4 import Counts, table_of_counts, table_of_ratings

DENSE, SPADE = Counts(220, 79, 89), Counts(250, 63, 45)
"""The reconstruction of the paper's table with 388 dense and 358 SPADE ratings."""


def test_the_reconstructed_counts_print_as_the_paper_does_but_for_its_one_wrong_cell() -> None:
    table = table_of_counts(DENSE, SPADE)
    assert tuple(row.measure for row in table.rows) == TABLE_4
    wrong = [
        row.title
        for row in table.rows
        for arm in (row.dense, row.spade)
        if abs(arm.share - arm.published) > 0.0005 + 1e-9
    ]
    assert wrong == ["Disagree with Score-CAM"]


@pytest.mark.parametrize(
    ("measure", "difference", "odds", "h", "p"),
    [
        # Reference: Newcombe (1998) method 10, Wald on the log odds and the pooled z, computed once by hand.
        ("agree", (0.1313, 0.0621, 0.1985), (1.768, 1.307, 2.391), 0.273, 2.1e-4),
        ("agree_decided", (0.0629, -0.0040, 0.1295), (1.425, 0.977, 2.078), 0.149, 0.0652),
        ("undecided", (-0.1037, -0.1575, -0.0489), (0.483, 0.326, 0.715), -0.274, 2.3e-4),
        ("disagree", (-0.0276, -0.0836, 0.0290), (0.835, 0.578, 1.206), -0.071, 0.337),
    ],
)
def test_the_papers_counts_give_the_known_tests(
    measure: str, difference: tuple[float, ...], odds: tuple[float, ...], h: float, p: float
) -> None:
    row = table_of_counts(DENSE, SPADE).row(measure)
    assert (row.difference.value, row.difference.low, row.difference.high) == pytest.approx(difference, abs=5e-5)
    assert (row.odds_ratio.value, row.odds_ratio.low, row.odds_ratio.high) == pytest.approx(odds, abs=5e-4)
    assert row.cohens_h == pytest.approx(h, abs=5e-4)
    assert row.difference.p_value == pytest.approx(p, rel=0.02)


def test_the_z_test_is_the_chi_squared_test_of_the_two_by_two_table() -> None:
    row = table_of_counts(DENSE, SPADE).row("agree")
    chi = chi2_contingency([[220, 168], [250, 108]], correction=False)
    assert row.difference.statistic**2 == pytest.approx(chi.statistic)
    assert row.difference.p_value == pytest.approx(chi.pvalue)


def test_newcombes_interval_is_that_of_his_worked_examples() -> None:
    # Newcombe 1998, Statistics in Medicine 17:873, table II, method 10: 56/70 - 48/80 and 9/10 - 3/10.
    for (k1, n1), (k0, n0), ends in (((56, 70), (48, 80), (0.0524, 0.3339)), ((9, 10), (3, 10), (0.1705, 0.8090))):
        row = table_of_counts(Counts(k0, n0 - k0, 0), Counts(k1, n1 - k1, 0)).row("agree")
        assert (row.difference.low, row.difference.high) == pytest.approx(ends, abs=5e-5)


def test_wilsons_interval_is_that_of_the_worked_example() -> None:
    # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3: 81/263 and 15/148.
    for (k, n), ends in (((81, 263), (0.2553, 0.3662)), ((15, 148), (0.0624, 0.1605))):
        share = table_of_counts(Counts(k, n - k, 0), Counts(1, 1, 0)).row("agree").dense
        assert (share.low, share.high) == pytest.approx(ends, abs=5e-5)


def test_an_empty_arm_has_no_share_and_says_why_there_is_no_difference() -> None:
    row = table_of_counts(Counts(0, 0, 0), SPADE).row("agree")
    assert math.isnan(row.dense.share)
    assert "dense arm has no answer" in row.difference.reason
    assert "dense arm has no answer" in row.odds_ratio.reason
    assert math.isnan(row.cohens_h)


def test_all_undecided_gives_shares_of_all_and_none_of_the_decided() -> None:
    table = table_of_counts(Counts(0, 0, 40), Counts(0, 0, 50))
    assert table.row("undecided").dense.share == 1.0
    assert table.row("agree").difference.value == 0.0
    assert table.row("agree").difference.low < 0 < table.row("agree").difference.high
    assert math.isnan(table.row("agree").difference.p_value)
    assert "decided" in table.row("agree_decided").difference.reason
    assert "not defined" in table.row("agree").odds_ratio.reason


def test_separation_has_an_infinite_odds_ratio_with_a_finite_lower_end() -> None:
    found = table_of_counts(Counts(10, 10, 0), Counts(20, 0, 0)).row("agree").odds_ratio
    assert math.isinf(found.value)
    assert 1 < found.low < math.inf
    assert math.isinf(found.high)


def test_negative_counts_and_unknown_rows_are_refused() -> None:
    with pytest.raises(AnalysisError, match="negative"):
        table_of_counts(Counts(-1, 0, 0), SPADE)
    with pytest.raises(AnalysisError, match="no row 'success'"):
        table_of_counts(DENSE, SPADE).row("success")


def test_answers_add_the_crossed_intervals_to_the_same_shares() -> None:
    ratings = study(TRUTHS["paper"], PAPER_DESIGN, np.random.default_rng(1))
    table = table_of_ratings(ratings)
    row = table.row("agree")
    assert row.dense.share == np.mean(ratings.outcome[~ratings.spade] == 0)
    assert row.crossed_difference is not None
    assert row.crossed_difference.value == pytest.approx(row.difference.value)
    assert row.dense.crossed_low < row.dense.share < row.dense.crossed_high
