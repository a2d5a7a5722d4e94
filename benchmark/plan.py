"""The units that some tables ask of one prepared network, each computed once, grouped into jobs by the pruned image.

Nothing here imports torch: a plan is made from names, hashes and sample ids.
"""

import hashlib
import json
import math
import statistics
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from spade.errors import InputError, nearest

from .definition import Dense, Measured, NotRun, OneGroup, Pruned, Row, TableDefinition
from .records import AskedCell, SampleNote, UnitRecord

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
        patches: names of the Trojan patches, in order.
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


@dataclass(frozen=True)
class Unit:
    """The smallest thing that is computed, stored and resumed: one value of one sample, arm and method.

    Attributes:
        key: sha256 over everything the value depends on; equal in every table that asks for it.
        kind: "map" (a saliency map, scored), "control" (a map no network made, scored), "measurement".
        sample: the explained sample ("" or a patch for a measurement).
        arm: table-free name for people; the key holds the facts (solver, image, ratios).
        solver: "" where nothing is pruned.
        image: id of the sample whose augmentations the pruning sees; "" where nothing is pruned.
        noise: sha256 that seeds the method's randomness; the same for every arm, so that differences between arms
            are not differences in the random numbers.
        impossible: why there is nothing to compute; recorded as "skipped".
    """

    kind: Literal["map", "control", "measurement"]
    sample: str
    arm: str
    method: str
    solver: Literal["", "obc", "sparsegpt"] = ""
    image: str = ""
    ratios: tuple[tuple[str, float], ...] = ()
    metric: str = "trojan_auc"
    impossible: str = ""
    key: str = ""
    noise: str = ""

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
        """The image whose Hessians this unit needs, so the job that computes it."""
        return self.image or (self.sample if self.kind != "measurement" else NETWORK_JOB)


@dataclass(frozen=True)
class Job:
    """Units that share one image's Hessians and eliminations; computed in this order by one worker."""

    name: str
    units: tuple[Unit, ...]


@dataclass(frozen=True)
class Plan:
    """All units of some tables on one subject, each once, and which cells they make up."""

    subject: Subject
    tables: tuple[TableDefinition, ...]
    units: tuple[Unit, ...]
    asked: tuple[AskedCell, ...]

    def jobs(self, stored: Container[str] = ()) -> tuple[Job, ...]:
        """The units whose keys are not stored yet, by the image they prune for, in the order of the samples."""
        by_home: dict[str, list[Unit]] = {sample.id: [] for sample in self.subject.samples}
        for unit in self.units:
            if unit.key not in stored:
                by_home.setdefault(unit.home, []).append(unit)
        return tuple(Job(name, tuple(sorted(units, key=_together))) for name, units in by_home.items() if units)


def make(tables: Iterable[TableDefinition], subject: Subject) -> Plan:
    """The plan of some tables on one subject.

    Raises:
        InputError: a table asks for ratios that the scale does not have, or cannot be run at this scale.
    """
    chosen = tuple(tables)
    units: dict[str, Unit] = {}
    asked: list[AskedCell] = []
    for table in chosen:
        if subject.scale not in table.scales:
            raise InputError(
                f"Table {table.id} is not defined at scale '{subject.scale}'. {nearest(subject.scale, table.scales)}"
            )
        for cell, of_cell in _cells(table, subject):
            asked.append(cell)
            units.update((unit.key, unit) for unit in of_cell)
    return Plan(subject=subject, tables=chosen, units=tuple(units.values()), asked=tuple(asked))


def other_sample(sample: str, samples: Iterable[SampleNote], seed: int) -> str:
    """A random other sample, "" if there is none: the next one on a random circle through all samples.

    On a circle every sample prunes for exactly one other, so jobs stay equally long, and each other sample is equally
    likely a priori.
    """
    circle = sorted((note.id for note in samples), key=lambda name: _digest(["other sample", seed, name]))
    position = circle.index(sample)
    return circle[(position + 1) % len(circle)] if len(circle) > 1 else ""


def generator_seed(key: str) -> int:
    """A 63-bit seed for a generator, from a unit's key."""
    return int(key[:16], 16) & (2**63 - 1)


def hessian_key(subject: Subject, image: str) -> str:
    """The sha256 that seeds an image's augmentations: the same for every solver and ratio, so arms are paired."""
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


def cost(plan: Plan, records: Mapping[str, UnitRecord], measured: Iterable[UnitRecord] = ()) -> Cost:
    """The work left, from the median seconds of recorded units of the same arm and method, else of the same arm."""
    times: dict[tuple[str, str], list[float]] = {}
    for record in [*records.values(), *measured]:
        if record.status == "ok":
            times.setdefault((record.arm, record.method), []).append(record.seconds)
            times.setdefault((record.arm, ""), []).append(record.seconds)
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    left = [unit for unit in plan.units if unit.key not in records]
    guesses = [medians.get((unit.arm, unit.method), medians.get((unit.arm, ""))) for unit in left]
    known = [guess for guess in guesses if guess is not None]
    return Cost(units=len(left), seconds=math.fsum(known), unmeasured=len(left) - len(known))


