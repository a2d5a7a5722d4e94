"""The paper's directions that an embedded scale can be asked about, read from `directions.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import cache
from importlib.resources import files

from data_manifests import published
from spade.errors import InputError, nearest

from . import definition
from .cells import AVERAGE


@dataclass(frozen=True)
class Direction:
    """In one row of one table, the column `high` is printed above the column `low`."""

    id: str
    sentence: str
    table: str
    row: str
    high: str
    low: str

    @property
    def unit(self) -> str:
        """Unit of the table: "%" or, for shares, ""."""
        return definition.load(self.table).unit

    @property
    def paper(self) -> Decimal:
        """High - low as printed, in the table's unit; lends the sign only, because it was measured on other data."""
        row = published.load(self.table.upper())
        return row.cell(self.row, self.high).value - row.cell(self.row, self.low).value


@cache
def load() -> tuple[Direction, ...]:
    """Every direction of this release, in the order a page shows them.

    Raises:
        InputError: `benchmark/directions.toml` breaks the format.
    """
    return parse(files("benchmark").joinpath("directions.toml").read_text(encoding="utf-8"))


def parse(text: str, *, where: str = "benchmark/directions.toml") -> tuple[Direction, ...]:
    """The directions written in `text`.

    Raises:
        InputError: an unknown or missing key, a table, row or column that is not defined, or an id given twice.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise InputError(f"{where} is not TOML: {problem}.") from problem
    items = data.get("direction")
    if set(data) != {"direction"} or not isinstance(items, list):
        raise InputError(
            f"{where}: expected [[direction]] entries and nothing else, found {', '.join(data) or 'none'}."
        )
    found = tuple(_direction(item, f"{where}: direction[{i}]") for i, item in enumerate(items))
    ids = [direction.id for direction in found]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise InputError(f"{where}: direction '{twice[0]}' is given twice.")
    return found


def _direction(item: Mapping[str, object], where: str) -> Direction:
    names = [field.name for field in fields(Direction)]
    for key, value in item.items():
        if key not in names:
            raise InputError(f"{where}: unknown key '{key}'. {nearest(key, names)}")
        if not isinstance(value, str):
            raise InputError(f"{where}: {key} must be a text, found {value!r}.")
    missing = [name for name in names if name not in item]
    if missing:
        raise InputError(f"{where}: missing {', '.join(missing)}.")
    direction = Direction(**{key: str(value) for key, value in item.items()})
    table = definition.load(direction.table)
    rows = [row.name for row in table.rows] + [AVERAGE] * table.average
    columns = [arm.column for arm in table.arms]
    for name, known in ((direction.row, rows), (direction.high, columns), (direction.low, columns)):
        if name not in known:
            raise InputError(f"{where}: table {table.id} has no row or column '{name}'. {nearest(name, known)}")
    return direction
