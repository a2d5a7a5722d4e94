"""Does a fresh measurement agree with a printed one: the error of their difference, and where the fresh one may fall.

Printed: p, rounded (the number before rounding lies within r of it), the mean of n' samples whose scatter nobody
printed. Fresh: the mean of n samples with standard deviation s, other samples than the printed one's. The difference of
the two has variance s^2 / n' + s^2 / n + s_a^2 (1 + 1 / K), where s_a is the spread of the mean over seeds of the
augmentations (one seed in print, K in ours).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats

from .errors import AnalysisError


@dataclass(frozen=True)
class Printed:
    """A printed mean: its value, half a unit of its last digit, and the samples behind it."""

    value: float
    half_unit: float
    n: int


@dataclass(frozen=True)
class Fresh:
    """A fresh mean over n samples.

    Attributes:
        sd: of the samples.
        seed_sd: of the mean over seeds of the augmentations; 0 where it was not measured.
        seeds: how many seeds the mean is over.
    """

    mean: float
    sd: float
    n: int
    seed_sd: float = 0.0
    seeds: int = 1


@dataclass(frozen=True)
class Replication:
    """How a fresh mean stands to a printed one.

    Attributes:
        difference: fresh - printed.
        error: its standard error. df: degrees of freedom of that.
        low, high: where the fresh mean was to fall, at `level`, rounding included.
        inside: whether it fell there.
    """

    difference: float
    error: float
    df: float
    low: float
    high: float
    level: float
    inside: bool


def replication(printed: Printed, fresh: Fresh, *, level: float, replicate_sd: float = 0.0) -> Replication:
    """How a fresh mean stands to a printed one.

    replicate_sd: the least spread between two tables of the same source that print the same quantity from other
    samples; the error of the difference is never taken to be smaller than that of two such tables.

    Raises:
        AnalysisError: fewer than two fresh samples or no printed one, or a number that is not finite.
    """
    if fresh.n < 2 or printed.n < 1:
        raise AnalysisError(
            f"A comparison with print needs 2 fresh samples and 1 printed one; found {fresh.n} and {printed.n}."
        )
    if not all(map(math.isfinite, (printed.value, fresh.mean, fresh.sd, fresh.seed_sd))):
        raise AnalysisError("A comparison with print needs finite numbers; leave failed units out and count them.")
    sampled = fresh.sd**2 * (1 / printed.n + 1 / fresh.n)
    seeded = fresh.seed_sd**2 * (1 + 1 / fresh.seeds)
    variance = sampled + seeded
    df = _welch([(sampled, fresh.n - 1), (seeded, fresh.seeds - 1)])
    error = max(math.sqrt(variance), math.sqrt(2) * replicate_sd)
    half = float(stats.t.ppf((1 + level) / 2, df)) * error + printed.half_unit
    difference = fresh.mean - printed.value
    return Replication(
        difference, error, df, printed.value - half, printed.value + half, level=level, inside=abs(difference) <= half
    )


def samples_needed(sd: float, n_printed: int, *, half_width: float, level: float) -> float:
    """The least n whose interval for (fresh - printed) has at most this half width; infinite where none has.

    The printed mean's own error stays, however many fresh samples there are.
    """
    floor = sd / math.sqrt(n_printed)

    def excess(n: float) -> float:
        return float(stats.t.ppf((1 + level) / 2, n - 1)) * sd * math.sqrt(1 / n_printed + 1 / n) - half_width

    if sd == 0:
        return 2.0
    if float(stats.norm.ppf((1 + level) / 2)) * floor >= half_width:
        return math.inf
    if excess(2) <= 0:
        return 2.0
    top = 4.0
    while excess(top) > 0:
        top *= 2
        if top > 1e9:
            return math.inf
    return float(math.ceil(optimize.brentq(excess, 2.0, top)))


def spread_between(replicates: ArrayLike) -> float:
    """The pooled standard deviation between replicate tables [tables, cells] that print the same quantities.

    Raises:
        AnalysisError: fewer than two tables, or a number that is not finite.
    """
    found = np.asarray(replicates, dtype=np.float64)
    if found.ndim != 2 or found.shape[0] < 2 or not np.isfinite(found).all():
        raise AnalysisError(f"Replicates came with shape {found.shape}; expected two or more tables of finite numbers.")
    return math.sqrt(float(found.var(axis=0, ddof=1).mean()))


def _welch(parts: list[tuple[float, int]]) -> float:
    """Degrees of freedom of a sum of variances (Welch and Satterthwaite); infinite where nothing varies."""
    total = math.fsum(variance for variance, _ in parts)
    below = math.fsum(variance**2 / max(df, 1) for variance, df in parts if variance > 0)
    return total**2 / below if below > 0 else float(max(df for _, df in parts))
