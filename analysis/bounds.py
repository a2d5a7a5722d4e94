"""What the undecided could have said: bounds on the shares and the difference had everybody been made to decide."""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, stats

from .crossed import risk_difference
from .measure import measure
from .ratings import Ratings
from .table4 import Counts, arm_counts


@dataclass(frozen=True)
class Bounds:
    """Manski's worst-case bounds (1990), nothing assumed about the undecided.

    Attributes:
        dense: least and greatest share of right answers.
        spade: least and greatest share of right answers.
        difference: least and greatest difference, SPADE minus dense.
        interval: what covers the true difference at `level` (Imbens and Manski 2004), raters and images crossed; NaN
            where only counts are known or there is no interval.
        level: of the interval.
        source: the function.
        caveats: a sentence each.
    """

    dense: tuple[float, float]
    spade: tuple[float, float]
    difference: tuple[float, float]
    interval: tuple[float, float]
    level: float
    source: str
    caveats: tuple[str, ...] = ()


def bounds_of_counts(dense: Counts, spade: Counts, *, level: float = 0.95) -> Bounds:
    """The bounds alone; an empty arm has NaN."""
    ends = []
    for arm in (dense, spade):
        n = arm.agree + arm.disagree + arm.undecided
        ends.append((arm.agree / n, (arm.agree + arm.undecided) / n) if n else (math.nan, math.nan))
    (low0, high0), (low1, high1) = ends
    return Bounds(
        (low0, high0),
        (low1, high1),
        (low1 - high0, high1 - low0),
        (math.nan, math.nan),
        level,
        "analysis.bounds.bounds_of_counts",
    )


def bounds_of_ratings(ratings: Ratings, *, level: float = 0.95) -> Bounds:
    """The bounds with the interval for the difference between them."""
    plain = bounds_of_counts(arm_counts(ratings, spade=False), arm_counts(ratings, spade=True), level=level)
    plain = replace(plain, source="analysis.bounds.bounds_of_ratings")
    # Forcing the undecided of one arm to be right and of the other wrong turns each bound into a risk difference.
    forced = [_forced(ratings, right_under_spade=right) for right in (False, True)]
    found = [risk_difference(one, measure("agree"), level=level) for one in forced]
    errors = [one.standard_error for one in found]
    if not all(math.isfinite(error) for error in errors):
        reason = next((one.reason or one.caveats[-1] for one in found if one.reason or one.caveats), "No interval.")
        return replace(plain, caveats=(reason,))
    low, high = plain.difference
    reach, df = (high - low) / max(errors), found[0].df

    def excess(critical: float) -> float:
        return float(stats.t.cdf(critical + reach, df) - stats.t.cdf(-critical, df)) - level

    critical = float(optimize.brentq(excess, 0.0, 50.0))
    return replace(plain, interval=(low - critical * errors[0], high + critical * errors[1]))


def _forced(ratings: Ratings, *, right_under_spade: bool) -> Ratings:
    decided = np.where(ratings.spade == right_under_spade, 0, 1)
    return replace(ratings, outcome=np.where(ratings.outcome == 2, decided, ratings.outcome))
