"""Which columns or methods of a table can be told apart: mean ranks over images, with critical differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.ranks import MeanRanks, mean_ranks

from .cells import AVERAGE, Cell
from .definition import Dense, TableDefinition
from .policy import Policy


@dataclass(frozen=True)
class Ranking:
    """Treatments of one table, ranked on every image.

    Attributes:
        what: what was ranked, in words.
        ranks: with Friedman's test and the groups that cannot be told apart.
    """

    table: str
    what: str
    ranks: MeanRanks


def rankings(table: TableDefinition, cells: Sequence[Cell], policy: Policy) -> tuple[Ranking, ...]:
    """The columns of a table ranked by their averages over the methods, and the methods under its dense network.

    Only where there are three or more, on two or more images that all of them have.
    """
    found = []
    averages = {cell.column: cell for cell in cells if cell.row == AVERAGE and cell.n}
    columns = _ranked(averages, table, policy)
    if columns is not None:
        found.append(Ranking(table.id, "columns, by their average over the methods", columns))
    dense = next((arm.column for arm in table.arms if isinstance(arm, Dense)), None)
    if table.metric != "accuracy":
        methods = _ranked(
            {cell.row: cell for cell in cells if cell.column == dense and cell.kind == "value" and cell.n},
            table,
            policy,
        )
        if methods is not None:
            found.append(Ranking(table.id, f"methods, under {dense}", methods))
    return tuple(found)


def _ranked(by_name: Mapping[str, Cell], table: TableDefinition, policy: Policy) -> MeanRanks | None:
    values = {name: dict(zip(cell.samples, cell.values, strict=True)) for name, cell in by_name.items()}
    common = set.intersection(*(set(of_name) for of_name in values.values())) if values else set()
    if len(values) < 3 or len(common) < 2:
        return None
    return mean_ranks(
        [[of_name[sample] for of_name in values.values()] for sample in sorted(common)],
        tuple(values),
        higher_is_better=table.direction == "higher",
        alpha=policy.intervals.alpha,
    )
