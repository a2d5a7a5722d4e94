"""Comparisons within items: the same question asked under both arms.

Each item (an image and a role) is a stratum, so whatever makes an item easy cancels. The odds ratio given the item is
not the one over all items: with items that differ, it lies farther from one.
"""

import math
from dataclasses import replace

import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable, mcnemar

from .conditional_likelihood import Tables, most_likely, most_likely_without, tables_of
from .crossed import why_no_contrast, why_no_interval
from .estimate import Estimate
from .measure import Measure
from .ratings import Booleans, Floats, Integers, Ratings

_NO_PAIRS = "No item has answers of both kinds under both arms; nothing can be compared within items."
_SEPARATED = "Within items one arm always did better (separation); the odds ratio is not finite."


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
    value, information = most_likely(_strata(ratings, measure))
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


def _answers(ratings: Ratings, measure: Measure) -> tuple[Booleans, Booleans]:
    """Which answers count [n], and whether each is of the kind counted [n]."""
    return measure.counts(ratings) > 0, measure.scores(ratings) > 0


def _strata(ratings: Ratings, measure: Measure) -> Tables:
    counted, right = _answers(ratings, measure)
    return tables_of(right[counted], ratings.spade[counted], ratings.item[counted], ratings.items)


def _left_out(ratings: Ratings, measure: Measure, side: Integers, value: float) -> float:
    """Leave-one-cluster-out variance of the log odds ratio about its value from all clusters."""
    counted, right = _answers(ratings, measure)
    cells, group = np.unique(side[counted] * ratings.items + ratings.item[counted], return_inverse=True)
    cluster, item = np.divmod(cells, ratings.items)
    part = tables_of(right[counted], ratings.spade[counted], group, cells.size)
    left = most_likely_without(_strata(ratings, measure), part, item, cluster, value)
    spread = left - value
    groups = int(side.max()) + 1
    return float((groups - 1) / groups * np.sum(spread**2)) if np.isfinite(spread).all() else math.nan


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
