import math

import numpy as np
import pytest

from analysis import regression
from analysis.measure import measure
from analysis.ratings import of_labels
from analysis.simulation import PAPER_DESIGN, TRUTHS, study

AGREE = measure("agree")
RATINGS = study(TRUTHS["paper, heterogeneous"], PAPER_DESIGN, np.random.default_rng(1))


def test_the_sandwich_is_the_textbook_formula_for_two_means() -> None:
    found = regression.sandwich(RATINGS, AGREE, by="rater")
    right, spade = RATINGS.outcome == 0, RATINGS.spade
    influence = np.where(
        spade, (right - right[spade].mean()) / spade.sum(), -(right - right[~spade].mean()) / (~spade).sum()
    )
    clusters = np.bincount(RATINGS.rater, weights=influence)
    # CR1: G / (G - 1) * (n - 1) / (n - 2) of the squared cluster sums.
    factor = RATINGS.raters / (RATINGS.raters - 1) * (RATINGS.n - 1) / (RATINGS.n - 2)
    assert found.standard_error == pytest.approx(math.sqrt(factor * float(np.sum(clusters**2))))


@pytest.mark.parametrize("by", ["rater", "image"])
def test_gee_stays_near_the_plain_odds_ratio_and_its_correction_lengthens_the_interval(by: regression.Side) -> None:
    found = regression.gee(RATINGS, AGREE, by=by)
    right, spade = RATINGS.outcome == 0, RATINGS.spade
    odds = [part.mean() / (1 - part.mean()) for part in (right[~spade], right[spade])]
    assert math.log(found.value) == pytest.approx(math.log(odds[1] / odds[0]), abs=0.1)
    assert found.df == (RATINGS.raters if by == "rater" else RATINGS.images) - 1
    assert "bias-reduced" in found.method


def test_clusters_too_large_for_the_correction_fall_back_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regression, "LARGEST_FOR_BIAS_REDUCTION", 10)
    found = regression.gee(RATINGS, AGREE, by="rater")
    assert "without bias reduction" in found.caveats[-1]
    assert "robust covariance" in found.method


def test_relative_risk_ratios_are_those_of_the_three_by_two_table() -> None:
    counts = np.stack([np.bincount(RATINGS.outcome[RATINGS.spade == arm], minlength=3) for arm in (False, True)])
    agree, undecided = regression.multinomial(RATINGS)
    assert agree.value == pytest.approx(counts[1, 0] / counts[1, 1] / (counts[0, 0] / counts[0, 1]), rel=1e-4)
    assert undecided.value == pytest.approx(counts[1, 2] / counts[1, 1] / (counts[0, 2] / counts[0, 1]), rel=1e-4)
    assert agree.low < agree.value < agree.high


def test_separation_and_an_outcome_that_never_occurs_are_named() -> None:
    spade = np.array([0, 0, 1, 1] * 4, dtype=bool)
    rater, image = np.arange(16) % 4, np.arange(16) // 4
    separated = of_labels(np.where(spade, 0, 1), spade, rater, image, image)
    assert "separation" in regression.gee(separated, AGREE, by="rater").reason
    assert all("never occurs" in one.reason for one in regression.multinomial(separated))
