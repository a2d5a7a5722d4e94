"""A table of the paper as a frozen definition: which rows, which arms, which metric; parsed once, unknown keys refused.

An author of a table writes one TOML file in `benchmark/tables/` and never sees the runner.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from data_manifests import published
from data_manifests.published import PublishedTable
from data_manifests.published.method_names import METHODS
from spade import plugins, pruners
from spade.errors import InputError, nearest

from . import networks
from .arm import ARM_KINDS, EVERY_PRUNER, Arm, Dense, Derived, Mapped, Measured, NotRun, OneGroup, Pruned, Row
from .augmentation_kinds import check_kind
from .from_mapping import instance
from .metrics import metric as metrics
from .metrics.metric import MEASURED, Kind
from .ratios import RATIO_SOURCES
from .selection import SELECTIONS

__all__ = [
    "CONTROL_MAPS",
    "Arm",
    "Dense",
    "Derived",
    "Mapped",
    "Measured",
    "NotRun",
    "OneGroup",
    "Pruned",
    "Row",
    "TableDefinition",
    "all_names",
    "load",
    "load_all",
    "names",
    "parse",
]


CONTROL_MAPS = ("random", "centre", "edges", "input magnitude", "patch oracle")
"""Names of `benchmark.controls.CONTROLS`, which needs torch."""


@dataclass(frozen=True)
class TableDefinition:
    """One table of the paper: what to compute and how the paper prints it.

    Attributes:
        id: the project's name of the table ("2", "a20").
        version: raised when the meaning of the definition changes.
        quote: the paper's caption, shortened.
        place: where the paper prints it.
        setting: network and data of the paper's numbers.
        metric: what a cell holds, as `METRICS` names it, unless its arm says otherwise; "accuracy" where networks are
            measured.
        metric_settings: what the metric leaves open, for example the pixels of a step.
        unit: unit of the printed cells; "%" means 100 times the recorded value.
        direction: whether a larger cell is better, under the table's own metric.
        n_paper: samples behind a printed cell, 0 where the paper does not say.
        average: whether the table ends in the column average over its rows.
        samples: the kind of samples explained; they must suit the metric.
        limit: by scale, how many samples are explained; all where a scale is not named.
        reference: the column that others are compared with in a table without a dense column; none where it is empty.
        controls: control maps scored beside the arms (`benchmark.controls.CONTROLS`).
        scales: embedded scales that can run it.
    """

    id: str
    version: int
    title: str
    quote: str
    place: str
    setting: str
    metric: str
    unit: Literal["%", ""]
    direction: Literal["higher", "lower"]
    n_paper: int
    average: bool
    scales: tuple[str, ...]
    rows: tuple[Row, ...]
    arms: tuple[Arm, ...]
    samples: Kind = "trojan"
    limit: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    metric_settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    controls: tuple[str, ...] = ()
    reference: str = ""
    note: str = ""

    @property
    def factor(self) -> float:
        """What a recorded value is multiplied by to be in the table's unit."""
        return 100.0 if self.unit == "%" else 1.0

    @property
    def printed(self) -> bool:
        """Whether the paper prints it; a table of another package stands beside no print."""
        return self.id in names()

    @property
    def methods(self) -> tuple[str, ...]:
        """The saliency methods its rows ask for, in printed order."""
        return tuple(row.method for row in self.rows if row.method and not row.not_run)

    def metric_of(self, column: str) -> str:
        """The metric of a column's cells."""
        arm = next((arm for arm in self.arms if arm.column == column), None)
        return arm.metric or self.metric if isinstance(arm, Mapped) else self.metric

    def lower_is_better(self, column: str) -> bool:
        """Whether a column's cells are better the lower they are, as deletion is."""
        metric = self.metric_of(column)
        return (self.direction if metric == MEASURED else metrics.find(metric).direction) == "lower"

    def ends(self, column: str) -> tuple[float, float]:
        """The lowest and the highest value that a column's cells can have, as shares of 1."""
        metric = self.metric_of(column)
        return (0.0, 1.0) if metric == MEASURED else metrics.find(metric).ends

    def baseline(self, column: str) -> str | None:
        """The column that a column is compared with: the dense network's of the same metric, else the `reference`.

        None where there is neither.
        """
        dense = [arm.column for arm in self.arms if isinstance(arm, Dense)]
        alike = (name for name in dense or [self.reference] if name)
        return next((name for name in alike if self.metric_of(name) == self.metric_of(column)), None)


def _natural(name: str) -> tuple[str, int]:
    """Sort key that puts 2 before 10 and the paper's own tables before its appendix."""
    letters = name.rstrip("0123456789")
    return letters, int(name[len(letters) :] or 0)


