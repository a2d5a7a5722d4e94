"""The units that some tables ask of one prepared network, each computed once, grouped into jobs by the pruned image.

Nothing here imports torch: a plan is made from names, hashes and sample ids.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from spade import plugins
from spade.errors import InputError, nearest

from .augmentation_kinds import is_the_scales
from .definition import Arm, Dense, Derived, Mapped, Measured, NotRun, OneGroup, Pruned, Row, TableDefinition, names
from .ratios import RATIO_SOURCES
from .records import AskedCell, SampleNote, UnitRecord
from .selection import SELECTIONS
from .unit import NETWORK_JOB, Subject, Unit
from .unit_key import STAGES, added_by, generator_seed, hessian_key, map_key, sealed

__all__ = [
    "CONTROL_COLUMN",
    "NETWORK_JOB",
    "STAGES",
    "Job",
    "Plan",
    "Subject",
    "Unit",
    "added_by",
    "generator_seed",
    "hessian_key",
    "make",
    "map_key",
    "one_of_each",
]

CONTROL_COLUMN = "Control"


@dataclass(frozen=True)
class Job:
    """Units that share one image's Hessians and eliminations; computed in this order by one worker.

    known: by unit key, the record of a unit of another metric whose map is in the store; only the score is computed.
    """

    name: str
    units: tuple[Unit, ...]
    known: Mapping[str, UnitRecord] = field(default_factory=dict)

    @property
    def fresh(self) -> tuple[Unit, ...]:
        """The units whose maps, if they have any, are to be made."""
        return tuple(unit for unit in self.units if unit.key not in self.known)


@dataclass(frozen=True)
class Plan:
    """All units of some tables on one subject, each once, and which cells they make up."""

    subject: Subject
    tables: tuple[TableDefinition, ...]
    units: tuple[Unit, ...]
    asked: tuple[AskedCell, ...]

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks it explains besides the dense one."""
        return tuple(dict.fromkeys(unit.network for unit in self.units if unit.network))

    @property
    def plugins(self) -> dict[str, str]:
        """The parts of other packages that it needs: package, release and source by kind and name."""
        there = plugins.offered("table", names())
        found = {f"table {table.id}": there[table.id].identity for table in self.tables if table.id in there}
        for unit in self.units:
            found |= added_by(unit)
        return dict(sorted(found.items()))

    def jobs(self, stored: Container[str] = (), known: Mapping[str, UnitRecord] | None = None) -> tuple[Job, ...]:
        """The units whose keys are not stored yet, by the images they prune for, in the order of the samples.

        known: the records whose maps serve some of them, as `known_maps.find` gives them.
        """
        there = known or {}
        by_home: dict[str, list[Unit]] = {sample.id: [] for sample in self.subject.all_samples}
        for unit in self.units:
            if unit.key not in stored:
                by_home.setdefault(unit.home, []).append(unit)
        return tuple(
            Job(name, _in_turn(units), {unit.key: there[unit.key] for unit in units if unit.key in there})
            for name, units in by_home.items()
            if units
        )


def make(tables: Iterable[TableDefinition], subject: Subject) -> Plan:
    """The plan of some tables on one subject.

    Raises:
        InputError: a table asks for ratios that the scale does not have, or cannot be run at this scale.
    """
    chosen = tuple(tables)
    units: dict[str, Unit] = {}
    asked: list[AskedCell] = []
    for table in chosen:
        if not {subject.scale, subject.like} & set(table.scales):
            raise InputError(
                f"Table {table.id} is not defined at scale '{subject.scale}'. {nearest(subject.scale, table.scales)}"
            )
        for cell, of_cell in _cells(table, subject):
            asked.append(cell)
            units.update((unit.key, unit) for unit in of_cell)
    return Plan(subject=subject, tables=chosen, units=tuple(units.values()), asked=tuple(asked))


def one_of_each(jobs: Iterable[Job]) -> tuple[Job, ...]:
    """The first job of each kind: of those that do the same for one image as another does for another."""
    kinds: dict[frozenset[tuple[str, str, str, bool]], Job] = {}
    for job in jobs:
        same = frozenset((unit.arm, unit.method, unit.metric, unit.key in job.known) for unit in job.units)
        kinds.setdefault(same, job)
    return tuple(kinds.values())


def _cells(table: TableDefinition, subject: Subject) -> Iterable[tuple[AskedCell, list[Unit]]]:
    explained = _explained(table, subject)
    for row in table.rows:
        for arm in table.arms:
            reason = row.not_run or _why_not(arm, row, subject)
            units = [] if reason else _units(table, row, arm, subject)
            kind: Literal["value", "measurement"] = "measurement" if isinstance(arm, Measured) else "value"
            yield _asked(table, row.name, arm.column, kind, units, reason), units
    for control in table.controls:
        units = [sealed(Unit(kind="control", sample=s.id, arm="control", method=control), subject) for s in explained]
        yield _asked(table, control, CONTROL_COLUMN, "control", units, ""), units


def _explained(table: TableDefinition, subject: Subject) -> tuple[SampleNote, ...]:
    """The samples a table explains at the subject's scale."""
    samples = subject.samples if table.samples == "trojan" else subject.clean
    return samples[: table.limit.get(subject.scale, table.limit.get(subject.like))]


