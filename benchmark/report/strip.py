"""Positions on a strip: an axis shared by the rows of a forest plot, in per cent of the strip's width."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

MARGIN = 0.04
"""Share of the axis left free at either end, so that a mark at the end is not cut in half."""


@dataclass(frozen=True)
class Axis:
    """An axis from `low` to `high` with round ticks; it always holds zero."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Where a value lies, in per cent from the left, kept on the strip."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(max(share, 0.0), 1.0), 2)


def rank_axis(last: int) -> Axis:
    """The axis of mean ranks from 1, the best, to `last`."""
    margin = MARGIN * (last - 1)
    return Axis(1 - margin, last + margin, tuple(float(rank) for rank in range(1, last + 1)))


def axis(values: Iterable[float]) -> Axis:
    """The axis that holds all finite values and zero."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    margin = MARGIN * ((high - low) or 1.0)
    low, high = low - margin, high + margin
    ticks = MaxNLocator(nbins=4, steps=[1, 2, 5, 10]).tick_values(low, high)
    return Axis(low, high, tuple(float(tick) for tick in ticks if low <= tick <= high))
