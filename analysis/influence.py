"""What the difference between the arms would be without one rater, or without one image."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .errors import AnalysisError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Influence:
    """The difference of shares without one cluster; NaN where that leaves an arm empty."""

    name: str
    answers: int
    without: float
    change: float


def leave_one_out(success: ArrayLike, treated: ArrayLike, clusters: ArrayLike) -> tuple[Influence, ...]:
    """Mean of success [n] over treated [n] less that over the rest, without each cluster [n] in turn.

    The largest change comes first, those without a value last.

    Raises:
        AnalysisError: the arrays differ in length or are empty.
    """
    hit, arm = np.asarray(success, dtype=np.float64), np.asarray(treated, dtype=bool)
    group, names = pd.factorize(np.asarray(clusters, dtype=object), sort=True)
    if not (hit.ndim == 1 and hit.shape == arm.shape == group.shape and hit.size):
        raise AnalysisError(f"Success, arm and clusters came with lengths {hit.size}, {arm.size}, {group.size}.")
    number = len(names)

    def share_without(chosen: Floats) -> Floats:
        hits, size = np.bincount(group, hit * chosen, number), np.bincount(group, chosen, number)
        left = size.sum() - size
        share: Floats = np.divide(hits.sum() - hits, left, out=np.full(number, np.nan), where=left > 0)
        return share

    with_all = _share(hit, arm) - _share(hit, ~arm)
    without = share_without(arm.astype(float)) - share_without(1.0 - arm)
    size = np.bincount(group, minlength=number)
    found = [
        Influence(str(name), int(n), float(one), float(one - with_all))
        for name, n, one in zip(names, size, without, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (1.0 if math.isnan(one.change) else -abs(one.change), one.name)))


def _share(hit: Floats, chosen: NDArray[np.bool]) -> float:
    return float(hit[chosen].mean()) if chosen.any() else math.nan
