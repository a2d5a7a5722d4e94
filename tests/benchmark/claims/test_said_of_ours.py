"""What our records say, in words."""

import math

from benchmark.claims.evidence import Evidence
from benchmark.claims.said_of_ours import evidence


def _found(mean: float, low: float, high: float) -> Evidence:
    return Evidence("seeds", mean, low, high, n=10, answer=1, p_value=0.01)


def test_points_have_two_decimals_and_hundredths_of_shares_four() -> None:
    assert evidence(_found(1.386, 1.08, 1.70)) == "1.39 [1.08, 1.70]; 10 seeds"
    assert evidence(_found(0.0139, 0.0081, 0.0197)) == "0.0139 [0.0081, 0.0197]; 10 seeds"


def test_a_value_without_interval_is_judged_by_its_own_size() -> None:
    assert evidence(_found(0.0031, math.nan, math.nan)) == "0.0031; 10 seeds"
    assert evidence(_found(9.0, math.nan, math.nan)) == "9.00; 10 seeds"
    assert evidence(_found(0.0, math.nan, math.nan)) == "0.00; 10 seeds"
