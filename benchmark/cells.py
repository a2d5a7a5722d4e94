"""The cells of a table, from the records of a run: per-sample values, their mean, and what is missing and why."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .definition import TableDefinition
from .records import AskedCell, RunRecords

AVERAGE = "Average"
"""Name of the row that holds a column's average over the methods, as the paper prints it."""


def decimals(unit: str) -> int:
    """How many decimals a value of a table is shown with: two of per cent, four of shares, which say as much."""
    return 2 if unit == "%" else 4


def point(unit: str) -> float:
    """One point, which the policy speaks in, in a table's unit: 1 of per cent, .01 of shares."""
    return 1.0 if unit == "%" else 0.01


@dataclass(frozen=True)
class Cell:
    """One cell of a table, in the table's unit, with the samples behind it.

    Attributes:
        kind: "value" | "average" (over the methods, per sample) | "control" (column "Control") | "measurement".
        unit: unit of `values` ("%" where the table prints per cent).
        samples: ids of the samples that have a value, in the scale's order.
        values: their values, same order.
        asked: units the cell is made of (for an average: samples).
        failed: units that raised.
        unavailable: units whose method the network cannot take.
        skipped: units that had nothing to compute.
        missing: units not computed yet.
        reasons: distinct reasons of units without a value, most frequent first.
        not_run: why the whole cell is not run; empty if it is.
    """

    table: str
    row: str
    column: str
    kind: Literal["value", "average", "control", "measurement"]
    unit: str
    samples: tuple[str, ...]
    values: tuple[float, ...]
    asked: int
    failed: int = 0
    unavailable: int = 0
    skipped: int = 0
    missing: int = 0
    reasons: tuple[str, ...] = ()
    not_run: str = ""

    @property
    def n(self) -> int:
        """Samples that have a value."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """Mean over the samples; NaN (not zero) where there is none."""
        return math.fsum(self.values) / len(self.values) if self.values else math.nan

    @property
    def array(self) -> NDArray[np.float64]:
        """The values as an array [n], fp64."""
        return np.asarray(self.values, dtype=np.float64)

    @property
    def complete(self) -> bool:
        """Whether every unit asked for has an outcome (a value, or a recorded reason for none)."""
        return self.missing == 0


def cells(table: TableDefinition, run: RunRecords) -> list[Cell]:
    """Every cell of one table of a run, in printed order; averages and controls last.

    The result depends on which records exist, never on the order they were computed in.
    """
    asked = [cell for cell in run.asked if cell.table == table.id]
    found = [_cell(cell, table, run) for cell in asked]
    values = [cell for cell in found if cell.kind != "control"]
    averages = _averages(table, values) if table.average else []
    return values + averages + [cell for cell in found if cell.kind == "control"]


def _cell(asked: AskedCell, table: TableDefinition, run: RunRecords) -> Cell:
    kept: list[tuple[str, float]] = []
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for sample, key in asked.units:
        record = run.records.get(key)
        if record is None:
            counts["missing"] += 1
        elif record.status == "ok" and record.value is not None:
            kept.append((sample, record.value * table.factor))
        else:
            counts[record.status] += 1
            reasons[record.reason] += 1
    return Cell(
        table=table.id,
        row=asked.row,
        column=asked.column,
        kind=asked.kind,
        unit=table.unit,
        samples=tuple(sample for sample, _ in kept),
        values=tuple(value for _, value in kept),
        asked=len(asked.units),
        failed=counts["failed"],
        unavailable=counts["unavailable"],
        skipped=counts["skipped"],
        missing=counts["missing"],
        reasons=tuple(reason for reason, _ in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        not_run=asked.not_run,
    )


def _averages(table: TableDefinition, values: list[Cell]) -> list[Cell]:
    """One average a column: per sample over the methods, so that its interval respects that methods share samples."""
    columns = dict.fromkeys(cell.column for cell in values)
    return [_average(table, column, [cell for cell in values if cell.column == column]) for column in columns]


def _average(table: TableDefinition, column: str, rows: list[Cell]) -> Cell:
    """The average of one column over the rows that can run at all; a sample counts if it has a value in each of them.

    A method unavailable on every sample leaves the average (said in `reasons`), so that it stays defined on a network
    that cannot take one method; a method that failed on some samples costs those samples.
    """
    run = [cell for cell in rows if not cell.not_run]
    able = [cell for cell in run if not (cell.asked and cell.unavailable == cell.asked)]
    out = [cell.row for cell in run if cell not in able]
    by_row = [dict(zip(cell.samples, cell.values, strict=True)) for cell in able]
    everyone = dict.fromkeys(sample for cell in able for sample in cell.samples)
    common = [sample for sample in everyone if all(sample in row for row in by_row)]
    asked = max((cell.asked for cell in able), default=0)
    lost = asked - len(common)
    unfinished = min(lost, max((cell.missing for cell in able), default=0))
    skipped = min(lost - unfinished, max((cell.skipped for cell in able), default=0))
    return Cell(
        table=table.id,
        row=AVERAGE,
        column=column,
        kind="average",
        unit=table.unit,
        samples=tuple(common),
        values=tuple(math.fsum(row[sample] for row in by_row) / len(by_row) for sample in common),
        asked=asked,
        failed=lost - unfinished - skipped,
        skipped=skipped,
        missing=unfinished,
        reasons=(f"average over {len(able)} of {len(run)} methods: without {', '.join(out)}",) if out else (),
        not_run="" if run else next((cell.not_run for cell in rows), "no row of this column is run"),
    )
