"""Studies with a known truth, made in a millisecond: what the estimators are held against."""

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
from scipy import optimize
from scipy.special import expit, roots_hermitenorm

from data_manifests.errors import allowed_names

from .errors import AnalysisError
from .ratings import Booleans, Integers, Ratings

Pair = tuple[float, float]


@dataclass(frozen=True)
class Truth:
    """Shares in the population of raters and images, dense first, and how far raters and items differ (logit SDs).

    An answer is decided or not, then right or not; both steps have their own rater, image and item effects. A slope is
    the SD over raters (items) of the difference between the arms on the logit scale, about its mean. Population shares
    are those averaged over all effects, and they are met exactly: the intercepts are solved for.

    Attributes:
        decided: share of decided answers.
        right: share of right ones among the decided.
        rater: SD of the raters' level.
        image: SD of the images' level.
        item: SD of the items' level within an image.
        rater_slope: SD over raters of the arms' difference.
        item_slope: SD over items of the arms' difference.
    """

    decided: Pair
    right: Pair
    rater: float = 0.0
    image: float = 0.0
    item: float = 0.0
    rater_slope: float = 0.0
    item_slope: float = 0.0

    @property
    def agree(self) -> Pair:
        """Share of answers that agree with Score-CAM, dense first."""
        return self.decided[0] * self.right[0], self.decided[1] * self.right[1]

    def share(self, measure: str) -> Pair:
        """Population share of a measure of `analysis.measure`, dense first."""
        (d0, d1), (r0, r1) = self.decided, self.right
        return {
            "undecided": (1 - d0, 1 - d1),
            "agree": (d0 * r0, d1 * r1),
            "overall_success": (d0 * r0, d1 * r1),
            "disagree": (d0 * (1 - r0), d1 * (1 - r1)),
            "agree_decided": (r0, r1),
            "disagree_decided": (1 - r0, 1 - r1),
            "half_credit": (d0 * r0 + (1 - d0) / 2, d1 * r1 + (1 - d1) / 2),
        }[measure]

    def difference(self, measure: str) -> float:
        """Population difference of a measure, SPADE minus dense."""
        dense, spade = self.share(measure)
        return spade - dense

    def pair_log_odds(self) -> float:
        """Log odds that of a pair (two raters on one item, one an arm) that differ, SPADE's answer is the right one.

        With q the chances of an item, averaged over raters: log E[q_spade (1 - q_dense)] / E[q_dense (1 - q_spade)].
        """
        both = _both(self.decided, self) * _both(self.right, self)
        dense, spade = self.agree
        return math.log((spade - both) / (dense - both))

    def parameters(self) -> dict[str, float]:
        """The parameters of `analysis.crossed_logistic` where it is right: all answers decided; else none."""
        if self.decided != (1.0, 1.0):
            return {}
        dense, spade = (_logit_with_mean(share, self.spread) for share in self.right)
        spreads = {name: getattr(self, name) for name in ("rater", "rater_slope", "image", "item", "item_slope")}
        return {"intercept": (dense + spade) / 2, "effect": spade - dense, **spreads}

    @property
    def spread(self) -> float:
        """SD of an answer's logit within an arm, over raters and items."""
        apart = (self.rater, self.image, self.item, self.rater_slope / 2, self.item_slope / 2)
        return float(np.hypot.reduce(apart))


PAPER = ((0.771, 0.874), (0.736, 0.799))
"""Table 4: decided and right-when-decided shares, dense and SPADE."""
_POOLED = ((0.8225, 0.8225), (0.7675, 0.7675))
_MILD = Truth(*PAPER, rater=0.5, image=0.5, item=0.5)
_STRONG = Truth(*PAPER, rater=0.7, image=0.7, item=0.7, rater_slope=0.6, item_slope=1.2)
_ONE_STEP = ((1.0, 1.0), _MILD.agree)
TRUTHS: dict[str, Truth] = {
    "none": replace(_MILD, decided=_POOLED[0], right=_POOLED[1]),
    "none, heterogeneous": replace(_STRONG, decided=_POOLED[0], right=_POOLED[1]),
    "paper": _MILD,
    "paper, heterogeneous": _STRONG,
    "paper, one step": replace(_MILD, decided=_ONE_STEP[0], right=_ONE_STEP[1]),
    "paper, one step, heterogeneous": replace(_STRONG, decided=_ONE_STEP[0], right=_ONE_STEP[1]),
}
"""Planted effects: none at all, none on average only, the paper's for everybody, and the paper's on average; the last
two again with nobody undecided."""


def truth(name: str) -> Truth:
    """The planted effect of this name.

    Raises:
        AnalysisError: there is none.
    """
    if name not in TRUTHS:
        raise AnalysisError(f"There is no planted truth '{name}'; {allowed_names(name, TRUTHS)}")
    return TRUTHS[name]


@dataclass(frozen=True)
class Design:
    """Who answers how much.

    Attributes:
        raters: how many people.
        images: how many images; each has two items, and an item two tasks (one an arm).
        ratings: how many answers in all.
        unevenness: coefficient of variation of the raters' shares of the work; 0 gives each the same chance.
        assignment: "random" draws each rater's tasks from all of them, "balanced" fills every task once before any
            twice, as the study app does. No rater gets a task twice.
    """

    raters: int = 24
    images: int = 100
    ratings: int = 746
    unevenness: float = 0.6
    assignment: Literal["random", "balanced"] = "random"


