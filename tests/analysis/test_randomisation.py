import itertools

import numpy as np
import pytest

from analysis.crossed import arm_sums, crossed_variance, difference_of, risk_difference
from analysis.measure import measure
from analysis.randomisation import _dealt, randomisation_test
from analysis.ratings import Ratings, of_labels
from analysis.simulation import PAPER_DESIGN, TRUTHS, study

AGREE = measure("agree")


def with_labels(ratings: Ratings, spade: np.ndarray) -> Ratings:
    return of_labels(ratings.outcome, spade, ratings.rater, ratings.image, ratings.item)


def two_way(ratings: Ratings) -> float:
    """The two-way variance, or the larger part where their sum is not positive."""
    variance = crossed_variance(ratings, AGREE)
    return variance.two_way if variance.two_way > 0 else max(variance.rater, variance.image)


def test_the_p_value_is_that_of_listing_every_dealing() -> None:
    outcome = [0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 1, 0]
    spade = [1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1]
    item = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    rater = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]
    ratings = of_labels(outcome, np.array(spade, dtype=bool), rater, item, item)
    # Every way to give two of four answers of each item to SPADE: 6 ** 3 dealings, each with its statistic.
    deals = list(itertools.product(itertools.combinations(range(4), 2), repeat=3))
    statistics = []
    for deal in deals:
        labels = np.zeros(12, dtype=bool)
        for number, places in enumerate(deal):
            labels[[4 * number + place for place in places]] = True
        dealt = with_labels(ratings, labels)
        value = difference_of(arm_sums(dealt, AGREE, np.zeros(12, dtype=np.int64), 1)[0])
        statistics.append(abs(value) / np.sqrt(two_way(dealt)))
    observed = risk_difference(ratings, AGREE).value / np.sqrt(two_way(ratings))
    exact = np.mean([not one < abs(observed) - 1e-9 for one in statistics])
    found = randomisation_test(ratings, AGREE, draws=20_000, generator=np.random.default_rng(1))
    assert found.statistic == pytest.approx(observed)
    assert abs(found.p_value - exact) < 4 * np.sqrt(exact * (1 - exact) / 20_000)


def test_labels_stay_within_their_items() -> None:
    items = np.repeat(np.arange(5), 4)
    labels = np.array([1.0, 0, 0, 0] * 3 + [1.0, 1, 0, 0] * 2)
    dealt = _dealt(labels, items, 50, np.random.default_rng(1))
    for row in dealt:
        assert np.bincount(items, weights=row).tolist() == [1, 1, 1, 2, 2]
    assert len({tuple(row) for row in dealt.tolist()}) > 40


def test_a_large_planted_effect_is_found_and_its_labels_reversed_give_the_opposite_sign() -> None:
    ratings = study(TRUTHS["paper"], PAPER_DESIGN, np.random.default_rng(1))
    strong = of_labels(np.where(ratings.spade, 0, 1), ratings.spade, ratings.rater, ratings.image, ratings.item)
    mixed = with_labels(ratings, ~ratings.spade)
    found = randomisation_test(ratings, AGREE, draws=99, generator=np.random.default_rng(2))
    assert randomisation_test(mixed, AGREE, draws=99, generator=np.random.default_rng(2)).value == -found.value
    # All right under SPADE and all wrong under dense leaves no spread, hence no statistic.
    assert "not defined" in randomisation_test(strong, AGREE, draws=99, generator=np.random.default_rng(2)).reason


def test_where_the_arm_was_dealt_to_raters_dealing_within_items_is_refused() -> None:
    spade = np.array([1, 1, 0, 0, 1, 1, 0, 0], dtype=bool)
    ratings = of_labels([0, 1, 1, 0, 0, 0, 1, 1], spade, [0, 0, 1, 1, 2, 2, 3, 3], [0, 1] * 4, [0, 1] * 4)
    found = randomisation_test(ratings, AGREE, draws=9, generator=np.random.default_rng(1))
    assert "dealt to raters" in found.reason


def test_where_no_item_saw_both_arms_no_label_can_move() -> None:
    ratings = of_labels([0, 1, 0, 1], np.array([1, 1, 0, 0], dtype=bool), [0, 1, 0, 1], [0, 0, 1, 1], [0, 0, 1, 1])
    found = randomisation_test(ratings, AGREE, draws=9, generator=np.random.default_rng(1))
    assert "no label" in found.reason
