"""The units that some tables ask of one prepared network, each computed once, grouped into jobs by the pruned image.

Nothing here imports torch: a plan is made from names, hashes and sample ids.
"""

import hashlib
import json
import math
import statistics
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from data_manifests.published.method_names import METHODS
from spade import plugins
from spade.errors import InputError, nearest
from spade.pruners import SOLVERS

from . import networks
from .augmentation_kinds import is_the_scales
from .definition import Arm, Dense, Derived, Mapped, Measured, NotRun, OneGroup, Pruned, Row, TableDefinition, names
from .metrics.metric import METRICS
from .ratios import RATIO_SOURCES
from .records import AskedCell, SampleNote, UnitRecord
from .selection import SELECTIONS, ImageSet

STAGES = {"hessian": 1, "trace": 1, "map": 1, "score": 1, "measure": 1}
"""Versions of the stages; raise one when its results change, and every unit that rests on it is computed again."""

CONTROL_COLUMN = "Control"
NETWORK_JOB = "the network"

Ratios = Mapping[str, float]
"""Sparsity by group of layers (a prefix of layer names)."""


@dataclass(frozen=True)
class Subject:
    """What is explained and under which rules: everything in a unit's key that is the same for the whole run.

    Attributes:
        recipe_sha256: identity of the recipe the network is trained by.
        weights_sha256: identity of the trained network and its samples, to the bit: a recipe carried out with another
            number of threads may give other last bits, and then other units.
        protocol: every knob of pruning and scoring, as JSON data.
        numerics: what decides the arithmetic (device, dtype, threads, library releases).
        ratios: by name, either one `Ratios` for all methods or `Ratios` by method.
        samples: test images with a patch.
        patches: names of the Trojan patches, in order.
        clean: test images without one.
        like: for a scale that another package adds, ours whose tables it runs.
    """

    scale: str
    seed: int
    recipe_sha256: str
    weights_sha256: str
    protocol: Mapping[str, Any]
    numerics: Mapping[str, Any]
    n_augmentations: int
    ratios: Mapping[str, Mapping[str, Any]]
    samples: tuple[SampleNote, ...]
    patches: tuple[str, ...]
    clean: tuple[SampleNote, ...] = ()
    like: str = ""

    @property
    def all_samples(self) -> tuple[SampleNote, ...]:
        """Everything that some table explains."""
        return self.samples + self.clean


