"""Paired effects within one run: what an arm gains over the table's baseline on the same samples."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from analysis.paired import PairedDifference, holm, paired_difference

from .cells import Cell
from .definition import Dense, TableDefinition
from .policy import Policy


@dataclass(frozen=True)
class Effect:
    """The paired difference between two cells of one row, over the samples that both have.

    Attributes:
        column: the cell whose gain it is.
        baseline: the cell it is compared with.
        difference: column - baseline, in the table's unit; None where fewer than one sample has both.
        adjusted_p: `difference.p_value` after Holm over the methods of the column; NaN where there is none.
        resolved: whether `adjusted_p` is below the policy's alpha.
    """

    table: str
    row: str
    column: str
    baseline: str
    difference: PairedDifference | None
    adjusted_p: float = math.nan
    resolved: bool = False


def effects(table: TableDefinition, cells: Sequence[Cell], policy: Policy) -> list[Effect]:
    """What every column gains over the dense network in every row, averages last; none in a table without a dense arm.

    Average rows are one question of their own, so Holm counts the methods only.
    """
    baseline = next((arm.column for arm in table.arms if isinstance(arm, Dense)), None)
    by_name = {(cell.row, cell.column): cell for cell in cells}
    found: list[Effect] = []
    for column in dict.fromkeys(cell.column for cell in cells if cell.kind in {"value", "average"}):
        if baseline is None or column == baseline:
            continue
        pairs = [(cell, by_name[cell.row, baseline]) for cell in cells if cell.column == column and not cell.not_run]
        methods = _adjusted([effect(high, low, policy) for high, low in pairs if high.kind == "value"], policy)
        average = [effect(high, low, policy) for high, low in pairs if high.kind == "average"]
        found += methods + _adjusted(average, policy)
    return found


def effect(high: Cell, low: Cell, policy: Policy) -> Effect:
    """What the cell `high` gains over the cell `low` on the samples both have a value for."""
    before = dict(zip(low.samples, low.values, strict=True))
    pairs = [(s, v, before[s]) for s, v in zip(high.samples, high.values, strict=True) if s in before]
    names = high.table, high.row, high.column, low.column
    if not pairs:
        return Effect(*names, difference=None)
    samples, treated, baseline = zip(*pairs, strict=True)
    difference = paired_difference(
        treated, baseline, samples, bootstrap=policy.bootstrap, generator=policy.generator("effect", *names)
    )
    return Effect(*names, difference=difference)


def _adjusted(found: list[Effect], policy: Policy) -> list[Effect]:
    raw = [math.nan if one.difference is None else one.difference.p_value for one in found]
    alpha = policy.intervals.alpha
    return [
        replace(one, adjusted_p=float(p), resolved=bool(p < alpha)) for one, p in zip(found, holm(raw), strict=True)
    ]
