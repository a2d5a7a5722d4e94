"""The difference between the arms when raters and images are both drawn from more: crossed jackknife intervals.

Answers of one rater share the person, answers on one image share the scene, and neither contains the other. The
variance is that of two-way clustering, V = V_rater + V_image - V_(rater and image) (Cameron, Gelbach, Miller 2011),
each part being the leave-one-cluster-out jackknife of the difference itself (CV3; MacKinnon, Nielsen, Webb 2024,
"Jackknife inference with two-way clustering"), which holds where clusters are few and uneven and the textbook
sandwich (CV1) is too short. The largest of V, V_rater and V_image is used, since the sum can fall below its parts,
even below zero. Student's t has the smaller number of clusters less one as its degrees of freedom.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats
from scipy.special import expit

from .estimate import Estimate
from .measure import Measure
from .ratings import Floats, Integers, Ratings

Statistic = Callable[[Floats], Floats]
"""From sums [..., 4] as `arm_sums` gives them to a number [...]."""


@dataclass(frozen=True)
class CrossedVariance:
    """Variance of a difference by what is left out in turn.

    Attributes:
        rater: leaving out raters.
        image: leaving out images.
        both: leaving out the answers of one rater on one image.
        naive: answers taken as independent.
        df: degrees of freedom of t, the smaller number of clusters less one.
    """

    rater: float
    image: float
    both: float
    naive: float
    df: int

    @property
    def two_way(self) -> float:
        """Rater and image parts less the one they share."""
        return self.rater + self.image - self.both

    @property
    def used(self) -> float:
        """The largest of the two-way variance and its one-way parts."""
        return float(np.max([self.two_way, self.rater, self.image]))

    @property
    def design_effect(self) -> float:
        """By what the variance exceeds that of independent answers; NaN where that is zero."""
        return self.used / self.naive if self.naive > 0 else math.nan


def arm_sums(ratings: Ratings, measure: Measure, groups: Integers, size: int) -> Floats:
    """For each group [size]: score and count of dense, then of SPADE [size, 4]."""
    scores, counts = measure.scores(ratings), measure.counts(ratings)
    columns = []
    for arm in (~ratings.spade, ratings.spade):
        columns += [np.bincount(groups, weights=part * arm, minlength=size) for part in (scores * counts, counts)]
    return np.stack(columns, axis=-1)


def difference_of(sums: Floats) -> Floats:
    """SPADE's share minus dense's of sums [..., 4] as `arm_sums` gives them; NaN where an arm is empty."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 2] / sums[..., 3] - sums[..., 0] / sums[..., 1])


def log_odds_ratio_of(sums: Floats) -> Floats:
    """Log odds ratio of SPADE against dense of sums [..., 4]; infinite or NaN where a cell is empty."""
    with np.errstate(invalid="ignore", divide="ignore"):
        odds = [np.log(sums[..., k]) - np.log(sums[..., k + 1] - sums[..., k]) for k in (0, 2)]
        return np.asarray(odds[1] - odds[0])


def dense_logit_of(sums: Floats) -> Floats:
    """Logit of dense's share of sums [..., 4]."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.log(sums[..., 0]) - np.log(sums[..., 1] - sums[..., 0]))


def spade_logit_of(sums: Floats) -> Floats:
    """Logit of SPADE's share of sums [..., 4]."""
    return dense_logit_of(sums[..., 2:])


def clusters(ratings: Ratings) -> tuple[tuple[Integers, int], ...]:
    """Group number of each answer [n] and number of groups: by rater, by image, by both."""
    _, cells = np.unique(ratings.rater * max(ratings.images, 1) + ratings.image, return_inverse=True)
    return (ratings.rater, ratings.raters), (ratings.image, ratings.images), (cells, int(cells.max(initial=-1)) + 1)


def crossed_variance(ratings: Ratings, measure: Measure, statistic: Statistic = difference_of) -> CrossedVariance:
    """The variance of a statistic of the arms' sums; NaN parts where leaving out a cluster leaves it undefined."""
    rater, image, both = (
        jackknife_variance(arm_sums(ratings, measure, codes, size), statistic) for codes, size in clusters(ratings)
    )
    naive = _naive(ratings, measure) if statistic is difference_of else math.nan
    return CrossedVariance(rater, image, both, naive, min(ratings.raters, ratings.images) - 1)


def risk_difference(
    ratings: Ratings, measure: Measure, *, level: float = 0.95, name: str = "risk_difference"
) -> Estimate:
    """SPADE's share minus dense's with its crossed interval and test.

    There is no value, and a reason, where an arm is empty, and no interval where there is one rater or image, where
    leaving one out empties an arm, or where the answers do not vary.
    """
    blank = Estimate(
        name,
        "risk difference",
        measure.name,
        level=level,
        n=ratings.n,
        raters=ratings.raters,
        images=ratings.images,
        statistic_name="t",
        method="crossed jackknife over raters and images, Student's t",
        source="analysis.crossed.risk_difference",
        caveats=(measure.caveat,) if measure.caveat else (),
    )
    if reason := why_no_contrast(ratings, measure):
        return replace(blank, reason=reason)
    total = arm_sums(ratings, measure, np.zeros(ratings.n, dtype=np.int64), 1)[0]
    value = float(difference_of(total))
    if reason := why_no_interval(ratings, measure):
        return replace(blank, value=value, caveats=(*blank.caveats, reason))
    variance = crossed_variance(ratings, measure)
    if not math.isfinite(variance.used):
        sentence = "Leaving out one rater or image leaves an arm without answers; there is no interval."
        return replace(blank, value=value, caveats=(*blank.caveats, sentence))
    error = math.sqrt(variance.used)
    if error == 0:
        sentence = (
            "Within each arm all answers are the same (separation); there is no telling how another sample differs."
        )
        return replace(blank, value=value, caveats=(*blank.caveats, sentence))
    half = float(stats.t.ppf((1 + level) / 2, variance.df)) * error
    caveats = list(blank.caveats)
    if variance.df < 9:
        caveats.append(f"Only {variance.df + 1} clusters on one side; an interval from so few is rough.")
    return replace(
        blank,
        value=value,
        low=value - half,
        high=value + half,
        p_value=float(2 * stats.t.sf(abs(value) / error, variance.df)),
        standard_error=error,
        statistic=value / error,
        df=float(variance.df),
        caveats=tuple(caveats),
    )