@dataclass(frozen=True)
class Unit:
    """The smallest thing that is computed, stored and resumed: one value of one sample, arm and method.

    Attributes:
        key: sha256 over everything the value depends on; equal in every table that asks for it.
        kind: "map" (a saliency map, scored), "control" (a map no network made, scored), "measurement".
        sample: the explained sample ("" or a patch for a measurement).
        arm: table-free name for people; the key holds the facts (solver, images, ratios).
        network: a name that `networks` knows, "" for the dense one.
        solver: "" where nothing is pruned.
        images: what the pruning sees; None where nothing is pruned.
        augmentation: kinds of augmentation, "" for the scale's own.
        sequential: whether layers are pruned one behind the other.
        rule: what `ratios` mean: by group of layers, or "linear" over all layers.
        settings: the metric's.
        noise: sha256 that seeds the method's randomness; the same for every arm, so that differences between arms
            are not differences in the random numbers.
        impossible: why there is nothing to compute; recorded as "skipped".
    """

    kind: Literal["map", "control", "measurement"]
    sample: str
    arm: str
    method: str
    network: str = ""
    solver: str = ""
    images: ImageSet | None = None
    augmentation: str = ""
    sequential: bool = False
    rule: Literal["", "linear"] = ""
    ratios: tuple[tuple[str, float], ...] = ()
    metric: str = "trojan_auc"
    settings: tuple[tuple[str, Any], ...] = ()
    impossible: str = ""
    key: str = ""
    noise: str = ""

    @property
    def image(self) -> str:
        """Name of the images that the pruning sees; "" where nothing is pruned."""
        return "" if self.images is None else self.images.name

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages its value rests on, the one that yields it last."""
        match self.kind:
            case "measurement":
                return ("measure",)
            case "control":
                return ("score",)
            case "map":
                return ("hessian", "trace", "map", "score") if self.solver else ("map", "score")

    @property
    def home(self) -> str:
        """The images whose Hessians this unit needs, so the job that computes it."""
        name = self.image or (self.sample if self.kind != "measurement" else NETWORK_JOB)
        return f"{name}, {self.augmentation}" if self.augmentation else name

    @property
    def hessians(self) -> tuple[object, ...]:
        """What its Hessians depend on: units that agree in it share them. Sequential pruning shares them with none."""
        own = (self.solver, self.rule, self.ratios) if self.sequential else ()
        return (self.image, self.augmentation, *own)

    @property
    def trace(self) -> tuple[object, ...]:
        """What its network depends on: units that agree in it share the network."""
        return (self.network, self.solver, self.hessians, self.sequential, self.rule, self.ratios)

    @property
    def map(self) -> tuple[object, ...]:
        """What its map depends on: units that agree in it differ by the metric only."""
        return (self.trace, self.sample, self.method)


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


def added_by(unit: Unit) -> dict[str, str]:
    """The parts of other packages that a unit's value depends on: package, release and source by kind and name."""
    if unit.kind != "map":
        return {}
    used = {"saliency": unit.method, "pruner": unit.solver, "metric": unit.metric, "network": unit.network}
    builtin = {"saliency": METHODS, "pruner": SOLVERS, "metric": METRICS, "network": networks.NETWORKS}
    return plugins.identities({kind: name for kind, name in used.items() if name}, builtin)


def map_key(unit: Unit, subject: Subject) -> str:
    """The sha256 of all that a unit's saliency map depends on: units that agree in it differ by the metric only.

    "" where there is no such map.
    """
    if unit.kind != "map" or unit.impossible:
        return ""
    plugins_used = {name: source for name, source in added_by(unit).items() if not name.startswith("metric ")}
    asked = {"plugins": plugins_used} if plugins_used else {}
    return _digest({**_facts(unit, subject, unit.stages[:-1]), **asked})


def generator_seed(key: str) -> int:
    """A 63-bit seed for a generator, from a unit's key."""
    return int(key[:16], 16) & (2**63 - 1)


def hessian_key(subject: Subject, image: str) -> str:
    """The sha256 that seeds an image's augmentations: the same for every solver, ratio and kind of augmentation.

    So arms are paired: the crops of "J+RC" are those of "RC".
    """
    return _digest(
        {
            "stage": "hessian",
            "version": STAGES["hessian"],
            "protocol": subject.protocol,
            "weights": subject.weights_sha256,
            "image": image,
            "seed": subject.seed,
            "n_augmentations": subject.n_augmentations,
        }
    )


@dataclass(frozen=True)
class Cost:
    """What is left of a plan: units without a record, the processor seconds they should take, and on what that rests.

    `seconds` covers the units of the arms and methods that were measured; `unmeasured` counts the others.
    """

    units: int
    seconds: float
    unmeasured: int


def cost(
    plan: Plan,
    records: Mapping[str, UnitRecord],
    measured: Iterable[UnitRecord] = (),
    known: Container[str] = (),
) -> Cost:
    """The work left, from the median seconds of recorded units of the same arm and method, else of the same arm.

    known: units whose maps are stored; they take as long as other scores of stored maps did.
    """
    times: dict[tuple[str, str], list[float]] = {}
    for record in [*records.values(), *measured]:
        if record.status == "ok":
            names = [_OF_STORED] if record.scored_from else [(record.arm, record.method), (record.arm, "")]
            for name in names:
                times.setdefault(name, []).append(record.seconds)
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    left = [unit for unit in plan.units if unit.key not in records]
    guesses = [
        medians.get(_OF_STORED)
        if unit.key in known
        else medians.get((unit.arm, unit.method), medians.get((unit.arm, "")))
        for unit in left
    ]
    timed = [guess for guess in guesses if guess is not None]
    return Cost(units=len(left), seconds=math.fsum(timed), unmeasured=len(left) - len(timed))


