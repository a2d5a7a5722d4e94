"""What a run would take: its plan, what of it is stored, and the time of the rest, from what was measured here."""

from collections.abc import Mapping
from dataclasses import dataclass

from spade.errors import EnvironmentProblem, InputError

from . import definition, known_maps, plan, scale, unit_file
from .cost import Cost, cost
from .plan import Plan, Subject
from .records import SampleNote, UnitRecord
from .scale import Scale
from .scale_subject import unexplained
from .store import Store


@dataclass(frozen=True)
class Outlook:
    """A plan before it is carried out.

    Attributes:
        stored: keys of the plan's units that have a record.
        cost: the others.
        known: by key of those, the record whose stored map is scored.
        trained: whether an earlier command prepared the network, so that the samples are known by name.
    """

    plan: Plan
    stored: frozenset[str]
    cost: Cost
    trained: bool
    known: Mapping[str, UnitRecord]


def outlook(store: Store, tables: tuple[str, ...], name: str, seed: int) -> Outlook:
    """The outlook on some tables of a scale and seed; nothing is trained or computed for it.

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
    return Outlook(asked, stored, cost(asked, records, others, known), trained, known)


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
