"""What a report says of one direction of the paper: its sign, the stored seeds, and this run."""

import math
from dataclasses import dataclass

from ..verdict import DirectionVerdict
from .table_content import EffectEntry, effect


@dataclass(frozen=True)
class DirectionEntry:
    """One direction: the paper's sign, the stored seeds with their power, and this run."""

    id: str
    sentence: str
    table: str
    high_column: str
    low_column: str
    unit: str
    paper: str
    outcome: str
    reason: str
    mean: float
    low: float
    high: float
    sd: float
    n: int
    values: tuple[float, ...]
    adjusted_p: float
    detectable: float
    seeds_needed: float
    error_removed: float
    """Share of the dense network's distance from a perfect score (100 - AUC) that the mean removes, over seeds; NaN
    where the low column is not the dense network, or the table is not of per cent."""
    here: EffectEntry | None


def direction(verdict: DirectionVerdict) -> DirectionEntry:
    """One direction with the verdict on it."""
    one, mean = verdict.direction, verdict.over_seeds
    of_dense = one.low == "Dense" and one.unit == "%"
    return DirectionEntry(
        id=one.id,
        sentence=one.sentence,
        table=one.table.upper(),
        high_column=one.high,
        low_column=one.low,
        unit=one.unit,
        paper=verdict.paper,
        outcome=verdict.outcome,
        reason=verdict.reason,
        mean=mean.mean if mean else math.nan,
        low=mean.low if mean else math.nan,
        high=mean.high if mean else math.nan,
        sd=mean.sd if mean else math.nan,
        n=mean.n if mean else 0,
        values=verdict.values,
        adjusted_p=verdict.adjusted_p,
        detectable=mean.detectable if mean else math.nan,
        seeds_needed=mean.seeds_needed if mean else math.nan,
        error_removed=mean.mean / (100 - verdict.low_mean) if mean and of_dense else math.nan,
        here=effect(verdict.here) if verdict.here else None,
    )
