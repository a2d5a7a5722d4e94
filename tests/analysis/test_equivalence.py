import math

import numpy as np
import pytest
from statsmodels.stats.weightstats import ttost_paired

from analysis.equivalence import equivalence, paired_equivalence
from analysis.errors import AnalysisError


def test_two_one_sided_tests_agree_with_statsmodels() -> None:
    draw = np.random.default_rng(1)
    treated, baseline = draw.normal(0.2, 1, size=25), draw.normal(0, 1, size=25)
    p, lower, upper = ttost_paired(treated, baseline, -0.8, 0.8)
    ours = paired_equivalence(treated - baseline, margin=0.8, alpha=0.05)
    assert (ours.p_value, ours.p_below, ours.p_above) == pytest.approx((p, lower[1], upper[1]))


def test_equivalent_means_that_the_interval_lies_inside_the_margin() -> None:
    for difference in np.linspace(-1.2, 1.2, 25):
        found = equivalence(float(difference), 0.3, 20, margin=1.0, alpha=0.05)
        assert found.equivalent == (found.low > -1.0 and found.high < 1.0)


def test_turning_the_sign_swaps_the_two_tests_and_nothing_else() -> None:
    one, other = (equivalence(sign * 0.4, 0.3, 12, margin=1.0, alpha=0.05) for sign in (1, -1))
    assert (one.p_above, one.p_below) == (other.p_below, other.p_above)
    assert one.p_value == other.p_value
    assert (one.low, one.high) == (-other.high, -other.low)


def test_without_any_spread_the_difference_itself_is_compared() -> None:
    assert equivalence(0.5, 0.0, 5, margin=1.0, alpha=0.05).equivalent
    assert not equivalence(1.0, 0.0, 5, margin=1.0, alpha=0.05).equivalent


@pytest.mark.parametrize(
    ("differences", "margin", "sentence"),
    [([1.0], 1.0, "at least two"), ([1.0, math.nan], 1.0, "1 finite"), ([1.0, 2.0], 0.0, "above zero")],
)
def test_what_cannot_be_tested_is_refused(differences: list[float], margin: float, sentence: str) -> None:
    with pytest.raises(AnalysisError, match=sentence):
        paired_equivalence(differences, margin=margin, alpha=0.05)
