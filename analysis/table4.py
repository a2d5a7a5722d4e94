"""The paper's Table 4 from counts or answers: shares with intervals, and the difference between the arms."""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import contingency
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportion_effectsize,
    proportions_ztest,
)

from data_manifests import published

from .crossed import odds_ratio, risk_difference, share_interval
from .errors import AnalysisError
from .estimate import Estimate
from .measure import MEASURES, TABLE_4, Measure
from .ratings import Ratings

_INDEPENDENT = "Takes answers as independent; beside the crossed interval it shows what clustering does."


@dataclass(frozen=True)
class Counts:
    """Answers of one arm by outcome."""

    agree: int
    disagree: int
    undecided: int

    def of(self, measure: Measure) -> tuple[int, int]:
        """How many answers score one on a measure of zeros and ones, and how many count."""
        three = np.array([self.agree, self.disagree, self.undecided])
        counted = three * np.array(measure.counted)
        return int(counted @ np.array(measure.score)), int(counted.sum())


@dataclass(frozen=True)
class ArmShare:
    """One arm's share.

    Attributes:
        k: answers of the kind.
        n: answers that count.
        share: k / n, NaN without any.
        low: lower end of Wilson's interval, answers taken as independent.
        high: upper end of it.
        crossed_low: lower end over raters and images; NaN where only counts are known or there is none.
        crossed_high: upper end over raters and images.
        published: what the paper prints, as a share of 1; NaN where it prints nothing.
    """

    k: int
    n: int
    share: float
    low: float
    high: float
    crossed_low: float = math.nan
    crossed_high: float = math.nan
    published: float = math.nan


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        measure: its measure.
        title: the paper's words.
        dense: share of the dense arm.
        spade: share of the SPADE arm.
        difference: risk difference, Newcombe's interval and the pooled z test: answers taken as independent.
        odds_ratio: odds ratio, answers taken as independent; the conditional exact one where a cell is empty.
        cohens_h: difference of the arcsines of the shares' roots, SPADE minus dense.
        crossed_difference: risk difference over raters and images, or None where only counts are known.
        crossed_odds_ratio: odds ratio over raters and images, or None.
    """

    measure: str
    title: str
    dense: ArmShare
    spade: ArmShare
    difference: Estimate
    odds_ratio: Estimate
    cohens_h: float
    crossed_difference: Estimate | None = None
    crossed_odds_ratio: Estimate | None = None


@dataclass(frozen=True)
class Table4:
    """The six rows of the paper, and the level of every interval in them."""

    rows: tuple[Row, ...]
    level: float
    dense: Counts
    spade: Counts

    def row(self, measure: str) -> Row:
        """The row of a measure.

        Raises:
            AnalysisError: the table has none.
        """
        for row in self.rows:
            if row.measure == measure:
                return row
        raise AnalysisError(f"Table 4 has no row '{measure}'; it has {', '.join(TABLE_4)}.")


def table_of_counts(dense: Counts, spade: Counts, *, level: float = 0.95) -> Table4:
    """The table from counts alone, as the paper's are: nothing can be said of raters and images.

    Raises:
        AnalysisError: a count is negative.
    """
    if min(dense.agree, dense.disagree, dense.undecided, spade.agree, spade.disagree, spade.undecided) < 0:
        raise AnalysisError(f"A count is negative: {dense}, {spade}.")
    printed = published.table.load("4")
    rows = [_row(MEASURES[name], dense, spade, level) for name in TABLE_4]
    return Table4(tuple(_beside(row, printed) for row in rows), level, dense, spade)


def table_of_ratings(ratings: Ratings, *, level: float = 0.95) -> Table4:
    """The table from answers, with the intervals over raters and images beside those of counts."""
    table = table_of_counts(arm_counts(ratings, spade=False), arm_counts(ratings, spade=True), level=level)
    return replace(table, rows=tuple(_with_crossed(row, ratings, level) for row in table.rows))


def arm_counts(ratings: Ratings, *, spade: bool) -> Counts:
    """Answers of one arm by outcome."""
    agree, disagree, undecided = np.bincount(ratings.outcome[ratings.spade == spade], minlength=3).tolist()
    return Counts(agree, disagree, undecided)


def _row(measure: Measure, dense: Counts, spade: Counts, level: float) -> Row:
    first, second = (_share(*counts.of(measure), level) for counts in (dense, spade))
    known = min(first.n, second.n) > 0
    h = float(proportion_effectsize(second.share, first.share)) if known else math.nan
    return Row(
        measure.name,
        measure.row,
        first,
        second,
        newcombe_difference(measure, dense, spade, level=level),
        independent_odds_ratio(measure, dense, spade, level=level),
        h,
    )


def _beside(row: Row, printed: "published.table.PublishedTable") -> Row:
    """The row with what the paper prints there."""
    dense, spade = (float(printed.cell(row.title, column).value) / 100 for column in ("Dense Vis.", "SPADE Vis."))
    return replace(row, dense=replace(row.dense, published=dense), spade=replace(row.spade, published=spade))


def _share(k: int, n: int, level: float) -> ArmShare:
    if n == 0:
        return ArmShare(0, 0, math.nan, math.nan, math.nan)
    low, high = proportion_confint(k, n, alpha=1 - level, method="wilson")
    # At k = 0 and k = n rounding leaves the exact ends by an ulp.
    return ArmShare(k, n, k / n, max(float(low), 0.0), min(float(high), 1.0))


def newcombe_difference(measure: Measure, dense: Counts, spade: Counts, *, level: float = 0.95) -> Estimate:
    """SPADE's share minus dense's, Newcombe's hybrid score interval (1998, method 10) and the pooled z test."""
    (k0, n0), (k1, n1) = dense.of(measure), spade.of(measure)
    blank = _blank("risk difference", measure, n0 + n1, level, "newcombe_difference")
    blank = replace(blank, method="Newcombe's hybrid score interval, pooled z test; answers independent")
    if reason := _empty(measure, n0, n1):
        return replace(blank, reason=reason)
    low, high = confint_proportions_2indep(k1, n1, k0, n0, compare="diff", method="newcomb", alpha=1 - level)
    z, p = math.nan, math.nan
    if 0 < k0 + k1 < n0 + n1:
        z, p = (float(one) for one in proportions_ztest([k1, k0], [n1, n0]))
    error = abs(k1 / n1 - k0 / n0) / abs(z) if z and math.isfinite(z) else math.nan
    return replace(
        blank,
        value=k1 / n1 - k0 / n0,
        low=float(low),
        high=float(high),
        statistic=z,
        statistic_name="z",
        p_value=p,
        standard_error=error,
    )


