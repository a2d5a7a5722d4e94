"""Comparisons within items: the same question asked under both arms.

Each item (an image and a role) is a stratum, so whatever makes an item easy cancels. The odds ratio given the item is
not the one over all items: with items that differ, it lies farther from one.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, stats
from scipy.special import gammaln, softmax
from statsmodels.stats.contingency_tables import StratifiedTable, mcnemar

from .crossed import why_no_contrast, why_no_interval
from .estimate import Estimate
from .measure import Measure
from .ratings import Booleans, Floats, Ratings

LARGEST_LOG_ODDS = 30.0
_NO_PAIRS = "No item has answers of both kinds under both arms; nothing can be compared within items."
_SEPARATED = "Within items one arm always did better (separation); the odds ratio is not finite."


@dataclass(frozen=True, eq=False)
class _Strata:
    """2x2 tables [items]: `right` of `spade` answers under SPADE, `all_right` of `size` in all."""

    right: Floats
    spade: Floats
    all_right: Floats
    size: Floats

    @property
    def informative(self) -> Booleans:
        """Where both arms and both kinds of answer occur."""
        arms = (self.spade > 0) & (self.spade < self.size)
        return np.asarray(arms & (self.all_right > 0) & (self.all_right < self.size))


def conditional_logit(
    ratings: Ratings, measure: Measure, *, level: float = 0.95, name: str = "conditional_logit"
) -> Estimate:
    """The odds ratio given the item, by conditional maximum likelihood (Breslow and Day 1980, chapter 7).

    The interval leaves out raters and images in turn (V = V_rater + V_image - the information's inverse, at least the
    larger part), Student's t with the smaller number less one.
    """
    blank = _blank(name, "odds ratio given the item", measure, ratings, level=level, function="conditional_logit")
    blank = replace(
        blank, method="conditional logit within items, jackknife over raters and images", statistic_name="t"
    )
    if reason := why_no_contrast(ratings, measure) or why_no_interval(ratings, measure):
        return replace(blank, reason=reason)
    value, information = _most_likely(_strata(ratings, measure))
    if math.isnan(value):
        return replace(blank, reason=_NO_PAIRS)
    if math.isinf(value):
        return replace(blank, reason=_SEPARATED)
    parts = [_left_out(ratings, measure, side, value) for side in (ratings.rater, ratings.image)]
    variance = float(np.max([sum(parts) - 1 / information, *parts]))
    df = min(ratings.raters, ratings.images) - 1
    if not math.isfinite(variance):
        sentence = "Leaving out one rater or image leaves no comparison within items; there is no interval."
        return replace(blank, value=math.exp(value), caveats=(*blank.caveats, sentence))
    error = math.sqrt(variance)
    half = float(stats.t.ppf((1 + level) / 2, df)) * error
    return replace(
        blank,
        value=math.exp(value),
        low=math.exp(value - half),
        high=math.exp(value + half),
        standard_error=error,
        statistic=value / error,
        df=float(df),
        p_value=float(2 * stats.t.sf(abs(value) / error, df)),
    )


def cochran_mantel_haenszel(ratings: Ratings, measure: Measure, *, level: float = 0.95) -> Estimate:
    """The Mantel-Haenszel odds ratio over items, and the Cochran-Mantel-Haenszel test.

    Takes the answers of one item as independent, so raters count as if each answer were of another person.
    """
    blank = _blank(
        "cmh", "odds ratio given the item", measure, ratings, level=level, function="cochran_mantel_haenszel"
    )
    sentence = "Takes answers as independent given the item."
    blank = replace(
        blank, method="Cochran-Mantel-Haenszel over items", statistic_name="chi2", caveats=(*blank.caveats, sentence)
    )
    if reason := why_no_contrast(ratings, measure) or why_no_interval(ratings, measure):
        return replace(blank, reason=reason)
    strata = _strata(ratings, measure)
    kept = strata.informative
    if not kept.any():
        return replace(blank, reason=_NO_PAIRS)
    a = strata.right[kept]
    b = strata.spade[kept] - a
    c = strata.all_right[kept] - a
    d = strata.size[kept] - strata.spade[kept] - c
    if not (a * d).any() or not (b * c).any():
        return replace(blank, reason=_SEPARATED)
    table = StratifiedTable(np.array([[a, b], [c, d]]))
    low, high = table.oddsratio_pooled_confint(1 - level)
    test = table.test_null_odds(correction=False)
    return replace(
        blank,
        value=float(table.oddsratio_pooled),
        low=float(low),
        high=float(high),
        standard_error=float(table.logodds_pooled_se),
        statistic=float(test.statistic),
        p_value=float(test.pvalue),
        df=1.0,
    )


def mcnemar_test(
    ratings: Ratings, measure: Measure, *, generator: np.random.Generator, level: float = 0.95
) -> Estimate:
    """McNemar's exact test on one pair an image: an answer under each arm to one item, both drawn.

    One pair an image keeps pairs of one image from counting twice; which answers are drawn depends on the generator,
    and most answers are not used.
    """
    blank = _blank("mcnemar", "odds ratio of discordant pairs", measure, ratings, level=level, function="mcnemar_test")
    sentence = "Uses one randomly drawn pair an image; another draw gives another p-value."
    blank = replace(blank, method="McNemar's exact test", caveats=(*blank.caveats, sentence), statistic_name="pairs")
    if reason := why_no_contrast(ratings, measure):
        return replace(blank, reason=reason)
    dense, spade = _pairs(ratings, measure, generator)
    if not dense.size:
        return replace(blank, reason="No image has an item that was answered under both arms; there are no pairs.")
    table = np.array([[np.sum((dense == i) & (spade == j)) for j in (1, 0)] for i in (1, 0)])
    lost, won = int(table[0, 1]), int(table[1, 0])
    ends = stats.binomtest(won, won + lost).proportion_ci(level) if won + lost else None
    low, high = (_odds(ends.low), _odds(ends.high)) if ends else (math.nan, math.nan)
    told = f"{dense.size} pairs, of them {won} right under SPADE alone and {lost} under dense alone."
    if not won + lost:
        return replace(blank, n=2 * dense.size, reason=f"{told} No pair differs; there is nothing to test.")
    return replace(
        blank,
        value=_odds(won / (won + lost)),
        low=low,
        high=high,
        n=2 * int(dense.size),
        images=int(dense.size),
        statistic=float(won + lost),
        p_value=float(mcnemar(table, exact=True).pvalue),
        caveats=(*blank.caveats, told),
    )


def _odds(share: float) -> float:
    return math.inf if share >= 1 else share / (1 - share)


def _pairs(ratings: Ratings, measure: Measure, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Scores under dense and SPADE of one pair an image."""
    scores, counted = measure.scores(ratings), measure.counts(ratings) > 0
    order = generator.permutation(ratings.n)
    order = order[counted[order]]
    picked = []
    for arm in (False, True):
        rows = order[ratings.spade[order] == arm]
        _, first = np.unique(ratings.item[rows], return_index=True)
        found = np.full(ratings.items, -1)
        found[ratings.item[rows[first]]] = rows[first]
        picked.append(found)
    both = np.flatnonzero((picked[0] >= 0) & (picked[1] >= 0))
    both = generator.permutation(both)
    _, first = np.unique(ratings.image[picked[0][both]], return_index=True)
    chosen = both[first]
    return scores[picked[0][chosen]], scores[picked[1][chosen]]


