"""Which columns or methods of a table can be told apart: mean ranks over images, with critical differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.ranks import MeanRanks, mean_ranks

from .cells import AVERAGE, Cell
from .definition import Mapped, TableDefinition
from .metrics.metric import MEASURED
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

    Each metric of a table is ranked by itself, in its own direction. Only where there are three or more, on two or
    more images that all of them have.
    """
    if table.metric == MEASURED:
        return ()
    arms = [arm for arm in table.arms if isinstance(arm, Mapped)]
    metrics = dict.fromkeys(table.metric_of(arm.column) for arm in arms)
    found = []
    for metric in metrics:
        columns = [arm.column for arm in arms if table.metric_of(arm.column) == metric]
        lower = table.lower_is_better(columns[0])
        averages = {c.column: c for c in cells if c.row == AVERAGE and c.n and c.column in columns}
        of_metric = f" of {metric}" if len(metrics) > 1 else ""
        ranks = _ranked(averages, policy, lower=lower)
        if ranks is not None:
            found.append(Ranking(table.id, f"columns{of_metric}, by their average over the methods", ranks))
        dense = table.baseline(columns[0])
        rows = {c.row: c for c in cells if c.column == dense and c.kind == "value" and c.n}
        ranks = _ranked(rows, policy, lower=lower)
        if ranks is not None:
            found.append(Ranking(table.id, f"methods, under {dense}", ranks))
    return tuple(found)


def _ranked(by_name: Mapping[str, Cell], policy: Policy, *, lower: bool) -> MeanRanks | None:
    values = {name: dict(zip(cell.samples, cell.values, strict=True)) for name, cell in by_name.items()}
    common = set.intersection(*(set(of_name) for of_name in values.values())) if values else set()
    if len(values) < 3 or len(common) < 2:
        return None
    return mean_ranks(
        [[of_name[sample] for of_name in values.values()] for sample in sorted(common)],
        tuple(values),
        higher_is_better=not lower,
        alpha=policy.intervals.alpha,
    )
