import math
from dataclasses import replace

import pytest
from scipy import stats

from analysis.conclusion import conclude
from analysis.estimate import Estimate


def primary(value: float, error: float, df: float = 23) -> Estimate:
    half = stats.t.ppf(0.975, df) * error
    return Estimate(
        "primary",
        "risk difference",
        "agree",
        value=value,
        low=value - half,
        high=value + half,
        level=0.95,
        p_value=float(2 * stats.t.sf(abs(value) / error, df)),
        standard_error=error,
        df=df,
    )


@pytest.mark.parametrize(
    ("value", "error", "smallest", "kind", "sentence"),
    [
        (0.13, 0.03, 0.0, "more", "more often under SPADE (+13.0 points"),
        (-0.13, 0.03, 0.0, "less", "less often under SPADE"),
        (0.13, 0.03, 0.05, "more", "is larger than the smallest"),
        (0.13, 0.05, 0.05, "more", "may be smaller than the smallest"),
        (0.01, 0.02, 0.05, "equivalent", "smaller than 5.0 points either way"),
        (0.01, 0.02, 0.0, "unresolved", "no evidence that they do not"),
        (0.05, 0.04, 0.05, "unresolved", "not resolved"),
    ],
)
def test_the_conclusion_follows_from_the_interval_zero_and_the_smallest_effect(
    value: float, error: float, smallest: float, kind: str, sentence: str
) -> None:
    found = conclude(primary(value, error), smallest)
    assert found.kind == kind
    assert sentence in found.sentence


def test_equivalence_is_judged_exactly_where_the_90_percent_interval_lies_inside_the_margin() -> None:
    error, df = 0.02, 23
    edge = 0.05 - float(stats.t.ppf(0.95, df)) * error
    assert conclude(primary(edge - 1e-6, error), 0.05).equivalence_p < 0.05
    assert conclude(primary(edge + 1e-6, error), 0.05).equivalence_p > 0.05


def test_without_a_test_nothing_is_concluded_and_the_reason_is_told() -> None:
    none = replace(primary(0.1, 0.1), p_value=math.nan, reason="All answers are of one rater.")
    assert conclude(none, 0.05).kind == "none"
    assert "one rater" in conclude(none, 0.05).sentence
