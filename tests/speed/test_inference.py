"""The crossed Bayesian model: what its effective draws cost, beside the same sampler without its second step."""

from collections.abc import Callable

import numpy as np
import pytest

from analysis import crossed_logistic as model
from analysis.crossed_gibbs import Sampler
from analysis.crossed_logistic import Chains, Posterior
from analysis.measure import measure
from analysis.polya_gamma import polya_gamma
from analysis.ratings import Floats
from analysis.simulation import TRUTHS, Design, study

pytestmark = pytest.mark.speed

AGREE = measure("agree")
DESIGNS = {"746 answers": Design(), "10,000 answers": Design(raters=250, images=100, ratings=10_000)}
CHAINS = Chains(chains=4, warm_up=200, kept=600)
Paired = Callable[..., None]


class _OneWay(Sampler):
    """Spreads are drawn given the effects only, as the plainest Gibbs sampler does."""

    def _draw_scales(self, weights: Floats) -> None:
        del weights


def _effective(found: Posterior) -> tuple[float, float]:
    """Effective draws of the risk difference, and of the worst-sampled parameter."""
    return found.parameters[0].bulk_ess, min(one.bulk_ess for one in found.parameters)


@pytest.mark.parametrize("size", DESIGNS)
def test_effective_draws_of_the_crossed_model(paired: Paired, monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    ratings = study(TRUTHS["paper, heterogeneous"], DESIGNS[size], np.random.default_rng(1))

    def sample(sampler: type[Sampler]) -> Posterior:
        monkeypatch.setattr(model, "Sampler", sampler)
        return model.crossed_logistic(ratings, AGREE, generator=np.random.default_rng(2), chains=CHAINS)

    difference, worst = _effective(sample(Sampler))
    _, plain_worst = _effective(sample(_OneWay))
    paired(
        f"{difference:.0f} effective draws of the difference, at least {worst:.0f} of any parameter, {size}",
        lambda: sample(Sampler),
        other="one-way spreads, same draws of the worst",
        theirs=lambda: sample(_OneWay),
        theirs_times=worst / plain_worst,
        rounds=2,
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