@cache
def names() -> tuple[str, ...]:
    """Ids of every table of the paper that is defined, in its order."""
    folder = files("benchmark.tables")
    found = [entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return tuple(sorted(found, key=_natural))


def all_names() -> tuple[str, ...]:
    """Ids of every table: the paper's in its order, then those that other installed packages add."""
    return (*names(), *plugins.offered("table", names()))


@cache
def load(name: str) -> TableDefinition:
    """The definition of one table, by its id in any case.

    Raises:
        InputError: no such table (answered with the nearest), its definition breaks the format, or the package that
            adds it is broken.
    """
    wanted = name.casefold()
    if wanted not in names():
        return _added(name)
    table = parse(_document(wanted), where=f"benchmark/tables/{wanted}.toml")
    if table.id != wanted:
        raise InputError(f"benchmark/tables/{wanted}.toml gives its id as '{table.id}'; write id = \"{wanted}\".")
    return table


_BUILT_IN: Mapping[str, Any] = MappingProxyType({})


def _added(name: str) -> TableDefinition:
    """The table of that name that another package adds.

    It is given as the mapping a TOML file would hold; with `like` it has all it does not say from a table of the paper.
    """
    there = plugins.offered("table", names())
    wanted = next((one for one in there if one.casefold() == name.casefold()), name)
    if wanted not in there and not any(one.kind == "table" and one.name == name for one in plugins.installed()):
        if (paper := printed_only(name)) is not None:
            raise InputError(
                f"Table {paper.id} of the paper is not rerun here ({paper.title}); `spade-bench show {paper.id}` has "
                f"its printed numbers. Tables that are: {', '.join(all_names())}."
            )
        raise InputError(f"No table is called '{name}'. {nearest(name, all_names())}")
    literal = MappingProxyType(dict.fromkeys(names(), _BUILT_IN))
    given = plugins.part("table", wanted, literal, Mapping)  # type: ignore[type-abstract] # only asked with isinstance
    where = f"table '{wanted}' of {there[wanted].distribution} {there[wanted].version}"
    data = {key: value for key, value in given.items() if key != "like"}
    if "like" in given:
        _known(str(given["like"]), names(), f"{where}: like")
        data = _document(str(given["like"])) | data
    table = parse(data, where=where)
    if table.id != wanted:
        raise InputError(f"{where} gives its id as '{table.id}'; it must be the entry point's name, '{wanted}'.")
    return table


_NO_TABLES = ("text", "I.7")  # numbers of sentences, and of a figure


def printed_only(name: str) -> PublishedTable | None:
    """The table of the paper, by its id in any case, that nothing here reruns; None where there is none such."""
    known = {one.casefold(): one for one in published.table_ids() if one not in _NO_TABLES}
    wanted = name.casefold()
    return published.load(known[wanted]) if wanted in known and wanted not in names() else None


def load_all() -> tuple[TableDefinition, ...]:
    """Every table of the paper that is defined, in its order."""
    return tuple(load(name) for name in names())


def _document(name: str) -> dict[str, Any]:
    source = files("benchmark.tables").joinpath(f"{name}.toml")
    try:
        return tomllib.loads(source.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as problem:
        raise InputError(f"benchmark/tables/{name}.toml is not TOML: {problem}.") from problem


def parse(data: Mapping[str, Any], *, where: str) -> TableDefinition:
    """The definition in a parsed TOML document; `where` names the document in errors.

    Raises:
        InputError: an unknown or missing key, a value of the wrong type, or parts that contradict each other.
    """
    rows = tuple(_row(item, f"{where}: rows[{i}]") for i, item in enumerate(_listed(data, "rows", where)))
    listed = [(i, one) for i, item in enumerate(_listed(data, "arms", where)) for one in _each_pruner(item, where)]
    arms = tuple(_arm(item, f"{where}: arms[{i}]") for i, item in listed)
    table: TableDefinition = instance(TableDefinition, {**data, "rows": rows, "arms": arms}, where)
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
    row: Row = instance(Row, item, where)
    return row


def _each_pruner(item: object, where: str) -> list[object]:
    """The arm itself, or one arm a pruner where it asks for every one: built-in ones and those of other packages."""
    if not isinstance(item, Mapping) or item.get("kind") != EVERY_PRUNER:
        return [item]
    if given := sorted({"column", "solver"} & item.keys()):
        raise InputError(f"{where}: an arm of kind '{EVERY_PRUNER}' has no {given[0]}; each pruner names its own.")
    return [{**item, "kind": "pruned", "column": name, "solver": name} for name in pruners.available()]


def _arm(item: object, where: str) -> Arm:
    kinds = (*ARM_KINDS, EVERY_PRUNER)
    if not isinstance(item, Mapping) or not isinstance(item.get("kind"), str):
        raise InputError(f'{where}: an arm needs kind = "..."; one of: {", ".join(kinds)}.')
    kind = item["kind"]
    if kind not in ARM_KINDS:
        raise InputError(f"{where}: no kind of arm is called '{kind}'. {nearest(kind, kinds)}")
    arm: Arm = instance(ARM_KINDS[kind], {k: v for k, v in item.items() if k != "kind"}, where)
    return arm


def _check(table: TableDefinition, where: str) -> None:
    for what, found in (("row", [r.name for r in table.rows]), ("column", [a.column for a in table.arms])):
        twice = sorted({name for name in found if found.count(name) > 1})
        if twice:
            raise InputError(f"{where}: {what} '{twice[0]}' is defined twice.")
    _known(table.metric, (*metrics.available(), MEASURED), f"{where}: metric")
    if table.reference:
        _known(table.reference, [arm.column for arm in table.arms if isinstance(arm, Mapped)], f"{where}: reference")
    for control in table.controls:
        _known(control, CONTROL_MAPS, f"{where}: controls")
    for scale, number in table.limit.items():
        _known(scale, table.scales, f"{where}: limit")
        if number < 1:
            raise InputError(f"{where}: limit.{scale} is {number}; explain 1 sample or more.")
    for arm in table.arms:
        _check_arm(table, arm, f"{where}: column '{arm.column}'")
    _check_rows(table, where)
    _check_settings(table, where)


def _check_arm(table: TableDefinition, arm: Arm, where: str) -> None:
    measured = table.metric == MEASURED
    if isinstance(arm, Measured) != measured and not isinstance(arm, NotRun):
        raise InputError(f"{where} cannot be filled with the metric '{table.metric}'.")
    if isinstance(arm, Mapped):
        metric = table.metric_of(arm.column)
        _known(metric, metrics.available(), f"{where}: metric")
        needed = metrics.find(metric).samples
        if needed != table.samples:
            raise InputError(f"{where}: {metric} needs {needed} samples, the table's are {table.samples}.")
    if isinstance(arm, Derived):
        _known(arm.network, networks.available(), f"{where}: network")
    if isinstance(arm, OneGroup) and not 0 <= arm.sparsity <= 1:
        raise InputError(f"{where} has sparsity {arm.sparsity}; it must lie in 0 to 1.")
    if isinstance(arm, Pruned | OneGroup):
        _known(arm.solver, pruners.available(), f"{where}: solver")
        _known(arm.image, SELECTIONS, f"{where}: image")
        if table.samples == "clean" and "patch" in arm.image:
            raise InputError(f"{where}: clean samples carry no patch, so image = '{arm.image}' means nothing.")
    if isinstance(arm, Pruned):
        _check_pruned(arm, where)


def _check_pruned(arm: Pruned, where: str) -> None:
    _known(arm.ratios, RATIO_SOURCES, f"{where}: ratios")
    if arm.augmentation:
        check_kind(arm.augmentation, where=where)
    if arm.sequential and arm.image != "own":
        raise InputError(f"{where}: sequential pruning is done for the explained sample only, not for '{arm.image}'.")


def _check_rows(table: TableDefinition, where: str) -> None:
    methods = (*METHODS, *plugins.offered("saliency", METHODS))
    for row in table.rows:
        if row.ratios_of:
            _known(row.ratios_of, methods, f"{where}: row '{row.name}': ratios_of")
        if row.method:
            _known(row.method, methods, f"{where}: row '{row.name}': method")
        elif table.metric != MEASURED and not row.not_run:
            raise InputError(f"{where}: row '{row.name}' names no method.")


def _check_settings(table: TableDefinition, where: str) -> None:
    """Every setting of the metrics that the table uses is there, allowed, and none besides."""
    used = {table.metric_of(arm.column) for arm in table.arms if isinstance(arm, Mapped)}
    wanted = {name: allowed for metric in sorted(used) for name, allowed in metrics.find(metric).settings.items()}
    for name, value in table.metric_settings.items():
        _known(name, wanted, f"{where}: metric_settings")
        allowed = wanted[name]
        if isinstance(allowed, tuple):
            _known(str(value), allowed, f"{where}: metric_settings.{name}")
        elif type(value) is not int or value < allowed:
            raise InputError(
                f"{where}: metric_settings.{name} is {value!r}; a whole number from {allowed} belongs there."
            )
    missing = sorted(wanted.keys() - table.metric_settings.keys())
    if missing:
        raise InputError(f"{where}: metric_settings lacks {', '.join(missing)}.")


def _known(name: str, allowed: Iterable[str], where: str) -> None:
    if name not in allowed:
        raise InputError(f"{where} is '{name}'. {nearest(name, allowed)}")
