"""What several seeds say together: the mean over seeds with its power, and where one fresh seed will fall.

A seed redraws everything (data, network, backdoor, samples), so the n values are independent and are treated as
normal: Student's t, with the noncentral F of t squared for power.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

from .errors import AnalysisError

MOST_SEEDS = 100_000
"""Where the search for a number of seeds ends: beyond it the answer is 'no number anyone will run'."""


@dataclass(frozen=True)
class SeedMean:
    """The mean of one value a seed, its t-interval, and what that many seeds can and cannot show."""

    mean: float
    sd: float
    low: float
    high: float
    level: float
    n: int
    p_value: float
    """Two-sided, of 'the mean over seeds is zero'."""
    power: float
    """The chance asked for in `detectable` and `seeds_needed`."""
    detectable: float
    """Smallest true mean (absolute) that n seeds with this spread resolve with that chance."""
    seeds_needed: float
    """Seeds that resolve a true mean as large as the observed one with that chance; infinite where it is zero."""


@dataclass(frozen=True)
class Prediction:
    """Where one fresh seed's value falls with probability `level`, judged from n seeds."""

    low: float
    high: float
    level: float
    mean: float
    sd: float
    n: int


def mean_over_seeds(values: ArrayLike, *, level: float, power: float) -> SeedMean:
    """The mean of one value a seed [n] with its t-interval, and the power behind it.

    One seed has a mean and nothing else: every other figure is NaN.

    Raises:
        AnalysisError: no value, or one that is not finite.
    """
    seeds = _checked(values)
    n, mean = seeds.size, _mean(seeds)
    if n < 2:
        return SeedMean(mean, math.nan, math.nan, math.nan, level, n, math.nan, power, math.nan, math.nan)
    sd = float(seeds.std(ddof=1))
    error = sd / math.sqrt(n)
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * error
    p_value = float(2 * stats.t.sf(abs(mean) / error, n - 1)) if error > 0 else float(mean == 0)
    return SeedMean(
        mean,
        sd,
        mean - half,
        mean + half,
        level,
        n,
        p_value,
        power,
        detectable=detectable_mean(sd, n, level=level, power=power),
        seeds_needed=seeds_needed(mean, sd, level=level, power=power),
    )


def predict_fresh_seed(values: ArrayLike, *, level: float, other_sd: float = 0.0) -> Prediction:
    """The interval that holds one fresh seed's value with probability `level`, from one value a seed [n].

    mean +- t sd sqrt(1 + 1/n), with n - 1 degrees of freedom. `other_sd` is a spread measured otherwise for the same
    value (the same seed under other arithmetic); the larger of the two is used, because the spread over seeds already
    contains whatever varies freely within a seed, and adding them would count it twice.

    Raises:
        AnalysisError: fewer than two values, or one that is not finite.
    """
    seeds = _checked(values)
    if seeds.size < 2:
        raise AnalysisError("A prediction for a fresh seed came with 1 seed; expected at least 2.")
    n, mean = seeds.size, _mean(seeds)
    sd = max(float(seeds.std(ddof=1)), other_sd)
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * sd * math.sqrt(1 + 1 / n)
    return Prediction(mean - half, mean + half, level, mean, sd, n)


def power_of_mean(true_mean: float, sd: float, n: float, *, level: float) -> float:
    """The chance that a two-sided t-test on n seeds resolves `true_mean`, given the spread over seeds."""
    if sd == 0:
        return float(true_mean != 0)
    if true_mean == 0:
        return 1 - level
    critical, squared_shift = stats.t.ppf((1 + level) / 2, n - 1) ** 2, n * (true_mean / sd) ** 2
    # t squared is F with one degree: both tails at once, where scipy's noncentral t loses its lower tail to NaN.
    return float(stats.ncf.sf(critical, 1, n - 1, squared_shift))


def detectable_mean(sd: float, n: int, *, level: float, power: float) -> float:
    """The smallest true mean (absolute) that n seeds with spread `sd` resolve with chance `power`."""
    if sd == 0:
        return 0.0
    # In units of the standard error the answer lies below critical value + 10, where the power is 1 to machine
    # precision for any n above 2; with two seeds the noncentral t is so wide that the bracket has to grow.
    top = float(stats.t.ppf((1 + level) / 2, n - 1)) + 10
    while power_of_mean(top / math.sqrt(n), 1.0, n, level=level) < power:
        top *= 2
    scaled = optimize.brentq(lambda e: power_of_mean(e / math.sqrt(n), 1.0, n, level=level) - power, 0.0, top)
    return float(scaled) * sd / math.sqrt(n)


def seeds_needed(true_mean: float, sd: float, *, level: float, power: float) -> float:
    """The least number of seeds that resolves `true_mean` with chance `power`; infinite beyond `MOST_SEEDS`."""
    if sd == 0:
        return 2.0 if true_mean else math.inf
    low, high = 2, 4
    if power_of_mean(true_mean, sd, low, level=level) >= power:
        return 2.0
    while power_of_mean(true_mean, sd, high, level=level) < power:
        low, high = high, high * 2
        if high > MOST_SEEDS:
            return math.inf
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of_mean(true_mean, sd, middle, level=level) >= power else (middle, high)
    return float(high)


def _mean(seeds: NDArray[np.float64]) -> float:
    return math.fsum(seeds.tolist()) / seeds.size


def _checked(values: ArrayLike) -> NDArray[np.float64]:
    seeds = np.asarray(values, dtype=np.float64)
    if seeds.ndim != 1 or seeds.size == 0:
        raise AnalysisError(f"Values over seeds came with shape {seeds.shape}; expected one non-empty row of numbers.")
    if not np.isfinite(seeds).all():
        raise AnalysisError(f"{int((~np.isfinite(seeds)).sum())} of {seeds.size} values over seeds are not finite.")
    return seeds