def independent_odds_ratio(measure: Measure, dense: Counts, spade: Counts, *, level: float = 0.95) -> Estimate:
    """SPADE's odds over dense's with Wald's interval on the log scale; exact and conditional where a cell is empty."""
    (k0, n0), (k1, n1) = dense.of(measure), spade.of(measure)
    blank = _blank("odds ratio", measure, n0 + n1, level, "independent_odds_ratio")
    if reason := _empty(measure, n0, n1):
        return replace(blank, reason=reason)
    cells = np.array([[k1, n1 - k1], [k0, n0 - k0]])
    if cells.min() == 0:
        if 0 in (k0 + k1, n0 + n1 - k0 - k1):
            return replace(blank, reason="All answers of both arms are the same on this measure; odds are not defined.")
        exact = contingency.odds_ratio(cells, kind="conditional")
        ends = exact.confidence_interval(level)
        return replace(
            blank,
            value=float(exact.statistic),
            low=float(ends.low),
            high=float(ends.high),
            method="conditional maximum likelihood and exact interval, since a cell is empty; answers independent",
            caveats=(*blank.caveats, "An empty cell: the odds of one arm are zero or infinite in this sample."),
        )
    table = Table2x2(cells)
    low, high = table.oddsratio_confint(1 - level)
    return replace(
        blank,
        value=float(table.oddsratio),
        low=float(low),
        high=float(high),
        p_value=float(table.log_oddsratio_pvalue()),
        standard_error=float(table.log_oddsratio_se),
        statistic=float(table.log_oddsratio / table.log_oddsratio_se),
        statistic_name="z",
        method="Wald interval on the log odds; answers independent",
    )


def _blank(quantity: str, measure: Measure, n: int, level: float, function: str) -> Estimate:
    caveats = (_INDEPENDENT, measure.caveat) if measure.caveat else (_INDEPENDENT,)
    name = f"table_4_{measure.name}_{quantity.replace(' ', '_')}"
    return Estimate(
        name, quantity, measure.name, level=level, n=n, source=f"analysis.table4.{function}", caveats=caveats
    )


def _empty(measure: Measure, n0: int, n1: int) -> str:
    if min(n0, n1) > 0:
        return ""
    among = "" if all(measure.counted) else " that is decided"
    return f"The {'dense' if n0 == 0 else 'SPADE'} arm has no answer{among}; there is nothing to compare."


def _with_crossed(row: Row, ratings: Ratings, level: float) -> Row:
    measure = MEASURES[row.measure]
    shares = []
    for share, spade in ((row.dense, False), (row.spade, True)):
        low, high = share_interval(ratings, measure, spade=spade, level=level)
        shares.append(replace(share, crossed_low=low, crossed_high=high))
    name = f"crossed_{row.measure}"
    return replace(
        row,
        dense=shares[0],
        spade=shares[1],
        crossed_difference=risk_difference(ratings, measure, level=level, name=name),
        crossed_odds_ratio=odds_ratio(ratings, measure, level=level, name=f"{name}_odds_ratio"),
    )