def _strata(ratings: Ratings, measure: Measure, weight: Floats | None = None) -> _Strata:
    counts = measure.counts(ratings) if weight is None else measure.counts(ratings) * weight
    scores = measure.scores(ratings) * counts

    def by_item(part: Floats) -> Floats:
        return np.asarray(np.bincount(ratings.item, weights=part, minlength=ratings.items), dtype=np.float64)

    return _Strata(by_item(scores * ratings.spade), by_item(counts * ratings.spade), by_item(scores), by_item(counts))


def _left_out(
    ratings: Ratings, measure: Measure, side: "np.ndarray[tuple[int], np.dtype[np.int64]]", value: float
) -> float:
    """Leave-one-cluster-out variance of the log odds ratio about its value from all clusters."""
    groups = int(side.max()) + 1
    left = [
        _most_likely(_strata(ratings, measure, (side != one).astype(np.float64)), value)[0] for one in range(groups)
    ]
    spread = np.asarray(left) - value
    return float((groups - 1) / groups * np.sum(spread**2)) if np.isfinite(spread).all() else math.nan


def _most_likely(strata: _Strata, start: float = 0.0) -> tuple[float, float]:
    """The log odds ratio that maximises the product of noncentral hypergeometrics, and its information.

    NaN where no item is informative, infinite under separation.
    """
    kept = strata.informative
    if not kept.any():
        return math.nan, math.nan
    right, spade, all_right, size = (
        part[kept][:, None] for part in (strata.right, strata.spade, strata.all_right, strata.size)
    )
    low, high = np.maximum(0, all_right - (size - spade)), np.minimum(spade, all_right)
    if right.sum() in (low.sum(), high.sum()):
        return (math.inf if right.sum() == high.sum() else -math.inf), math.nan
    grid = np.arange(high.max() + 1, dtype=np.float64)[None, :]
    inside = (grid >= low) & (grid <= high)
    weights = np.where(inside, _log_choose(all_right, grid) + _log_choose(size - all_right, spade - grid), -np.inf)

    def slope(log_odds: float) -> float:
        return float(right.sum() - np.sum(softmax(weights + grid * log_odds, axis=1) * grid))

    ends = start - 0.5, start + 0.5
    while slope(ends[0]) < 0 and ends[0] > -LARGEST_LOG_ODDS:
        ends = ends[0] - 1, ends[1]
    while slope(ends[1]) > 0 and ends[1] < LARGEST_LOG_ODDS:
        ends = ends[0], ends[1] + 1
    value = float(optimize.brentq(slope, *ends, xtol=1e-10))
    chance = softmax(weights + grid * value, axis=1)
    mean = np.sum(chance * grid, axis=1, keepdims=True)
    return value, float(np.sum(chance * (grid - mean) ** 2))


def _log_choose(n: Floats, k: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))


def _blank(name: str, quantity: str, measure: Measure, ratings: Ratings, *, level: float, function: str) -> Estimate:
    return Estimate(
        name,
        quantity,
        measure.name,
        level=level,
        n=ratings.n,
        raters=ratings.raters,
        images=ratings.images,
        source=f"analysis.matched.{function}",
        caveats=(measure.caveat,) if measure.caveat else (),
    )
