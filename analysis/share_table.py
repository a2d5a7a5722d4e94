"""A published table of shares: which counts each printed cell divides, and how it was rounded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Literal

from data_manifests import published
from data_manifests.errors import ManifestError, allowed_names
from data_manifests.record import Record

from .errors import AnalysisError

Rounding = Literal["half", "truncate"]
ROUNDINGS: dict[Rounding, str] = {
    "half": "to the nearest, a tie either way",
    "truncate": "by cutting digits off",
}

NOT_PRINTED = "-"
"""What stands in a file of ours for a cell the table leaves empty."""


@dataclass(frozen=True)
class ShareCell:
    """One printed share: the counts of `of` over those of `among`, times `scale`, rounded to `decimals`."""

    row: str
    column: str
    printed: Decimal
    decimals: int
    scale: int
    of: tuple[str, ...]
    among: tuple[str, ...]

    def limits(self, rounding: Rounding) -> tuple[Fraction, Fraction]:
        """The least and the greatest share (of 1) that this print allows, both ends included.

        Truncation excludes its upper end, which no share of fewer than a thousand counts hits at one decimal; it is
        included all the same, so that a table is never called impossible for a tie.
        """
        unit = Fraction(1, 10**self.decimals)
        value = Fraction(self.printed)
        below = unit / 2 if rounding == "half" else Fraction(0)
        return max((value - below) / self.scale, Fraction(0)), min((value - below + unit) / self.scale, Fraction(1))

    def print_of(self, share: Fraction) -> tuple[str, ...]:
        """How the table would print this share; two ways where it is a tie."""
        unit = Fraction(1, 10**self.decimals)
        steps = share * self.scale / unit
        low = steps.numerator // steps.denominator
        rest = steps - low
        chosen = (low, low + 1) if rest == Fraction(1, 2) else ((low,) if rest < Fraction(1, 2) else (low + 1,))
        return tuple(f"{Decimal(one).scaleb(-self.decimals):f}" for one in chosen)


@dataclass(frozen=True)
class ShareTable:
    """A table of shares: every column splits its own total into the same categories."""

    title: str
    place: str
    categories: tuple[str, ...]
    columns: tuple[str, ...]
    sizes: tuple[int | None, ...]
    """How many were counted in each column, where printed."""
    total: int | None
    """How many in all columns together, where printed."""
    cells: tuple[ShareCell, ...]

    def column(self, name: str) -> tuple[ShareCell, ...]:
        """The cells of a column."""
        return tuple(cell for cell in self.cells if cell.column == name)

    def without(self, dropped: Sequence[ShareCell]) -> "ShareTable":
        """The same table with some cells unread."""
        return replace(self, cells=tuple(cell for cell in self.cells if cell not in dropped))


OUTCOMES = ("agree", "disagree", "undecided")
DECIDED = ("agree", "disagree")
TABLE_4_ROWS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Undecided": (("undecided",), OUTCOMES),
    "Agree with Score-CAM": (("agree",), OUTCOMES),
    "Disagree with Score-CAM": (("disagree",), OUTCOMES),
    "Agree when not undecided": (("agree",), DECIDED),
    "Disagree when not undecided": (("disagree",), DECIDED),
    "Overall success": (("agree",), OUTCOMES),
}
"""What each row of Table 4 divides by what."""


def table_4() -> ShareTable:
    """Table 4 of the paper, with the 746 ratings its text states for both columns together (section 4.2.2)."""
    table = published.load("4")
    cells = tuple(
        ShareCell(
            cell.row,
            cell.column,
            cell.value,
            cell.as_number().rounded_to or 0,
            100,
            of=TABLE_4_ROWS[cell.row][0],
            among=TABLE_4_ROWS[cell.row][1],
        )
        for cell in table.cells
    )
    total = int(published.load("text").cell("Human ratings", "Stated").value)
    place = table.cells[0].place
    return ShareTable(table.title, place, OUTCOMES, table.columns, (None,) * len(table.columns), total, cells)


def of_one_column(printed: Sequence[str], *, size: int | None, scale: int = 100) -> ShareTable:
    """A table of one column whose shares are all its categories, which add up to everything.

    Raises:
        AnalysisError: fewer than two shares, or one that is no number.
    """
    if len(printed) < 2:
        raise AnalysisError(f"{len(printed)} shares came; expected every share of a column, at least two.")
    categories = tuple(f"share {position}" for position in range(1, len(printed) + 1))
    cells = tuple(
        _cell(text, name, "column", of=(name,), among=categories, scale=scale, where="The shares")
        for name, text in zip(categories, printed, strict=True)
    )
    return ShareTable("Shares of one column", "", categories, ("column",), (size,), None, cells)


def read(path: Path) -> ShareTable:
    """The table of shares that a TOML file describes (its keys are those of docs/decisions/published-shares.md).

    Raises:
        AnalysisError: the file cannot be read, or is not such a description; the key is named.
    """
    try:
        return _from_record(Record.from_file(path, str(path)))
    except ManifestError as problem:
        raise AnalysisError(str(problem)) from problem


def _from_record(record: Record) -> ShareTable:
    title, place = record.text("title"), record.text_or_none("place") or ""
    categories = record.texts("categories")
    total, scale = record.integer_or_none("total"), _scale(record)
    rows = [_row(row, categories) for row in record.records("row")]
    cells: list[ShareCell] = []
    names: list[str] = []
    sizes: list[int | None] = []
    for column in record.records("column"):
        names.append(column.text("name"))
        sizes.append(column.integer_or_none("n"))
        printed = column.texts("printed")
        if len(printed) != len(rows):
            raise ManifestError(
                f"{column.where}: 'printed' holds {len(printed)} cells, but there are {len(rows)} rows."
            )
        cells += [
            _cell(text, name, names[-1], of=of, among=among, scale=scale, where=column.where)
            for text, (name, of, among) in zip(printed, rows, strict=True)
            if text != NOT_PRINTED
        ]
        column.refuse_unknown()
    record.refuse_unknown()
    if not cells or len(categories) < 2:
        raise ManifestError(f"{record.where}: expected at least two categories, a row, a column and a printed cell.")
    return ShareTable(title, place, categories, tuple(names), tuple(sizes), total, tuple(cells))


def _scale(record: Record) -> int:
    unit = record.text_or_none("unit") or "%"
    if unit not in {"%", "1"}:
        raise ManifestError(f"{record.where}: the unit '{unit}' is neither '%' (shares of 100) nor '1'.")
    return 100 if unit == "%" else 1


def _row(record: Record, categories: tuple[str, ...]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    name, of, among = record.text("name"), record.texts("of"), record.texts("among")
    record.refuse_unknown()
    for category in (*of, *among):
        if category not in categories:
            raise ManifestError(
                f"{record.where}: there is no category '{category}'; {allowed_names(category, categories)}"
            )
    if not of or not set(of) < set(among):
        raise ManifestError(f"{record.where}: 'of' should be some, not all, of the categories of 'among'.")
    return name, of, among


def _cell(
    text: str, row: str, column: str, *, of: tuple[str, ...], among: tuple[str, ...], scale: int, where: str
) -> ShareCell:
    number = text.strip().removesuffix("%")
    try:
        value = Decimal(number)
    except InvalidOperation:
        value = Decimal("NaN")
    if not (value.is_finite() and 0 <= value <= scale):
        raise AnalysisError(f"{where}: '{text}' should be a share of 0 to {scale}, as printed.")
    exponent = value.as_tuple().exponent
    return ShareCell(row, column, value, max(-int(exponent), 0), scale, of=of, among=among)
