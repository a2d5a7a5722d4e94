"""A million answers: a result or a reason for every analysis, in minutes."""

import math

import numpy as np
import pytest

from analysis.report import markdown
from analysis.report.study import build
from analysis.simulated_export import responses_of
from analysis.simulation import TRUTHS, Design, study
from analysis.study import Effort, analyse


@pytest.mark.slow
def test_a_million_answers_give_a_result_or_a_reason_for_every_analysis() -> None:
    generator = np.random.default_rng(1)
    ratings = study(TRUTHS["paper, heterogeneous"], Design(raters=5000, images=2000, ratings=10**6), generator)
    found = analyse(responses_of(ratings, generator), effort=Effort(deals=199, resamples=500))
    assert found.answers == 10**6
    # The planted difference, within four standard errors of raters and images of which there are so many.
    assert abs(found.primary.value - TRUTHS["paper"].difference("agree")) < 4 * found.primary.standard_error
    assert found.primary.high - found.primary.low < 0.01
    for one in found.estimates():
        assert one.reason or math.isfinite(one.value), one.name
    assert "draws a chain, too few" in found.posterior.difference.reason
    conditional = next(one for one in found.checks if one.name == "conditional_logit")
    assert math.isfinite(conditional.low)
    assert "1,000,000" in markdown.render(build(found, None, facts={}))
