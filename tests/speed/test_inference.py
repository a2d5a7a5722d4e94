"""What inference costs: an effective draw of the crossed Bayesian model, a Polya-Gamma draw, a conditional logit."""

from collections.abc import Callable

import numpy as np
import pytest

from analysis import crossed_logistic as model
from analysis.conditional_likelihood import most_likely, tables_of
from analysis.crossed_gibbs import Sampler
from analysis.crossed_logistic import PARAMETERS, Chains, Posterior
from analysis.matched import conditional_logit
from analysis.measure import measure
from analysis.polya_gamma import polya_gamma
from analysis.ratings import Floats
from analysis.simulation import TRUTHS, Design, study

pytestmark = pytest.mark.speed

AGREE = measure("agree")
SIZES = {
    "746 answers": (Design(), Chains(chains=4, warm_up=100, kept=500)),
    "10,000 answers": (Design(raters=250, images=100, ratings=10_000), Chains(chains=4, warm_up=100, kept=300)),
}
Paired = Callable[..., None]


class _OneWay(Sampler):
    """Spreads are drawn given the effects only, as the plainest Gibbs sampler does."""

    def _draw_scales(self, weights: Floats) -> None:
        del weights


def _least(found: Posterior) -> tuple[str, float]:
    """The worst-sampled parameter and its effective draws."""
    worst = min(found.parameters, key=lambda one: one.bulk_ess)
    return PARAMETERS[worst.name], worst.bulk_ess


@pytest.mark.parametrize("size", SIZES)
def test_an_effective_draw_of_the_crossed_model(paired: Paired, monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    design, chains = SIZES[size]
    ratings = study(TRUTHS["paper, heterogeneous"], design, np.random.default_rng(1))

    def sample(sampler: type[Sampler]) -> Posterior:
        monkeypatch.setattr(model, "Sampler", sampler)
        return model.crossed_logistic(ratings, AGREE, generator=np.random.default_rng(2), chains=chains)

    found = sample(Sampler)
    (worst, draws), (plain_worst, plain_draws) = _least(found), _least(sample(_OneWay))
    kept, difference = chains.chains * chains.kept, found.parameters[0].bulk_ess
    paired(
        f"one effective draw of {worst}, the worst-sampled of all, {size} ({draws:.0f} of {kept} draws are effective; "
        f"of the risk difference {difference:.0f})",
        lambda: sample(Sampler),
        other=f"spreads drawn one way: {plain_draws:.0f} of {plain_worst}",
        theirs=lambda: sample(_OneWay),
        theirs_times=draws / plain_draws,
        units=draws,
        rounds=1,
    )


def test_polya_gamma_draws(paired: Paired) -> None:
    z = np.random.default_rng(1).normal(0, 2, 20_000)
    generator = np.random.default_rng(2)
    k = np.arange(1, 201)

    def by_definition() -> None:
        weights = 1 / ((k - 0.5) ** 2 + (z[:2000, None] / (2 * np.pi)) ** 2) / (2 * np.pi**2)
        np.sum(generator.standard_exponential((2000, k.size)) * weights, axis=1)

    paired(
        "20,000 Polya-Gamma draws, exact",
        lambda: polya_gamma(z, generator),
        other="sum of 200 gammas",
        theirs=by_definition,
        theirs_times=10,
    )


def test_the_conditional_logit_without_each_cluster(paired: Paired) -> None:
    ratings = study(TRUTHS["paper, heterogeneous"], Design(60, 50, 3000), np.random.default_rng(1))
    counted, right = np.ones(ratings.n, dtype=bool), ratings.outcome == 0

    def one_by_one() -> None:
        # A tenth of the rows it takes: each rater and each image left out in turn.
        for side in (ratings.rater, ratings.image):
            for one in range(0, int(side.max()) + 1, 10):
                kept = counted & (side != one)
                most_likely(tables_of(right[kept], ratings.spade[kept], ratings.item[kept], ratings.items))

    paired(
        "conditional logit and its jackknife, 3,000 answers",
        lambda: conditional_logit(ratings, AGREE),
        other="one fit a cluster left out",
        theirs=one_by_one,
        theirs_times=10,
    )
