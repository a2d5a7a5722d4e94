import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from analysis import crossed_gibbs
from analysis import crossed_logistic as model
from analysis.chains import bulk_ess
from analysis.crossed_gibbs import Sampler
from analysis.crossed_logistic import Chains, crossed_logistic, crossed_logistic_of_studies
from analysis.measure import measure
from analysis.ratings import Ratings, of_labels
from analysis.simulation import TRUTHS, Design, study

AGREE = measure("agree")


def test_parameters_and_answers_drawn_in_turn_keep_to_the_priors() -> None:
    """Geweke's (2004) joint distribution test.

    Draw answers given parameters and parameters given answers in turn: whatever the answers, the parameters then
    follow their priors. Any slip in a conditional distribution moves them away.
    """
    generator = np.random.default_rng(1)
    ratings = study(TRUTHS["paper"], Design(5, 4, 40), generator)
    sampler = Sampler([ratings], [np.zeros(ratings.n)], generator, chains=12)
    kept = np.empty((12, 3000, 7))
    for step in range(kept.shape[1]):
        logit = sampler._common_part() + sampler._rater_part() + sampler._image_part()
        sampler._kappa = (generator.random(logit.shape) < expit(logit)).astype(np.float64) - 0.5
        sampler._step()
        kept[:, step] = np.concatenate([sampler._beta, sampler._spread], axis=1)
    priors: list[Any] = [stats.norm(0, crossed_gibbs.PRIOR_INTERCEPT), stats.norm(0, crossed_gibbs.PRIOR_EFFECT)]
    priors += [stats.halfnorm(0, crossed_gibbs.PRIOR_SPREAD)] * 5
    for place, prior in enumerate(priors):
        for power in (1, 2):
            drawn = kept[:, 200:, place] ** power
            error = drawn.std() / math.sqrt(bulk_ess(drawn))
            expected = prior.mean() if power == 1 else prior.var() + prior.mean() ** 2
            assert abs(drawn.mean() - expected) < 4.5 * error, (place, power, drawn.mean(), expected, error)


