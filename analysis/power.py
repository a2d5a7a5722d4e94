"""How often a design would find an effect: whole studies are simulated and analysed as a real one would be.

Closed forms want a design effect that nobody knows before the study; here it follows from how much raters and items
differ. The test is the primary one of the report, `analysis.crossed.risk_difference`.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from data_manifests.errors import allowed_names

from .crossed import risk_difference
from .errors import AnalysisError
from .measure import MEASURES
from .monitoring import Look
from .ratings import Ratings
from .simulation import Design, Truth, study

HETEROGENEITY: dict[str, dict[str, float]] = {
    "none": {},
    "mild": {"rater": 0.5, "image": 0.5, "item": 0.5},
    "moderate": {"rater": 0.5, "image": 0.5, "item": 0.5, "rater_slope": 0.3, "item_slope": 0.6},
    "strong": {"rater": 0.7, "image": 0.7, "item": 0.7, "rater_slope": 0.6, "item_slope": 1.2},
}
"""How far raters, images and items differ (SDs on the logit scale), and the arms' difference over raters and items."""

PRIMARY = "overall_success"


@dataclass(frozen=True)
class PowerCell:
    """What simulated studies of one design and one truth came to."""

    design: Design
    truth: Truth
    difference: float
    """The true difference of the primary measure, SPADE minus dense (share of 1)."""
    studies: int
    found: int
    """Studies whose test was significant."""
    level: float
    low: float
    high: float
    """Wilson interval of the power over simulations: what another seed could say."""
    covered: int
    """Studies whose interval held the true difference (of those with an interval)."""
    with_interval: int
    naive_found: int
    """Studies that a test of independent answers would have called significant."""
    half_width: float
    """Mean half width of the interval (share of 1)."""
    mean_ratings: float
    """Mean answers collected: fewer than planned where a look stopped studies early."""

    @property
    def power(self) -> float:
        """Share of studies whose test was significant; the type I error where the true difference is zero."""
        return self.found / self.studies


def truth_with(
    *, base: float, difference: float, decided: tuple[float, float], heterogeneity: str, measure: str = PRIMARY
) -> Truth:
    """A truth in which dense's share of the measure is `base` and SPADE's is higher by `difference`.

    `decided` are the shares of decided answers, dense first. The measure is overall success or agreement among the
    decided.

    Raises:
        AnalysisError: the shares contradict each other, or the heterogeneity or the measure is unknown.
    """
    if heterogeneity not in HETEROGENEITY:
        raise AnalysisError(
            f"There is no heterogeneity '{heterogeneity}'; {allowed_names(heterogeneity, HETEROGENEITY)}"
        )
    if measure not in {PRIMARY, "agree_decided"}:
        raise AnalysisError(f"Power is computed for {PRIMARY} and agree_decided, not for '{measure}'.")
    wanted = base, base + difference
    right = wanted if measure == "agree_decided" else (wanted[0] / decided[0], wanted[1] / decided[1])
    if not all(0 < one < 1 for one in (*right, *decided)):
        raise AnalysisError(
            f"Shares of {wanted[0]:.3f} and {wanted[1]:.3f} right with {decided[0]:.3f} and {decided[1]:.3f} decided "
            "cannot be; each must lie between 0 and 1, and the right cannot exceed the decided."
        )
    return Truth(decided, right, **HETEROGENEITY[heterogeneity])


def power(
    design: Design,
    truth: Truth,
    *,
    studies: int,
    alpha: float,
    generator: np.random.Generator,
    measure: str = PRIMARY,
    looks: Sequence[Look] = (),
) -> PowerCell:
    """How often a study of this design finds this truth.

    With `looks` a study ends at the first look whose boundary its p-value reaches; answers arrive in random order.

    Raises:
        AnalysisError: the design asks for more answers than its raters can give.
    """
    found = naive = covered = intervals = 0
    halves, collected = [], []
    true = truth.difference(measure)
    for _ in range(studies):
        ratings = _study(truth, design, generator)
        if looks:
            ratings, significant = _watched(ratings, looks, measure, generator)
        estimate = risk_difference(ratings, MEASURES[measure], level=1 - alpha)
        if not looks:
            significant = bool(estimate.p_value < alpha)
        found += significant
        naive += _naive_p(ratings, measure) < alpha
        collected.append(ratings.n)
        if math.isfinite(estimate.low):
            intervals += 1
            covered += estimate.low <= true <= estimate.high
            halves.append((estimate.high - estimate.low) / 2)
    low, high = proportion_confint(found, studies, method="wilson")
    return PowerCell(
        design,
        truth,
        true,
        studies,
        found,
        1 - alpha,
        low=float(low),
        high=float(high),
        covered=covered,
        with_interval=intervals,
        naive_found=int(naive),
        half_width=float(np.mean(halves)) if halves else math.nan,
        mean_ratings=float(np.mean(collected)),
    )


