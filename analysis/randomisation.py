"""The randomisation test: how often labels dealt as the study dealt them differ as much as the real ones.

Whoever answered an item did so under the arm that chance gave. If the visualisation made no difference to any answer,
the same answers would have come under any other dealing, so the labels are dealt again within each item, which keeps
how often each item was shown under each arm: exact for "no effect on anyone". The statistic is the difference over its
two-way jackknife standard error, so that it is also near its level for "no effect on average" (Chung and Romano 2013),
where the plain difference is not. The primary interval's error, the largest of three, would not do here: dealing again
makes answers alike, where the largest is too large, and so the bar for the observed one would be too low.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .crossed import clusters, difference_of, why_no_contrast, why_no_interval
from .estimate import Estimate
from .measure import Measure
from .ratings import Floats, Integers, Ratings

CELLS_AT_ONCE = 2_000_000
"""Labels held in memory at a time; 16 MB as floats, and a few times that while they are summed."""


def randomisation_test(
    ratings: Ratings, measure: Measure, *, draws: int, generator: np.random.Generator, name: str = "randomisation"
) -> Estimate:
    """The p-value (1 + draws at least as extreme) / (1 + draws) of "no effect on anyone"; no interval.

    The labels move within items. Two answers of one rater to one item are never both under one arm in the study, and
    may be after a deal; with 400 tasks such pairs are too few to matter.
    """
    blank = Estimate(
        name,
        "risk difference",
        measure.name,
        n=ratings.n,
        raters=ratings.raters,
        images=ratings.images,
        statistic_name="t",
        method=f"arms dealt again within items {draws} times, difference over its two-way standard error",
        source="analysis.randomisation.randomisation_test",
        caveats=(measure.caveat,) if measure.caveat else (),
    )
    if reason := why_no_contrast(ratings, measure) or why_no_interval(ratings, measure):
        return replace(blank, reason=reason)
    order = np.argsort(ratings.item, kind="stable")
    sums = _ArmSums(ratings, measure, order)
    labels = ratings.spade[order].astype(np.float64)
    items = ratings.item[order]
    if not _can_move(items, labels):
        return replace(blank, reason="No item was answered under both arms, so no label can be dealt otherwise.")
    if not _mixed(ratings):
        sentence = "No rater answered under both arms: the arm was dealt to raters, so dealing within items is no test."
        return replace(blank, reason=sentence)
    value, observed = (float(one[0]) for one in sums.statistic(labels[None]))
    if not math.isfinite(observed):
        return replace(blank, value=value, reason="The statistic is not defined: leaving out a cluster empties an arm.")
    extreme, done, chunk = 0, 0, max(1, CELLS_AT_ONCE // ratings.n)
    while done < draws:
        rows = min(chunk, draws - done)
        drawn = np.abs(sums.statistic(_dealt(labels, items, rows, generator))[1])
        # A deal without a standard error is counted as extreme: never in favour of an effect.
        extreme += int((~(drawn < abs(observed) - 1e-9)).sum())
        done += rows
    return replace(blank, value=value, statistic=observed, p_value=(1 + extreme) / (1 + draws))


def _mixed(ratings: Ratings) -> bool:
    """Whether some rater answered under both arms."""
    spade = np.bincount(ratings.rater, weights=ratings.spade, minlength=ratings.raters)
    return bool(((spade > 0) & (spade < np.bincount(ratings.rater, minlength=ratings.raters))).any())


def _can_move(items: Integers, labels: Floats) -> bool:
    size = np.bincount(items)
    spade = np.bincount(items, weights=labels)
    return bool(((spade > 0) & (spade < size)).any())


def _dealt(labels: Floats, items: Integers, rows: int, generator: np.random.Generator) -> Floats:
    """Labels [n], sorted by item, shuffled within items [rows, n]."""
    order = np.argsort(items + generator.random((rows, labels.size)), axis=1)
    return np.asarray(labels[order])


class _ArmSums:
    """Sums by cluster for many dealings at once."""

    def __init__(self, ratings: Ratings, measure: Measure, order: Integers) -> None:
        counts = measure.counts(ratings)[order]
        scores = measure.scores(ratings)[order] * counts
        self._parts = []
        rows = np.arange(ratings.n)
        for codes, size in clusters(ratings):
            where = (rows, codes[order])
            self._parts.append(
                tuple(sparse.csr_array((weight, where), shape=(ratings.n, size)) for weight in (scores, counts))
            )

    def statistic(self, labels: NDArray[np.float64]) -> tuple[Floats, Floats]:
        """Difference and difference over its two-way standard error, of labels [rows, n]."""
        variances, value = [], np.empty(0)
        for scores, counts in self._parts:
            groups = self._sums(labels, scores, counts)
            total = groups.sum(axis=1)
            value = difference_of(total)
            with np.errstate(invalid="ignore"):
                spread = difference_of(total[:, None] - groups) - value[:, None]
            size = groups.shape[1]
            variances.append((size - 1) / size * np.sum(spread**2, axis=1))
        rater, image, both = variances
        used = rater + image - both
        used = np.where(used > 0, used, np.maximum(rater, image))
        with np.errstate(invalid="ignore", divide="ignore"):
            return value, value / np.sqrt(used)

    @staticmethod
    def _sums(labels: Floats, scores: "sparse.csr_array", counts: "sparse.csr_array") -> Floats:
        spade = [labels @ scores, labels @ counts]
        whole = [np.asarray(part.sum(axis=0))[None] for part in (scores, counts)]
        return np.stack([whole[0] - spade[0], whole[1] - spade[1], *spade], axis=-1)
