import math

import numpy as np
import pytest
from scipy.special import expit

from analysis import simulation
from analysis.errors import AnalysisError
from analysis.measure import MEASURES
from analysis.simulation import PAPER_DESIGN, TRUTHS, Design, Truth, study


@pytest.mark.parametrize("name", TRUTHS)
def test_large_studies_have_the_planted_shares(name: str) -> None:
    ratings = study(TRUTHS[name], Design(800, 800, 40_000, unevenness=0.0), np.random.default_rng(1))
    for one in MEASURES.values():
        scores, counted = one.scores(ratings), one.counts(ratings) > 0
        for arm, known in zip((False, True), TRUTHS[name].share(one.name), strict=True):
            assert scores[counted & (ratings.spade == arm)].mean() == pytest.approx(known, abs=0.025)


@pytest.mark.parametrize("name", ["paper", "paper, heterogeneous", "paper, one step, heterogeneous"])
def test_the_planted_odds_of_pairs_are_those_of_items_drawn_one_by_one(name: str) -> None:
    # Slower and plainer: draw items, and on each of them one rater an arm.
    planted, generator, n = TRUTHS[name], np.random.default_rng(5), 400_000
    passed = np.ones((2, n), dtype=bool)
    for shares in (planted.decided, planted.right):
        level, slope = generator.normal(0, np.hypot(planted.image, planted.item), n), generator.normal(size=n)
        for arm, side in enumerate((-0.5, 0.5)):
            own = generator.normal(0, planted.rater, n) + side * generator.normal(0, planted.rater_slope, n)
            base = simulation._logit_with_mean(shares[arm], planted.spread)
            chance = expit(base + level + side * planted.item_slope * slope + own)
            passed[arm] &= generator.random(n) < chance
    dense, spade = passed
    won, lost = int((spade & ~dense).sum()), int((dense & ~spade).sum())
    error = math.sqrt(1 / won + 1 / lost)
    assert planted.pair_log_odds() == pytest.approx(math.log(won / lost), abs=4 * error)


def test_only_where_all_are_decided_has_the_crossed_model_parameters_and_they_give_the_planted_shares() -> None:
    assert TRUTHS["paper, heterogeneous"].parameters() == {}
    planted = TRUTHS["paper, one step, heterogeneous"]
    known = planted.parameters()
    generator = np.random.default_rng(6)
    total = planted.spread * generator.normal(size=1_000_000)
    for share, side in zip(planted.agree, (-0.5, 0.5), strict=True):
        assert expit(known["intercept"] + side * known["effect"] + total).mean() == pytest.approx(share, abs=0.002)
    assert TRUTHS["none"].pair_log_odds() == pytest.approx(0, abs=1e-12)


def test_the_planted_difference_of_the_paper_is_the_papers() -> None:
    assert TRUTHS["paper"].difference("agree") == pytest.approx(0.698 - 0.567, abs=0.001)
    assert TRUTHS["none, heterogeneous"].difference("agree") == 0


@pytest.mark.parametrize("assignment", ["random", "balanced"])
def test_a_study_has_the_design_asked_for_and_no_rater_a_task_twice(assignment: str) -> None:
    design = Design(24, 30, 746, assignment=assignment)  # type: ignore[arg-type]
    ratings = study(TRUTHS["none"], design, np.random.default_rng(2))
    assert ratings.n == 746
    tasks = ratings.item * 2 + ratings.spade
    assert len(set(zip(ratings.rater.tolist(), tasks.tolist(), strict=True))) == 746
    if assignment == "balanced":
        counts = np.bincount(tasks, minlength=120)
        assert counts.max() - counts.min() <= 1


def test_raters_differ_as_planted() -> None:
    calm = Truth((0.8, 0.8), (0.7, 0.7))
    wild = Truth((0.8, 0.8), (0.7, 0.7), rater=2.0)
    design = Design(60, 100, 12_000, unevenness=0.0)
    spread = []
    for truth in (calm, wild):
        ratings = study(truth, design, np.random.default_rng(3))
        right = np.bincount(ratings.rater, weights=ratings.outcome == 0) / np.bincount(ratings.rater)
        spread.append(right.std())
    assert spread[1] > 4 * spread[0]


def test_one_seed_gives_one_study_and_another_seed_another() -> None:
    first, again, other = (study(TRUTHS["paper"], PAPER_DESIGN, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first.outcome == again.outcome).all()
    assert not (first.outcome == other.outcome).all()


def test_more_answers_than_tasks_are_refused() -> None:
    with pytest.raises(AnalysisError, match="each answers once"):
        study(TRUTHS["paper"], Design(2, 1, 9), np.random.default_rng(1))