def grid(
    *,
    raters: Sequence[int],
    ratings: Sequence[int],
    images: int,
    truths: Sequence[Truth],
    studies: int,
    alpha: float,
    seed: int,
    measure: str = PRIMARY,
    looks: Sequence[Look] = (),
    progress: Callable[[int, int], None] | None = None,
) -> tuple[PowerCell, ...]:
    """The power of every combination; each cell draws from a stream of its own, so adding one changes no other.

    Raises:
        AnalysisError: a design asks for more answers than its raters can give.
    """
    combinations = list(_combinations(raters, ratings, images, truths))
    for design, _ in combinations:
        _check(design)
    cells = []
    for done, (design, truth) in enumerate(combinations):
        if progress:
            progress(done, len(combinations))
        # Raters, ratings and the effect in millionths name the stream.
        key = (design.raters, design.ratings, round(abs(truth.difference(measure)) * 1e6))
        generator = np.random.default_rng([seed, *key])
        cells.append(
            power(design, truth, studies=studies, alpha=alpha, generator=generator, measure=measure, looks=looks)
        )
    return tuple(cells)


def ratings_needed(cells: Sequence[PowerCell], target: float) -> float:
    """Answers at which the power of cells of one rater count and truth reaches `target`; infinite beyond the last.

    Between two simulated designs the probit of the power is taken as linear in the root of the answers, which it is
    for a test of one difference.
    """
    ordered = sorted(cells, key=lambda cell: cell.design.ratings)
    wanted = float(stats.norm.ppf(target))
    last: tuple[float, float] | None = None
    for cell in ordered:
        # Half a study either way keeps the probit finite where all or none were found.
        share = min(max(cell.power, 0.5 / cell.studies), 1 - 0.5 / cell.studies)
        here = math.sqrt(cell.design.ratings), float(stats.norm.ppf(share))
        if here[1] >= wanted:
            if last is None or here[1] <= last[1]:
                return float(cell.design.ratings)
            root = last[0] + (here[0] - last[0]) * (wanted - last[1]) / (here[1] - last[1])
            return float(math.ceil(root**2))
        last = here
    return math.inf


def _combinations(
    raters: Sequence[int], ratings: Sequence[int], images: int, truths: Sequence[Truth]
) -> Iterator[tuple[Design, Truth]]:
    for truth in truths:
        for people in raters:
            for answers in ratings:
                yield replace(Design(), raters=people, ratings=answers, images=images), truth


def _check(design: Design) -> None:
    most = design.raters * 4 * design.images
    if min(design.raters, design.images, design.ratings) < 2 or design.ratings > most:
        raise AnalysisError(
            f"{design.raters} raters, {design.images} images and {design.ratings} ratings came; expected at least 2 of "
            f"each, and at most {most} ratings: an image has 4 tasks, and nobody gets a task twice."
        )


def _study(truth: Truth, design: Design, generator: np.random.Generator) -> Ratings:
    _check(design)
    return study(truth, design, generator)


def _watched(
    ratings: Ratings, looks: Sequence[Look], measure: str, generator: np.random.Generator
) -> tuple[Ratings, bool]:
    """The answers there are when the study ends, and whether it ended at a boundary."""
    order = generator.permutation(ratings.n)
    for look in looks:
        kept = np.zeros(ratings.n, dtype=bool)
        kept[order[: round(look.fraction * ratings.n)]] = True
        so_far = ratings.where(kept)
        if risk_difference(so_far, MEASURES[measure]).p_value <= look.p:
            return so_far, True
    return so_far, False


def _naive_p(ratings: Ratings, measure: str) -> float:
    """Two-sided p of the pooled z-test of two shares, answers taken as independent."""
    about = MEASURES[measure]
    scores, counted = about.scores(ratings), about.counts(ratings) > 0
    arms = [scores[counted & arm] for arm in (ratings.spade, ~ratings.spade)]
    if min(arm.size for arm in arms) == 0:
        return math.nan
    pooled = scores[counted].mean()
    error = math.sqrt(pooled * (1 - pooled) * sum(1 / arm.size for arm in arms))
    return float(2 * stats.norm.sf(abs(arms[0].mean() - arms[1].mean()) / error)) if error > 0 else 1.0
