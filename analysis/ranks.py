"""Signed ranks and mean ranks: Wilcoxon with Hodges-Lehmann for two, Friedman with critical differences for more.

A block is what all treatments were measured on: an image, or a table. Friedman's test and the two kinds of groups after
it follow Demsar (2006) and, for the Wilcoxon-Holm kind, Benavoli, Corani and Mangili (2016), who show that Nemenyi's
groups depend on which other treatments happen to be in the comparison.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from .errors import AnalysisError
from .paired import holm

EXACT = 25
"""Differences up to which the interval of the shift comes from the exact distribution of the signed ranks."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SignedRank:
    """Wilcoxon's test on paired differences, with the shift it is about.

    Attributes:
        shift: Hodges and Lehmann's: the median of the means of all pairs of differences.
        low, high: its interval, from the same ranks as the test.
        p_value: two-sided; differences of zero by Pratt's rule.
    """

    shift: float
    low: float
    high: float
    level: float
    p_value: float
    n: int


@dataclass(frozen=True)
class MeanRanks:
    """Treatments ranked in every block, and which of them cannot be told apart.

    Attributes:
        names: best mean rank first.
        ranks: mean rank of each, 1 is best.
        statistic: Friedman's chi squared. p_value: of "no treatment differs".
        critical_difference: Nemenyi's: mean ranks closer than this are not told apart.
        nemenyi: groups by that, as (first, last) places among `names`, each the longest it can be.
        pairwise_p: Wilcoxon's p-value of each pair after Holm over all pairs, [m, m] in the order of `names`.
        wilcoxon: groups of neighbours of which no pair is told apart by those.
        blocks: how many.
    """

    names: tuple[str, ...]
    ranks: tuple[float, ...]
    statistic: float
    p_value: float
    critical_difference: float
    nemenyi: tuple[tuple[int, int], ...]
    pairwise_p: tuple[tuple[float, ...], ...]
    wilcoxon: tuple[tuple[int, int], ...]
    blocks: int
    alpha: float


def signed_rank(differences: ArrayLike, *, level: float) -> SignedRank:
    """Wilcoxon's signed-rank test on differences [n], one an image, with the Hodges-Lehmann shift and its interval.

    The interval is exact up to 25 differences and by the normal approximation beyond; with so few differences that no
    interval has the level, it is all that the pairwise means span. The test takes differences to be
    symmetric about the shift.

    Raises:
        AnalysisError: no difference, or one that is not finite.
    """
    found = np.asarray(differences, dtype=np.float64)
    if found.ndim != 1 or found.size == 0 or not np.isfinite(found).all():
        raise AnalysisError(f"Signed ranks need finite differences in a row; found shape {found.shape}.")
    n = found.size
    first, second = np.triu_indices(n)
    walsh = np.sort((found[first] + found[second]) / 2)
    cut = _cut(n, level)
    p = 1.0 if not found.any() else float(stats.wilcoxon(found, zero_method="pratt").pvalue)
    return SignedRank(float(np.median(walsh)), float(walsh[cut]), float(walsh[-1 - cut]), level, p, n)


def mean_ranks(scores: ArrayLike, names: Sequence[str], *, higher_is_better: bool, alpha: float) -> MeanRanks:
    """Mean ranks of m treatments over n blocks, from scores [n, m], with Friedman's test and both kinds of groups.

    Raises:
        AnalysisError: fewer than 3 treatments or 2 blocks, names that do not fit, or a score that is not finite.
    """
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] < 2 or table.shape[1] < 3 or table.shape[1] != len(names):
        raise AnalysisError(
            f"Mean ranks need scores [blocks, treatments] with 2 blocks, 3 treatments and a name each; found shape "
            f"{table.shape} and {len(names)} names."
        )
    if not np.isfinite(table).all():
        raise AnalysisError(f"{int((~np.isfinite(table)).sum())} scores are not finite; leave such blocks out.")
    blocks, m = table.shape
    ranked = stats.rankdata(-table if higher_is_better else table, axis=1)
    order = np.argsort(ranked.mean(axis=0), kind="stable")
    table, ranks = table[:, order], ranked.mean(axis=0)[order]
    statistic, p_value = _friedman(table)
    # The studentised range with infinite degrees of freedom, over the square root of two (Demsar, 2006, section 3.2.2).
    q = float(stats.studentized_range.ppf(1 - alpha, m, np.inf)) / math.sqrt(2)
    critical = q * math.sqrt(m * (m + 1) / (6 * blocks))
    pairwise = _pairwise(table)
    return MeanRanks(
        names=tuple(names[i] for i in order),
        ranks=tuple(ranks.tolist()),
        statistic=statistic,
        p_value=p_value,
        critical_difference=critical,
        nemenyi=_groups(m, lambda i, j: bool(ranks[j] - ranks[i] < critical)),
        pairwise_p=tuple(tuple(row) for row in pairwise.tolist()),
        wilcoxon=_groups(m, lambda i, j: bool((pairwise[i : j + 1, i : j + 1] >= alpha).all())),
        blocks=blocks,
        alpha=alpha,
    )


def _cut(n: int, level: float) -> int:
    """How many of the sorted pairwise means the interval leaves out at either end: one fewer than the test refuses."""
    tail = (1 - level) / 2
    if n > EXACT:
        # Mean and variance of the signed-rank sum without ties, with the correction for continuity.
        mean, sd = n * (n + 1) / 4, math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        return max(0, math.floor(mean - float(stats.norm.ppf(1 - tail)) * sd + 0.5) - 1)
    # P(signed-rank sum <= k), by counting the subsets of 1..n with each sum.
    counts = np.zeros(n * (n + 1) // 2 + 1)
    counts[0] = 1
    for rank in range(1, n + 1):
        counts[rank:] += counts[:-rank].copy()
    below = np.cumsum(counts) / 2.0**n
    return max(0, int(np.searchsorted(below, tail, side="right")) - 1)


def _friedman(table: Floats) -> tuple[float, float]:
    if not np.ptp(table, axis=1).any():  # every block ties everything: nothing differs, and the statistic is 0 / 0
        return 0.0, 1.0
    result = stats.friedmanchisquare(*table.T)
    return float(result.statistic), float(result.pvalue)


def _pairwise(table: Floats) -> Floats:
    m = table.shape[1]
    pairs = list(itertools.combinations(range(m), 2))
    raw = []
    for i, j in pairs:
        difference = table[:, i] - table[:, j]
        raw.append(float(stats.wilcoxon(difference, zero_method="pratt").pvalue) if difference.any() else 1.0)
    found = np.ones((m, m))
    for (i, j), p in zip(pairs, holm(raw).tolist(), strict=True):
        found[i, j] = found[j, i] = p
    return found


def _groups(m: int, together: Callable[[int, int], bool]) -> tuple[tuple[int, int], ...]:
    """Runs of places first..last, two or more, that stay together; those inside a longer one are left out."""
    found: list[tuple[int, int]] = []
    for first in range(m):
        last = max(j for j in range(first, m) if j == first or together(first, j))
        if last > first and not any(a <= first and last <= b for a, b in found):
            found.append((first, last))
    return tuple(found)
