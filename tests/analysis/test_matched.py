import math

import numpy as np
import pytest
from statsmodels.discrete.conditional_models import ConditionalLogit

from analysis.matched import cochran_mantel_haenszel, conditional_logit, mcnemar_test
from analysis.measure import measure
from analysis.ratings import Ratings, of_labels
from analysis.simulation import TRUTHS, Design, study

AGREE = measure("agree")


def from_tables(tables: list[tuple[int, int, int, int]]) -> Ratings:
    """Answers from 2x2 tables by item: right and wrong under SPADE, right and wrong under dense; raters go round."""
    outcome: list[int] = []
    spade: list[bool] = []
    item: list[int] = []
    for number, table in enumerate(tables):
        for (kind, arm), count in zip(((0, True), (1, True), (0, False), (1, False)), table, strict=True):
            outcome += [kind] * count
            spade += [arm] * count
            item += [number] * count
    rater = np.arange(len(outcome)) % 7
    return of_labels(outcome, np.array(spade), rater, item, item)


def test_the_odds_ratio_is_that_of_statsmodels_conditional_logit() -> None:
    ratings = study(TRUTHS["paper, heterogeneous"], Design(24, 60, 700), np.random.default_rng(1))
    # A ModelWarning from statsmodels 0.15 on, a plain one before.
    with pytest.warns(UserWarning, match="no within-group variance"):
        model = ConditionalLogit(
            (ratings.outcome == 0).astype(float), ratings.spade[:, None].astype(float), groups=ratings.item
        )
    fitted = model.fit(disp=False)
    ours = math.log(conditional_logit(ratings, AGREE).value)
    assert ours == pytest.approx(fitted.params[0], abs=5e-4)
    # Its optimiser stops early; by its own likelihood ours is at least as good.
    assert model.loglike(np.array([ours])) >= model.loglike(fitted.params)


def test_the_admissions_of_berkeley_give_the_mantel_haenszel_results_that_r_publishes() -> None:
    # R's documentation of mantelhaen.test, data UCBAdmissions (Bickel, Hammel, O'Connell 1975): admitted and rejected
    # men, admitted and rejected women, in six departments. R 4 prints the common odds ratio 0.9046968, its interval
    # [0.7719074, 1.0603298] and, without continuity correction, M^2 = 1.5246.
    departments = [
        (512, 313, 89, 19),
        (353, 207, 17, 8),
        (120, 205, 202, 391),
        (138, 279, 131, 244),
        (53, 138, 94, 299),
        (22, 351, 24, 317),
    ]
    found = cochran_mantel_haenszel(from_tables(departments), AGREE)
    assert found.value == pytest.approx(0.9046968, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((0.7719074, 1.0603298), abs=1e-5)
    assert found.statistic == pytest.approx(1.5246, abs=1e-3)


def test_mcnemar_is_the_binomial_test_of_discordant_pairs() -> None:
    # Each image has one item, answered once under each arm: 8 right under SPADE alone, 2 under dense alone.
    tables = [(1, 0, 0, 1)] * 8 + [(0, 1, 1, 0)] * 2 + [(1, 0, 1, 0)] * 5
    found = mcnemar_test(from_tables(tables), AGREE, generator=np.random.default_rng(1))
    # 2 * P(Bin(10, 1/2) <= 2) = 2 * (1 + 10 + 45) / 1024
    assert found.p_value == pytest.approx(2 * 56 / 1024)
    assert found.value == pytest.approx(4.0)
    assert found.images == 15


def test_one_pair_an_image_is_drawn_whatever_the_number_of_answers() -> None:
    ratings = study(TRUTHS["paper"], Design(24, 30, 2000), np.random.default_rng(2))
    found = mcnemar_test(ratings, AGREE, generator=np.random.default_rng(3))
    assert (found.images, found.n) == (30, 60)


def test_items_that_always_favour_one_arm_are_called_separated() -> None:
    separated = from_tables([(2, 0, 0, 2)] * 6)
    assert "separation" in conditional_logit(separated, AGREE).reason
    assert "separation" in cochran_mantel_haenszel(separated, AGREE).reason


def test_without_an_item_under_both_arms_there_is_nothing_to_compare() -> None:
    apart = from_tables([(2, 1, 0, 0), (0, 0, 1, 2)] * 3)
    assert "within items" in conditional_logit(apart, AGREE).reason
    assert "no pairs" in mcnemar_test(apart, AGREE, generator=np.random.default_rng(1)).reason


def test_pairs_that_all_agree_test_nothing() -> None:
    alike = from_tables([(1, 0, 1, 0)] * 4 + [(0, 1, 0, 1)] * 2)
    assert "No pair differs" in mcnemar_test(alike, AGREE, generator=np.random.default_rng(1)).reason
