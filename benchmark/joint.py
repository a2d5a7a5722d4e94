"""What the methods of a column gain together: their average, and how many gain, from one bootstrap over images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.joint import JointGains, joint_gains, table_of

from .cells import Cell
from .definition import TableDefinition
from .effect import Effect
from .policy import Policy


@dataclass(frozen=True)
class Joint:
    """The gains of one column over the dense network in all rows of a table, on images that both have.

    Attributes:
        rows: the methods, in printed order.
        gains: their joint bootstrap; order as `rows`. Above zero is better: where lower cells are better (deletion),
            a gain is baseline - column.
        confirmed: methods whose gain is above zero after Holm over the column.
        refuted: methods whose gain is below zero after Holm.
    """

    table: str
    column: str
    baseline: str
    rows: tuple[str, ...]
    gains: JointGains
    confirmed: int
    refuted: int

    @property
    def sentence(self) -> str:
        """The count as the paper says it, k of m, with what the images support."""
        g, m = self.gains, len(self.rows)
        few = f"{g.gaining_low} to {g.gaining_high}" if g.gaining_low < g.gaining_high else f"{g.gaining_low}"
        return (
            f"{self.column} gains over {self.baseline} in {g.gaining} of {m} methods ({few} at {100 * g.level:.0f} %, "
            f"images drawn again); after Holm {self.confirmed} gain and {self.refuted} lose"
        )


def joints(
    table: TableDefinition, cells: Sequence[Cell], effects: Sequence[Effect], policy: Policy
) -> tuple[Joint, ...]:
    """The joint gains of every column with a dense arm of its metric; none where fewer than two rows are comparable."""
    values = [cell for cell in cells if cell.kind == "value" and cell.n]
    found = []
    for column in dict.fromkeys(cell.column for cell in values):
        baseline = table.baseline(column)
        if baseline is None or column == baseline:
            continue
        one = _joint(table, values, column, baseline, effects, policy)
        if one is not None:
            found.append(one)
    return tuple(found)


def _joint(  # noqa: PLR0917 - one argument a part of the question
    table: TableDefinition,
    values: Sequence[Cell],
    column: str,
    baseline: str,
    effects: Sequence[Effect],
    policy: Policy,
) -> Joint | None:
    better = -1.0 if table.lower_is_better(column) else 1.0
    by_name = {(cell.row, cell.column): dict(zip(cell.samples, cell.values, strict=True)) for cell in values}
    differences: dict[str, dict[str, float]] = {}
    for row in dict.fromkeys(cell.row for cell in values):
        after, before = by_name.get((row, column), {}), by_name.get((row, baseline), {})
        of_row = {s: better * (value - before[s]) for s, value in after.items() if s in before}
        if of_row:
            differences[row] = of_row
    if len(differences) < 2:
        return None
    images = sorted({sample for of_row in differences.values() for sample in of_row})
    gains = joint_gains(
        table_of(list(differences.values()), images),
        bootstrap=policy.bootstrap,
        generator=policy.generator("joint", table.id, column, baseline),
    )
    told = [one for one in effects if (one.table, one.column) == (table.id, column) and one.row in differences]
    sure = [better * one.difference.mean for one in told if one.resolved and one.difference is not None]
    return Joint(
        table.id,
        column,
        baseline,
        tuple(differences),
        gains,
        confirmed=sum(mean > 0 for mean in sure),
        refuted=sum(mean < 0 for mean in sure if not math.isnan(mean)),
    )