def odds_ratio(ratings: Ratings, measure: Measure, *, level: float = 0.95, name: str = "odds_ratio") -> Estimate:
    """SPADE's odds over dense's with its crossed interval and test, made on the log scale.

    As `risk_difference`; an arm where all or none of the answers count one has no finite odds, and the reason says so.
    """
    found = _on_scale(ratings, measure, log_odds_ratio_of, level)
    blank = Estimate(
        name,
        "odds ratio",
        measure.name,
        level=level,
        n=ratings.n,
        raters=ratings.raters,
        images=ratings.images,
        statistic_name="t",
        method="crossed jackknife over raters and images on the log odds, Student's t",
        source="analysis.crossed.odds_ratio",
        caveats=(measure.caveat,) if measure.caveat else (),
    )
    if isinstance(found, str):
        return replace(blank, reason=found)
    value, error, half, df = found
    if not math.isfinite(error):
        sentence = "Leaving out one rater or image leaves an arm with all or none; there is no interval."
        return replace(blank, value=math.exp(value), caveats=(*blank.caveats, sentence))
    return replace(
        blank,
        value=math.exp(value),
        low=math.exp(value - half),
        high=math.exp(value + half),
        p_value=float(2 * stats.t.sf(abs(value) / error, df)),
        standard_error=error,
        statistic=value / error,
        df=float(df),
    )


def share_interval(ratings: Ratings, measure: Measure, *, spade: bool, level: float = 0.95) -> tuple[float, float]:
    """The crossed interval of one arm's share, made on the logit scale; NaN where there is none."""
    found = _on_scale(ratings, measure, spade_logit_of if spade else dense_logit_of, level)
    if isinstance(found, str) or not math.isfinite(found[1]):
        return math.nan, math.nan
    value, _, half, _ = found
    return float(expit(value - half)), float(expit(value + half))


def _on_scale(
    ratings: Ratings, measure: Measure, statistic: Statistic, level: float
) -> str | tuple[float, float, float, int]:
    """Value, standard error, half width and degrees of freedom on the statistic's scale, or why there is none."""
    if reason := why_no_contrast(ratings, measure) or why_no_interval(ratings, measure):
        return reason
    value = float(statistic(arm_sums(ratings, measure, np.zeros(ratings.n, dtype=np.int64), 1)[0]))
    if not math.isfinite(value):
        return "In one arm all or none of the answers are of this kind (separation); its odds are not finite."
    variance = crossed_variance(ratings, measure, statistic)
    error = math.sqrt(variance.used) if math.isfinite(variance.used) else math.nan
    return value, error, float(stats.t.ppf((1 + level) / 2, variance.df)) * error, variance.df


def why_no_contrast(ratings: Ratings, measure: Measure) -> str:
    """A sentence where an arm has no answer that counts, else an empty one."""
    counted = measure.counts(ratings) > 0
    for name, arm in (("dense", ~ratings.spade), ("SPADE", ratings.spade)):
        if not (arm & counted).any():
            among = "" if all(measure.counted) else " that is decided"
            return f"The {name} arm has no answer{among}; there is nothing to compare."
    return ""


def why_no_interval(ratings: Ratings, measure: Measure) -> str:
    """A sentence where no interval can be had from these answers, else an empty one."""
    for count, one in ((ratings.raters, "rater"), (ratings.images, "image")):
        if count < 2:
            return f"All answers are of one {one}, which says nothing about the next {one}; there is no interval."
    counted = measure.counts(ratings) > 0
    scores = measure.scores(ratings)[counted]
    if np.ptp(scores) == 0:
        return (
            "All answers are the same on this measure; how far another sample would differ cannot be judged from them."
        )
    return ""


def jackknife_variance(sums: Floats, statistic: Statistic) -> float:
    """Leave-one-group-out variance of a statistic of sums [groups, 4] about its value from all groups."""
    groups = sums.shape[0]
    if groups < 2:
        return math.nan
    total = sums.sum(axis=0)
    with np.errstate(invalid="ignore"):
        spread = statistic(total - sums) - statistic(total)
    return float((groups - 1) / groups * np.sum(spread**2))


def _naive(ratings: Ratings, measure: Measure) -> float:
    """Variance of the difference of two independent means of independent scores."""
    counted = measure.counts(ratings) > 0
    scores = measure.scores(ratings)
    parts = [scores[counted & arm] for arm in (~ratings.spade, ratings.spade)]
    return math.nan if min(part.size for part in parts) < 1 else float(sum(part.var() / part.size for part in parts))
