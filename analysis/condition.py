"""Shares by condition of any study with raters and items, each with an interval over raters."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from .errors import AnalysisError


@dataclass(frozen=True)
class ConditionShare:
    """One condition's share of correct answers.

    Attributes:
        condition: its name.
        k: correct answers.
        n: answers.
        raters: raters who gave them.
        share: k / n.
        standard_error: leaving out raters in turn (CV3); NaN with one rater.
        low: lower end of the interval, Student's t with raters - 1 degrees of freedom, not below 0.
        high: upper end, not above 1.
    """

    condition: str
    k: int
    n: int
    raters: int
    share: float
    standard_error: float
    low: float
    high: float


def condition_shares(
    correct: ArrayLike, condition: ArrayLike, rater: ArrayLike, *, level: float = 0.95
) -> tuple[ConditionShare, ...]:
    """The share of correct answers [n] of each condition [n], by name, with intervals clustered by rater [n].

    Raises:
        AnalysisError: the columns differ in length, or an answer is neither 0 nor 1.
    """
    right, names, people = np.asarray(correct, dtype=np.float64), np.asarray(condition), np.asarray(rater)
    if not right.size == names.size == people.size:
        raise AnalysisError(
            f"The columns have different lengths: {right.size} answers, {names.size} conditions, {people.size} raters."
        )
    if not np.isin(right, (0.0, 1.0)).all():
        raise AnalysisError("An answer is neither 0 (wrong) nor 1 (correct).")
    return tuple(_share(str(one), right[names == one], people[names == one], level) for one in np.unique(names))


def _share(name: str, right: np.ndarray, people: np.ndarray, level: float) -> ConditionShare:
    _, rater = np.unique(people, return_inverse=True)
    sums, sizes = np.bincount(rater, weights=right), np.bincount(rater)
    count, share = sizes.size, float(right.mean())
    if count < 2:
        return ConditionShare(name, int(right.sum()), right.size, count, share, math.nan, math.nan, math.nan)
    left = (right.sum() - sums) / (right.size - sizes)
    error = math.sqrt((count - 1) / count * float(np.sum((left - share) ** 2)))
    half = float(stats.t.ppf((1 + level) / 2, count - 1)) * error
    ends = max(share - half, 0.0), min(share + half, 1.0)
    return ConditionShare(name, int(right.sum()), right.size, count, share, error, *ends)
