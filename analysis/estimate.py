"""One number with its interval, its test and where it comes from; or the reason why there is none."""

import dataclasses
import math
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """One estimated quantity. What does not apply is NaN; where nothing could be estimated, `reason` says why.

    Attributes:
        name: key of the analysis, unique within a report ("primary", "gee_rater", ...).
        quantity: what is estimated ("risk difference", "odds ratio", ...).
        measure: name of the measure it is about (`analysis.measure.MEASURES`).
        value: the point estimate.
        low: lower end of the interval.
        high: upper end of the interval.
        level: what the interval should cover, as 0.95.
        p_value: two-sided, of "no difference between the arms".
        standard_error: on the scale the test is made on (log odds for an odds ratio).
        statistic: the test statistic.
        statistic_name: "t", "z", ...
        df: degrees of freedom of the statistic; NaN where it has none.
        n: answers used.
        raters: raters used.
        images: images used.
        method: how, in a sentence.
        source: the function that computed it, as a dotted name.
        caveats: what a reader must know, a sentence each.
        reason: why there is no value, or "".
        p_adjusted: p-value after Holm over the secondary analyses; NaN elsewhere.
        status: "confirmatory" where the preregistration fixed it, "exploratory" otherwise, "" before that is judged.
    """

    name: str
    quantity: str
    measure: str
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    level: float = math.nan
    p_value: float = math.nan
    standard_error: float = math.nan
    statistic: float = math.nan
    statistic_name: str = ""
    df: float = math.nan
    n: int = 0
    raters: int = 0
    images: int = 0
    method: str = ""
    source: str = ""
    caveats: tuple[str, ...] = ()
    reason: str = ""
    p_adjusted: float = math.nan
    status: str = ""

    @property
    def available(self) -> bool:
        """Whether there is a value."""
        return not self.reason


def as_tree(result: object) -> Any:  # noqa: ANN401 - a tree as JSON has them
    """A result as dictionaries, lists, strings and numbers for JSON; NaN and infinities become null and a string.

    Dataclasses become dictionaries by field; what is not a number is null ("nothing is not zero"), and an infinite end
    of an interval is "inf" or "-inf", since JSON has neither.

    Raises:
        TypeError: a value has no form in JSON.
    """
    if result is None or isinstance(result, (bool, int, str)):
        return result
    if isinstance(result, float):
        return _number(result)
    if isinstance(result, (Enum, Path)):
        return result.value if isinstance(result, Enum) else str(result)
    if isinstance(result, dict):
        return {str(key): as_tree(value) for key, value in result.items()}
    if isinstance(result, (list, tuple)):
        return [as_tree(value) for value in result]
    return as_tree(_unfolded(result))


def _number(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return float(value)


def _unfolded(result: object) -> object:
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        return {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    if isinstance(result, (np.ndarray, np.generic)):
        return result.tolist()
    raise TypeError(f"A {type(result).__name__} has no form in JSON.")
