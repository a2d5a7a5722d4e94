"""Paired effects within one run: what an arm gains over the table's baseline on the same samples."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from analysis.paired import PairedDifference, holm

from .cells import AVERAGE, Cell
from .definition import TableDefinition
from .policy import Policy
from .remembered import paired_difference


@dataclass(frozen=True)
class Effect:
    """The paired difference between two cells of one row, over the samples that both have.

    Attributes:
        column: the cell whose gain it is.
        baseline: the cell it is compared with.
        difference: column - baseline, in the table's unit; None where fewer than one sample has both.
        adjusted_p: `difference.p_value` after Holm over the methods of the column; NaN where there is none.
        resolved: whether `adjusted_p` is below the policy's alpha.
        lower_is_better: whether a difference below zero is a gain, as with deletion; `difference.improved` counts the
            samples that are better, whichever way that is.
    """

    table: str
    row: str
    column: str
    baseline: str
    difference: PairedDifference | None
    adjusted_p: float = math.nan
    resolved: bool = False
    lower_is_better: bool = False


def effects(table: TableDefinition, cells: Sequence[Cell], policy: Policy) -> list[Effect]:
    """What every column gains over the dense network in every row, averages last; none in a table without a dense arm.

    Average rows are one question of their own, so Holm counts the methods only.
    """
    found: list[Effect] = []
    for column in dict.fromkeys(cell.column for cell in cells if cell.kind == "value" and not cell.not_run):
        baseline = table.baseline(column)
        if baseline is None or column == baseline:
            continue
        one = partial(_told, table, cells, policy, column=column, baseline=baseline)
        rows = [cell.row for cell in cells if cell.column == column and cell.kind == "value" and not cell.not_run]
        found += _adjusted([one(row) for row in rows], policy)
        if table.average:
            found += _adjusted([one(AVERAGE)], policy)
    return found


def effect(cells: Iterable[Cell], policy: Policy, table: str, row: str, *, column: str, baseline: str) -> Effect:
    """What the cell at `column` gains over the cell at `baseline`, on the samples that both have a value for.

    In the row of averages both columns are averaged over the methods that both have values for, per sample: a method
    that one of two networks cannot take would otherwise pass for a difference between them.
    """
    of_table = [cell for cell in cells if cell.table == table and cell.kind == "value"]
    by_name = {(cell.row, cell.column): cell for cell in of_table}
    rows = dict.fromkeys(cell.row for cell in of_table) if row == AVERAGE else (row,)
    pairs = [(by_name.get((name, column)), by_name.get((name, baseline))) for name in rows]
    both = [(_by_sample(high), _by_sample(low)) for high, low in pairs if high and low and high.n and low.n]
    names = table, row, column, baseline
    return _effect(names, both, policy)


def _told(
    table: TableDefinition, cells: Sequence[Cell], policy: Policy, row: str, *, column: str, baseline: str
) -> Effect:
    """The effect, with the samples counted that are better by the column's own metric."""
    found = effect(cells, policy, table.id, row, column=column, baseline=baseline)
    if found.difference is None or not table.lower_is_better(column):
        return found
    better = replace(found.difference, improved=1 - found.difference.improved)
    return replace(found, difference=better, lower_is_better=True)


def _effect(
    names: tuple[str, str, str, str], both: Sequence[tuple[dict[str, float], dict[str, float]]], policy: Policy
) -> Effect:
    samples = [s for s in (both[0][0] if both else ()) if all(s in high and s in low for high, low in both)]
    if not samples:
        return Effect(*names, difference=None)
    difference = paired_difference(
        [_mean(high[sample] for high, _ in both) for sample in samples],
        [_mean(low[sample] for _, low in both) for sample in samples],
        samples,
        bootstrap=policy.bootstrap,
        generator=policy.generator("effect", *names),
    )
    return Effect(*names, difference=difference)


def _by_sample(cell: Cell) -> dict[str, float]:
    return dict(zip(cell.samples, cell.values, strict=True))


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return math.fsum(found) / len(found)


def _adjusted(found: list[Effect], policy: Policy) -> list[Effect]:
    raw = [math.nan if one.difference is None else one.difference.p_value for one in found]
    alpha = policy.intervals.alpha
    return [
        replace(one, adjusted_p=float(p), resolved=bool(p < alpha)) for one, p in zip(found, holm(raw), strict=True)
    ]
