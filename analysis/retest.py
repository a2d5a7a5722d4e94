"""Whether raters answer a repeated task as they did before."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from .agreement import Coefficient, agreement, count_table
from .paired import Bootstrap, ClusterMean, cluster_mean
from .responses import OUTCOMES

TASK = ["rater", "image", "role", "arm"]


@dataclass(frozen=True)
class Retest:
    """Repeated tasks against their first answers."""

    pairs: int
    raters: int
    same: ClusterMean
    """Share of pairs with the same outcome (agree, disagree, undecided), its interval over raters."""
    alpha: Coefficient
    """Krippendorff's alpha of the pairs."""


def retest(frame: pd.DataFrame, *, bootstrap: Bootstrap, generator: np.random.Generator) -> Retest | None:
    """How far repeated tasks were answered as the first time; None where nothing was repeated.

    `frame` is that of `responses.Responses`. Outcomes are compared and not sides, because the sides are drawn anew.
    """
    plain = frame[[*TASK, "kind", "outcome"]].astype(object)
    first = plain[plain["kind"] == "main"].drop_duplicates(TASK)
    again = plain[plain["kind"] == "repeat"]
    both = again.merge(first, on=TASK, suffixes=("_again", "_first"))
    if both.empty:
        return None
    same = (both["outcome_again"] == both["outcome_first"]).to_numpy(dtype=np.float64)
    raters = both["rater"].astype(str).tolist()
    pair = [*range(len(both)), *range(len(both))]
    outcomes = [*both["outcome_first"], *both["outcome_again"]]
    counts = count_table(pair, outcomes, scale=OUTCOMES)
    found = cluster_mean(same, raters, bootstrap=bootstrap, generator=generator)
    return Retest(
        len(both),
        len(set(raters)),
        # Student's interval of a few raters may reach beyond what a share can be; NaN stays NaN.
        replace(found, low=max(found.low, 0.0), high=min(found.high, 1.0)),
        agreement(counts, bootstrap=bootstrap, generator=generator).alpha,
    )


def chance_of_same(frame: pd.DataFrame) -> float:
    """How often two answers drawn at random from the counted ones have the same outcome; NaN without answers."""
    shares = frame["outcome"].value_counts(normalize=True).to_numpy(dtype=np.float64)
    return float((shares**2).sum()) if shares.sum() > 0 else math.nan
