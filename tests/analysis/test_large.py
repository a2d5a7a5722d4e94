"""A million answers: a result or a reason for every analysis, in minutes."""

import math

import numpy as np
import pytest
from scipy.special import expit, roots_hermitenorm

from analysis.report import markdown
from analysis.report.study import build
from analysis.simulated_export import responses_of
from analysis.simulation import TRUTHS, Design, Truth, _logit_with_mean, study
from analysis.study import Effort, analyse

DESIGN = Design(raters=5000, images=2000, ratings=10**6)


def planted_error(planted: Truth, design: Design) -> float:
    """The standard error that the planted effects give the difference: of images and of raters drawn, and of answers.

    What each image (two items) and each rater would show with endless answers, from 20,000 of each drawn.
    """
    generator, n = np.random.default_rng(2), 20_000
    nodes, weights = roots_hermitenorm(40)
    weights = weights / weights.sum()

    def shown(level: np.ndarray, slope: np.ndarray, others: float) -> np.ndarray:
        """The difference for each level and slope (one a step), averaged over what the others (an SD) bring."""
        arms = []
        for side, arm in ((0.5, 1), (-0.5, 0)):
            base = [_logit_with_mean(shares[arm], planted.spread) for shares in (planted.decided, planted.right)]
            logit = np.array(base)[:, None] + level + side * slope
            arms.append(np.prod(expit(logit[..., None] + others * nodes) @ weights, axis=0))
        return np.asarray(arms[0] - arms[1])

    of_rater = math.hypot(planted.rater, planted.rater_slope / 2)
    of_item = math.hypot(planted.image, planted.item, planted.item_slope / 2)
    image = generator.normal(0, planted.image, (2, n))
    items = [
        shown(
            image + generator.normal(0, planted.item, (2, n)), generator.normal(0, planted.item_slope, (2, n)), of_rater
        )
        for _ in range(2)
    ]
    rater = shown(generator.normal(0, planted.rater, (2, n)), generator.normal(0, planted.rater_slope, (2, n)), of_item)
    dense, spade = planted.agree
    answers = (dense * (1 - dense) + spade * (1 - spade)) / (design.ratings / 2)
    # Uneven shares of the work are worth fewer raters by 1 + the square of their coefficient of variation.
    uneven = 1 + design.unevenness**2
    return math.sqrt(np.mean(items, axis=0).var() / design.images + rater.var() * uneven / design.raters + answers)


@pytest.mark.slow
def test_a_million_answers_give_a_result_or_a_reason_for_every_analysis() -> None:
    generator = np.random.default_rng(1)
    planted = TRUTHS["paper, heterogeneous"]
    ratings = study(planted, DESIGN, generator)
    found = analyse(responses_of(ratings, generator), effort=Effort(deals=199, resamples=500))
    assert found.answers == 10**6
    # The planted difference, within four standard errors of raters and images of which there are so many.
    assert abs(found.primary.value - planted.difference("agree")) < 4 * found.primary.standard_error
    # Two thousand images know a variance to 3 %, and so the error to 2 %: ten is far outside.
    assert found.primary.standard_error == pytest.approx(planted_error(planted, DESIGN), rel=0.1)
    for one in found.estimates():
        assert one.reason or math.isfinite(one.value), one.name
    assert "draws a chain, too few" in found.posterior.difference.reason
    conditional = next(one for one in found.checks if one.name == "conditional_logit")
    assert math.isfinite(conditional.low)
    assert "1,000,000" in markdown.render(build(found, None, facts={}))
