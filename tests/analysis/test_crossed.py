import math

import numpy as np
import pytest
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.tools.tools import add_constant

from analysis import crossed
from analysis.measure import MEASURES, measure
from analysis.ratings import Ratings, of_labels
from analysis.regression import sandwich
from analysis.simulation import PAPER_DESIGN, TRUTHS, Design, study

AGREE = measure("agree")


def one_study(seed: int, truth: str = "paper, heterogeneous", design: Design = PAPER_DESIGN) -> Ratings:
    return study(TRUTHS[truth], design, np.random.default_rng(seed))


def plain_difference(ratings: Ratings, name: str, kept: np.ndarray) -> float:
    """The difference answer by answer."""
    one = MEASURES[name]
    sums = {arm: [0.0, 0.0] for arm in (False, True)}
    for row in np.flatnonzero(kept):
        outcome = int(ratings.outcome[row])
        if one.counted[outcome]:
            sums[bool(ratings.spade[row])][0] += one.score[outcome]
            sums[bool(ratings.spade[row])][1] += 1
    return sums[True][0] / sums[True][1] - sums[False][0] / sums[False][1]


@pytest.mark.parametrize("name", ["agree", "agree_decided", "half_credit"])
def test_each_part_of_the_variance_is_the_jackknife_that_leaves_clusters_out_one_by_one(name: str) -> None:
    ratings = one_study(1, design=Design(raters=6, images=8, ratings=120))
    found = crossed.crossed_variance(ratings, MEASURES[name])
    value = plain_difference(ratings, name, np.ones(ratings.n, dtype=bool))
    assert crossed.risk_difference(ratings, MEASURES[name]).value == pytest.approx(value)
    pairs = ratings.rater * 1000 + ratings.image
    for part, side in ((found.rater, ratings.rater), (found.image, ratings.image), (found.both, pairs)):
        groups = np.unique(side)
        left = [plain_difference(ratings, name, side != one) - value for one in groups]
        assert part == pytest.approx((len(groups) - 1) / len(groups) * sum(one**2 for one in left))


def test_the_naive_variance_is_that_of_two_independent_shares() -> None:
    ratings = one_study(2)
    parts = [(ratings.outcome[ratings.spade == arm] == 0).astype(float) for arm in (False, True)]
    by_hand = sum(part.mean() * (1 - part.mean()) / part.size for part in parts)
    assert crossed.crossed_variance(ratings, AGREE).naive == pytest.approx(by_hand)


def test_with_many_clusters_the_jackknife_and_the_sandwich_of_statsmodels_agree() -> None:
    ratings = one_study(3, design=Design(raters=300, images=300, ratings=6000))
    jackknife = crossed.risk_difference(ratings, AGREE)
    cr1 = sandwich(ratings, AGREE, by="both")
    assert jackknife.value == pytest.approx(cr1.value)
    assert jackknife.standard_error == pytest.approx(cr1.standard_error, rel=0.05)


def test_the_log_odds_ratio_has_the_standard_error_of_a_clustered_logistic_regression() -> None:
    ratings = one_study(4, design=Design(raters=300, images=300, ratings=6000))
    fitted = GLM(
        (ratings.outcome == 0).astype(float),
        add_constant(ratings.spade.astype(float)),
        family=Binomial(),
    ).fit(cov_type="cluster", cov_kwds={"groups": np.stack([ratings.rater, ratings.image], axis=1)})
    found = crossed.odds_ratio(ratings, AGREE)
    assert found.value == pytest.approx(math.exp(fitted.params[1]))
    assert found.standard_error == pytest.approx(fitted.bse[1], rel=0.05)


def test_the_largest_part_is_used_and_never_less() -> None:
    for seed in range(20):
        variance = crossed.crossed_variance(one_study(seed, "none"), AGREE)
        assert variance.used >= max(variance.rater, variance.image)
        assert variance.used >= variance.two_way


def test_the_order_of_the_answers_does_not_matter() -> None:
    ratings = one_study(5)
    order = np.random.default_rng(0).permutation(ratings.n)
    mixed = Ratings(
        ratings.outcome[order],
        ratings.spade[order],
        ratings.rater[order],
        ratings.image[order],
        ratings.item[order],
        ratings.rater_names,
        ratings.image_names,
    )
    one, other = crossed.risk_difference(ratings, AGREE), crossed.risk_difference(mixed, AGREE)
    assert (one.value, one.low, one.p_value) == pytest.approx((other.value, other.low, other.p_value))


def small(outcome: list[int], spade: list[int], rater: list[int], image: list[int]) -> Ratings:
    return of_labels(outcome, np.array(spade, dtype=bool), rater, image, image)


@pytest.mark.parametrize(
    ("ratings", "has_value", "sentence"),
    [
        (small([0, 1, 0, 1], [0, 1, 0, 1], [0, 0, 0, 0], [0, 1, 2, 3]), True, "one rater"),
        (small([0, 1, 0, 1], [0, 1, 0, 1], [0, 1, 2, 3], [0, 0, 0, 0]), True, "one image"),
        (small([0, 1], [1, 1], [0, 1], [0, 1]), False, "dense arm has no answer"),
        (small([0, 1], [0, 0], [0, 1], [0, 1]), False, "SPADE arm has no answer"),
        (small([2, 2, 2, 2], [0, 1, 0, 1], [0, 0, 1, 1], [0, 1, 0, 1]), True, "All answers are the same"),
        (small([0, 1, 1, 1], [0, 1, 1, 1], [0, 1, 1, 2], [0, 1, 0, 1]), True, "leaves an arm without"),
        (small([], [], [], []), False, "has no answer"),
    ],
)
def test_answers_that_carry_no_interval_have_none_and_a_reason(
    ratings: Ratings,
    has_value: bool,  # noqa: FBT001 - a parameter of the test
    sentence: str,
) -> None:
    found = crossed.risk_difference(ratings, AGREE)
    assert found.available == has_value
    assert math.isnan(found.value) != has_value
    assert math.isnan(found.low)
    assert math.isnan(found.p_value)
    assert sentence in " ".join([found.reason, *found.caveats])


def test_all_undecided_leaves_nothing_to_compare_among_the_decided() -> None:
    ratings = small([2, 2, 2, 2], [0, 1, 0, 1], [0, 0, 1, 1], [0, 1, 0, 1])
    assert "no answer that is decided" in crossed.risk_difference(ratings, measure("agree_decided")).reason


def test_separation_has_a_difference_and_no_finite_odds() -> None:
    ratings = small([0, 0, 1, 1] * 3, [1, 1, 0, 0] * 3, [0, 1, 2] * 4, [0, 1, 2, 3, 0, 1, 2, 3, 3, 2, 1, 0])
    assert crossed.risk_difference(ratings, AGREE).value == 1.0
    assert "separation" in crossed.odds_ratio(ratings, AGREE).reason


def test_a_shares_interval_lies_inside_zero_and_one_and_is_longer_than_wilsons_when_raters_differ() -> None:
    low, high = crossed.share_interval(one_study(6), AGREE, spade=True)
    assert 0 < low < high < 1
    assert all(
        math.isnan(end) for end in crossed.share_interval(small([0, 0], [0, 1], [0, 1], [0, 1]), AGREE, spade=True)
    )
