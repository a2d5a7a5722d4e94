"""The crossed Bayesian logistic model: levels and slopes of raters and items at once, by Polya-Gamma Gibbs sampling.

logit P(right) = intercept + arm (effect + rater slope + item slope) + rater + image + item, with arm = -1/2 for dense
and 1/2 for SPADE; the sampler is `analysis.crossed_gibbs`.

Priors, on the logit scale: intercept N(0, 2.5), effect N(0, 1.5), each standard deviation half-normal(1).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, roots_hermitenorm

from .chains import bulk_ess, r_hat, tail_ess
from .crossed import why_no_contrast, why_no_interval
from .crossed_gibbs import SPREADS, Sampler
from .estimate import Estimate
from .measure import Measure
from .ratings import Floats, Ratings

LARGEST_R_HAT, LEAST_ESS = 1.01, 100
"""What chains should reach: R-hat below the one, effective sizes of the other a chain (Vehtari et al. 2021)."""
PARAMETERS = {
    "risk_difference": "the risk difference",
    "intercept": "the intercept",
    "effect": "the effect",
    "rater": "the spread of raters",
    "rater_slope": "the spread of the effect over raters",
    "image": "the spread of images",
    "item": "the spread of items",
    "item_slope": "the spread of the effect over items",
}
"""What a reader calls each parameter; spreads are standard deviations on the logit scale."""
MOST_DRAWN = 3e8
"""Polya-Gamma draws that a fit may take; beyond it the chains are shortened, and their effective size tells."""
LEAST_KEPT = 200
"""Draws a chain below which shortened chains would say nothing, and none are drawn."""


@dataclass(frozen=True)
class Chains:
    """How long to sample."""

    chains: int = 4
    warm_up: int = 500
    kept: int = 2000

    def shortened(self, answers: int) -> "Chains":
        """The same chains, shortened for so many answers that they would take too long."""
        share = min(1.0, MOST_DRAWN / (max(answers, 1) * self.chains * (self.warm_up + self.kept)))
        return replace(self, warm_up=int(self.warm_up * share), kept=int(self.kept * share))


@dataclass(frozen=True)
class Parameter:
    """One parameter's posterior: median, interval, and how well it was sampled."""

    name: str
    median: float
    low: float
    high: float
    r_hat: float
    bulk_ess: float
    tail_ess: float


@dataclass(frozen=True)
class Posterior:
    """The crossed model's answer.

    Attributes:
        difference: risk difference over new raters and images (posterior median, equal-tailed interval).
        odds_ratio: odds ratio for one rater on one item, at the median rater and item slope.
        positive: posterior probability that the risk difference is positive.
        parameters: every parameter with its diagnostics; spreads are standard deviations on the logit scale.
        chains: how long it was sampled.
        converged: whether all R-hat are below 1.01 and all effective sizes at least 100 a chain.
    """

    difference: Estimate
    odds_ratio: Estimate
    positive: float
    parameters: tuple[Parameter, ...]
    chains: Chains
    converged: bool


def crossed_logistic(
    ratings: Ratings,
    measure: Measure,
    *,
    generator: np.random.Generator,
    chains: Chains | None = None,
    level: float = 0.95,
    progress: Callable[[int, int], None] | None = None,
) -> Posterior:
    """The posterior of the crossed model; `progress` is told iterations done and in all.

    An arm without answers, one rater or one image gives no value and a reason. Separation and answers that are all the
    same give a value that the priors keep finite, and a caveat.
    """
    return _posteriors((ratings,), measure, generator, chains=chains, level=level, progress=progress)[0]


def crossed_logistic_of_studies(
    studies: Sequence[Ratings],
    measure: Measure,
    *,
    generator: np.random.Generator,
    chains: Chains | None = None,
    level: float = 0.95,
) -> tuple[Posterior, ...]:
    """The posterior of each of several studies, sampled side by side: for small ones a fraction of the cost.

    Raises:
        ValueError: the studies differ in how many of their answers count.
    """
    return _posteriors(studies, measure, generator, chains=chains, level=level)


def _posteriors(
    studies: Sequence[Ratings],
    measure: Measure,
    generator: np.random.Generator,
    *,
    chains: Chains | None,
    level: float,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Posterior, ...]:
    asked = (chains or Chains()).shortened(sum(ratings.n for ratings in studies))
    few = _too_few(studies, asked, chains or Chains())
    blanks = [_blank(ratings, measure, level, few) for ratings in studies]
    used = [
        ratings.where(measure.counts(ratings) > 0)
        for ratings, blank in zip(studies, blanks, strict=True)
        if not blank.reason
    ]
    if len({ratings.n for ratings in used}) > 1:
        raise ValueError("Studies sampled side by side need the same number of answers that count.")
    drawn: Iterator[Floats] = iter(())
    if used:
        right = [measure.scores(ratings) for ratings in used]
        found = Sampler(used, right, generator, chains=asked.chains).run(asked.warm_up, asked.kept, progress)
        drawn = iter(np.split(found, len(used)))
    return tuple(
        Posterior(blank, _odds(blank), math.nan, (), asked, converged=False)
        if blank.reason
        else _posterior(blank, next(drawn), asked, all_the_same=bool(why_no_interval(ratings, measure)))
        for ratings, blank in zip(studies, blanks, strict=True)
    )