def test_planted_parameters_of_the_model_itself_lie_inside_their_intervals() -> None:
    generator = np.random.default_rng(4)
    raters, items = 60, 120
    rater, item = generator.integers(0, raters, 6000), generator.integers(0, items, 6000)
    spade = generator.random(6000) < 0.5
    side = np.where(spade, 0.5, -0.5)
    logit = 0.5 + 0.8 * side + generator.normal(0, 0.8, raters)[rater] + generator.normal(0, 0.6, items // 2)[item // 2]
    logit += generator.normal(0, 0.5, items)[item] + side * generator.normal(0, 0.7, raters)[rater]
    logit += side * generator.normal(0, 0.6, items)[item]
    right = generator.random(6000) < expit(logit)
    ratings = of_labels(np.where(right, 0, 1), spade, rater, item // 2, item)
    found = crossed_logistic(ratings, AGREE, generator=generator, chains=Chains(4, 200, 400))
    named = {one.name: one for one in found.parameters}
    planted = {
        "intercept": 0.5,
        "effect": 0.8,
        "rater": 0.8,
        "rater_slope": 0.7,
        "image": 0.6,
        "item": 0.5,
        "item_slope": 0.6,
    }
    missed = [name for name, value in planted.items() if not named[name].low <= value <= named[name].high]
    # Seven 95 % intervals: two or more misses have a chance of one in twenty.
    assert len(missed) <= 1, missed
    assert named["effect"].r_hat < 1.05
    assert found.positive > 0.99


def test_the_marginal_difference_is_the_average_over_new_raters_and_items() -> None:
    draws = np.array([[[0.4, 0.9, 0.7, 0.5, 0.6, 0.4, 0.8]]])
    generator = np.random.default_rng(5)
    rater, rater_slope, image, item, item_slope = (generator.normal(0, spread, 400_000) for spread in draws[0, 0, 2:])
    shares = [
        expit(0.4 + side * (0.9 + rater_slope + item_slope) + rater + image + item).mean() for side in (0.5, -0.5)
    ]
    assert model._marginal_difference(draws)[0, 0] == pytest.approx(shares[0] - shares[1], abs=0.002)


def rows(outcome: list[int], spade: list[int], rater: list[int], image: list[int]) -> Ratings:
    return of_labels(outcome, np.array(spade, dtype=bool), rater, image, image)


def test_separation_stays_finite_and_an_empty_arm_or_one_rater_has_a_reason() -> None:
    generator = np.random.default_rng(6)
    short = Chains(2, 50, 100)
    separated = rows([0, 1] * 12, [1, 0] * 12, [0, 0, 1, 1] * 6, [0, 1, 2, 3, 4, 5] * 4)
    found = crossed_logistic(separated, AGREE, generator=generator, chains=short)
    assert 0 < found.difference.value < 1
    assert math.isfinite(found.odds_ratio.high)
    empty = crossed_logistic(rows([0, 1], [1, 1], [0, 1], [0, 1]), AGREE, generator=generator, chains=short)
    assert "dense arm has no answer" in empty.difference.reason
    alone = crossed_logistic(rows([0, 1], [1, 0], [0, 0], [0, 1]), AGREE, generator=generator, chains=short)
    assert "one rater" in alone.difference.reason
    half = crossed_logistic(separated, measure("half_credit"), generator=generator, chains=short)
    assert "Half an answer" in half.odds_ratio.reason


def test_answers_that_are_all_the_same_say_that_the_priors_speak() -> None:
    same = rows([0] * 12, [1, 0] * 6, [0, 0, 1, 1] * 3, [0, 1, 2] * 4)
    found = crossed_logistic(same, AGREE, generator=np.random.default_rng(7), chains=Chains(2, 50, 100))
    assert "what the priors allow" in " ".join(found.difference.caveats)


def test_chains_too_short_to_trust_are_called_so_and_large_studies_get_shorter_ones() -> None:
    ratings = study(TRUTHS["paper"], Design(12, 20, 200), np.random.default_rng(8))
    found = crossed_logistic(ratings, AGREE, generator=np.random.default_rng(9), chains=Chains(2, 20, 40))
    assert not found.converged
    assert "Sampled short" in found.difference.caveats[-1]
    assert "effective size should be at least 200 and is, for the risk difference" in found.difference.caveats[-1]
    assert "the spread of the effect over raters" in found.difference.caveats[-1]
    assert Chains().shortened(746) == Chains()
    assert Chains().shortened(10**5).kept < Chains().kept


def test_studies_sampled_side_by_side_have_the_posteriors_each_has_alone() -> None:
    # Three studies that differ in every size but the number of answers, so that rows of one are not read for another's.
    studies = [
        study(TRUTHS["paper, heterogeneous"], Design(raters, images, 150), np.random.default_rng(raters))
        for raters, images in ((10, 30), (16, 20), (5, 50))
    ]
    chains = Chains(4, 100, 500)
    together = crossed_logistic_of_studies(studies, AGREE, generator=np.random.default_rng(1), chains=chains)
    for ratings, found in zip(studies, together, strict=True):
        alone = crossed_logistic(ratings, AGREE, generator=np.random.default_rng(2), chains=chains)
        for one, other in zip(found.parameters, alone.parameters, strict=True):
            # Quantiles from some hundred effective draws: within a third of the interval's length.
            assert (one.low, one.median, one.high) == pytest.approx(
                (other.low, other.median, other.high), abs=0.3 * (other.high - other.low)
            ), one.name
        middle = abs(found.difference.value - alone.difference.value)
        assert middle < 0.3 * alone.difference.standard_error


def test_studies_side_by_side_need_the_same_number_of_answers_and_one_without_an_arm_keeps_its_reason() -> None:
    generator = np.random.default_rng(3)
    same = rows([0, 1] * 12, [1, 0] * 12, [0, 0, 1, 1] * 6, [0, 1, 2, 3, 4, 5] * 4)
    fewer = rows([0, 1] * 6, [1, 0] * 6, [0, 0, 1, 1] * 3, [0, 1, 2] * 4)
    with pytest.raises(ValueError, match="same number of answers"):
        crossed_logistic_of_studies([same, fewer], AGREE, generator=generator)
    empty = rows([0, 1], [1, 1], [0, 1], [0, 1])
    found = crossed_logistic_of_studies([empty, same], AGREE, generator=generator, chains=Chains(2, 20, 40))
    assert "dense arm has no answer" in found[0].difference.reason
    assert found[1].difference.available


def test_more_answers_than_there_is_time_for_are_refused_before_a_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "MOST_DRAWN", 4 * 200 * 150)
    ratings = study(TRUTHS["paper"], Design(12, 20, 200), np.random.default_rng(8))
    found = crossed_logistic(ratings, AGREE, generator=np.random.default_rng(9), chains=Chains(4, 100, 900))
    # Four chains of 1,000 draws cut to 150 in all: 15 of warming up, 135 kept.
    assert "200 answers leave time for 135 draws a chain" in found.difference.reason
    assert "135 draws" in found.odds_ratio.reason
