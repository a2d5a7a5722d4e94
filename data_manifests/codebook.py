"""What each column of the study's export holds: written by the study app, checked by the analysis."""

from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from .errors import ManifestError, UnknownNameError, allowed_names
from .record import Record

FILE = "codebook.toml"
TYPES = ("token", "text", "integer", "boolean", "time", "sha256", "choice")
TOKEN = r"[A-Za-z0-9_][A-Za-z0-9_./:-]{0,199}"  # noqa: S105 - the form of a name, no secret
"""Regular expression of a token: nothing a spreadsheet takes for a formula can begin one."""
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)"
"""Regular expression of a time: ISO 8601, in UTC, to the second or finer."""
SHA256 = r"[0-9a-f]{64}"
"""Regular expression of a hash."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an exported table.

    Attributes:
        name: its header.
        type: one of TYPES.
        meaning: what a cell says, and what an empty one does.
        required: whether a table without this column is refused.
        may_be_empty: whether a cell may be empty.
        allowed: what may stand in a cell, in order, where the type is "choice"; else empty.
        at_least: smallest integer allowed, or None.
        at_most: largest integer allowed, or None.
        unit: unit of an integer, or None.
    """

    name: str
    type: str
    meaning: str
    required: bool
    may_be_empty: bool
    allowed: tuple[str, ...]
    at_least: int | None
    at_most: int | None
    unit: str | None


@dataclass(frozen=True, slots=True)
class Codebook:
    """One exported table: its file and its columns in the order they are written.

    Attributes:
        name: "responses" or "raters".
        title: its name for people.
        file: name of the CSV in an export folder.
        row: what one row is.
        unique: combinations of columns that no two rows share.
        columns: every column.
    """

    name: str
    title: str
    file: str
    row: str
    unique: tuple[tuple[str, ...], ...]
    columns: tuple[Column, ...]

    @property
    def header(self) -> tuple[str, ...]:
        """Column names in the order they are written."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns no table may lack."""
        return tuple(column.name for column in self.columns if column.required)

    def column(self, name: str) -> Column:
        """The column of this name.

        Raises:
            UnknownNameError: there is no such column.
        """
        for candidate in self.columns:
            if candidate.name == name:
                return candidate
        raise UnknownNameError(f"'{self.name}' has no column '{name}'; {allowed_names(name, self.header)}")


def load(name: str = "responses", folder: Traversable | None = None) -> Codebook:
    """The codebook of the table "responses" or "raters".

    `folder` holds codebook.toml; without it, the one of this package is read.

    Raises:
        UnknownNameError: there is no such table.
        ManifestError: codebook.toml is not as it must be.
    """
    top = Record.from_file((folder or files("data_manifests")).joinpath(FILE), FILE)
    tables = top.named_records("table")
    top.refuse_unknown()
    if name not in tables:
        raise UnknownNameError(f"The codebook has no table '{name}'; {allowed_names(name, tables)}")
    return _codebook(name, tables[name])


def _codebook(name: str, record: Record) -> Codebook:
    columns = tuple(_column(one) for one in record.records("column"))
    title, file, row = (record.text(key) for key in ("title", "file", "row"))
    unique = record.text_lists("unique")
    record.refuse_unknown()
    header = [column.name for column in columns]
    for twice in {one for one in header if header.count(one) > 1}:
        raise ManifestError(f"{record.where}: the column '{twice}' is given {header.count(twice)} times.")
    for one in (one for names in unique for one in names if one not in header):
        raise ManifestError(f"{record.where}: 'unique' names no column '{one}'; {allowed_names(one, header)}")
    return Codebook(name, title, file, row, unique, columns)


def _column(record: Record) -> Column:
    found = Column(
        name=record.text("name"),
        type=record.text("type"),
        meaning=record.text("meaning"),
        required=record.flag("required"),
        may_be_empty=record.flag("may_be_empty"),
        allowed=record.texts_or_none("allowed") or (),
        at_least=record.integer_or_none("at_least"),
        at_most=record.integer_or_none("at_most"),
        unit=record.text_or_none("unit"),
    )
    record.refuse_unknown()
    if found.type not in TYPES:
        raise ManifestError(f"{record.where}: there is no type '{found.type}'; {allowed_names(found.type, TYPES)}")
    if (found.type == "choice") != bool(found.allowed):
        raise ManifestError(f"{record.where}: 'allowed' should list what is allowed for a choice, and only for one.")
    if found.type != "integer" and (found.at_least, found.at_most) != (None, None):
        raise ManifestError(f"{record.where}: only an integer has limits, and '{found.name}' is a {found.type}.")
    return found
