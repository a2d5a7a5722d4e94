import math

import numpy as np
import pytest

from analysis.bounds import bounds_of_counts, bounds_of_ratings
from analysis.crossed import risk_difference
from analysis.measure import measure
from analysis.simulation import PAPER_DESIGN, TRUTHS, study
from analysis.table4 import Counts


def test_the_papers_counts_have_the_bounds_of_the_arithmetic() -> None:
    found = bounds_of_counts(Counts(220, 79, 89), Counts(250, 63, 45))
    assert found.dense == pytest.approx((220 / 388, 309 / 388))
    assert found.spade == pytest.approx((250 / 358, 295 / 358))
    assert found.difference == pytest.approx((250 / 358 - 309 / 388, 295 / 358 - 220 / 388))
    assert found.difference[0] < 0 < found.difference[1]


def test_the_interval_holds_the_bounds_and_is_no_longer_than_two_two_sided_ones() -> None:
    ratings = study(TRUTHS["paper"], PAPER_DESIGN, np.random.default_rng(1))
    found = bounds_of_ratings(ratings)
    low, high = found.interval
    assert low < found.difference[0] < found.difference[1] < high
    error = risk_difference(ratings, measure("agree")).standard_error
    assert found.difference[0] - low < 2.07 * 2 * error


def test_without_undecided_answers_the_bounds_are_the_difference_and_its_interval() -> None:
    ratings = study(TRUTHS["paper"], PAPER_DESIGN, np.random.default_rng(2)).where
    kept = study(TRUTHS["paper"], PAPER_DESIGN, np.random.default_rng(2)).outcome != 2
    decided = ratings(kept)
    found, plain = bounds_of_ratings(decided), risk_difference(decided, measure("agree"))
    assert found.difference == pytest.approx((plain.value, plain.value))
    assert found.interval == pytest.approx((plain.low, plain.high))


def test_an_empty_arm_has_no_bounds() -> None:
    found = bounds_of_counts(Counts(0, 0, 0), Counts(1, 1, 1))
    assert math.isnan(found.dense[0])
    assert math.isnan(found.difference[0])
