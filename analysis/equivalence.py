"""Two one-sided tests: whether a difference lies within a margin that was fixed beforehand (Schuirmann, 1987)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from .errors import AnalysisError


@dataclass(frozen=True)
class Equivalence:
    """The outcome of two one-sided tests.

    Attributes:
        low, high: the interval at level 1 - 2 alpha; equivalent means that it lies inside the margin.
        level: 1 - 2 alpha.
        p_above: of "the difference is at least +margin". p_below: of "it is at most -margin".
        p_value: the larger of the two.
        equivalent: whether both are refused at alpha.
    """

    difference: float
    low: float
    high: float
    level: float
    margin: float
    p_above: float
    p_below: float
    p_value: float
    equivalent: bool


def equivalence(difference: float, error: float, df: float, *, margin: float, alpha: float) -> Equivalence:
    """Two one-sided t-tests on an estimate with its standard error and degrees of freedom.

    An error of zero (nothing varied) leaves the difference itself to be compared with the margin.

    Raises:
        AnalysisError: a margin that is not positive, an error below zero, or a number that is not finite.
    """
    if not margin > 0:
        raise AnalysisError(f"The margin of equivalence is {margin}; it must be above zero.")
    if not (math.isfinite(difference) and math.isfinite(error) and error >= 0 and df > 0):
        raise AnalysisError(
            f"Equivalence needs a finite difference, an error of at least 0 and degrees of freedom above 0; found "
            f"{difference}, {error} and {df}."
        )
    if error == 0:
        above, below, half = float(difference >= margin), float(difference <= -margin), 0.0
    else:
        above = float(stats.t.cdf((difference - margin) / error, df))
        below = float(stats.t.sf((difference + margin) / error, df))
        half = float(stats.t.ppf(1 - alpha, df)) * error
    p = max(above, below)
    return Equivalence(
        difference, difference - half, difference + half, 1 - 2 * alpha, margin, above, below, p, p < alpha
    )


def paired_equivalence(differences: ArrayLike, *, margin: float, alpha: float) -> Equivalence:
    """Whether the mean of paired differences [n], one an image, lies within +-margin.

    Raises:
        AnalysisError: fewer than two differences, one that is not finite, or a margin that is not positive.
    """
    found = np.asarray(differences, dtype=np.float64)
    if found.ndim != 1 or found.size < 2 or not np.isfinite(found).all():
        raise AnalysisError(
            f"Paired equivalence needs at least two finite differences in a row; found shape {found.shape}, "
            f"{int(np.isfinite(found).sum())} finite."
        )
    error = float(found.std(ddof=1)) / math.sqrt(found.size)
    return equivalence(float(found.mean()), error, found.size - 1, margin=margin, alpha=alpha)
