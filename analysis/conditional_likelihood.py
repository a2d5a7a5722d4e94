"""The conditional likelihood of 2x2 tables with a common odds ratio, whole and with each cluster left out.

Given its margins a table's first cell is noncentral hypergeometric (Breslow and Day 1980, section 4.2), so the score of
the log odds ratio is the sum of cells less the sum of their means. Those means are functions of the margins alone, and
few margins are distinct. They are analytic wherever the imaginary part of the log odds ratio stays below pi (the
polynomial of the hypergeometric weights has only real, negative roots), so a handful of values between two ends gives
them to rounding: with that, leaving out thousands of raters costs one pass over the answers.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from scipy import optimize
from scipy.optimize import elementwise
from scipy.special import gammaln, softmax

from .ratings import Booleans, Floats, Integers

LARGEST_LOG_ODDS = 30.0
CELLS_AT_ONCE = 2_000_000
"""Hypergeometric weights held in memory at a time."""
PRECISION = 1e-13
"""Of the interpolated means, relative to their size."""


@dataclass(frozen=True, eq=False)
class Tables:
    """2x2 tables [t]: `right` of `spade` answers under SPADE, `all_right` of `size` in all; whole numbers."""

    right: Integers
    spade: Integers
    all_right: Integers
    size: Integers

    @property
    def low(self) -> Integers:
        """The least the first cell can be, given the margins."""
        return np.asarray(np.maximum(0, self.all_right - (self.size - self.spade)))

    @property
    def high(self) -> Integers:
        """The most the first cell can be, given the margins."""
        return np.asarray(np.minimum(self.spade, self.all_right))

    @property
    def informative(self) -> Booleans:
        """Where both arms and both kinds of answer occur."""
        return np.asarray(self.low < self.high)

    def at(self, places: Integers) -> "Tables":
        """The tables at these places, which may repeat."""
        return Tables(self.right[places], self.spade[places], self.all_right[places], self.size[places])

    def less(self, part: "Tables") -> "Tables":
        """What is left of each table [t] without a part of it [t]."""
        return Tables(
            self.right - part.right, self.spade - part.spade, self.all_right - part.all_right, self.size - part.size
        )


def tables_of(right: Booleans, spade: Booleans, groups: Integers, size: int) -> Tables:
    """The table of each group [size] of answers [n]."""

    def count(rows: Booleans) -> Integers:
        return np.bincount(groups[rows], minlength=size).astype(np.int64)

    return Tables(count(right & spade), count(spade), count(right), count(np.ones_like(spade)))


def most_likely(tables: Tables) -> tuple[float, float]:
    """The log odds ratio at the maximum of the conditional likelihood, and its information there.

    NaN where no table is informative, infinite under separation.
    """
    kept = np.flatnonzero(tables.informative)
    if not kept.size:
        return math.nan, math.nan
    tables = tables.at(kept)
    total = int(tables.right.sum())
    if total in (tables.low.sum(), tables.high.sum()):
        return (math.inf if total == tables.high.sum() else -math.inf), math.nan
    margins, _, times = _margins(tables)

    def slope(log_odds: float) -> float:
        return float(total - times @ _moments(margins, np.array([log_odds]))[0][:, 0])

    value = float(optimize.brentq(slope, -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS, xtol=1e-12))
    return value, float(times @ _moments(margins, np.array([value]))[1][:, 0])


def most_likely_without(whole: Tables, part: Tables, table: Integers, cluster: Integers, start: float) -> Floats:
    """The log odds ratio without each cluster [clusters], near `start`.

    A part [p] is what `cluster` [p] has in the table of number `table` [p]. NaN without informative tables or under
    separation.
    """
    clusters = int(cluster.max()) + 1
    left = whole.at(table).less(part)

    def by_cluster(values: Integers | Floats) -> Floats:
        return np.asarray(np.bincount(cluster, weights=values, minlength=clusters))

    right = whole.right.sum() - by_cluster(part.right)
    least = whole.low.sum() + by_cluster(left.low - whole.low[table])
    most = whole.high.sum() + by_cluster(left.high - whole.high[table])
    open_ = np.flatnonzero((least < right) & (right < most))
    margins, place, times = _margins(_joined(whole, left))
    of_whole, of_left = place[: whole.size.size], place[whole.size.size :]
    times = np.bincount(of_whole, minlength=times.size).astype(np.float64)
    found = np.full(clusters, math.nan)
    reach = 0.25
    while open_.size and reach < 2 * LARGEST_LOG_ODDS:
        nodes = _nodes(reach)
        means = _moments(margins, start + reach * nodes)[0]
        slopes = np.stack(
            [
                right - times @ mean - by_cluster(mean[of_left] - mean[of_whole][table])
                for mean in np.ascontiguousarray(means.T)
            ],
            axis=-1,
        )
        series = slopes[open_] @ np.linalg.inv(chebyshev.chebvander(nodes, nodes.size - 1)).T
        ends = (np.asarray(chebyshev.chebval(end, series.T)) for end in (-1.0, 1.0))
        first, last = ends
        inside = (first >= 0) & (last <= 0)
        if inside.any():
            roots = elementwise.find_root(
                lambda x, *terms: chebyshev.chebval(x, np.stack(terms), tensor=False),
                (-np.ones(inside.sum()), np.ones(inside.sum())),
                args=tuple(series[inside].T),
            )
            found[open_[inside]] = start + reach * roots.x
        open_ = open_[~inside]
        reach *= 4
    return found


def _nodes(reach: float) -> Floats:
    """Chebyshev points on [-1, 1], as many as the means need between two ends `reach` off the middle.

    Interpolation errs by rho^-points, rho the sum of the half axes, in units of reach, of the largest ellipse about the
    two ends that keeps to the strip (Trefethen, Approximation Theory and Approximation Practice, theorem 8.2).
    """
    rho = (math.pi + math.hypot(math.pi, reach)) / reach
    return np.asarray(chebyshev.chebpts1(2 + math.ceil(-math.log(PRECISION) / math.log(rho))))


def _joined(first: Tables, second: Tables) -> Tables:
    return Tables(*(np.concatenate([getattr(one, name) for one in (first, second)]) for name in Tables.__annotations__))


def _margins(tables: Tables) -> tuple[Tables, Integers, Floats]:
    """Tables with distinct margins [m], which of them each table is [t], and how many tables are it [m]."""
    rows = np.stack([tables.spade, tables.all_right, tables.size], axis=1)
    _, first, place, times = np.unique(rows, axis=0, return_index=True, return_inverse=True, return_counts=True)
    return tables.at(first), place.ravel(), times.astype(np.float64)


def _moments(tables: Tables, log_odds: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of the first cell of each table [t] at each log odds ratio [k], each [t, k]."""
    means = np.empty((tables.size.size, log_odds.size))
    variances = np.empty_like(means)
    width = tables.high - tables.low + 1
    order = np.argsort(width, kind="stable")
    log_factorial = gammaln(np.arange(int(tables.size.max(initial=0)) + 1) + 1.0)
    start = 0
    while start < order.size:
        # Tables of like width go together, so that little of the rectangle is empty.
        ahead = np.cumsum(width[order[start:]]) * log_odds.size
        rows = order[start : start + max(1, int(np.searchsorted(ahead, CELLS_AT_ONCE)))]
        start += rows.size
        some = tables.at(rows)
        grid = some.low[:, None] + np.arange(int(width[rows[-1]]))
        inside = grid <= some.high[:, None]
        cell = np.minimum(grid, some.high[:, None])
        others = some.all_right[:, None] - cell
        parts = (cell, some.spade[:, None] - cell, others, (some.size - some.spade)[:, None] - others)
        weights = np.where(inside, -sum(log_factorial[part] for part in parts), -np.inf)
        chance = softmax(weights[:, None] + log_odds[None, :, None] * cell[:, None], axis=-1)
        mean = np.sum(chance * cell[:, None], axis=-1)
        means[rows] = mean
        variances[rows] = np.sum(chance * (cell[:, None] - mean[..., None]) ** 2, axis=-1)
    return means, variances
