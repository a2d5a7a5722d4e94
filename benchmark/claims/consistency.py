"""The paper's tables against themselves: averages, differences, repeated columns, bold face, sums, splits, odd cells.

A number is called wrong only where no numbers that round to the printed ones could have given it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from analysis.reconstruction import reconstruct
from analysis.share_table import table_4
from data_manifests.expression import printed_table
from data_manifests.printed_arithmetic import Printed
from data_manifests.published import PublishedCell, PublishedTable, method, table_ids

from .finding import Check, Finding, decimal, signed

AVERAGE = "Average"
DELTA = " Delta"

REPEATED = (
    ("A3", "FastSPADE (100 ex.)", "2", "FastSPADE", 1),
    ("A3", "SparseFC", "2", "Sparse FC", 1),
    ("A3", "Dense", "2", "Dense", 1),
    ("A4", "SPADE", "2", "SPADE", 1),
    ("A4", "SparseFC", "2", "Sparse FC", 1),
    ("A4", "Dense", "2", "Dense", 1),
    ("A6", "Dense Model + SPADE", "2", "SPADE", 100),
    ("A17", "Parallel Pruning", "2", "FastSPADE", 100),
    ("A19", "Dense", "A18", "Dense", 1),
    ("A19", "J+RC", "A18", "1SI", 1),
)
"""Columns that print another one again: table, column, the table and column they repeat, and that one's scale. They
were told by the captions (which name Table 2's arms) and, for A19, by the sample size and nine equal cells of ten."""

LOWER_IS_BETTER = ("Undecided", "Disagree with Score-CAM", "Disagree when not undecided")
COMPARED = (
    ("2", ("Dense", "SPADE", "FastSPADE", "Sparse FC"), False),
    ("3", tuple(f"Insertion/{arm}" for arm in ("Dense", "FastSPADE", "FastSPADE*", "Sparse FC")), False),
    ("3", tuple(f"Deletion/{arm}" for arm in ("Dense", "FastSPADE", "FastSPADE*", "Sparse FC")), True),
    ("4", ("Dense Vis.", "SPADE Vis."), False),
    ("A9", ("DFFOT/Dense", "DFFOT/SPADE"), False),
    ("A9", ("DFMIT/Dense", "DFMIT/SPADE"), True),
    ("A18", ("Dense", "1SI", "1ST", "1SC", "1SD", "MST", "MSC", "MSD"), False),
    ("A19", ("Dense", "J+RC", "J+G+RC", "RR", "G+RC", "RR+RC", "G"), False),
    ("A20", ("Dense", "FC", "Block 4", "Block 3", "Block 2", "Block 1"), False),
)
"""Where bold face marks the best: table, columns compared, whether lower is better (Table 4 says so by row)."""

PARTS = ("Undecided", "Agree with Score-CAM", "Disagree with Score-CAM")
"""Rows of Table 4 that are shares of one whole."""

PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?%?|(\d+m)?\d+s")
ATTRIBUTES = 40
"""Binary attributes of CelebA, so digits of a target in Table A12."""


@dataclass(frozen=True)
class Consistency:
    """What was checked, and what does not hold.

    Attributes:
        checked: how many comparisons each check made.
    """

    checked: dict[Check, int]
    findings: tuple[Finding, ...]


def check_tables() -> Consistency:
    """Every check of every published table."""
    tables = {name: printed_table(name) for name in table_ids() if name != "text"}
    results: dict[Check, list[Finding | None]] = {
        "average": list(_averages(tables.values())),
        "difference": list(_differences(tables.values())),
        "repeated": list(_repeated(tables)),
        "bold": list(_bold(tables)),
        "sum": list(_sums(tables["4"])),
        "split": list(_splits(tables["4"])),
        "malformed": list(_malformed(tables.values())),
    }
    return Consistency(
        {check: len(found) for check, found in results.items()},
        tuple(one for found in results.values() for one in found if one is not None),
    )


def _averages(tables: Iterable[PublishedTable]) -> Iterator[Finding | None]:
    """Each Average cell against the mean of the cells above it."""
    for table in tables:
        for name in table.columns:
            column = table.column(name)
            if AVERAGE in column:
                parts = [_of(cell) for row, cell in column.items() if row != AVERAGE]
                mean = sum(parts[1:], parts[0]) / Printed.exact(len(parts))
                yield _unless_possible("average", column[AVERAGE], mean, "the mean of its column")


def _differences(tables: Iterable[PublishedTable]) -> Iterator[Finding | None]:
    """Each printed Delta against its arm less the dense network."""
    for table in tables:
        for cell in table.cells:
            if cell.column.endswith(DELTA):
                arm = table.cell(cell.row, cell.column.removesuffix(DELTA))
                dense = table.cell(cell.row, cell.column.split("/")[0] + "/Dense")
                yield _unless_possible("difference", cell, _of(arm) - _of(dense), f"{arm.column} - {dense.column}")


def _repeated(tables: Mapping[str, PublishedTable]) -> Iterator[Finding | None]:
    """Each cell that repeats one of another table; averages are left to their own check."""
    for name, column, origin, first, scale in REPEATED:
        originals = {method(row): cell for row, cell in tables[origin].column(first).items() if row != AVERAGE}
        for row, cell in tables[name].column(column).items():
            if row != AVERAGE:
                original = originals[method(row)]
                found = _unless_possible("repeated", cell, _of(original) / Printed.exact(scale), "")
                how = f"Table {origin} prints {original.printed} for the same; which of the two is right, neither says"
                yield found and replace(found, recomputed=original.printed, note=how)


def _bold(tables: Mapping[str, PublishedTable]) -> Iterator[Finding | None]:
    """Each row's bold cell against the best of the row."""
    for name, columns, lower in COMPARED:
        for row in tables[name].rows:
            cells = [tables[name].cell(row, column) for column in columns]
            best = (min if lower or row in LOWER_IS_BETTER else max)(cell.value for cell in cells)
            bold = [cell for cell in cells if cell.bold]
            if [cell.value for cell in bold] == [best]:
                yield None
            else:
                said = ", ".join(cell.column for cell in bold) or "nothing"
                yield _finding("bold", cells[0], f"{said} in bold", f"{best} is best", "")


def _sums(table: PublishedTable) -> Iterator[Finding | None]:
    """The three answers of each arm of the human study against 100 %."""
    for column in table.columns:
        cells = [table.cell(row, column) for row in PARTS]
        total = sum(map(_of, cells[1:]), _of(cells[0]))
        if total.low <= 100 <= total.high:
            yield None
        else:
            shown = decimal(total.value, 1)
            why = f"{' + '.join(cell.printed for cell in cells)}; three shares rounded to 0.1 can miss 100 by 0.15"
            yield Finding(
                id=f"sum/4/{column}",
                check="sum",
                what=f"Table 4, column {column}: {', '.join(PARTS)}",
                place=cells[0].place,
                printed=f"{shown} together",
                recomputed="100.0",
                off=signed(total.value - 100, 1),
                note=why,
            )


def _splits(table: PublishedTable) -> Iterator[Finding | None]:
    """The shares of each arm of the human study against every split of the ratings there were."""
    shares = table_4()
    found = reconstruct(shares)
    wrong = {cell.column: (cell, reading) for reading in found.readings for cell in reading.dropped}
    for column in table.columns:
        if column not in wrong:
            yield None
            continue
        share, reading = wrong[column]
        cell = table.cell(share.row, column)
        wanted = " or ".join(reading.should_read[reading.dropped.index(share)])
        why = f"no split of {shares.total} ratings prints all shares of this column; {wanted} here would fit"
        yield _finding("split", cell, cell.printed, wanted, "", why)


def _malformed(tables: Iterable[PublishedTable]) -> Iterator[Finding | None]:
    """Each cell that should be one number, and each list of attributes that should have one digit an attribute."""
    for table in tables:
        for cell in table.cells:
            if cell.number is not None:
                fine = PLAIN_NUMBER.fullmatch(cell.printed)
                yield None if fine else _finding("malformed", cell, cell.printed, "one number", "", cell.note)
            elif set(cell.printed) == {"0", "1"}:
                digits = len(cell.printed)
                fine_length = digits == ATTRIBUTES
                said = f"{digits} digits", f"{ATTRIBUTES} digits", f"{digits - ATTRIBUTES:+}"
                yield None if fine_length else _finding("malformed", cell, *said, cell.note)


def _of(cell: PublishedCell) -> Printed:
    return Printed.of(cell.as_number())


def _unless_possible(check: Check, cell: PublishedCell, value: Printed, how: str) -> Finding | None:
    """Nothing where numbers that round to the printed ones can give the printed cell."""
    printed = _of(cell)
    if printed.low <= value.high and value.low <= printed.high:
        return None
    decimals = cell.as_number().decimals + 1
    off = signed(printed.value - value.value, decimals)
    return _finding(check, cell, cell.printed, decimal(value.value, decimals), off, how)


def _finding(check: Check, cell: PublishedCell, printed: str, recomputed: str, off: str, note: str = "") -> Finding:  # noqa: PLR0917 - as a reader reads a finding
    return Finding(
        id=f"{check}/{cell.table}/{cell.row}/{cell.column}",
        check=check,
        what=f"Table {cell.table}, {cell.row}, {cell.column}",
        place=cell.place,
        printed=printed,
        recomputed=recomputed,
        off=off,
        note=note,
    )
