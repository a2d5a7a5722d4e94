"""Tables of a run for a paper (LaTeX with booktabs) and for analysis (CSV, one line a sample)."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence

from .cells import AVERAGE, decimals
from .definition import TableDefinition
from .records import RunRecords, UnitRecord
from .verdict import CellVerdict, Judgement

MARKS: Mapping[str, str] = {
    "within": "",
    "reproduced": r"$^{=}$",
    "consistent": r"$^{\approx}$",
    "uninformative": r"$^{?}$",
    "deviates": r"$^{\times}$",
    "drifted": r"$^{\neq}$",
    "invalid": r"$^{!}$",
    "incomplete": r"$^{\ldots}$",
    "no range": r"$^{\circ}$",
    "not run": "",
}
"""What stands behind a number in print, by outcome."""

SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
}

COLUMNS = ("scale", "seed", "table", "row", "column", "kind", "unit", "sample", "value", "status", "reason", "key")


def latex(judgement: Judgement, run: RunRecords) -> str:
    """The tables of a run as LaTeX `table` environments; they need the package booktabs and nothing else."""
    parts = [
        "% Written by spade-bench. Needs \\usepackage{booktabs}.",
        *(
            _table(table, [one for one in judgement.cells if one.cell.table == table.id], run, judgement)
            for table in run.tables
        ),
    ]
    return "\n\n".join(parts) + "\n"


def tidy(run: RunRecords) -> str:
    """Every sample of every cell as CSV, one line each, at full precision; units without a value say why.

    Averages are left out: they are means over lines that are here.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    units = {table.id: (table.unit, table.factor) for table in run.tables}
    for asked in run.asked:
        unit, factor = units[asked.table]
        head = {
            "scale": run.scale,
            "seed": run.seed,
            "table": asked.table,
            "row": asked.row,
            "column": asked.column,
            "kind": asked.kind,
            "unit": unit,
        }
        if asked.not_run:
            writer.writerow({**head, "status": "not run", "reason": asked.not_run})
        for sample, key in asked.units:
            writer.writerow({**head, "sample": sample, "key": key, **_outcome(run.records.get(key), factor)})
    return text.getvalue()


def escaped(text: str) -> str:
    """Text that LaTeX sets as it stands."""
    return "".join(SPECIAL.get(letter, letter) for letter in text)


def _outcome(record: UnitRecord | None, factor: float) -> dict[str, str]:
    if record is None:
        return {"status": "missing", "reason": "not computed yet"}
    value = "" if record.value is None else repr(record.value * factor)
    return {"value": value, "status": record.status, "reason": record.reason}


def _table(table: TableDefinition, found: Sequence[CellVerdict], run: RunRecords, judgement: Judgement) -> str:
    shown = [one for one in found if one.cell.kind != "control"]
    columns = list(dict.fromkeys(one.cell.column for one in shown))
    rows = list(dict.fromkeys(one.cell.row for one in shown))
    by_name = {(one.cell.row, one.cell.column): one for one in shown}
    lines = [
        "\\begin{table}",
        "  \\centering",
        f"  \\caption{{{escaped(_caption(table, run, shown, judgement))}{_key(shown)}}}",
        f"  \\label{{tab:spade-bench-{table.id}}}",
        f"  \\begin{{tabular}}{{l{'r' * len(columns)}}}",
        "    \\toprule",
        f"     & {' & '.join(map(escaped, columns))} \\\\",
        "    \\midrule",
    ]
    for row in rows:
        if row == AVERAGE and len(rows) > 1:
            lines.append("    \\midrule")
        cells_of_row = (by_name.get((row, column)) for column in columns)
        lines.append(f"    {escaped(row)} & {' & '.join(map(_cell, cells_of_row))} \\\\")
    return "\n".join([*lines, "    \\bottomrule", "  \\end{tabular}", "\\end{table}"])


def _caption(table: TableDefinition, run: RunRecords, shown: Sequence[CellVerdict], judgement: Judgement) -> str:
    level = f"{100 * judgement.policy.intervals.level:.0f}"
    counts = sorted({one.cell.n for one in shown if one.interval is not None})
    n = f"; n = {' to '.join(map(str, dict.fromkeys((counts[0], counts[-1]))))} images" if counts else ""
    unit = f" [{table.unit}]" if table.unit else ""
    what = f"{table.title}{unit}. Scale {run.scale}, seed {run.seed}{n}"
    return f"{what}; brackets: {level} % BCa interval over images." if counts else f"{what}."


def _key(shown: Iterable[CellVerdict]) -> str:
    outcomes = dict.fromkeys(one.outcome for one in shown)
    said = [f"{MARKS[outcome]}~{outcome}" for outcome in outcomes if MARKS[outcome]]
    return f" {', '.join(said)}." if said else ""


def _cell(verdict: CellVerdict | None) -> str:
    if verdict is None or not verdict.cell.n or math.isnan(verdict.cell.mean):
        return "--"
    interval, shown = verdict.interval, decimals(verdict.cell.unit)
    found = f"{verdict.cell.mean:.{shown}f}"
    if interval is not None and math.isfinite(interval.low):
        found += f" [{interval.low:.{shown}f}, {interval.high:.{shown}f}]"
    return found.replace("-", "$-$") + MARKS[verdict.outcome]