_OF_STORED = ("", "a score of a stored map")


def _cells(table: TableDefinition, subject: Subject) -> Iterable[tuple[AskedCell, list[Unit]]]:
    explained = _explained(table, subject)
    for row in table.rows:
        for arm in table.arms:
            reason = row.not_run or _why_not(arm, row, subject)
            units = [] if reason else _units(table, row, arm, subject)
            kind: Literal["value", "measurement"] = "measurement" if isinstance(arm, Measured) else "value"
            yield _asked(table, row.name, arm.column, kind, units, reason), units
    for control in table.controls:
        units = [_sealed(Unit(kind="control", sample=s.id, arm="control", method=control), subject) for s in explained]
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
            return [_sealed(_measurement("", "clean_accuracy"), subject)]
        case Measured(quantity="trojan_accuracy"):
            return [_sealed(_measurement(patch, "trojan_accuracy"), subject) for patch in subject.patches]
        case Measured() | NotRun():
            return []
    metric = table.metric_of(arm.column)
    maps = [_map(row, arm, sample, subject) for sample in _explained(table, subject)]
    settings = tuple(sorted(table.metric_settings.items()))
    return [_sealed(replace(unit, metric=metric, settings=settings), subject) for unit in maps]


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


def _sealed(unit: Unit, subject: Subject) -> Unit:
    """The unit with its keys filled in."""
    of_map = {
        "weights": subject.weights_sha256,
        "seed": subject.seed,
        "sample": unit.sample,
        "method": unit.method,
    }
    # All metrics score one map, so the noise does not depend on the metric; a name stands there for earlier results.
    noise = _digest({"stage": "noise", "version": STAGES["map"], "metric": "trojan_auc", **of_map})
    scored = {"settings": dict(unit.settings), "plugins": added_by(unit)}
    asked = {name: value for name, value in scored.items() if value}
    key = _digest({**_facts(unit, subject, unit.stages), "metric": unit.metric, **asked})
    return replace(unit, key=key, noise=noise)


def _facts(unit: Unit, subject: Subject, stages: tuple[str, ...]) -> dict[str, Any]:
    """What a unit's results depend on up to the last of some stages, whatever the metric."""
    # What a unit does not ask for is not in its key, so a new knob leaves the keys of earlier units as they were.
    asked = {
        "network": [unit.network, networks.find(unit.network).settings] if unit.network else None,
        "augmentation": unit.augmentation,
        "sequential": unit.sequential,
        "rule": unit.rule,
    }
    return {
        "stage": stages[-1],
        "versions": {stage: STAGES[stage] for stage in stages},
        "kind": unit.kind,
        "protocol": subject.protocol,
        "numerics": subject.numerics,
        "solver": unit.solver,
        "image": unit.image,
        "ratios": unit.ratios,
        "n_augmentations": subject.n_augmentations,
        "weights": subject.weights_sha256,
        "seed": subject.seed,
        "sample": unit.sample,
        "method": unit.method,
        **{name: value for name, value in asked.items() if value},
    }


def _in_turn(units: Iterable[Unit]) -> tuple[Unit, ...]:
    """The units with all methods on one network together, and all metrics on one map; otherwise as they come."""
    maps: dict[object, int] = {}
    numbered = [(unit, maps.setdefault(unit.map, len(maps))) for unit in units]
    return tuple(unit for unit, _ in sorted(numbered, key=lambda pair: (_network_of(pair[0]), pair[0].sample, pair[1])))


def _network_of(unit: Unit) -> tuple[str, ...]:
    return unit.network, unit.solver, repr(unit.sequential), unit.rule, repr(unit.ratios)


def _digest(data: object) -> str:
    """sha256 of the canonical JSON of some data."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False, default=dict)
    return hashlib.sha256(text.encode()).hexdigest()
