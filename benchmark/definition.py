"""A table of the paper as a frozen definition: which rows, which arms, which metric; parsed once, unknown keys refused.

An author of a table writes one TOML file in `benchmark/tables/` and never sees the runner.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args, get_origin, get_type_hints

from spade.errors import InputError, nearest


@dataclass(frozen=True)
class Row:
    """One printed row: a saliency method, or (where a table measures networks) a network.

    `name` is spelt as in the published table, `method` as in `spade.saliency.METHODS` (empty: no method).
    A row with `not_run` is a row of the paper that no scale here can fill, with the reason.
    """

    name: str
    method: str = ""
    not_run: str = ""


@dataclass(frozen=True)
class Dense:
    """The network as trained."""

    column: str


@dataclass(frozen=True)
class Pruned:
    """The network pruned for one image, at the ratios that the scale names `ratios`.

    image: "own" prunes with the explained sample itself, "other" with a random other test sample.
    """

    column: str
    solver: Literal["obc", "sparsegpt"]
    ratios: str
    image: Literal["own", "other"] = "own"


@dataclass(frozen=True)
class OneGroup:
    """The network with one group of layers pruned to `sparsity` and every other layer dense (Table A20)."""

    column: str
    solver: Literal["obc", "sparsegpt"]
    group: str
    sparsity: float
    image: Literal["own", "other"] = "own"


@dataclass(frozen=True)
class Measured:
    """A quantity of the prepared network itself, not of a sample (Table A16)."""

    column: str
    quantity: Literal["clean_accuracy", "trojan_accuracy"]


@dataclass(frozen=True)
class NotRun:
    """A printed column that nothing here computes, with its reason."""

    column: str
    reason: str


Arm = Dense | Pruned | OneGroup | Measured | NotRun

ARM_KINDS: dict[str, type[Dense | Pruned | OneGroup | Measured | NotRun]] = {
    "dense": Dense,
    "pruned": Pruned,
    "one group": OneGroup,
    "measured": Measured,
    "not run": NotRun,
}


@dataclass(frozen=True)
class TableDefinition:
    """One table of the paper: what to compute and how the paper prints it.

    Attributes:
        id: the project's name of the table ("2", "a20").
        version: raised when the meaning of the definition changes.
        quote: the paper's caption, shortened.
        place: where the paper prints it.
        setting: network and data of the paper's numbers.
        metric: what a cell holds, as a record names it.
        unit: unit of the printed cells; "%" means 100 times the recorded value.
        direction: whether a larger cell is better.
        n_paper: samples behind a printed cell, 0 where the paper does not say.
        average: whether the table ends in the column average over its rows.
        controls: control maps scored beside the arms (`benchmark.controls.CONTROLS`).
        scales: embedded scales that can run it.
    """

    id: str
    version: int
    title: str
    quote: str
    place: str
    setting: str
    metric: Literal["trojan_auc", "accuracy"]
    unit: Literal["%", ""]
    direction: Literal["higher", "lower"]
    n_paper: int
    average: bool
    scales: tuple[str, ...]
    rows: tuple[Row, ...]
    arms: tuple[Arm, ...]
    controls: tuple[str, ...] = ()
    note: str = ""

    @property
    def factor(self) -> float:
        """What a recorded value is multiplied by to be in the table's unit."""
        return 100.0 if self.unit == "%" else 1.0

    @property
    def methods(self) -> tuple[str, ...]:
        """The saliency methods its rows ask for, in printed order."""
        return tuple(row.method for row in self.rows if row.method and not row.not_run)


def _natural(name: str) -> tuple[str, int]:
    """Sort key that puts 2 before 10 and the paper's own tables before its appendix."""
    letters = name.rstrip("0123456789")
    return letters, int(name[len(letters) :] or 0)


