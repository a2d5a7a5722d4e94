"""What changes within raters: learning or tiring over positions, and answers or times between arms.

Each rater is compared with himself: outcome and regressor are taken about the rater's own mean, which is a linear
model with one intercept a rater.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from .errors import AnalysisError


@dataclass(frozen=True)
class WithinSlope:
    """How much the outcome changes with one unit of the regressor within raters; NaN comes with a reason."""

    estimate: float
    low: float
    high: float
    level: float
    p_value: float
    n: int
    raters: int
    reason: str = ""


def within_slope(outcome: ArrayLike, regressor: ArrayLike, raters: ArrayLike, *, level: float) -> WithinSlope:
    """The slope of outcome [n] on regressor [n] with an intercept a rater [n], and its interval over raters.

    Least squares; the standard error leaves out each rater in turn, and t has the effective number of raters less one
    as its degrees of freedom, (sum s)^2 / sum s^2 of their spreads s of the regressor (Carter, Schnepel, Steigerwald
    2017): a slope over positions hangs on the few raters who answered most, and the usual sandwich with the count of
    raters covered 91 % where it said 95.

    Raises:
        AnalysisError: the arrays differ in length, are empty, or hold a value that is not finite.
    """
    y, x = np.asarray(outcome, dtype=np.float64), np.asarray(regressor, dtype=np.float64)
    group = pd.factorize(np.asarray(raters), sort=True)[0]
    if not (y.ndim == 1 and y.shape == x.shape == group.shape and y.size):
        raise AnalysisError(f"Outcome, regressor and raters came with lengths {y.size}, {x.size}, {group.size}.")
    if not (np.isfinite(y).all() and np.isfinite(x).all()):
        raise AnalysisError("An outcome or a regressor is not finite; leave such answers out and count them.")
    size = np.bincount(group)
    y, x = y - (np.bincount(group, y) / size)[group], x - (np.bincount(group, x) / size)[group]
    spread = np.bincount(group, x * x)
    # Rounding leaves a rater without variation a spread of about 1e-32; a single step of one in a million is 1e-6.
    varying = int((spread > 1e-12 * max(1.0, spread.max())).sum())
    if varying == 0:
        return WithinSlope(math.nan, math.nan, math.nan, level, math.nan, y.size, 0, "it varies within no rater")
    slope = float(x @ y / spread.sum())
    if varying < 2:
        reason = "it varies within one rater, who says nothing about the next"
        return WithinSlope(slope, math.nan, math.nan, level, math.nan, y.size, varying, reason)
    products = np.bincount(group, x * y)
    left = (products.sum() - products) / (spread.sum() - spread)
    error = math.sqrt((varying - 1) / varying * float(np.sum((left - slope) ** 2)))
    df = max(1.0, float(spread.sum() ** 2 / np.sum(spread**2)) - 1)
    half = float(stats.t.ppf((1 + level) / 2, df)) * error
    p_value = float(2 * stats.t.sf(abs(slope) / error, df)) if error > 0 else float(slope == 0)
    return WithinSlope(slope, slope - half, slope + half, level, p_value, y.size, varying)


def drift(frame: pd.DataFrame, *, level: float) -> dict[str, WithinSlope]:
    """Change over ten tasks, within raters: of the shares of agree and undecided, and of the log response time.

    `frame` holds counted answers; `position` counts from 1 for each rater.
    """
    position, raters = frame["position"].to_numpy(dtype=np.float64) / 10, frame["rater"].astype(object).to_numpy()
    found = {
        name: within_slope((frame["outcome"] == name).to_numpy(), position, raters, level=level)
        for name in ("agree", "undecided")
    }
    timed = _timed(frame)
    if len(timed):
        found["log response time"] = _log_time(timed, timed["position"].to_numpy(dtype=np.float64) / 10, level=level)
    return found


def time_ratio(frame: pd.DataFrame, *, level: float) -> WithinSlope | None:
    """How many times as long answers under SPADE take, within raters (a ratio, from log times); None without times."""
    timed = _timed(frame)
    if not len(timed):
        return None
    log = _log_time(timed, (timed["arm"] == "spade").to_numpy(dtype=np.float64), level=level)
    return WithinSlope(
        math.exp(log.estimate),
        math.exp(log.low),
        math.exp(log.high),
        level,
        log.p_value,
        log.n,
        log.raters,
        log.reason,
    )


def _timed(frame: pd.DataFrame) -> pd.DataFrame:
    if "client_rt_ms" not in frame.columns:
        return frame.iloc[:0]
    # A time of zero milliseconds is a clock that failed, and has no logarithm.
    return frame[(frame["client_rt_ms"] > 0).to_numpy()]


def _log_time(timed: pd.DataFrame, regressor: ArrayLike, *, level: float) -> WithinSlope:
    log = np.log(timed["client_rt_ms"].to_numpy(dtype=np.float64))
    return within_slope(log, regressor, timed["rater"].astype(object).to_numpy(), level=level)
