"""The cells of an exported table as text, before anything is believed about them."""

import csv
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from .errors import AnalysisError

FIRST_ROW = 2
"""Number of the first row below the header, counted as a spreadsheet counts."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Every cell of a table as a string, an empty cell as an empty one.

    Attributes:
        frame: one column of strings a header, in the file's order of rows.
        where: the file, as errors name it.
        sha256: hash of the file's bytes.
        notes: what was odd about the file and did no harm, a sentence each.
    """

    frame: pd.DataFrame
    where: str
    sha256: str
    notes: tuple[str, ...]


PACKED = {
    b"PK\x03\x04": "a spreadsheet or ZIP archive",
    b"\x1f\x8b": "packed with gzip",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet (XLS)",
}
"""First bytes of files that are taken for exports."""


def read(path: Path) -> Cells:
    """The cells of a CSV (UTF-8, comma-separated) or, with pyarrow installed, Parquet file.

    Raises:
        AnalysisError: the file cannot be read, is no table, or a row has another number of cells than the header.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AnalysisError(f"{path}: the file cannot be read ({error.strerror or error}).") from error
    digest = hashlib.sha256(content).hexdigest()
    if path.suffix.casefold() in {".parquet", ".pq"}:
        return Cells(_parquet(content, path), str(path), digest, ())
    text = _decoded(content, path)
    notes = []
    if text.startswith("\ufeff"):
        text = text.removeprefix("\ufeff")
        notes.append(f"{path.name} begins with a byte order mark, as spreadsheets write it; it was skipped.")
    header, blank = _structure(text, path)
    frame = pd.read_csv(
        io.StringIO(text), dtype=str, na_filter=False, skip_blank_lines=True, index_col=False, low_memory=False
    )
    frame.columns = pd.Index(header)
    if blank:
        notes.append(f"{path.name} ends in {blank} empty lines; they were skipped.")
    return Cells(frame, str(path), digest, tuple(notes))


def _decoded(content: bytes, path: Path) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise AnalysisError(f"{path}: the file is UTF-16, as 'Unicode text' of a spreadsheet; save it as CSV in UTF-8.")
    for magic, what in PACKED.items():
        if content.startswith(magic):
            raise AnalysisError(f"{path}: the file is {what}, whatever its name says; expected CSV or Parquet.")
    # Readers differ in what they make of a zero byte; some drop it without a word.
    if (zero := content.find(b"\x00")) >= 0:
        line = content.count(b"\n", 0, zero) + 1
        raise AnalysisError(
            f"{path}, row {line}{_column_at(content, zero)}: a zero byte, which no export holds; the file was damaged. "
            "Export it again."
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = _column_at(content, error.start)
        raise AnalysisError(
            f"{path}, row {line}{column}: byte {content[error.start]:#04x} is not UTF-8; the file was saved in another "
            "encoding (often by a spreadsheet). Export it again, or save it as UTF-8."
        ) from error


def _column_at(content: bytes, place: int) -> str:
    """Which column a byte stands in, as a clause; nothing where quoted commas make that a guess."""
    before = content[content.rfind(b"\n", 0, place) + 1 : place]
    header = content.partition(b"\n")[0].decode("utf-8", "replace").strip().split(",")
    if b'"' in before or place < len(content.partition(b"\n")[0]) or before.count(b",") >= len(header):
        return ""
    return f", column '{header[before.count(b',')]}'"


def _structure(text: str, path: Path) -> tuple[list[str], int]:
    """The header, and how many empty lines end the file; refuses rows that are not as long as the header."""
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(lines, [])
        if len(header) < 2:
            _refuse_header(header, path)
        blank = 0
        for row, fields in enumerate(lines, start=FIRST_ROW):
            if not fields:
                blank += 1
            elif blank:
                raise AnalysisError(f"{path}, row {row - 1}: the row is empty, and rows follow it; remove it.")
            elif len(fields) != len(header):
                raise AnalysisError(
                    f"{path}, row {row}: {len(fields)} cells where the header has {len(header)} columns; "
                    "the file was cut or edited. Export it again."
                )
    except csv.Error as error:
        raise AnalysisError(f"{path}, line {lines.line_num}: this is not CSV ({error}). Export it again.") from error
    for name in header:
        if header.count(name) > 1:
            raise AnalysisError(f"{path}: the header names the column '{name}' {header.count(name)} times.")
    return header, blank


def _refuse_header(header: list[str], path: Path) -> None:
    line = header[0] if header else ""
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if separator in line:
            raise AnalysisError(
                f"{path}: the columns are separated by {name}, as some spreadsheets save CSV; expected commas. "
                "Export it again, or save it with commas."
            )
    raise AnalysisError(f"{path}: expected a header of several columns, found {line[:80]!r}.")


def _parquet(content: bytes, path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(io.BytesIO(content))
    except ImportError as error:
        raise AnalysisError(
            f"{path}: reading Parquet needs pyarrow (the extra 'parquet'); install it, or give the CSV export."
        ) from error
    except (OSError, ValueError) as error:
        raise AnalysisError(f"{path}: this is not a Parquet file ({error}).") from error
    return as_text(frame)


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy of a table with every cell as the CSV export would write it; a missing value becomes empty."""
    return pd.DataFrame({str(name): _texts(frame[name]) for name in frame.columns}, dtype=object)


def _texts(column: "pd.Series[Any]") -> "pd.Series[str]":
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        written = column.dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    elif pd.api.types.is_bool_dtype(column.dtype):
        written = column.map({True: "true", False: "false"}, na_action="ignore")
    else:
        written = column.map(_text, na_action="ignore")
    texts: pd.Series[str] = written.astype(object).where(column.notna(), "").astype(object).reset_index(drop=True)
    return texts


def _text(value: object) -> str:
    # A column of whole numbers with gaps arrives as floats from most tools.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
