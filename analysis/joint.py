"""One bootstrap over images for everything that shares them: each method's gain, their average, and how many gain.

Methods are computed on the same images, so their gains move together. Drawing images once and reading every figure off
the same draw keeps that; ten separate intervals would not say how many of ten methods gain.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from .errors import AnalysisError
from .paired import FEW, Bootstrap, expanded_level

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval; NaN ends where there are fewer than two images."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class JointGains:
    """The gains of m methods on n images, from one set of draws.

    Attributes:
        methods: the gain of each method, with its BCa interval.
        average: of the methods' mean gains, with its BCa interval.
        gaining: methods whose mean gain is above zero.
        gaining_low, gaining_high: percentile interval of that count over the draws.
        count_chances: share of draws in which exactly 0, 1, ... m methods gain.
    """

    methods: tuple[Interval, ...]
    average: Interval
    gaining: int
    gaining_low: int
    gaining_high: int
    count_chances: tuple[float, ...]
    level: float
    n: int

    def chance_of_at_least(self, k: int) -> float:
        """The share of draws in which at least k methods gain: how firmly the images support "k of m"."""
        return math.fsum(self.count_chances[max(k, 0) :])


def joint_gains(differences: ArrayLike, *, bootstrap: Bootstrap, generator: np.random.Generator) -> JointGains:
    """What m methods gain on n images, from differences [n, m]; NaN where a method has no value on an image.

    A method's mean is over the images it has. The order of images decides which draws are made and nothing else; sort
    them beforehand to get the same bits.

    Raises:
        AnalysisError: not a table of numbers, a method without any value, or an infinite difference.
    """
    table = _checked(differences)
    known = ~np.isnan(table)
    filled = np.where(known, table, 0.0)
    images, methods = table.shape
    means = filled.sum(axis=0) / known.sum(axis=0)
    gaining = int((means > 0).sum())
    if images < 2:
        nothing = [Interval(float(mean), math.nan, math.nan) for mean in means]
        average = Interval(float(means.mean()), math.nan, math.nan)
        chances = tuple(float(k == gaining) for k in range(methods + 1))
        return JointGains(tuple(nothing), average, gaining, gaining, gaining, chances, bootstrap.level, images)
    drawn = _draws(filled, known, bootstrap.draws, generator)
    left_out = _leave_one_out(filled, known)
    counts = (drawn > 0).sum(axis=1)
    tail = (1 - bootstrap.level) / 2
    low, high = np.quantile(counts, [tail, 1 - tail], method="inverted_cdf")
    return JointGains(
        methods=tuple(_interval(float(means[j]), drawn[:, j], left_out[:, j], bootstrap) for j in range(methods)),
        average=_interval(float(means.mean()), drawn.mean(axis=1), left_out.mean(axis=1), bootstrap),
        gaining=gaining,
        gaining_low=int(low),
        gaining_high=int(high),
        count_chances=tuple(float(share) for share in np.bincount(counts, minlength=methods + 1) / len(counts)),
        level=bootstrap.level,
        n=images,
    )


def table_of(values: Sequence[dict[str, float]], images: Sequence[str]) -> Floats:
    """The values of m methods by image as a table [n, m], NaN where a method lacks an image."""
    return np.array([[one.get(image, math.nan) for one in values] for image in images], dtype=np.float64)


def _draws(filled: Floats, known: NDArray[np.bool_], draws: int, generator: np.random.Generator) -> Floats:
    """Mean of each method in each draw [draws, m]; a draw in which a method has no image repeats its overall mean."""
    images = filled.shape[0]
    times = generator.multinomial(images, np.full(images, 1 / images), size=draws).astype(np.float64)
    sums, sizes = times @ filled, times @ known.astype(np.float64)
    overall = filled.sum(axis=0) / known.sum(axis=0)
    with np.errstate(invalid="ignore"):
        found: Floats = np.where(sizes > 0, sums / sizes, overall)
    return found


def _leave_one_out(filled: Floats, known: NDArray[np.bool_]) -> Floats:
    sums, sizes = filled.sum(axis=0) - filled, known.sum(axis=0) - known
    overall = filled.sum(axis=0) / known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where(sizes > 0, sums / sizes, overall)
    return found


def _interval(estimate: float, drawn: Floats, left_out: Floats, bootstrap: Bootstrap) -> Interval:
    if left_out.size < FEW:
        return Interval(estimate, *jackknife(estimate, left_out, bootstrap.level))
    level = expanded_level(bootstrap.level, left_out.size, draws=bootstrap.draws)
    return Interval(estimate, *bca(estimate, drawn, left_out, level))


def jackknife(estimate: float, left_out: Floats, level: float) -> tuple[float, float]:
    """Student's ends of an estimate over few images, from its leave-one-out values (`paired.FEW` says how few).

    For a plain mean this is Student's interval.
    """
    n = left_out.size
    error = math.sqrt((n - 1) / n * math.fsum(((left_out - left_out.mean()) ** 2).tolist()))
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * error
    return estimate - half, estimate + half


def bca(estimate: float, drawn: Floats, left_out: Floats, level: float) -> tuple[float, float]:
    """Bias-corrected and accelerated ends (Efron, 1987) of an estimate, from its draws and its leave-one-out values.

    The estimate itself where nothing varies.
    """
    if np.ptp(drawn) == 0:
        return estimate, estimate
    bias: Any = stats.norm.ppf(((drawn < estimate).mean() + (drawn <= estimate).mean()) / 2)
    away = left_out.mean() - left_out
    spread = float((away**2).sum())
    acceleration = float((away**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    if not math.isfinite(bias):  # every draw on one side: only with very few images
        bias = 0.0
    z = bias + stats.norm.ppf([(1 - level) / 2, (1 + level) / 2])
    where = stats.norm.cdf(bias + z / (1 - acceleration * z))
    low, high = np.quantile(drawn, where)
    return float(low), float(high)


def _checked(differences: ArrayLike) -> Floats:
    table = np.asarray(differences, dtype=np.float64)
    if table.ndim != 2 or 0 in table.shape:
        raise AnalysisError(f"Differences came with shape {table.shape}; expected a table [images, methods].")
    if np.isinf(table).any():
        raise AnalysisError(f"{int(np.isinf(table).sum())} differences are infinite; leave failed units out as NaN.")
    empty = np.flatnonzero(np.isnan(table).all(axis=0))
    if empty.size:
        raise AnalysisError(f"Method {int(empty[0])} has a value on no image; leave it out of the table.")
    return table
