"""A table as the codebook says it must be, or a sentence that names the row and the column where it is not."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from data_manifests.codebook import SHA256, TIME, TOKEN, Codebook, Column
from data_manifests.errors import allowed_names

from .cells import FIRST_ROW, Cells
from .errors import AnalysisError

_SPREADSHEET_DATE = re.compile(
    r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}([ T]\d{1,2}:\d\d(:\d\d)?.*)?|\d{1,2}-[A-Z][a-z]{2}(-\d+)?"
)
_SPREADSHEET_NUMBER = re.compile(r"\d+([.,]\d+)?E\+?\d+|\d+[.,]\d+", re.IGNORECASE)


def typed(cells: Cells, codebook: Codebook) -> pd.DataFrame:
    """The table with the codebook's columns (those present), each with its type, in the file's order of rows.

    Tokens and choices become categories, integers float64 (an empty cell NaN) or, where none may be empty, int64;
    booleans bool, times datetime64 in UTC; an empty text or choice is missing.

    Raises:
        AnalysisError: a column is unknown or missing, a cell is not what its column allows, or two rows share what
            must be unique.
    """
    frame = cells.frame
    _refuse_columns(list(frame.columns), codebook, cells.where)
    present = [column for column in codebook.columns if column.name in frame.columns]
    result = pd.DataFrame({column.name: _column(frame[column.name], column, cells.where) for column in present})
    for names in codebook.unique:
        refuse_duplicates(result, list(names), cells.where)
    return result


def refuse_duplicates(frame: pd.DataFrame, names: list[str], where: str, meaning: str = "") -> None:
    """Nothing, if no two rows share the values of the columns `names`.

    Raises:
        AnalysisError: two rows do; both are named.
    """
    again = frame.duplicated(names).to_numpy()
    if not again.any():
        return
    row = int(np.flatnonzero(again)[0])
    same = np.logical_and.reduce([(frame[name] == frame[name].iloc[row]).to_numpy() for name in names])
    first = int(np.flatnonzero(same)[0])
    shown = ", ".join(f"{name} '{frame[name].iloc[row]}'" for name in names)
    raise AnalysisError(
        f"{where}, row {row + FIRST_ROW}, column '{names[-1]}': {shown} stands in row {first + FIRST_ROW} "
        f"already{meaning}; {_more(int(again.sum()))}each answer may stand there once."
    )


def refuse_where(bad: "np.ndarray[tuple[int], np.dtype[np.bool_]]", column: str, where: str, sentence: str) -> None:
    """Nothing, if `bad` [rows] is false everywhere.

    Raises:
        AnalysisError: it is not; the sentence follows the first such row and the column.
    """
    if bad.any():
        row = int(np.flatnonzero(bad)[0]) + FIRST_ROW
        raise AnalysisError(f"{where}, row {row}, column '{column}': {_more(int(bad.sum()))}{sentence}")


def _more(count: int) -> str:
    return f"(and in {count - 1} more rows) " if count > 1 else ""


def _refuse_columns(header: list[str], codebook: Codebook, where: str) -> None:
    for name in header:
        if name not in codebook.header:
            raise AnalysisError(
                f"{where}: the codebook knows no column '{name}' of {codebook.file}; "
                f"{allowed_names(str(name), codebook.header)}"
            )
    for name in codebook.required:
        if name not in header:
            raise AnalysisError(
                f"{where}: the column '{name}' is missing ({codebook.column(name).meaning}); the file has: "
                f"{', '.join(header)}."
            )


def _column(cells: "pd.Series[str]", column: Column, where: str) -> "pd.Series[Any]":
    # Each distinct cell is judged once: a million rows have few distinct raters, images and answers.
    codes, distinct = pd.factorize(cells.to_numpy(dtype=object))
    texts = [str(text) for text in distinct]
    problems = {code: problem for code, text in enumerate(texts) if (problem := _problem(text, column))}
    if problems:
        bad = np.isin(codes, list(problems))
        first = int(codes[np.flatnonzero(bad)[0]])
        refuse_where(bad, column.name, where, problems[first])
    values = np.array([_CONVERT[column.type](text) for text in texts], dtype=object)
    if column.type in {"token", "choice", "sha256"}:
        known = column.allowed or tuple(sorted({str(value) for value in values if value is not None}))
        places = {value: place for place, value in enumerate(known)}
        numbers = np.array([places.get(value, -1) for value in values], dtype=np.int64)
        chosen = numbers[codes] if len(numbers) else numbers
        return pd.Series(pd.Categorical.from_codes(chosen, categories=pd.Index(known, dtype=object)))
    taken = values[codes] if len(values) else values
    if column.type == "integer":
        return pd.Series(taken.astype(np.float64)) if column.may_be_empty else pd.Series(taken.astype(np.int64))
    if column.type == "boolean":
        return pd.Series(taken.astype(bool))
    return (
        pd.Series(pd.to_datetime(pd.Series(taken), utc=True))
        if column.type == "time"
        else pd.Series(taken, dtype=object)
    )


def _problem(text: str, column: Column) -> str | None:
    """Why a cell cannot stand in this column; None where it can."""
    if not text:
        return None if column.may_be_empty else f"the cell is empty; expected {_expected(column)}."
    if _FITS[column.type](text, column):
        return None
    shown = f"'{text[:60]}'"
    if column.type == "time" and _SPREADSHEET_DATE.fullmatch(text):
        return (
            f"{shown} is a date as a spreadsheet rewrites it; expected {_expected(column)}. Export again and do not "
            "save the file from a spreadsheet."
        )
    if column.type != "time" and (_SPREADSHEET_NUMBER.fullmatch(text) or _SPREADSHEET_DATE.fullmatch(text)):
        return f"{shown} looks like a cell that a spreadsheet rewrote; expected {_expected(column)}. Export again."
    if column.type == "choice":
        return f"{shown} is none of the values allowed; {allowed_names(text, column.allowed)}"
    return f"{shown} is not {_expected(column)}."


def _expected(column: Column) -> str:
    if column.type == "choice":
        return "one of " + ", ".join(column.allowed)
    if column.type == "integer":
        low, high = column.at_least, column.at_most
        limits = "" if low is None else f" of at least {low}"
        return "a whole number" + limits + ("" if high is None else f" and at most {high}")
    return {
        "token": "a name of A-Z a-z 0-9 _ . / : - that begins with a letter, a digit or _",
        "text": "one line of text",
        "boolean": "true or false",
        "time": "a time as 2026-11-23T03:20:26Z",
        "sha256": "64 hexadecimal digits",
    }[column.type]


def _whole(text: str, column: Column) -> bool:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return False
    value = int(text)
    return (column.at_least is None or value >= column.at_least) and (column.at_most is None or value <= column.at_most)


def _moment(text: str, column: Column) -> bool:
    del column
    if not re.fullmatch(TIME, text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


_FITS: dict[str, Callable[[str, Column], bool]] = {
    "token": lambda text, _: bool(re.fullmatch(TOKEN, text)),
    "text": lambda text, _: "\n" not in text and "\r" not in text,
    "integer": _whole,
    # Spreadsheets write these in capitals, which says the same.
    "boolean": lambda text, _: text.casefold() in {"true", "false"},
    "time": _moment,
    "sha256": lambda text, _: bool(re.fullmatch(SHA256, text)),
    "choice": lambda text, column: text in column.allowed,
}
_CONVERT: dict[str, Callable[[str], object]] = {
    "token": lambda text: text or None,
    "text": lambda text: text or None,
    "integer": lambda text: int(text) if text else np.nan,
    "boolean": lambda text: text.casefold() == "true",
    "time": lambda text: datetime.fromisoformat(text) if text else None,
    "sha256": lambda text: text or None,
    "choice": lambda text: text or None,
}
