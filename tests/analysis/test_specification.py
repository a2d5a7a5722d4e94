import math

import numpy as np
import pytest

from analysis.crossed import risk_difference
from analysis.errors import AnalysisError
from analysis.exclusion import Exclusion, exclude
from analysis.measure import measure
from analysis.ratings import of_frame
from analysis.simulated_export import responses_of
from analysis.simulation import TRUTHS, Design, study
from analysis.specification import specification_curve

RATINGS = study(TRUTHS["paper"], Design(10, 12, 150), np.random.default_rng(1))
RESPONSES = responses_of(RATINGS, np.random.default_rng(2))
RULES = (Exclusion("too_fast", (("below_ms", 2500.0),)), Exclusion("too_few", (("fewer_than", 12.0),)))


def test_each_specification_is_the_analysis_after_excluding_by_its_rules_alone() -> None:
    curve = specification_curve(RESPONSES, RULES, measure("agree"))
    assert len(curve.specifications) == 4
    for one in curve.specifications:
        kept = exclude(RESPONSES, tuple(RULES[place] for place in one.rules)).kept
        plain = risk_difference(of_frame(kept), measure("agree"))
        assert (one.estimate.value, one.estimate.low) == pytest.approx((plain.value, plain.low))
        assert one.registered == (one.rules == (0, 1))
    values = [one.estimate.value for one in curve.specifications]
    assert values == sorted(values)
    assert (curve.least, curve.greatest) == (values[0], values[-1])


def test_a_combination_that_leaves_nothing_stands_last_with_its_reason() -> None:
    everything = Exclusion("too_few", (("fewer_than", 1000.0),))
    curve = specification_curve(RESPONSES, (everything,), measure("agree"))
    assert math.isfinite(curve.specifications[0].estimate.value)
    assert "no answer" in curve.specifications[-1].estimate.reason


def test_a_rule_that_cannot_be_applied_is_left_out_with_its_reason() -> None:
    frame = RESPONSES.frame.drop(columns="client_rt_ms")
    responses = type(RESPONSES)(**{**vars(RESPONSES), "frame": frame})
    curve = specification_curve(responses, RULES, measure("agree"))
    assert len(curve.specifications) == 2
    assert "client_rt_ms" in curve.left_out[0]


def test_more_rules_than_a_figure_can_show_are_refused() -> None:
    rules = tuple(Exclusion("too_few", (("fewer_than", float(n)),)) for n in range(11))
    with pytest.raises(AnalysisError, match="2048 combinations"):
        specification_curve(RESPONSES, rules, measure("agree"))
