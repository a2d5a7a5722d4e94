"""The append-only file of unit records: one JSON line a unit, flushed to the disk before the next one is begun.

A line torn by a crash is dropped when the file is next opened, a damaged one is moved aside; both are said, and their
units are computed again.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from spade.errors import EnvironmentProblem

from .records import UnitRecord

CHECK_LENGTH = 12
"""Hexadecimal digits of the check sum in each line: enough to notice damage, which is all it is for."""


@dataclass(frozen=True)
class Contents:
    """What could be read of a unit file.

    Attributes:
        records: by key; of two lines with one key the later holds.
        good: the lines that were read, as bytes with their ends.
        damaged: whole lines that do not hold what was written.
        torn: the unfinished last line, empty if there is none.
    """

    records: Mapping[str, UnitRecord]
    good: tuple[bytes, ...]
    damaged: tuple[bytes, ...]
    torn: bytes

    def notes(self, name: str) -> tuple[str, ...]:
        """One sentence for each kind of damage found."""
        said = []
        if self.torn:
            said.append(f"{name}: the last line was cut off (a run was killed there); its unit is computed again.")
        if self.damaged:
            n = len(self.damaged)
            said.append(f"{name}: {n} damaged line{'s' * (n > 1)} set aside; the units are computed again.")
        return tuple(said)


def encode(record: UnitRecord) -> bytes:
    """The record as one line, with a check sum.

    Raises:
        ValueError: a number that is not finite (JSON has none; the engine records such a unit as failed).
    """
    data = asdict(record)
    line = json.dumps({**data, "check": _check_sum(data)}, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return line.encode() + b"\n"


def decode(line: bytes) -> UnitRecord:
    """The record in one line.

    Raises:
        ValueError: the line is not what `encode` wrote.
    """
    data = json.loads(line)
    if not isinstance(data, dict) or not _fits(data.pop("check", None), data, line):
        raise ValueError("the check sum does not fit")
    # A record of an earlier release may lack what was added since; it may have nothing that is unknown here.
    if not _REQUIRED <= data.keys() <= _KNOWN:
        raise ValueError("the fields are not those of a record")
    return UnitRecord(**{**data, "fallbacks": tuple(data.get("fallbacks", ()))})


_KNOWN = frozenset(field.name for field in fields(UnitRecord))
_REQUIRED = frozenset(
    field.name for field in fields(UnitRecord) if field.default is MISSING and field.default_factory is MISSING
)


def _fits(check: object, data: Mapping[str, Any], line: bytes) -> bool:
    """Whether a line's check sum is that of its data."""
    # What `encode` wrote is the text the sum was taken of, but for the sum itself: no need to write it again.
    text = line.replace(f'"check":"{check}",'.encode(), b"", 1)
    return check == _sum_of(text) or check == _check_sum(data)


def read(path: Path) -> Contents:
    """The records of a file, and what could not be read; nothing is changed, a missing file is empty."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        data = b""
    except OSError as problem:
        raise EnvironmentProblem(f"{path} cannot be read: {problem.strerror}.") from problem
    *lines, torn = data.split(b"\n")
    records, good, damaged = {}, [], []
    for line in lines:
        try:
            record = decode(line)
        except (ValueError, TypeError):  # bytes that are not UTF-8 raise a ValueError too
            damaged.append(line + b"\n")
        else:
            records[record.key] = record
            good.append(line + b"\n")
    return Contents(records, tuple(good), tuple(damaged), torn)


class UnitFile:
    """A unit file open for one writer; a context manager.

    Attributes:
        records: every record, those appended included.
        notes: sentences about damage found on opening.

    Raises:
        EnvironmentProblem: another run writes to it, or it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as problem:
            raise EnvironmentProblem(f"{path.parent} cannot be written: {problem.strerror}.") from problem
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            os.close(self._lock)
            raise EnvironmentProblem(
                f"Another run is writing {path.name}; wait for it, or give this one another folder with --store."
            ) from problem
        try:
            contents = read(path)
            if contents.damaged or contents.torn:
                _repair(path, contents)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as problem:
            os.close(self._lock)
            raise EnvironmentProblem(f"{path} cannot be written: {problem.strerror}.") from problem
        self.records: dict[str, UnitRecord] = dict(contents.records)
        self.notes = contents.notes(path.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, record: UnitRecord) -> None:
        """Write one record and wait until the disk has it.

        Raises:
            EnvironmentProblem: the disk is full or gone; what was stored before stays readable.
        """
        line = encode(record)
        end = os.fstat(self._file).st_size
        try:
            written = 0
            while written < len(line):
                written += os.write(self._file, line[written:])
            os.fsync(self._file)
        except OSError as problem:
            with suppress(OSError):  # a tail that stays is dropped by the next reader
                os.ftruncate(self._file, end)
            raise EnvironmentProblem(
                f"{self.path} cannot be written: {problem.strerror}. The {len(self.records)} units stored so far are "
                "kept; make room and give the same command again."
            ) from problem
        self.records[record.key] = record

    def close(self) -> None:
        """Let other runs write."""
        os.close(self._file)
        os.close(self._lock)


def _repair(path: Path, contents: Contents) -> None:
    """Keep the good lines, and the damaged ones beside them for whoever wants to look."""
    if contents.damaged:
        with path.with_name(path.name + ".damaged").open("ab") as aside:
            aside.writelines(contents.damaged)
    fresh = path.with_name(path.name + ".fresh")
    with fresh.open("wb") as file:
        file.writelines(contents.good)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _check_sum(data: Mapping[str, Any]) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return _sum_of(text.encode())


def _sum_of(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:CHECK_LENGTH]
