"""Estimates as cells and clauses."""

import math

from ..estimate import Estimate
from . import wording as say
from .document import Row

TITLES = {
    "primary": "primary: crossed jackknife",
    "randomisation": "randomisation test",
    "pigeonhole": "multiway bootstrap, percentiles",
    "pigeonhole_bca": "multiway bootstrap, BCa",
    "sandwich_rater": "linear, clustered by rater",
    "sandwich_image": "linear, clustered by image",
    "sandwich_both": "linear, two-way clustered",
    "crossed_odds_ratio": "crossed jackknife",
    "gee_rater": "GEE by rater, bias-reduced",
    "gee_image": "GEE by image, bias-reduced",
    "conditional_logit": "conditional logit within items",
    "cmh": "Cochran-Mantel-Haenszel over items",
    "mcnemar": "McNemar, one pair an image",
    "crossed_logistic": "crossed Bayesian logistic",
    "crossed_logistic_odds_ratio": "crossed Bayesian logistic, given rater and item",
}
"""What a reader calls each analysis; the method in full stands in report.json."""


def title(estimate: Estimate) -> str:
    """What a reader calls the analysis."""
    return TITLES.get(estimate.name, estimate.name.replace("_", " "))


def value(estimate: Estimate) -> str:
    """The point estimate on its own scale: points for a difference of shares, else the number."""
    if math.isnan(estimate.value):
        return say.NONE
    return f"{say.points(estimate.value)} points" if _is_difference(estimate) else say.number(estimate.value)


def interval(estimate: Estimate) -> str:
    """The interval on the scale of the estimate."""
    if _is_difference(estimate):
        return say.percent_interval(estimate.low, estimate.high)
    return say.interval(estimate.low, estimate.high)


def statistic(estimate: Estimate) -> str:
    """The test statistic with its degrees of freedom, as a clause: `*t*(23) = 2.94`; empty where there is none."""
    if not estimate.statistic_name or math.isnan(estimate.statistic):
        return ""
    df = "" if math.isnan(estimate.df) else f"({estimate.df:g})"
    return f"*{estimate.statistic_name}*{df} = {say.number(estimate.statistic)}"


def clause(estimate: Estimate) -> str:
    """Difference, interval and test in a sentence: `+13.1 points, 95 % CI [4.0, 22.1], *t*(23) = 2.94, *p* = .007`."""
    parts = [value(estimate)]
    if math.isfinite(estimate.low):
        parts.append(f"{say.level(estimate.level)} CI {interval(estimate)}")
    parts += [text for text in (statistic(estimate),) if text]
    if not math.isnan(estimate.p_value):
        parts.append(say.p_clause(estimate.p_value))
    return ", ".join(parts)


def row(estimate: Estimate, *, adjusted: bool = False, name: str = "") -> Row:
    """A row of analysis, quantity, estimate, interval and p; or the reason why there is none."""
    label = name or title(estimate)
    if estimate.reason:
        cells: tuple[str, ...] = (label, estimate.quantity, say.NONE, estimate.reason, say.NONE)
        return Row((*cells, say.NONE) if adjusted else cells, estimate.status)
    cells = (label, estimate.quantity, value(estimate), interval(estimate), say.p(estimate.p_value))
    strong = estimate.name == "primary"
    return Row((*cells, say.p(estimate.p_adjusted)) if adjusted else cells, estimate.status, strong)


def resolved(estimate: Estimate) -> bool:
    """Whether the interval leaves no difference out."""
    null = 0.0 if _is_difference(estimate) else 1.0
    return math.isfinite(estimate.low) and (estimate.low > null or estimate.high < null)


def _is_difference(estimate: Estimate) -> bool:
    return "difference" in estimate.quantity
