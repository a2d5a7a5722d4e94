import itertools
import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from analysis.errors import AnalysisError
from analysis.paired import Bootstrap, cluster_mean, expanded_level, holm, paired_difference


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_difference_is_the_mean_over_pairs_with_ties_counting_half() -> None:
    # 3-1, 2-2, 5-1, 0-1: 2 + 0 + 4 - 1 = 5 over 4; two wins, one tie, one loss = 2.5 of 4
    result = paired_difference([3, 2, 5, 0], [1, 2, 1, 1], "aabc", bootstrap=Bootstrap(99, 0.9), generator=generator())
    assert (result.mean, result.n, result.clusters, result.improved) == (1.25, 4, 3, 0.625)


def test_the_interval_of_unclustered_scores_is_scipys_own_at_the_expanded_level() -> None:
    scores = generator(3).exponential(size=20)
    ours = cluster_mean(scores, range(20), bootstrap=Bootstrap(2000, 0.95), generator=generator(1))
    level = expanded_level(0.95, 20, draws=2000)
    plain = stats.bootstrap(
        (scores,), np.mean, n_resamples=2000, confidence_level=level, method="BCa", rng=generator(2)
    ).confidence_interval
    # Two sets of 2,000 draws: the ends agree to Monte-Carlo error, about a tenth of the standard error.
    tolerance = 0.25 * scores.std() / math.sqrt(20)
    assert ours.low == pytest.approx(plain.low, abs=tolerance)
    assert ours.high == pytest.approx(plain.high, abs=tolerance)


def test_of_few_images_the_interval_is_students() -> None:
    scores = generator(5).normal(size=4)
    found = cluster_mean(scores, range(4), bootstrap=Bootstrap(500, 0.95), generator=generator())
    plain = stats.ttest_1samp(scores, 0.0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high))
    # Each score twice says nothing more.
    twice = cluster_mean(
        np.repeat(scores, 2), np.repeat(np.arange(4), 2).tolist(), bootstrap=Bootstrap(500, 0.95), generator=generator()
    )
    assert (twice.low, twice.high) == pytest.approx((plain.low, plain.high))


@pytest.mark.parametrize("images", [2, 3, 4, 6])
def test_an_interval_of_few_images_holds_the_truth_as_often_as_it_says(images: int) -> None:
    draw, rounds = generator(6), 1000
    held = 0
    for _ in range(rounds):
        found = cluster_mean(draw.normal(size=images), range(images), bootstrap=Bootstrap(99, 0.95), generator=draw)
        held += found.low <= 0 <= found.high
    # Three standard errors of a share of .95 in 1,000 rounds; a bootstrap alone holds it .49 of the time with 2.
    assert abs(held / rounds - 0.95) < 3 * math.sqrt(0.95 * 0.05 / rounds)


def test_repeating_every_score_of_an_image_changes_nothing_but_n() -> None:
    scores = generator(4).normal(size=12)
    once = cluster_mean(scores, range(12), bootstrap=Bootstrap(500, 0.95), generator=generator())
    thrice = cluster_mean(
        np.repeat(scores, 3),
        np.repeat(np.arange(12), 3).tolist(),
        bootstrap=Bootstrap(500, 0.95),
        generator=generator(),
    )
    assert (thrice.n, thrice.clusters) == (36, 12)
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))


def test_the_interval_is_the_same_to_the_last_bit_in_any_row_order() -> None:
    treated, baseline = generator(5).normal(size=30), generator(6).normal(size=30)
    images = [f"image {i % 7}" for i in range(30)]
    shuffled = generator(7).permutation(30)
    first = paired_difference(treated, baseline, images, bootstrap=Bootstrap(300, 0.95), generator=generator())
    again = paired_difference(
        treated[shuffled],
        baseline[shuffled],
        [images[i] for i in shuffled],
        bootstrap=Bootstrap(300, 0.95),
        generator=generator(),
    )
    assert again == first


def test_the_sign_flip_p_value_is_the_enumerated_one() -> None:
    difference = np.array([2.0, 0.5, -1.0, 3.0, 1.5])
    flipped = [abs(np.dot(signs, difference)) for signs in itertools.product([-1, 1], repeat=5)]
    plain = np.mean([value >= abs(difference.sum()) - 1e-12 for value in flipped])
    result = paired_difference(
        difference, np.zeros(5), range(5), bootstrap=Bootstrap(9999, 0.95), generator=generator()
    )
    assert result.p_value == pytest.approx(plain)


def test_equal_differences_give_an_interval_without_width_and_equal_arms_are_not_an_effect() -> None:
    same = paired_difference([2, 3, 4], [1, 2, 3], "abc", bootstrap=Bootstrap(99, 0.95), generator=generator())
    assert (same.low, same.high) == (1, 1)
    none = paired_difference([1, 2, 3], [1, 2, 3], "abc", bootstrap=Bootstrap(99, 0.95), generator=generator())
    assert (none.low, none.high, none.p_value, none.improved) == (0, 0, 1, 0.5)


def test_one_image_has_a_mean_and_no_interval() -> None:
    result = paired_difference([1, 2], [0, 0], "aa", bootstrap=Bootstrap(99, 0.95), generator=generator())
    assert result.mean == 1.5
    assert math.isnan(result.low)
    assert math.isnan(result.high)
    assert math.isnan(result.p_value)


@pytest.mark.parametrize(
    ("values", "clusters", "sentence"),
    [
        ([], [], "non-empty"),
        ([1.0, math.nan], "ab", "1 of 2 scores are not finite"),
        ([1.0, 2.0], "a", "labels are 1"),
    ],
)
def test_scores_that_cannot_be_averaged_are_refused(values: list[float], clusters: str, sentence: str) -> None:
    with pytest.raises(AnalysisError, match=sentence):
        cluster_mean(values, clusters, bootstrap=Bootstrap(99, 0.95), generator=generator())


@pytest.mark.parametrize("tests", [1, 2, 5, 10])
def test_holm_agrees_with_statsmodels(tests: int) -> None:
    p_values = generator(tests).uniform(0, 0.2, size=tests).round(2)  # rounded, so that some tie
    np.testing.assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1])


def test_holm_counts_only_the_tests_that_were_made() -> None:
    # two known p-values: .01 * 2 = .02 and .04 * 1 = .04
    np.testing.assert_allclose(holm([0.04, math.nan, 0.01]), [0.04, math.nan, 0.02])


def test_the_cluster_interval_covers_the_truth_where_a_naive_one_does_not() -> None:
    rounds, images, methods = 300, 30, 5
    draw = generator(11)
    covered = naive = 0
    for _ in range(rounds):
        scores = draw.normal(size=(images, 1)) + 0.3 * draw.normal(size=(images, methods))
        labels = np.repeat(np.arange(images), methods).tolist()
        by_image = cluster_mean(scores.ravel(), labels, bootstrap=Bootstrap(499, 0.95), generator=draw)
        by_score = cluster_mean(scores.ravel(), range(scores.size), bootstrap=Bootstrap(499, 0.95), generator=draw)
        covered += by_image.low <= 0 <= by_image.high
        naive += by_score.low <= 0 <= by_score.high
    # BCa covers 93 % with 30 clusters (see cluster_mean); 3.3 binomial standard errors of 300 rounds are 4.9 points.
    assert abs(covered / rounds - 0.93) < 0.049
    assert naive / rounds < 0.75