def _asked(  # noqa: PLR0917 - one argument a field of the result
    table: TableDefinition,
    row: str,
    column: str,
    kind: Literal["value", "control", "measurement"],
    units: list[Unit],
    reason: str,
) -> AskedCell:
    pairs = tuple((unit.sample, unit.key) for unit in units)
    return AskedCell(table=table.id, row=row, column=column, kind=kind, units=pairs, not_run=reason)


def _why_not(arm: Arm, row: Row, subject: Subject) -> str:
    """Why a cell is not run at the subject's scale; "" if it is.

    Raises:
        InputError: the scale lacks ratios that it has for other methods, or has some whose name no arm knows.
    """
    if isinstance(arm, NotRun):
        return arm.reason
    if not isinstance(arm, Pruned) or RATIO_SOURCES[arm.ratios].rule == "linear":
        return ""
    if arm.ratios in subject.ratios:
        _ratios(arm.ratios, row.ratios_of or row.method, subject)
        return ""
    strange = sorted(subject.ratios.keys() - RATIO_SOURCES.keys())
    if strange:
        raise InputError(
            f"Scale '{subject.scale}' has no ratios called '{arm.ratios}', but some called '{strange[0]}', which no "
            f"table asks for. {nearest(strange[0], RATIO_SOURCES)}"
        )
    return f"scale '{subject.scale}' has no ratios '{arm.ratios}' ({RATIO_SOURCES[arm.ratios].title})"


def _units(table: TableDefinition, row: Row, arm: Arm, subject: Subject) -> list[Unit]:
    match arm:
        case Measured(quantity="clean_accuracy"):
            return [sealed(_measurement("", "clean_accuracy"), subject)]
        case Measured(quantity="trojan_accuracy"):
            return [sealed(_measurement(patch, "trojan_accuracy"), subject) for patch in subject.patches]
        case Measured() | NotRun():
            return []
    metric = table.metric_of(arm.column)
    maps = [_map(row, arm, sample, subject) for sample in _explained(table, subject)]
    settings = tuple(sorted(table.metric_settings.items()))
    return [sealed(replace(unit, metric=metric, settings=settings), subject) for unit in maps]


def _measurement(sample: str, quantity: str) -> Unit:
    return Unit(kind="measurement", sample=sample, arm="network", method=quantity, metric=quantity)


def _map(row: Row, arm: Mapped, sample: SampleNote, subject: Subject) -> Unit:
    unit = Unit(kind="map", sample=sample.id, arm="dense", method=row.method)
    match arm:
        case Dense():
            return unit
        case Derived():
            return replace(unit, arm=arm.network, network=arm.network)
        case OneGroup():
            name, rule = f"{arm.group} at {arm.sparsity:g}", ""
            ratios: tuple[tuple[str, float], ...] = ((arm.group, arm.sparsity),)
        case Pruned() if RATIO_SOURCES[arm.ratios].rule == "linear":
            name, rule, ratios = f"{arm.ratios} ratios", "linear", (("last", LINEAR_LAST),)
        case Pruned():
            name, rule, ratios = f"{arm.ratios} ratios", "", _ratios(arm.ratios, row.ratios_of or row.method, subject)
    chosen = SELECTIONS[arm.image].choose(sample, _alike(sample, subject), subject.seed)
    unit = replace(
        unit,
        arm=f"{arm.solver}, {name}, {_SEEN.get(arm.image, arm.image)}",
        solver=arm.solver,
        images=chosen,
        rule="linear" if rule else "",
        ratios=ratios,
        impossible="" if chosen else f"{SELECTIONS[arm.image].title}: there is none",
    )
    return _as_pruned(unit, arm, subject) if isinstance(arm, Pruned) else unit


LINEAR_LAST = 0.99
"""The ratio of the last layer under the linear rule (appendix B)."""

_SEEN = {"own": "own sample"}


def _as_pruned(unit: Unit, arm: Pruned, subject: Subject) -> Unit:
    """The unit with what a pruned arm may choose besides its ratios, said in its name where it differs."""
    amounts = subject.protocol.get("augmentation", {})
    kind = "" if arm.augmentation and is_the_scales(arm.augmentation, amounts) else arm.augmentation
    said = [unit.arm, *([kind] if kind else []), *(["sequential"] if arm.sequential else [])]
    return replace(unit, arm=", ".join(said), augmentation=kind, sequential=arm.sequential)


def _alike(sample: SampleNote, subject: Subject) -> Sequence[SampleNote]:
    """The samples of the same kind."""
    return subject.samples if sample in subject.samples else subject.clean


def _ratios(name: str, method: str, subject: Subject) -> tuple[tuple[str, float], ...]:
    """Group and ratio pairs of one method, sorted, from a scale's ratios of that name."""
    found = subject.ratios[name]
    if any(isinstance(value, Mapping) for value in found.values()):
        if method not in found:
            raise InputError(f"Scale '{subject.scale}', ratios '{name}': none for {method}. {nearest(method, found)}")
        found = found[method]
    return tuple(sorted((group, float(ratio)) for group, ratio in found.items()))


def _in_turn(units: Iterable[Unit]) -> tuple[Unit, ...]:
    """The units with all methods on one network together, and all metrics on one map; otherwise as they come."""
    maps: dict[object, int] = {}
    numbered = [(unit, maps.setdefault(unit.map, len(maps))) for unit in units]
    return tuple(unit for unit, _ in sorted(numbered, key=lambda pair: (_network_of(pair[0]), pair[0].sample, pair[1])))


def _network_of(unit: Unit) -> tuple[str, ...]:
    return unit.network, unit.solver, repr(unit.sequential), unit.rule, repr(unit.ratios)
