"""A table of the paper as typed cells, read from its CSV and checked on the way in."""

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

from ..errors import ManifestError, UnknownNameError, allowed_names
from ..record import Record
from .number import PublishedNumber

HEADER = ("row", "column", "printed", "value", "unit", "decimals", "rounded_to", "n", "bold", "place", "note")
# "%" also stands for a difference of percentages (points); "1" for a number without a unit.
UNITS = ("%", "1", "s", "epoch", "sample", "method", "task", "rater", "rating", "GPU hour")
_BOLD = {"yes": True, "no": False, "": None}


@dataclass(frozen=True, slots=True)
class PublishedCell:
    """One printed cell.

    Attributes:
        table: the table's id ("2", "A16", "I.7").
        row: the row's name as printed, without arrows; "/" joins two printed labels.
        column: the column's name as printed; "/" joins the axes ("Insertion/Dense", "CelebA/SPADE Delta").
        printed: the cell's characters, exactly.
        number: the number printed, or None where words or a picture are.
        unit: one of UNITS, or "" beside words.
        n: samples the paper states for this cell, or None where it states none.
        bold: whether it is set bold, or None where the text at hand does not carry bold face for this table.
        place: where it stands in the paper.
        note: what is odd about it, or "".
    """

    table: str
    row: str
    column: str
    printed: str
    number: PublishedNumber | None
    unit: str
    n: int | None
    bold: bool | None
    place: str
    note: str

    @property
    def value(self) -> Decimal:
        """The printed number.

        Raises:
            ManifestError: the cell holds words.
        """
        return self.as_number().value

    def as_number(self) -> PublishedNumber:
        """The printed number with its exactness.

        Raises:
            ManifestError: the cell holds words.
        """
        if self.number is None:
            raise ManifestError(
                f"Table {self.table}, row '{self.row}', column '{self.column}' prints '{self.printed}', not a number."
            )
        return self.number


@dataclass(frozen=True)
class PublishedTable:
    """A table of the paper: its cells in printed order.

    Attributes:
        id: "1" to "4", "A2" to "A20", "I.7", or "text" for numbers of the running text.
        title: what it shows, in a line.
        axes: what a row and a column are, and how their names are built.
        cells: every cell, rows first.
    """

    id: str
    title: str
    axes: str
    cells: tuple[PublishedCell, ...]

    @property
    def rows(self) -> tuple[str, ...]:
        """Row names in printed order."""
        return tuple(dict.fromkeys(cell.row for cell in self.cells))

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names in printed order."""
        return tuple(dict.fromkeys(cell.column for cell in self.cells))

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], PublishedCell]:
        return {(cell.row, cell.column): cell for cell in self.cells}

    def cell(self, row: str, column: str) -> PublishedCell:
        """The cell at a row and a column.

        Raises:
            UnknownNameError: the table has no such row or column, or prints nothing there.
        """
        for kind, name, known in (("row", row, self.rows), ("column", column, self.columns)):
            if name not in known:
                raise UnknownNameError(f"Table {self.id} has no {kind} '{name}'; {allowed_names(name, known)}")
        if (row, column) not in self._by_name:
            filled = [cell.column for cell in self.cells if cell.row == row]
            raise UnknownNameError(
                f"Table {self.id} prints nothing in column '{column}' of row '{row}', only in: {', '.join(filled)}."
            )
        return self._by_name[row, column]

    def column(self, column: str) -> dict[str, PublishedCell]:
        """The cells of a column by row name, in printed order.

        Raises:
            UnknownNameError: the table has no such column.
        """
        if column not in self.columns:
            raise UnknownNameError(f"Table {self.id} has no column '{column}'; {allowed_names(column, self.columns)}")
        return {cell.row: cell for cell in self.cells if cell.column == column}


def table_ids(folder: Traversable | None = None) -> tuple[str, ...]:
    """Ids of the tables there are, in the paper's order."""
    return tuple(_index(folder or _folder()))


def load(table_id: str, folder: Traversable | None = None) -> PublishedTable:
    """The table with this id, every cell validated.

    `folder` holds index.toml and the CSV files; without it, those of this package are read.

    Raises:
        UnknownNameError: there is no such table.
        ManifestError: index.toml or the CSV is not as it must be, or the CSV is not the one index.toml hashes.
    """
    return _own(table_id) if folder is None else _load(table_id, folder, _index(folder))


@cache
def _own(table_id: str) -> PublishedTable:
    """A table of this package; read once, for every cell of a report asks for its table."""
    return _load(table_id, _folder(), _own_index())


@cache
def _own_index() -> Mapping[str, "_IndexEntry"]:
    return _index(_folder())


def _load(table_id: str, folder: Traversable, index: Mapping[str, "_IndexEntry"]) -> PublishedTable:
    if table_id not in index:
        raise UnknownNameError(f"There is no published table '{table_id}'; {allowed_names(table_id, index)}")
    entry = index[table_id]
    text = _hashed_text(folder, entry.file, entry.sha256)
    return PublishedTable(table_id, entry.title, entry.axes, _cells(table_id, text, entry.file))