def _too_few(studies: Sequence[Ratings], asked: Chains, whole: Chains) -> str:
    """Why no chains are drawn, where shortening them would leave too little; else empty."""
    if asked.kept >= min(LEAST_KEPT, whole.kept):
        return ""
    answers = sum(ratings.n for ratings in studies)
    return (
        f"{answers:,} answers leave time for {asked.kept} draws a chain, too few to say anything; with so many the "
        "intervals over raters and images need no model."
    )


def _blank(ratings: Ratings, measure: Measure, level: float, few: str) -> Estimate:
    reason = why_no_contrast(ratings, measure)
    if not reason and min(ratings.raters, ratings.images) < 2:
        reason = why_no_interval(ratings, measure)
    if not reason and any(score not in {0, 1} for score in measure.score):
        reason = "Half an answer is neither right nor wrong; a logistic model is not for this measure."
    reason = reason or few
    return Estimate(
        "crossed_logistic",
        "risk difference",
        measure.name,
        level=level,
        n=ratings.n,
        raters=ratings.raters,
        images=ratings.images,
        method="crossed logistic model, posterior median and equal-tailed interval over new raters and images",
        source="analysis.crossed_logistic.crossed_logistic",
        caveats=(measure.caveat,) if measure.caveat else (),
        reason=reason,
    )


def _odds(blank: Estimate) -> Estimate:
    return replace(blank, name="crossed_logistic_odds_ratio", quantity="odds ratio given rater and item")


def _posterior(blank: Estimate, draws: Floats, asked: Chains, *, all_the_same: bool) -> Posterior:
    """What the draws [chains, kept, 7] of one study say."""
    marginal = _marginal_difference(draws)
    named = {"risk_difference": marginal, "intercept": draws[..., 0], "effect": draws[..., 1]}
    named |= {name: draws[..., 2 + place] for place, name in enumerate(SPREADS)}
    parameters = tuple(_summary(name, values, blank.level) for name, values in named.items())
    short = _short_of(parameters, asked)
    caveats = [*blank.caveats, *([short] if short else [])]
    if all_the_same:
        caveats.append("All answers are the same: the interval is what the priors allow, and hardly anything else.")
    effect = parameters[2]
    odds = _told(_odds(blank), math.exp(effect.median), effect, caveats, draws[..., 1])
    return Posterior(
        _told(blank, parameters[0].median, parameters[0], caveats, marginal),
        replace(odds, low=math.exp(effect.low), high=math.exp(effect.high)),
        float(np.mean(marginal > 0)),
        parameters,
        asked,
        converged=not short,
    )


def _short_of(parameters: Sequence[Parameter], asked: Chains) -> str:
    """Where the chains fall short of the usual standard, by parameter; empty where they meet it."""
    needed = LEAST_ESS * asked.chains
    apart = [f"{PARAMETERS[one.name]} {one.r_hat:.3f}" for one in parameters if not one.r_hat < LARGEST_R_HAT]
    few = [
        f"{PARAMETERS[one.name]} {min(one.bulk_ess, one.tail_ess):.0f}"
        for one in parameters
        if not min(one.bulk_ess, one.tail_ess) >= needed
    ]
    said = [f"R-hat should be below {LARGEST_R_HAT} and is, for {'; '.join(apart)}"] if apart else []
    said += [f"the effective size should be at least {needed} and is, for {'; '.join(few)}"] if few else []
    return f"Sampled short of the usual standard: {', and '.join(said)}." if said else ""


def _told(blank: Estimate, value: float, parameter: Parameter, caveats: list[str], draws: Floats) -> Estimate:
    return replace(
        blank,
        value=value,
        low=parameter.low,
        high=parameter.high,
        standard_error=float(draws.std(ddof=1)),
        caveats=tuple(caveats),
    )


def _summary(name: str, draws: Floats, level: float) -> Parameter:
    low, median, high = np.quantile(draws, [(1 - level) / 2, 0.5, (1 + level) / 2])
    return Parameter(name, float(median), float(low), float(high), r_hat(draws), bulk_ess(draws), tail_ess(draws))


def _marginal_difference(draws: Floats) -> Floats:
    """SPADE's share minus dense's, averaged over normal raters and items, for each draw [chains, kept]."""
    nodes, weights = roots_hermitenorm(30)
    weights = weights / weights.sum()
    spread = draws[..., 2:]
    total = np.sqrt(np.sum((spread * [1, 0.5, 1, 1, 0.5]) ** 2, axis=-1))
    shares = [
        expit((draws[..., 0] + side * draws[..., 1])[..., None] + total[..., None] * nodes) @ weights
        for side in (0.5, -0.5)
    ]
    return np.asarray(shares[0] - shares[1])