@cache
def names() -> tuple[str, ...]:
    """Ids of every defined table, in the paper's order."""
    folder = files("benchmark.tables")
    found = [entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return tuple(sorted(found, key=_natural))


@cache
def load(name: str) -> TableDefinition:
    """The definition of one table, by its id in any case.

    Raises:
        InputError: no such table (answered with the nearest), or its file breaks the format.
    """
    wanted = name.casefold()
    if wanted not in names():
        raise InputError(f"No table is called '{name}'. {nearest(name, names())}")
    source = files("benchmark.tables").joinpath(f"{wanted}.toml")
    try:
        data = tomllib.loads(source.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as problem:
        raise InputError(f"benchmark/tables/{wanted}.toml is not TOML: {problem}.") from problem
    table = parse(data, where=f"benchmark/tables/{wanted}.toml")
    if table.id != wanted:
        raise InputError(f"benchmark/tables/{wanted}.toml gives its id as '{table.id}'; write id = \"{wanted}\".")
    return table


def load_all() -> tuple[TableDefinition, ...]:
    """Every defined table, in the paper's order."""
    return tuple(load(name) for name in names())


def parse(data: Mapping[str, Any], *, where: str) -> TableDefinition:
    """The definition in a parsed TOML document; `where` names the document in errors.

    Raises:
        InputError: an unknown or missing key, a value of the wrong type, or parts that contradict each other.
    """
    rows = tuple(_row(item, f"{where}: rows[{i}]") for i, item in enumerate(_listed(data, "rows", where)))
    arms = tuple(_arm(item, f"{where}: arms[{i}]") for i, item in enumerate(_listed(data, "arms", where)))
    table: TableDefinition = _strict(TableDefinition, {**data, "rows": rows, "arms": arms}, where)
    _check(table, where)
    return table


def _listed(data: Mapping[str, Any], key: str, where: str) -> list[Any]:
    items = data.get(key)
    if not isinstance(items, list) or not items:
        raise InputError(f"{where}: '{key}' must be a list with at least one entry.")
    return items


def _row(item: object, where: str) -> Row:
    """A row is a bare string where the printed name is the method's name."""
    if isinstance(item, str):
        return Row(name=item, method=item)
    row: Row = _strict(Row, item, where)
    return row


def _arm(item: object, where: str) -> Arm:
    if not isinstance(item, Mapping) or not isinstance(item.get("kind"), str):
        raise InputError(f'{where}: an arm needs kind = "..."; one of: {", ".join(ARM_KINDS)}.')
    kind = item["kind"]
    if kind not in ARM_KINDS:
        raise InputError(f"{where}: no kind of arm is called '{kind}'. {nearest(kind, ARM_KINDS)}")
    arm: Arm = _strict(ARM_KINDS[kind], {k: v for k, v in item.items() if k != "kind"}, where)
    return arm


def _strict(cls: type, data: object, where: str) -> Any:  # noqa: ANN401 - the caller names the class it gets
    """An instance of a dataclass from a mapping, refusing unknown, missing and mistyped keys."""
    if not isinstance(data, Mapping):
        raise InputError(f"{where}: expected a table of keys, found {data!r}.")
    hints = get_type_hints(cls)
    for key in data:
        if key not in hints:
            raise InputError(f"{where}: unknown key '{key}'. {nearest(key, hints)}")
    missing = [f.name for f in fields(cls) if f.default is MISSING and f.name not in data]
    if missing:
        raise InputError(f"{where}: missing {', '.join(missing)}.")
    return cls(**{key: _typed(value, hints[key], f"{where}: {key}") for key, value in data.items()})


def _typed(value: object, hint: Any, where: str) -> object:  # noqa: ANN401 - a type hint is any object
    if get_origin(hint) is Literal:
        allowed = get_args(hint)
        if value not in allowed:
            raise InputError(f"{where} is {value!r}; allowed: {', '.join(map(repr, allowed))}.")
        return value
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        if not isinstance(value, (list, tuple)):
            raise InputError(f"{where} must be a list, found {value!r}.")
        return tuple(value) if inner is not str else tuple(_typed(item, str, where) for item in value)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:  # exactly: bool is an int to isinstance
        raise InputError(f"{where} must be {hint.__name__}, found {value!r}.")
    return value


def _check(table: TableDefinition, where: str) -> None:
    for what, found in (("row", [r.name for r in table.rows]), ("column", [a.column for a in table.arms])):
        twice = sorted({name for name in found if found.count(name) > 1})
        if twice:
            raise InputError(f"{where}: {what} '{twice[0]}' is defined twice.")
    for arm in table.arms:
        if isinstance(arm, OneGroup) and not 0 <= arm.sparsity <= 1:
            raise InputError(f"{where}: column '{arm.column}' has sparsity {arm.sparsity}; it must lie in 0 to 1.")
        if isinstance(arm, Measured) != (table.metric == "accuracy") and not isinstance(arm, NotRun):
            raise InputError(f"{where}: column '{arm.column}' cannot be filled with the metric '{table.metric}'.")
    if table.metric == "trojan_auc":
        bare = [row.name for row in table.rows if not row.method and not row.not_run]
        if bare:
            raise InputError(f"{where}: row '{bare[0]}' names no method.")
