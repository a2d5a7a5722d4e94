"""The crossed Bayesian logistic model: levels and slopes of raters and items at once, by Polya-Gamma Gibbs sampling.

logit P(right) = intercept + arm (effect + rater slope + item slope) + rater + image + item, with arm = -1/2 for dense
and 1/2 for SPADE. Given Polya-Gamma weights (Polson, Scott, Windle 2013) everything but the standard deviations is
Gaussian. Raters are drawn together with intercept and effect given the images, then images and items together with
intercept and effect given the raters: drawing the common terms along with each side is what keeps a crossed model's
sampler from crawling (Papaspiliopoulos, Roberts, Zanella 2020), at a cost linear in the answers. Each standard
deviation is drawn twice, given the effects and given the standardised effects (Yu and Meng 2011), since the one
crawls where it is small and the other where it is large.

Priors, on the logit scale: intercept N(0, 2.5), effect N(0, 1.5), each standard deviation half-normal(1).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, roots_hermitenorm

from .chains import bulk_ess, r_hat, tail_ess
from .crossed import why_no_contrast, why_no_interval
from .estimate import Estimate
from .measure import Measure
from .polya_gamma import polya_gamma
from .ratings import Floats, Integers, Ratings

PRIOR_INTERCEPT, PRIOR_EFFECT, PRIOR_SPREAD = 2.5, 1.5, 1.0
SPREADS = ("rater", "rater_slope", "image", "item", "item_slope")
MOST_DRAWN = 3e8
"""Polya-Gamma draws that a fit may take; beyond it the chains are shortened, and their effective size tells."""


@dataclass(frozen=True)
class Chains:
    """How long to sample."""

    chains: int = 4
    warm_up: int = 500
    kept: int = 2000

    def shortened(self, answers: int) -> "Chains":
        """The same chains, shortened for so many answers that they would take too long."""
        share = min(1.0, MOST_DRAWN / (max(answers, 1) * self.chains * (self.warm_up + self.kept)))
        return replace(self, warm_up=max(50, int(self.warm_up * share)), kept=max(100, int(self.kept * share)))


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
    asked = (chains or Chains()).shortened(ratings.n)
    blank = Estimate(
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
    )
    odds = replace(blank, name="crossed_logistic_odds_ratio", quantity="odds ratio given rater and item")
    reason = why_no_contrast(ratings, measure)
    if not reason and min(ratings.raters, ratings.images) < 2:
        reason = why_no_interval(ratings, measure)
    if not reason and any(score not in {0, 1} for score in measure.score):
        reason = "Half an answer is neither right nor wrong; a logistic model is not for this measure."
    if reason:
        return Posterior(
            replace(blank, reason=reason), replace(odds, reason=reason), math.nan, (), asked, converged=False
        )
    counted = measure.counts(ratings) > 0
    used = ratings.where(counted) if not counted.all() else ratings
    draws = _Sampler(used, measure.scores(used), asked, generator).run(progress)
    marginal = _marginal_difference(draws)
    named = {"risk_difference": marginal, "intercept": draws[..., 0], "effect": draws[..., 1]}
    named |= {name: draws[..., 2 + place] for place, name in enumerate(SPREADS)}
    parameters = tuple(_summary(name, values, level) for name, values in named.items())
    converged = all(one.r_hat < 1.01 and min(one.bulk_ess, one.tail_ess) >= 100 * asked.chains for one in parameters)
    caveats = list(blank.caveats)
    if why_no_interval(used, measure):
        caveats.append("All answers are the same: the interval is what the priors allow, and hardly anything else.")
    if not converged:
        worst = max(parameters, key=lambda one: one.r_hat)
        caveats.append(
            f"Sampled short of the usual standard (R-hat below 1.01, effective size {100 * asked.chains}): "
            f"{worst.name} has R-hat {worst.r_hat:.3f}, the difference has an effective size of "
            f"{parameters[0].bulk_ess:.0f}."
        )
    effect = parameters[2]
    return Posterior(
        _told(blank, parameters[0].median, parameters[0], caveats, marginal),
        replace(
            _told(odds, math.exp(effect.median), effect, caveats, draws[..., 1]),
            low=math.exp(effect.low),
            high=math.exp(effect.high),
        ),
        float(np.mean(marginal > 0)),
        parameters,
        asked,
        converged,
    )


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


class _Sampler:
    """The Gibbs sampler; all chains go through each step together."""

    def __init__(self, ratings: Ratings, right: Floats, chains: Chains, generator: np.random.Generator) -> None:
        self._chains, self._generator = chains, generator
        self._kappa = np.broadcast_to(right - 0.5, (chains.chains, ratings.n))
        self._arm = np.where(ratings.spade, 0.5, -0.5)
        self._rater, self._item = ratings.rater, ratings.item
        self._raters, self._items = ratings.raters, ratings.items
        _, first = np.unique(ratings.item, return_index=True)
        self._image_of_item = ratings.image[first]
        self._images = ratings.images
        order = np.argsort(self._image_of_item, kind="stable")
        starts = np.searchsorted(self._image_of_item[order], np.arange(self._images))
        self._slot = np.empty(self._items, dtype=np.int64)
        self._slot[order] = np.arange(self._items) - starts[self._image_of_item[order]]
        self._slots = int(self._slot.max()) + 1
        shape = (chains.chains,)
        # Chains start apart, so that their agreement says something.
        self._beta = generator.normal(0, 0.5, (*shape, 2))
        self._spread = generator.uniform(0.2, 1.0, (*shape, 5))
        self._by_rater = generator.normal(0, 0.1, (*shape, self._raters, 2))
        self._by_image = generator.normal(0, 0.1, (*shape, self._images))
        self._by_item = generator.normal(0, 0.1, (*shape, self._items, 2))

    def run(self, progress: Callable[[int, int], None] | None) -> Floats:
        """Intercept, effect and the five spreads [chains, kept, 7]."""
        length = self._chains.warm_up + self._chains.kept
        found = np.empty((self._chains.chains, self._chains.kept, 7))
        for step in range(length):
            self._step()
            if step >= self._chains.warm_up:
                found[:, step - self._chains.warm_up] = np.concatenate([self._beta, self._spread], axis=1)
            if progress is not None:
                progress(step + 1, length)
        return found

    def _step(self) -> None:
        common = self._beta[:, :1] + self._beta[:, 1:] * self._arm
        weights = polya_gamma(common + self._rater_part() + self._image_part(), self._generator)
        self._draw_raters(weights, self._image_part())
        self._draw_images(weights, self._rater_part())
        self._draw_spreads()
        self._draw_scales(weights)

    def _rater_part(self) -> Floats:
        """What raters add to each answer's logit [chains, n]."""
        own = self._by_rater[:, self._rater]
        return np.asarray(own[..., 0] + own[..., 1] * self._arm)

    def _image_part(self) -> Floats:
        """What images and items add to each answer's logit [chains, n]."""
        own = self._by_item[:, self._item]
        level = self._by_image[:, self._image_of_item][:, self._item]
        return np.asarray(level + own[..., 0] + own[..., 1] * self._arm)

    def _sums(self, values: Floats, groups: Integers, size: int) -> Floats:
        """Sums of values [chains, n] and of values times arm by group [chains, size, 2]."""
        chains = values.shape[0]
        places = (groups + size * np.arange(chains)[:, None]).ravel()
        parts = [
            np.bincount(places, weights=part.ravel(), minlength=chains * size) for part in (values, values * self._arm)
        ]
        return np.asarray(np.stack(parts, axis=-1).reshape(chains, size, 2), dtype=np.float64)

    def _draw_raters(self, weights: Floats, offset: Floats) -> None:
        precision = _two_by_two(self._sums(weights, self._rater, self._raters))
        score = self._sums(self._kappa - weights * offset, self._rater, self._raters)
        prior = _diagonal(_inverse_square(self._spread[:, :2]))[:, None]
        self._beta, self._by_rater = self._arrow(
            precision + prior, precision, precision.sum(axis=1), score, score.sum(axis=1)
        )

    def _draw_images(self, weights: Floats, offset: Floats) -> None:
        chains, wide = weights.shape[0], 1 + 2 * self._slots
        own = _two_by_two(self._sums(weights, self._item, self._items))
        own_score = self._sums(self._kappa - weights * offset, self._item, self._items)
        precision = np.zeros((chains, self._images, wide, wide))
        cross = np.zeros((chains, self._images, wide, 2))
        score = np.zeros((chains, self._images, wide))
        prior = _inverse_square(self._spread[:, 2:])
        precision[:, :, 0, 0] = prior[:, :1]
        for slot in range(self._slots):
            items = np.flatnonzero(self._slot == slot)
            images, block = self._image_of_item[items], slice(1 + 2 * slot, 3 + 2 * slot)
            precision[:, images, :1, :1] += own[:, items, :1, :1]
            precision[:, images, :1, block] = own[:, items, :1]
            precision[:, images, block, :1] = own[:, items, :, :1]
            precision[:, images, block, block] = own[:, items]
            precision[:, :, block, block] += _diagonal(prior[:, 1:])[:, None]
            cross[:, images, :1] += own[:, items, :1]
            cross[:, images, block] = own[:, items]
            score[:, images, :1] += own_score[:, items, :1]
            score[:, images, block] = own_score[:, items]
        self._beta, drawn = self._arrow(precision, cross, own.sum(axis=1), score, own_score.sum(axis=1))
        self._by_image = drawn[..., 0]
        slots = drawn[..., 1:].reshape(chains, self._images, self._slots, 2)
        self._by_item = slots[:, self._image_of_item, self._slot]

    def _arrow(
        self, leaf: Floats, cross: Floats, head: Floats, score: Floats, head_score: Floats
    ) -> tuple[Floats, Floats]:
        """A draw of the two common terms [chains, 2] and of every leaf [chains, leaves, d] from their joint Gaussian.

        Its precision is an arrow: leaves [.., d, d] on the diagonal, each tied to the head [chains, 2, 2] by cross
        [.., d, 2]. The head is drawn first with the leaves integrated out, then the leaves given it.
        """
        solved = np.linalg.solve(leaf, np.concatenate([cross, score[..., None]], axis=-1))
        head = head + np.array([PRIOR_INTERCEPT**-2, PRIOR_EFFECT**-2]) * np.eye(2)
        schur = head - np.einsum("cgdk,cgdl->ckl", cross, solved[..., :2])
        rest = head_score - np.einsum("cgdk,cgd->ck", cross, solved[..., 2])
        beta = self._gaussian(schur, rest)
        mean = solved[..., 2] - np.einsum("cgdk,ck->cgd", solved[..., :2], beta)
        return beta, mean + self._noise(leaf)

    def _gaussian(self, precision: Floats, score: Floats) -> Floats:
        """A draw from the Gaussian with this precision [chains, d, d] and precision times mean [chains, d]."""
        return np.asarray(np.linalg.solve(precision, score[..., None])[..., 0] + self._noise(precision))

    def _noise(self, precision: Floats) -> Floats:
        """A draw with mean zero [..., d]."""
        lower = np.linalg.cholesky(precision)
        normal = self._generator.standard_normal(precision.shape[:-1])
        return np.asarray(np.linalg.solve(np.swapaxes(lower, -1, -2), normal[..., None])[..., 0])

    def _effects(self) -> list[Floats]:
        """The effects of each spread in turn [chains, how many]."""
        return [*np.moveaxis(self._by_rater, -1, 0), self._by_image, *np.moveaxis(self._by_item, -1, 0)]

    def _draw_spreads(self) -> None:
        """Spreads given the effects: proposed as under a flat prior, accepted by what the half-normal says to it."""
        for place, effects in enumerate(self._effects()):
            size = effects.shape[1]
            if size < 2:
                continue
            proposed = np.sum(effects**2, axis=1) / self._generator.chisquare(size - 1, effects.shape[0])
            gain = (self._spread[:, place] ** 2 - proposed) / (2 * PRIOR_SPREAD**2)
            accepted = np.log(self._generator.random(effects.shape[0])) < gain
            self._spread[accepted, place] = np.sqrt(proposed[accepted])

    def _draw_scales(self, weights: Floats) -> None:
        """Intercept, effect and spreads given the standardised effects, whose products with the spreads stay linear."""
        standard = [effects / self._spread[:, [place]] for place, effects in enumerate(self._effects())]
        one = np.broadcast_to(np.ones_like(self._arm), weights.shape)
        columns = np.stack(
            [
                one,
                one * self._arm,
                standard[0][:, self._rater],
                standard[1][:, self._rater] * self._arm,
                standard[2][:, self._image_of_item][:, self._item],
                standard[3][:, self._item],
                standard[4][:, self._item] * self._arm,
            ],
            axis=-1,
        )
        precision = np.swapaxes(columns * weights[..., None], 1, 2) @ columns
        precision += np.diag([PRIOR_INTERCEPT**-2, PRIOR_EFFECT**-2, *[PRIOR_SPREAD**-2] * 5])
        drawn = self._gaussian(precision, np.einsum("cnd,cn->cd", columns, self._kappa))
        self._beta = drawn[:, :2]
        # A spread and its effects may change sign together: the model is the same, and the spread is kept positive.
        scales = drawn[:, 2:]
        self._spread = np.maximum(np.abs(scales), 1e-8)
        signed = [part * np.where(scales[:, [k]] < 0, -1, 1) * self._spread[:, [k]] for k, part in enumerate(standard)]
        self._by_rater = np.stack(signed[:2], axis=-1)
        self._by_image = signed[2]
        self._by_item = np.stack(signed[3:], axis=-1)


def _two_by_two(sums: Floats) -> Floats:
    """From sums of weights and of weights times arm [..., 2] to the precision of (level, slope) [..., 2, 2]."""
    level, slope = sums[..., 0], sums[..., 1]
    return np.stack([np.stack([level, slope], axis=-1), np.stack([slope, level / 4], axis=-1)], axis=-2)


def _diagonal(values: Floats) -> Floats:
    return np.asarray(values[..., None] * np.eye(values.shape[-1]))


def _inverse_square(spread: Floats) -> Floats:
    return np.asarray(1 / np.maximum(spread, 1e-8) ** 2)
