import dataclasses

import numpy as np
import pytest

from analysis.errors import AnalysisError
from analysis.monitoring import looks
from analysis.power import PowerCell, grid, power, ratings_needed, truth_with
from analysis.simulation import Design

DECIDED = (0.771, 0.874)


def cell(difference: float, *, ratings: int = 746, studies: int = 60, heterogeneity: str = "mild") -> PowerCell:
    decided = DECIDED if difference else (DECIDED[0], DECIDED[0])
    truth = truth_with(base=0.567, difference=difference, decided=decided, heterogeneity=heterogeneity)
    return power(Design(ratings=ratings), truth, studies=studies, alpha=0.05, generator=np.random.default_rng(1))


def test_a_truth_has_the_base_and_the_difference_asked_for() -> None:
    truth = truth_with(base=0.567, difference=0.131, decided=DECIDED, heterogeneity="strong")
    assert truth.share("overall_success") == pytest.approx((0.567, 0.698))
    only = truth_with(base=0.736, difference=0.063, decided=DECIDED, heterogeneity="none", measure="agree_decided")
    assert only.share("agree_decided") == pytest.approx((0.736, 0.799))


def test_a_larger_effect_and_more_ratings_are_found_more_often() -> None:
    small, large, more = cell(0.05), cell(0.2), cell(0.05, ratings=3000)
    assert small.power < large.power
    assert small.power < more.power
    assert more.half_width < small.half_width


def test_the_naive_power_without_heterogeneity_is_the_closed_form() -> None:
    # Two arms of 373 at .567 and .698: z = .131 / sqrt(.6325 * .3675 * 2 / 373) = 3.711; Phi(3.711 - 1.96) = .960.
    found = cell(0.131, studies=400, heterogeneity="none")
    share = found.naive_found / found.studies
    # 400 studies know a share of .96 to .01 (one standard error).
    assert share == pytest.approx(0.960, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("heterogeneity", ["none", "mild", "moderate", "strong"])
def test_the_primary_test_rejects_a_true_null_at_most_six_times_in_a_hundred(heterogeneity: str) -> None:
    found = cell(0.0, studies=2000, heterogeneity=heterogeneity)
    # 2,000 studies know a share of .05 to .005 (one standard error).
    assert found.power <= 0.06
    assert found.covered / found.with_interval >= 0.93


def test_looking_early_by_the_rule_costs_ratings_saved_and_keeps_the_level() -> None:
    truth = truth_with(base=0.567, difference=0.0, decided=(0.8, 0.8), heterogeneity="none")
    boundary = looks([0.5, 1.0], spending="pocock", alpha=0.05)
    design = Design()
    watched = power(design, truth, studies=300, alpha=0.05, generator=np.random.default_rng(0), looks=boundary)
    # .05 plus three standard errors of 300 studies, .0126 each.
    assert watched.power <= 0.05 + 3 * 0.0126
    strong = truth_with(base=0.5, difference=0.3, decided=(0.9, 0.9), heterogeneity="none")
    early = power(design, strong, studies=20, alpha=0.05, generator=np.random.default_rng(0), looks=boundary)
    assert early.mean_ratings == pytest.approx(373)


def test_adding_a_design_to_the_grid_changes_no_other_cell() -> None:
    truth = truth_with(base=0.5, difference=0.2, decided=(0.9, 0.9), heterogeneity="none")
    one = grid(raters=[6], ratings=[100], images=20, truths=[truth], studies=10, alpha=0.05, seed=3)
    two = grid(raters=[4, 6], ratings=[50, 100], images=20, truths=[truth], studies=10, alpha=0.05, seed=3)
    assert one[0] in two


def test_the_ratings_needed_lie_between_the_designs_around_the_target() -> None:
    some = cell(0.1, studies=10)
    made = [
        dataclasses.replace(some, design=Design(ratings=n), studies=1000, found=found)
        for n, found in [(100, 200), (400, 500), (900, 900)]
    ]
    # Probits of .5 and .9 are 0 and 1.2816, at roots 20 and 30; that of .8 is .8416: 20 + 10 * .6567, squared 705.9.
    assert ratings_needed(made, 0.8) == 706
    assert ratings_needed(made, 0.95) == float("inf")
    assert ratings_needed(made, 0.1) == 100


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"heterogeneity": "moderat"}, "did you mean 'moderate'"),
        ({"difference": 0.5}, "cannot be"),
        ({"measure": "undecided"}, "not for 'undecided'"),
    ],
)
def test_a_truth_that_cannot_be_is_refused(changes: dict[str, object], sentence: str) -> None:
    asked: dict[str, object] = {"base": 0.567, "difference": 0.1, "decided": DECIDED, "heterogeneity": "none"}
    with pytest.raises(AnalysisError, match=sentence):
        truth_with(**(asked | changes))  # type: ignore[arg-type]


def test_more_ratings_than_tasks_are_refused() -> None:
    truth = truth_with(base=0.5, difference=0.2, decided=(0.9, 0.9), heterogeneity="none")
    with pytest.raises(AnalysisError, match="at most 160 ratings"):
        grid(raters=[2], ratings=[161], images=20, truths=[truth], studies=10, alpha=0.05, seed=0)
