"""The report as CSV: one line a cell, an effect of this run, or a direction over seeds, at full precision."""

import csv
import io
import math
from collections.abc import Iterator

from .content import OTHER_DATA, Content
from .direction_content import DirectionEntry
from .table_content import CellEntry, EffectEntry

COLUMNS = (
    "what",
    "table",
    "row",
    "column",
    "baseline",
    "unit",
    "paper",
    "paper_note",
    "mean",
    "low",
    "high",
    "n",
    "asked",
    "failed",
    "golden_low",
    "golden_high",
    "adjusted_p",
    "verdict",
    "reason",
)


def render(content: Content) -> str:
    """The report as CSV text; what does not apply to a line is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_lines(content))
    return text.getvalue()


def _lines(content: Content) -> Iterator[dict[str, str]]:
    for table in content.tables:
        for entry in (*(entry for row in table.rows for entry in row), *table.controls):
            yield _cell(entry)
        for effect in (effect for column in table.effects for effect in column):
            yield _effect(effect)
    for direction in content.directions:
        yield _direction(direction)


def _cell(entry: CellEntry) -> dict[str, str]:
    return {
        "what": entry.kind,
        "table": entry.table,
        "row": entry.row,
        "column": entry.column,
        "unit": entry.unit,
        "paper": entry.paper,
        "paper_note": OTHER_DATA if entry.paper else "",
        "mean": _number(entry.mean),
        "low": _number(entry.low),
        "high": _number(entry.high),
        "n": str(entry.n),
        "asked": str(entry.asked),
        "failed": str(entry.failed),
        "golden_low": _number(entry.golden_low),
        "golden_high": _number(entry.golden_high),
        "verdict": entry.outcome,
        "reason": entry.reason,
    }


def _effect(entry: EffectEntry) -> dict[str, str]:
    return {
        "what": "gain in this run",
        "table": entry.table,
        "row": entry.row,
        "column": entry.column,
        "baseline": entry.baseline,
        "mean": _number(entry.mean),
        "low": _number(entry.low),
        "high": _number(entry.high),
        "n": str(entry.n),
        "adjusted_p": _number(entry.adjusted_p),
        "verdict": "resolved" if entry.resolved else "unresolved",
    }


def _direction(entry: DirectionEntry) -> dict[str, str]:
    return {
        "what": "direction over seeds",
        "table": entry.table,
        "row": entry.sentence,
        "column": entry.high_column,
        "baseline": entry.low_column,
        "paper": entry.paper,
        "paper_note": OTHER_DATA,
        "mean": _number(entry.mean),
        "low": _number(entry.low),
        "high": _number(entry.high),
        "n": str(entry.n),
        "adjusted_p": _number(entry.adjusted_p),
        "verdict": entry.outcome,
        "reason": entry.reason,
    }


def _number(value: float) -> str:
    return repr(value) if math.isfinite(value) else ""
