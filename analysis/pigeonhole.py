"""The multiway ("pigeonhole") bootstrap: raters and images drawn again independently (Owen 2007).

An answer weighs how often its rater was drawn times how often its image was. The resulting variance is about that of
raters plus images plus three times that of single answers (Owen, theorem 3), so the interval is too long where raters
and images hardly differ: a safe check beside the primary interval, not a replacement.
"""

from dataclasses import replace

import numpy as np
from scipy import sparse, stats

from .crossed import arm_sums, difference_of, why_no_contrast, why_no_interval
from .estimate import Estimate
from .measure import Measure
from .ratings import Floats, Ratings

DRAWS_AT_ONCE = 250


def pigeonhole_bootstrap(
    ratings: Ratings,
    measure: Measure,
    *,
    draws: int,
    generator: np.random.Generator,
    level: float = 0.95,
    name: str = "pigeonhole",
) -> tuple[Estimate, Estimate]:
    """The difference with its percentile interval, and with the BCa one (acceleration from raters left out in turn)."""
    blank = Estimate(
        name,
        "risk difference",
        measure.name,
        level=level,
        n=ratings.n,
        raters=ratings.raters,
        images=ratings.images,
        method=f"raters and images drawn again independently {draws} times, percentiles",
        source="analysis.pigeonhole.pigeonhole_bootstrap",
        caveats=(measure.caveat,) if measure.caveat else (),
    )
    accelerated = replace(blank, name=f"{name}_bca", method=blank.method.replace("percentiles", "BCa"))
    if reason := why_no_contrast(ratings, measure) or why_no_interval(ratings, measure):
        return replace(blank, reason=reason), replace(accelerated, reason=reason)
    sums = arm_sums(ratings, measure, ratings.rater, ratings.raters)
    value = float(difference_of(sums.sum(axis=0)))
    drawn = _drawn(ratings, measure, draws, generator)
    known = drawn[np.isfinite(drawn)]
    if lost := draws - known.size:
        sentence = f"{lost} of {draws} draws left an arm empty and were left out."
        blank, accelerated = (replace(one, caveats=(*one.caveats, sentence)) for one in (blank, accelerated))
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    low, high = np.quantile(known, tails)
    error = float(known.std(ddof=1))
    plain = replace(blank, value=value, low=float(low), high=float(high), standard_error=error)
    low, high = np.quantile(known, _bca_tails(known, value, sums, tails))
    return plain, replace(accelerated, value=value, low=float(low), high=float(high), standard_error=error)


def _drawn(ratings: Ratings, measure: Measure, draws: int, generator: np.random.Generator) -> Floats:
    """The difference in each draw [draws]; NaN where an arm is empty."""
    tables = _tables(ratings, measure)
    found = []
    for start in range(0, draws, DRAWS_AT_ONCE):
        rows = min(DRAWS_AT_ONCE, draws - start)
        raters = generator.multinomial(ratings.raters, np.full(ratings.raters, 1 / ratings.raters), size=rows)
        images = generator.multinomial(ratings.images, np.full(ratings.images, 1 / ratings.images), size=rows)
        sums = [np.sum(np.asarray(raters.astype(np.float64) @ table) * images, axis=1) for table in tables]
        found.append(difference_of(np.stack(sums, axis=-1)))
    return np.concatenate(found)


def _tables(ratings: Ratings, measure: Measure) -> list["sparse.csr_array"]:
    """Score and count of dense, then of SPADE, by rater and image."""
    counts = measure.counts(ratings)
    scores = measure.scores(ratings) * counts
    where, shape = (ratings.rater, ratings.image), (ratings.raters, ratings.images)
    return [
        sparse.csr_array((part * arm, where), shape=shape)
        for arm in (~ratings.spade, ratings.spade)
        for part in (scores, counts)
    ]


def _bca_tails(drawn: Floats, value: float, sums: Floats, tails: Floats) -> Floats:
    """The percentiles that BCa takes instead of `tails` (Efron 1987, equation 6.8)."""
    below = (np.sum(drawn < value) + np.sum(drawn == value) / 2) / drawn.size
    shift = stats.norm.ppf(min(max(below, 0.5 / drawn.size), 1 - 0.5 / drawn.size))
    left = difference_of(sums.sum(axis=0) - sums)
    spread = left.mean() - left
    cubed = float(np.sum(spread**2)) ** 1.5
    acceleration = float(np.sum(spread**3)) / (6 * cubed) if cubed > 0 else 0.0
    points = shift + stats.norm.ppf(tails)
    return np.asarray(stats.norm.cdf(shift + points / (1 - acceleration * points)))
