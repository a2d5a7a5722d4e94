"""Agree, disagree and undecided compared from counts alone, and how much clustering a result would survive.

A published table gives counts and no raters, so answers are taken as independent here, which they are not. The design
effect is by how much the variance of the difference exceeds that; `analysis.power` simulates how large it gets.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from .errors import AnalysisError
from .table4 import Counts


@dataclass(frozen=True)
class ThreeOutcomes:
    """Two arms compared without leaving the undecided out, answers taken as independent."""

    chi2: float
    p_value: float
    """Of equal shares of all three outcomes (Pearson, two degrees of freedom); NaN where nobody gave one of them."""
    half_credit: float
    """Difference of the mean score, SPADE less dense, an undecided answer earning one half."""
    low: float
    high: float
    half_z: float
    level: float


def three_outcomes(dense: Counts, spade: Counts, *, level: float = 0.95) -> ThreeOutcomes:
    """The two arms' outcomes, compared as three categories and as one score.

    Raises:
        AnalysisError: an arm has no answer.
    """
    table = np.array([[arm.agree, arm.disagree, arm.undecided] for arm in (dense, spade)])
    if (table.sum(axis=1) == 0).any():
        raise AnalysisError("An arm has no answer; there is nothing to compare.")
    chi2, p_value = math.nan, math.nan
    if (table.sum(axis=0) > 0).all():
        chi2, p_value = (float(one) for one in stats.chi2_contingency(table, correction=False)[:2])
    scores, shares = np.array([1.0, 0.0, 0.5]), table / table.sum(axis=1, keepdims=True)
    means = shares @ scores
    variances = (shares @ scores**2 - means**2) / table.sum(axis=1)
    difference, error = float(means[1] - means[0]), math.sqrt(float(variances.sum()))
    half = float(stats.norm.isf((1 - level) / 2)) * error
    z = difference / error if error > 0 else math.nan
    return ThreeOutcomes(chi2, p_value, difference, difference - half, difference + half, z, level)


def survives(z: float, *, level: float = 0.95) -> float:
    """The largest design effect at which a z found without clustering stays significant; below 1, it never was."""
    return (z / float(stats.norm.isf((1 - level) / 2))) ** 2


def p_at(z: float, design_effect: float) -> float:
    """The two-sided p of a z found without clustering, if the variance were larger by this factor."""
    return float(2 * stats.norm.sf(abs(z) / math.sqrt(design_effect)))
