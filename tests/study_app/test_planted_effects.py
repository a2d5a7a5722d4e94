"""Small studies through the app's own pages with planted effects: does the report's primary interval hold the truth?"""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.special import expit, logit, roots_hermitenorm
from scipy.stats import binom

from analysis import responses
from analysis.crossed import risk_difference
from analysis.measure import measure
from analysis.ratings import of_frame
from study_app.cli import main
from study_app.simulation.profile import Population

STUDIES = 12
SIZE = ("--raters", "10", "--ratings", "120", "--images", "12")
PAPER = Population(leaves=0.0, bias=0.02)
"""The paper's shares; few answers for want of a look, so that the planted effect is hardly diluted."""
NONE = replace(PAPER, undecided_spade=PAPER.undecided_dense, agree_spade=PAPER.agree_dense)
TRUTHS = {
    "none": NONE,
    "none, heterogeneous": replace(NONE, images=0.5, effect_over_raters=0.6, effect_over_images=1.2),
    "paper": PAPER,
    "paper, heterogeneous": replace(PAPER, images=0.5, effect_over_raters=0.6, effect_over_images=1.2),
}


def truth_of(population: Population) -> float:
    """The difference in agreement over new raters and images, averaged over everything that varies among them."""
    nodes, weights = roots_hermitenorm(60)
    weights = weights / weights.sum()

    def over(share: float, *spreads: float) -> float:
        return float(weights @ expit(logit(share) + math.hypot(*spreads) * nodes))

    apart = (population.spread, population.images, population.effect_over_raters / 2, population.effect_over_images / 2)
    shares = [
        (1 - over(undecided, population.spread)) * over(agree, *apart)
        for undecided, agree in (
            (population.undecided_dense, population.agree_dense),
            (population.undecided_spade, population.agree_spade),
        )
    ]
    # An answer on a favourite side is right half the time in both arms: it cancels but for its share. A rater's bias
    # is exponential, cut at 1.
    bias = population.bias * (1 - math.exp(-1 / population.bias))
    return (1 - bias) * (shares[1] - shares[0])


@dataclass(frozen=True)
class Found:
    error: float
    covered: bool
    rejected: bool
    width: float


def through_the_app(population: Population, seed: int, folder: Path) -> Found:
    planted = [
        word
        for name, value in (
            ("--agree-dense", population.agree_dense),
            ("--agree-spade", population.agree_spade),
            ("--undecided-dense", population.undecided_dense),
            ("--undecided-spade", population.undecided_spade),
            ("--spread", population.spread),
            ("--images-spread", population.images),
            ("--effect-over-raters", population.effect_over_raters),
            ("--effect-over-images", population.effect_over_images),
            ("--bias", population.bias),
            ("--leaves", population.leaves),
        )
        for word in (name, str(value))
    ]
    said = CliRunner().invoke(main, ["simulate", *SIZE, *planted, "--seed", str(seed), "--out", str(folder)])
    assert said.exit_code == 0, said.output
    found = risk_difference(of_frame(responses.read(folder).frame), measure("agree"))
    truth = truth_of(population)
    covered, rejected = found.low <= truth <= found.high, found.p_value < 0.05
    return Found(found.value - truth, covered, rejected, found.high - found.low)


def test_the_planted_difference_is_the_one_that_many_raters_and_images_show() -> None:
    generator = np.random.default_rng(1)
    population = TRUTHS["paper, heterogeneous"]
    n = 400_000

    def drawn(spread: float) -> np.ndarray:
        return generator.normal(0, spread, n)

    skill, caution = drawn(population.spread), drawn(population.spread)
    half = (drawn(population.effect_over_raters) + drawn(population.effect_over_images)) / 2
    level = skill + drawn(population.images)
    bias = np.minimum(1, generator.exponential(population.bias, n))
    shares = [
        np.mean(bias / 2 + (1 - bias) * (1 - expit(logit(u) + caution)) * expit(logit(a) + level + side * half))
        for u, a, side in (
            (population.undecided_dense, population.agree_dense, -1),
            (population.undecided_spade, population.agree_spade, 1),
        )
    ]
    assert truth_of(population) == pytest.approx(shares[1] - shares[0], abs=0.002)
    assert truth_of(NONE) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", TRUTHS)
def test_effects_planted_in_raters_of_the_app_come_back_in_the_primary_interval(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [through_the_app(TRUTHS[name], seed, tmp_path / str(seed)) for seed in range(STUDIES)]
    errors = np.array([one.error for one in found])
    covered, rejected = sum(one.covered for one in found), sum(one.rejected for one in found)
    scatter = errors.std(ddof=1) / math.sqrt(STUDIES)
    with capsys.disabled():
        print(  # noqa: T201 - the row of docs/calibration.md
            f"\n| {name} | {100 * truth_of(TRUTHS[name]):+.1f} | {STUDIES} | {100 * errors.mean():+.1f} "
            f"({100 * scatter:.1f}) | {covered} of {STUDIES} | {100 * np.mean([one.width for one in found]):.0f} "
            f"| {rejected} of {STUDIES} |"
        )
    assert abs(errors.mean()) < 4 * scatter
    # Fewer than this happens to a 95 % interval once in a thousand such tests.
    assert covered >= binom.ppf(0.001, STUDIES, 0.95)
    if name.startswith("none"):
        assert rejected <= binom.ppf(0.999, STUDIES, 0.05)
