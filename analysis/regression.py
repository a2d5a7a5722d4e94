"""Regressions of statsmodels on the arm alone: the sandwich, GEE and the multinomial logit."""

import math
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from scipy import stats
from statsmodels.discrete.discrete_model import MNLogit
from statsmodels.genmod.cov_struct import Exchangeable
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_estimating_equations import GEE
from statsmodels.regression.linear_model import OLS
from statsmodels.tools.sm_exceptions import PerfectSeparationError

from .crossed import why_no_contrast, why_no_interval
from .estimate import Estimate
from .measure import Measure, measure
from .ratings import Floats, Integers, Ratings

Side = Literal["rater", "image"]
LARGEST_FOR_BIAS_REDUCTION = 1000
"""Answers of one cluster; Mancl and DeRouen's correction inverts a square matrix of this size for each cluster."""


def sandwich(
    ratings: Ratings, asked: Measure, *, by: Literal["rater", "image", "both"], level: float = 0.95
) -> Estimate:
    """The risk difference by least squares with the cluster-robust covariance (CR1) over raters, images or both.

    Student's t with the (smaller) number of clusters less one. Too short where clusters are few and uneven: it stands
    beside the primary interval because readers know it.
    """
    blank = _blank(f"sandwich_{by}", "risk difference", asked, ratings, level=level, function="sandwich")
    blank = replace(blank, method=f"linear regression on the arm, cluster-robust (CR1) by {_word(by)}, Student's t")
    if reason := why_no_contrast(ratings, asked) or why_no_interval(ratings, asked):
        return replace(blank, reason=reason)
    kept = asked.counts(ratings) > 0
    groups = {"rater": ratings.rater, "image": ratings.image, "both": np.stack([ratings.rater, ratings.image], axis=1)}
    counts = {"rater": ratings.raters, "image": ratings.images, "both": min(ratings.raters, ratings.images)}
    fitted = OLS(asked.scores(ratings)[kept], _design(ratings, kept)).fit(
        cov_type="cluster", cov_kwds={"groups": groups[by][kept]}
    )
    # The variance itself, not `bse`: an arm without variance has an intercept whose root would warn for nothing.
    variance = float(np.asarray(fitted.cov_params())[1, 1])
    if not variance > 0:
        return replace(blank, reason="The parts of the two-way variance leave nothing to judge by.")
    return _tested(blank, float(fitted.params[1]), math.sqrt(variance), counts[by] - 1)


def gee(ratings: Ratings, asked: Measure, *, by: Side, level: float = 0.95) -> Estimate:
    """The odds ratio by generalised estimating equations, exchangeable within raters or images.

    Covariance with Mancl and DeRouen's bias reduction (2001), Student's t with the number of clusters less one. GEE
    knows one grouping: answers on one image are independent in the fit by rater, and the other way round.
    """
    blank = _blank(f"gee_{by}", "odds ratio", asked, ratings, level=level, function="gee")
    blank = replace(blank, method=f"GEE, exchangeable within {by}s, bias-reduced covariance, Student's t")
    if reason := _why_no_logit(ratings, asked):
        return replace(blank, reason=reason)
    kept = asked.counts(ratings) > 0
    groups = (ratings.rater if by == "rater" else ratings.image)[kept]
    size = np.bincount(groups)
    kind = "bias_reduced"
    if size.max() > LARGEST_FOR_BIAS_REDUCTION:
        kind = "robust"
        sentence = f"A {by} has {size.max()} answers: the plain robust covariance is used, without bias reduction."
        blank = replace(
            blank, caveats=(*blank.caveats, sentence), method=blank.method.replace("bias-reduced", "robust")
        )

    def fit() -> Any:  # noqa: ANN401 - statsmodels has no types
        order = np.argsort(groups, kind="stable")
        model = GEE(
            asked.scores(ratings)[kept][order],
            _design(ratings, kept)[order],
            groups=groups[order],
            family=Binomial(),
            cov_struct=Exchangeable(),
        )
        return model.fit(cov_type=kind)

    fitted, blank = _fitted(fit, blank)
    if fitted is None:
        return blank
    return exponentiated(_tested(blank, float(fitted.params[1]), float(fitted.bse[1]), int((size > 0).sum()) - 1))