def _cells(table: TableDefinition, subject: Subject) -> Iterable[tuple[AskedCell, list[Unit]]]:
    for row in table.rows:
        for arm in table.arms:
            reason = row.not_run or (arm.reason if isinstance(arm, NotRun) else "")
            units = [] if reason else _units(row, arm, subject)
            kind: Literal["value", "measurement"] = "measurement" if isinstance(arm, Measured) else "value"
            yield _asked(table, row.name, arm.column, kind, units, reason), units
    for control in table.controls:
        units = [
            _sealed(Unit(kind="control", sample=s.id, arm="control", method=control), subject) for s in subject.samples
        ]
        yield _asked(table, control, CONTROL_COLUMN, "control", units, ""), units


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


def _units(row: Row, arm: Dense | Pruned | OneGroup | Measured | NotRun, subject: Subject) -> list[Unit]:
    match arm:
        case Measured(quantity="clean_accuracy"):
            return [_sealed(_measurement("", "clean_accuracy"), subject)]
        case Measured(quantity="trojan_accuracy"):
            return [_sealed(_measurement(patch, "trojan_accuracy"), subject) for patch in subject.patches]
        case Dense():
            maps = [Unit(kind="map", sample=s.id, arm="dense", method=row.method) for s in subject.samples]
        case Pruned():
            ratios = _ratios(arm.ratios, row.method, subject)
            maps = [_pruned(s.id, row.method, arm, f"{arm.ratios} ratios", ratios, subject) for s in subject.samples]
        case OneGroup():
            ratios = ((arm.group, arm.sparsity),)
            name = f"{arm.group} at {arm.sparsity:g}"
            maps = [_pruned(s.id, row.method, arm, name, ratios, subject) for s in subject.samples]
        case NotRun():
            return []
    return [_sealed(unit, subject) for unit in maps]


def _measurement(sample: str, quantity: str) -> Unit:
    return Unit(kind="measurement", sample=sample, arm="network", method=quantity, metric=quantity)


def _pruned(  # noqa: PLR0917 - the parts of a pruned unit's identity
    sample: str,
    method: str,
    arm: Pruned | OneGroup,
    name: str,
    ratios: tuple[tuple[str, float], ...],
    subject: Subject,
) -> Unit:
    image = sample if arm.image == "own" else other_sample(sample, subject.samples, subject.seed)
    return Unit(
        kind="map",
        sample=sample,
        arm=f"{arm.solver}, {name}, {arm.image} sample",
        method=method,
        solver=arm.solver,
        image=image,
        ratios=ratios,
        impossible="" if image else "there is no other test sample to prune with",
    )


def _ratios(name: str, method: str, subject: Subject) -> tuple[tuple[str, float], ...]:
    """Group and ratio pairs of one method, sorted, from a scale's ratios of that name."""
    if name not in subject.ratios:
        raise InputError(f"Scale '{subject.scale}' has no ratios called '{name}'. {nearest(name, subject.ratios)}")
    found = subject.ratios[name]
    if any(isinstance(value, Mapping) for value in found.values()):
        if method not in found:
            raise InputError(f"Scale '{subject.scale}', ratios '{name}': none for {method}. {nearest(method, found)}")
        found = found[method]
    return tuple(sorted((group, float(ratio)) for group, ratio in found.items()))


def _sealed(unit: Unit, subject: Subject) -> Unit:
    """The unit with its keys filled in."""
    of_sample = {
        "weights": subject.weights_sha256,
        "seed": subject.seed,
        "sample": unit.sample,
        "method": unit.method,
        "metric": unit.metric,
    }
    noise = _digest({"stage": "noise", "version": STAGES["map"], **of_sample})
    key = _digest(
        {
            "stage": unit.stages[-1],
            "versions": {stage: STAGES[stage] for stage in unit.stages},
            "kind": unit.kind,
            "protocol": subject.protocol,
            "numerics": subject.numerics,
            "solver": unit.solver,
            "image": unit.image,
            "ratios": unit.ratios,
            "n_augmentations": subject.n_augmentations,
            **of_sample,
        }
    )
    return replace(unit, key=key, noise=noise)


def _together(unit: Unit) -> tuple[str, tuple[tuple[str, float], ...], str]:
    """Sort key that keeps the methods on one sparse model together (the sort is stable within them)."""
    return unit.solver, unit.ratios, unit.sample


def _digest(data: object) -> str:
    """sha256 of the canonical JSON of some data."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False, default=dict)
    return hashlib.sha256(text.encode()).hexdigest()