PAPER_DESIGN = Design()


def study(planted: Truth, design: Design, generator: np.random.Generator) -> Ratings:
    """The answers of one study: people and images are drawn afresh.

    Raises:
        AnalysisError: the design asks for more answers than raters times tasks.
    """
    tasks = 4 * design.images
    if design.ratings > design.raters * tasks:
        raise AnalysisError(f"{design.ratings} answers of {design.raters} raters to {tasks} tasks; each answers once.")
    rater, task = _assigned(design, generator)
    item, spade = task // 2, task % 2 == 1
    image = item // 2
    decided = _step(planted.decided, planted, design, (rater, image, item, spade), generator)
    right = _step(planted.right, planted, design, (rater, image, item, spade), generator)
    outcome = np.where(~decided, 2, np.where(right, 0, 1)).astype(np.int64)
    return _compact(outcome, spade, rater, image, item)


def _compact(outcome: Integers, spade: Booleans, *labels: Integers) -> Ratings:
    (raters, rater), (images, image), (_, item) = (np.unique(one, return_inverse=True) for one in labels)
    return Ratings(
        outcome,
        spade,
        rater.astype(np.int64),
        image.astype(np.int64),
        item.astype(np.int64),
        tuple(f"r{one:04d}" for one in raters),
        tuple(f"i{one:04d}" for one in images),
    )


def _assigned(design: Design, generator: np.random.Generator) -> tuple[Integers, Integers]:
    """Rater and task of each answer."""
    tasks = 4 * design.images
    work = _work(design, tasks, generator)
    if design.assignment == "random":
        chosen = [generator.permutation(tasks)[:count] for count in work]
        return np.repeat(np.arange(design.raters), work), np.concatenate(chosen)
    rater = generator.permutation(np.repeat(np.arange(design.raters), work))
    rounds = -(-design.ratings // tasks)
    task = np.concatenate([generator.permutation(tasks) for _ in range(rounds)])[: design.ratings]
    return rater, _without_repeats(rater, task, tasks, generator)


def _work(design: Design, tasks: int, generator: np.random.Generator) -> Integers:
    """How many answers each rater gives: uneven, at most one a task, summing to what the design asks for."""
    if design.unevenness:
        eager = generator.gamma(design.unevenness**-2, size=design.raters)
    else:
        eager = np.ones(design.raters)
    work = np.minimum(generator.multinomial(design.ratings, eager / eager.sum()), tasks)
    while (left := design.ratings - int(work.sum())) > 0:
        open_to = work < tasks
        work = np.minimum(work + generator.multinomial(left, open_to / open_to.sum()), tasks)
    return np.asarray(work, dtype=np.int64)


def _without_repeats(rater: Integers, task: Integers, tasks: int, generator: np.random.Generator) -> Integers:
    """The tasks with those a rater has already had swapped for another one of the same round."""
    task = task.copy()
    for _ in range(1000):
        _, first = np.unique(rater * tasks + task, return_index=True)
        again = np.setdiff1d(np.arange(task.size), first)
        if not again.size:
            return task
        for place in again:
            start = place // tasks * tasks
            other = int(generator.integers(start, min(start + tasks, task.size)))
            task[place], task[other] = task[other], task[place]
    raise AnalysisError("So many answers were asked of each rater that no balanced order without repeats was found.")


Where = tuple[Integers, Integers, Integers, Booleans]


def _step(shares: Pair, planted: Truth, design: Design, where: Where, generator: np.random.Generator) -> Booleans:
    """Whether each answer passes a step (decided, right) [n] bool."""
    rater, image, item, spade = where
    low, high = (_logit_with_mean(share, planted.spread) for share in shares)
    side = np.where(spade, 0.5, -0.5)
    level = (
        generator.normal(0, planted.rater, design.raters)[rater]
        + generator.normal(0, planted.image, design.images)[image]
        + generator.normal(0, planted.item, 2 * design.images)[item]
    )
    slope = (
        generator.normal(0, planted.rater_slope, design.raters)[rater]
        + generator.normal(0, planted.item_slope, 2 * design.images)[item]
    )
    chance = expit(np.where(spade, high, low) + level + side * slope)
    return np.asarray(generator.random(rater.size) < chance)


@cache
def _logit_with_mean(share: float, spread: float) -> float:
    """The logit whose inverse, averaged over a normal with this SD about it, is `share`."""
    if share == 1:
        return math.inf
    nodes, weights = roots_hermitenorm(60)
    weights = weights / weights.sum()
    return float(optimize.brentq(lambda x: float(weights @ expit(x + spread * nodes)) - share, -40, 40, xtol=1e-12))


@cache
def _both(shares: Pair, planted: Truth) -> float:
    """Chance that two raters pass a step on the same item, one under each arm."""
    nodes, weights = roots_hermitenorm(60)
    weights = weights / weights.sum()
    dense, spade = (_logit_with_mean(share, planted.spread) for share in shares)
    level = math.hypot(planted.image, planted.item) * nodes[:, None, None]
    half = planted.item_slope / 2 * nodes[:, None]
    own = math.hypot(planted.rater, planted.rater_slope / 2) * nodes
    chances = [expit(base + level + side * half + own) @ weights for base, side in ((spade, 1), (dense, -1))]
    return float(weights @ (chances[0] * chances[1]) @ weights)
