import math

import pytest
from scipy import stats

from analysis.errors import AnalysisError
from analysis.table4 import Counts
from analysis.three_outcomes import p_at, survives, three_outcomes


def test_the_papers_counts_by_hand() -> None:
    found = three_outcomes(Counts(220, 79, 89), Counts(250, 63, 45))
    assert found.chi2 == pytest.approx(16.99, abs=5e-3)
    # Half credit: (250 + 22.5) of 358 less (220 + 44.5) of 388. A variance is the mean of squares less the squared
    # mean: dense (220 + 89/4)/388 - .68170^2 = .15963, SPADE (250 + 45/4)/358 - .76117^2 = .15037.
    assert found.half_credit == pytest.approx(272.5 / 358 - 264.5 / 388)
    error = math.sqrt(0.15963 / 388 + 0.15037 / 358)
    assert found.half_z == pytest.approx(found.half_credit / error, rel=1e-4)
    assert found.high - found.low == pytest.approx(2 * 1.959964 * error, rel=1e-4)


def test_a_result_stays_significant_up_to_the_design_effect_it_survives() -> None:
    for z in (3.71, 1.84, -3.69):
        assert p_at(z, survives(z)) == pytest.approx(0.05)
    # (1.84 / 1.96)^2 = .88: not even independent answers would do.
    assert survives(1.84) == pytest.approx(0.88, abs=5e-3)
    assert p_at(2.0, 1.0) == pytest.approx(2 * stats.norm.sf(2.0))


def test_an_outcome_nobody_gave_leaves_no_chi_square_and_no_zero() -> None:
    found = three_outcomes(Counts(3, 2, 0), Counts(4, 1, 0))
    assert math.isnan(found.chi2)
    assert found.half_credit == pytest.approx(0.2)
    assert math.isnan(three_outcomes(Counts(0, 0, 4), Counts(0, 0, 5)).half_z)


def test_an_empty_arm_is_refused() -> None:
    with pytest.raises(AnalysisError, match="no answer"):
        three_outcomes(Counts(0, 0, 0), Counts(1, 0, 0))
