"""What the answers say of the raters themselves: do they agree, are they steady, does it hang on one of them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from .agreement import Agreement, agreement, count_table
from .errors import AnalysisError
from .influence import Influence, leave_one_out
from .measure import Measure
from .paired import Bootstrap
from .rater_quality import RaterQuality, rater_quality
from .ratings import Ratings
from .retest import Retest, retest
from .within_rater import WithinSlope, drift, time_ratio

REGIONS = ("true", "pred", "undecided")
"""What a rater chose of an image: the region of the true class, that of the predicted one, or neither.

Agreement is judged on regions and not on being right: every task of an image offers the same two, and agreement beyond
chance then means that raters see the same thing, whether or not Score-CAM does.
"""


@dataclass(frozen=True)
class ArmShares:
    """One rater's share of agree under each arm; NaN where an arm has no answer."""

    rater: str
    answers: int
    dense: float
    spade: float


@dataclass(frozen=True)
class RaterAnalysis:
    """Everything about the raters. What could not be computed is None, and the report says why."""

    agreement: dict[str, Agreement]
    """Over all tasks, and by arm."""
    retest: Retest | None
    quality: tuple[RaterQuality, ...]
    catch: tuple[int, int, float, float] | None
    """Catch tasks right, catch tasks shown, Wilson interval of the share."""
    drift: dict[str, WithinSlope]
    time_ratio: WithinSlope | None
    without_rater: tuple[Influence, ...]
    without_image: tuple[Influence, ...]
    arms: tuple[ArmShares, ...]


def analyse_raters(
    frame: pd.DataFrame,
    kept: pd.DataFrame,
    ratings: Ratings,
    measure: Measure,
    *,
    level: float,
    bootstrap: Bootstrap,
    generator: np.random.Generator,
) -> RaterAnalysis:
    """The raters of a run: quality and retest from all its rows, the rest from the main answers that are `kept`.

    Raises:
        AnalysisError: no main answer is kept.
    """
    if kept.empty:
        raise AnalysisError("No main answer is left, so nothing can be said of the raters.")
    scores, counted = measure.scores(ratings), measure.counts(ratings) > 0
    names, images = np.asarray(ratings.rater_names, dtype=object), np.asarray(ratings.image_names, dtype=object)
    some = bool(counted.any())
    return RaterAnalysis(
        agreement=agreements(kept, bootstrap=bootstrap, generator=generator),
        retest=retest(frame, bootstrap=bootstrap, generator=generator),
        quality=rater_quality(frame),
        catch=_catch(frame, level),
        drift=drift(kept, level=level),
        time_ratio=time_ratio(kept, level=level),
        without_rater=leave_one_out(scores[counted], ratings.spade[counted], names[ratings.rater[counted]])
        if some
        else (),
        without_image=leave_one_out(scores[counted], ratings.spade[counted], images[ratings.image[counted]])
        if some
        else (),
        arms=arm_shares(kept),
    )


def agreements(kept: pd.DataFrame, *, bootstrap: Bootstrap, generator: np.random.Generator) -> dict[str, Agreement]:
    """Agreement of raters on the region, over all tasks and by arm (arms without answers are left out)."""
    region = regions(kept)
    task = kept["item"].astype(str).to_numpy(dtype=object) + "|" + kept["arm"].astype(str).to_numpy(dtype=object)
    arm = kept["arm"].astype(object).to_numpy()
    chosen = {"all": np.ones(len(kept), dtype=bool), "dense": arm == "dense", "spade": arm == "spade"}
    return {
        name: agreement(
            count_table(task[rows].tolist(), region[rows].tolist(), scale=REGIONS),
            bootstrap=bootstrap,
            generator=generator,
        )
        for name, rows in chosen.items()
        if rows.any()
    }


def regions(frame: pd.DataFrame) -> np.ndarray:
    """The region each answer chose [n], one of REGIONS."""
    role = frame["role"].astype(object).to_numpy()
    other = np.where(role == "true", "pred", "true")
    outcome = frame["outcome"].astype(object).to_numpy()
    return np.where(outcome == "undecided", "undecided", np.where(outcome == "agree", role, other)).astype(object)


def arm_shares(kept: pd.DataFrame) -> tuple[ArmShares, ...]:
    """Each rater's share of agree under each arm, raters in order of name."""
    agree = (kept["outcome"] == "agree").to_numpy(dtype=np.float64)
    by = pd.DataFrame(
        {"rater": kept["rater"].astype(str).to_numpy(), "arm": kept["arm"].astype(str).to_numpy(), "agree": agree}
    )
    means = by.pivot_table(index="rater", columns="arm", values="agree", aggfunc="mean")
    sizes = by["rater"].value_counts()
    nothing = pd.Series(np.nan, index=means.index)
    dense, spade = means.get("dense", nothing), means.get("spade", nothing)
    return tuple(
        ArmShares(str(rater), int(sizes[rater]), float(dense[rater]), float(spade[rater])) for rater in means.index
    )


def _catch(frame: pd.DataFrame, level: float) -> tuple[int, int, float, float] | None:
    shown = frame[(frame["kind"] == "catch").to_numpy()]
    if shown.empty:
        return None
    right = int((shown["outcome"] == "agree").sum())
    low, high = proportion_confint(right, len(shown), alpha=1 - level, method="wilson")
    return right, len(shown), float(low), float(high)