@dataclass(frozen=True, slots=True)
class _IndexEntry:
    file: str
    title: str
    axes: str
    sha256: str


def _folder() -> Traversable:
    return files(__package__ or "data_manifests.published")


def _index(folder: Traversable) -> dict[str, _IndexEntry]:
    top = Record.from_file(folder.joinpath("index.toml"), "index.toml")
    entries = {}
    for name, record in top.named_records("table").items():
        entries[name] = _IndexEntry(
            file=record.text("file"), title=record.text("title"), axes=record.text("axes"), sha256=record.text("sha256")
        )
        record.refuse_unknown()
    top.refuse_unknown()
    return entries


def _hashed_text(folder: Traversable, name: str, sha256: str) -> str:
    try:
        # A checkout may write another line ending; that is not another number.
        content = folder.joinpath(name).read_bytes().replace(b"\r\n", b"\n")
    except OSError as error:
        raise ManifestError(f"{name}: index.toml names this file, and it cannot be read ({error.strerror}).") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ManifestError(
            f"{name}: expected sha256 {sha256} as index.toml says, found {found}; published numbers change only with "
            "their hash."
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ManifestError(f"{name}: expected UTF-8, found byte {content[error.start]:#04x}.") from error


def _cells(table: str, text: str, name: str) -> tuple[PublishedCell, ...]:
    lines = csv.reader(text.splitlines(), strict=True)
    header = tuple(next(lines, ()))
    if header != HEADER:
        raise ManifestError(f"{name}: expected the columns {','.join(HEADER)}, found {','.join(header) or 'nothing'}.")
    cells: dict[tuple[str, str], PublishedCell] = {}
    for fields in lines:
        where = f"{name}, line {lines.line_num}"
        if len(fields) != len(HEADER):
            raise ManifestError(f"{where}: expected {len(HEADER)} fields, found {len(fields)}.")
        cell = _cell(table, dict(zip(HEADER, fields, strict=True)), where)
        if (cell.row, cell.column) in cells:
            raise ManifestError(f"{where}: row '{cell.row}', column '{cell.column}' is given a second time.")
        cells[cell.row, cell.column] = cell
    if not cells:
        raise ManifestError(f"{name}: expected cells below the header, found none.")
    return tuple(cells.values())


def _cell(table: str, field: Mapping[str, str], where: str) -> PublishedCell:
    for key in ("row", "column", "printed", "place"):
        if not field[key].strip():
            raise ManifestError(f"{where}: '{key}' is empty.")
    if field["bold"] not in _BOLD:
        raise ManifestError(f"{where}: 'bold' should be yes, no or empty, found '{field['bold']}'.")
    number = _number(field, where)
    if (number is None) != (field["unit"] == "") or field["unit"] not in (*UNITS, ""):
        raise ManifestError(
            f"{where}: 'unit' should be one of {', '.join(UNITS)} beside a number and empty beside words, "
            f"found '{field['unit']}'."
        )
    n = _whole(field, "n", where)
    if n == 0:
        raise ManifestError(f"{where}: 'n' should be at least 1, or empty where the paper states none, found '0'.")
    return PublishedCell(
        table=table,
        row=field["row"],
        column=field["column"],
        printed=field["printed"],
        number=number,
        unit=field["unit"],
        n=n,
        bold=_BOLD[field["bold"]],
        place=field["place"],
        note=field["note"],
    )


def _number(field: Mapping[str, str], where: str) -> PublishedNumber | None:
    decimals, rounded_to = _whole(field, "decimals", where), _whole(field, "rounded_to", where)
    if not field["value"]:
        if decimals is not None or rounded_to is not None:
            raise ManifestError(f"{where}: 'decimals' and 'rounded_to' should be empty beside words.")
        return None
    try:
        value = Decimal(field["value"])
    except InvalidOperation:
        raise ManifestError(f"{where}: 'value' should be a decimal number, found '{field['value']}'.") from None
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ManifestError(f"{where}: 'value' should be a finite number, found '{field['value']}'.")
    if decimals != max(0, -exponent):
        raise ManifestError(
            f"{where}: 'decimals' should be {max(0, -exponent)}, as in '{field['value']}', found '{field['decimals']}'."
        )
    if rounded_to is not None and rounded_to < decimals:
        raise ManifestError(f"{where}: 'rounded_to' should be at least 'decimals' ({decimals}), found '{rounded_to}'.")
    return PublishedNumber(value, decimals, rounded_to)


def _whole(field: Mapping[str, str], key: str, where: str) -> int | None:
    written = field[key]
    if not written:
        return None
    if not (written.isascii() and written.isdigit()):
        raise ManifestError(f"{where}: '{key}' should be a whole number or empty, found '{written}'.")
    return int(written)