def multinomial(ratings: Ratings, *, level: float = 0.95) -> tuple[Estimate, Estimate]:
    """Relative risk ratios of agreeing and of being undecided, each against disagreeing, by multinomial logit.

    The longer of the cluster-robust intervals by rater and by image, Student's t with that side's clusters less one.
    """
    whole = measure("agree")
    blanks = []
    for name in ("agree", "undecided"):
        blank = _blank(
            f"multinomial_{name}", "relative risk ratio", whole, ratings, level=level, function="multinomial"
        )
        sentence = (
            f"multinomial logit, {name} against disagree, longer of the cluster-robust intervals by rater and image"
        )
        blanks.append(replace(blank, measure=name, method=sentence))
    counts = np.stack([np.bincount(ratings.outcome[ratings.spade == arm], minlength=3) for arm in (False, True)])
    reason = why_no_contrast(ratings, whole) or why_no_interval(ratings, measure("agree"))
    if not reason and counts.min() == 0:
        reason = "In one arm an outcome never occurs (separation); its odds are not finite."
    if reason:
        return replace(blanks[0], reason=reason), replace(blanks[1], reason=reason)
    # Disagreeing is the category the others are held against: it has to come first.
    said = np.array([1, 0, 2])[ratings.outcome]
    found: list[list[Estimate]] = [[], []]
    for groups, size in ((ratings.rater, ratings.raters), (ratings.image, ratings.images)):

        def fit(groups: Integers = groups) -> Any:  # noqa: ANN401 - statsmodels has no types
            model = MNLogit(said, _design(ratings, np.ones(ratings.n, dtype=bool)))
            return model.fit(disp=False, cov_type="cluster", cov_kwds={"groups": groups})

        for place in (0, 1):
            fitted, blank = _fitted(fit, blanks[place])
            if fitted is not None:
                values = np.asarray(fitted.params)
                # statsmodels flattens the parameters outcome by outcome: two an outcome, the arm's second.
                variance = float(np.asarray(fitted.cov_params())[2 * place + 1, 2 * place + 1])
                if variance > 0:
                    blank = _tested(blank, float(values[1, place]), math.sqrt(variance), size - 1)
                else:
                    blank = replace(blank, reason=f"{size} clusters leave no variance to judge by.")
            found[place].append(blank)
    first, second = (max(pair, key=lambda one: (one.available, one.high - one.low)) for pair in found)
    return exponentiated(first), exponentiated(second)


def exponentiated(found: Estimate) -> Estimate:
    """A ratio from its logarithm: value and interval are exponentiated, the test stays as it is."""
    if not found.available:
        return found
    return replace(found, value=math.exp(found.value), low=math.exp(found.low), high=math.exp(min(found.high, 700.0)))


def _why_no_logit(ratings: Ratings, asked: Measure) -> str:
    if reason := why_no_contrast(ratings, asked) or why_no_interval(ratings, asked):
        return reason
    kept, scores = asked.counts(ratings) > 0, asked.scores(ratings)
    for arm in (ratings.spade, ~ratings.spade):
        if np.ptp(scores[kept & arm]) == 0:
            return "In one arm all or none of the answers are of this kind (separation); its odds are not finite."
    return ""


def _fitted(fit: Callable[[], Any], blank: Estimate) -> tuple[Any, Estimate]:
    """The fit and the blank with what it warned of; None and a reason where it failed."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fitted = fit()
        except (np.linalg.LinAlgError, PerfectSeparationError, ValueError, ZeroDivisionError) as error:
            return None, replace(blank, reason=f"The fit failed ({type(error).__name__}: {error}).")
    told = dict.fromkeys(f"statsmodels warns: {str(one.message).strip().splitlines()[0]}" for one in caught)
    # Too few clusters leave negative variances, whose root statsmodels takes with a warning of its own.
    with np.errstate(invalid="ignore"):
        finite = bool(np.isfinite(np.asarray(fitted.bse)).all())
    if not finite:
        return None, replace(blank, reason="The fit gave no standard error.", caveats=(*blank.caveats, *told))
    return fitted, replace(blank, caveats=(*blank.caveats, *told))


def _tested(blank: Estimate, value: float, error: float, df: int) -> Estimate:
    half = float(stats.t.ppf((1 + blank.level) / 2, df)) * error
    return replace(
        blank,
        value=value,
        low=value - half,
        high=value + half,
        standard_error=error,
        statistic=value / error if error > 0 else math.nan,
        statistic_name="t",
        df=float(df),
        p_value=float(2 * stats.t.sf(abs(value) / error, df)) if error > 0 else math.nan,
    )


def _design(ratings: Ratings, kept: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Floats:
    arm = ratings.spade[kept].astype(np.float64)
    return np.stack([np.ones_like(arm), arm], axis=1)


def _word(by: str) -> str:
    return "rater and image" if by == "both" else by


def _blank(name: str, quantity: str, asked: Measure, ratings: Ratings, *, level: float, function: str) -> Estimate:
    return Estimate(
        name,
        quantity,
        asked.name,
        level=level,
        n=ratings.n,
        raters=ratings.raters,
        images=ratings.images,
        source=f"analysis.regression.{function}",
        caveats=(asked.caveat,) if asked.caveat else (),
    )
