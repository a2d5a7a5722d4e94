"""What a run would take: its plan, what of it is stored, and the time of the rest.

Times are those of runs in the same store; for what none of them did, those that came with this release, measured on
another machine and scaled by how fast this one is.
"""

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module

from spade.errors import EnvironmentProblem, InputError

from . import definition, known_maps, networks, plan, reference_times, scale, unit_file
from .cost import Cost, cost
from .plan import Plan, Subject
from .records import SampleNote, UnitRecord
from .reference_times import ReferenceTimes
from .scale import Scale
from .scale_subject import unexplained
from .store import Store


def measured_yardstick() -> float:
    """The yardstick of this machine; loads torch, which nothing else here needs."""
    return float(import_module("benchmark.yardstick").seconds())


@dataclass(frozen=True)
class Preparing:
    """The networks that a run has to make before its units, one after the other on one core.

    Attributes:
        networks: their names; "" is the dense one.
        seconds: of those that were timed.
        unmeasured: names of the others.
        borrowed: names of those that were timed on another machine only.
    """

    networks: tuple[str, ...] = ()
    seconds: float = 0.0
    unmeasured: tuple[str, ...] = ()
    borrowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outlook:
    """A plan before it is carried out.

    Attributes:
        stored: keys of the plan's units that have a record.
        cost: the others.
        known: by key of those, the record whose stored map is scored.
        trained: whether an earlier command prepared the network, so that the samples are known by name.
        preparing: what is made before the units.
        elsewhere: the processor that some times come from, "" where all were measured here.
    """

    plan: Plan
    stored: frozenset[str]
    cost: Cost
    trained: bool
    known: Mapping[str, UnitRecord]
    preparing: Preparing = Preparing()
    elsewhere: str = ""


def outlook(
    store: Store, tables: tuple[str, ...], name: str, seed: int, *, yardstick: Callable[[], float] = measured_yardstick
) -> Outlook:
    """The outlook on some tables of a scale and seed; nothing is trained or computed for it.

    yardstick: measures how fast this machine is; called only where another machine's times are needed.

    Raises:
        InputError: an unknown scale or table.
    """
    recipe = scale.load(name)
    subject = _known_subject(store, recipe, seed)
    trained = subject is not None
    # Without a network the samples have no names yet, but there will be as many.
    asked = plan.make(
        (definition.load(table) for table in tables),
        subject or unexplained(recipe, seed, samples=_nameless(recipe, "sample"), clean=_nameless(recipe, "clean")),
    )
    records = dict(unit_file.read(store.units_path(asked.subject)).records) if trained else {}
    stored = frozenset(unit.key for unit in asked.units if unit.key in records)
    left = [unit for unit in asked.units if unit.key not in stored]
    # Other seeds of the scale do the same work, so their timings count as well; where nothing is left, none counts.
    others = [
        record
        for path in sorted((store.folder / "units").glob(f"{name}-seed*.jsonl"))
        if left and path != store.units_path(asked.subject)
        for record in unit_file.read(path).records.values()
    ]
    known = known_maps.find(left, asked.subject, records.values(), store).records
    found, preparing, elsewhere = cost(asked, records, others, known), _preparing(store, recipe, seed, asked), ""
    if found.unmeasured or preparing.unmeasured:
        there = reference_times.load(name)
        if there is not None:
            here = there.here(yardstick())
            found = cost(asked, records, others, known, here.units)
            preparing = _preparing(store, recipe, seed, asked, here)
            elsewhere = there.cpu if found.borrowed or preparing.borrowed else ""
    return Outlook(asked, stored, found, trained, known, preparing, elsewhere)


def _preparing(store: Store, recipe: Scale, seed: int, asked: Plan, there: ReferenceTimes | None = None) -> Preparing:
    """What a run has to make first, with the times of the latest run here that made it, else those of `there`."""
    folder, stem = store.cache / "networks", f"{recipe.name}-{seed}"
    dense = folder / f"{stem}-{recipe.recipe_sha256(seed)[:16]}.json"
    names = [] if dense.is_file() else [""]
    # Of a network that is to be trained first nothing derived can be there, whatever the folder holds.
    names += [name for name in asked.networks if names or not any(folder.glob(networks.entry(stem, name, "*")))]
    here: dict[str, float] = {}
    for scale_name, other in store.runs():
        if names and scale_name == recipe.name:
            with suppress(InputError, EnvironmentProblem):
                here |= store.read_manifest(scale_name, other).provenance.get("prepared", {})
    borrowed = tuple(name for name in names if name not in here and there is not None and name in there.prepared)
    times = {**(there.prepared if there else {}), **here}
    return Preparing(
        networks=tuple(names),
        seconds=math.fsum(times[name] for name in names if name in times),
        unmeasured=tuple(name for name in names if name not in times),
        borrowed=borrowed,
    )


def _nameless(recipe: Scale, name: str) -> tuple[SampleNote, ...]:
    """As many notes as there will be samples, the patches in turn, each of a class of its own as far as there are."""
    patches = recipe.backdoor.patches
    return tuple(
        SampleNote(
            f"{name} {i}",
            label=i % recipe.images.classes,
            target=0,
            patch=patches[i % len(patches)] if name == "sample" else "",
        )
        for i in range(recipe.samples.test)
    )


def _known_subject(store: Store, recipe: Scale, seed: int) -> Subject | None:
    """The subject that a run would have now, if its network was prepared before."""
    try:
        earlier = store.read_manifest(recipe.name, seed).subject
    except (InputError, EnvironmentProblem):
        return None
    if earlier.recipe_sha256 != recipe.recipe_sha256(seed):
        return None
    return unexplained(
        recipe, seed, weights_sha256=earlier.weights_sha256, samples=earlier.samples, clean=earlier.clean
    )
