"""A run of a scale: its network, its plan, the units carried out, and the manifest that ties them together."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch
from numpy.typing import NDArray

from spade.errors import EnvironmentProblem, InputError

from . import definition, engine, plan, policy, provenance, scale
from .difference import flat
from .engine import Engine
from .execution import Execution, execute
from .material import Material
from .models import laboratory
from .models.laboratory import Laboratory, Sample
from .plan import Subject
from .records import SampleNote, UnitRecord
from .scale import Scale
from .scale_subject import as_json, unexplained
from .separation import refuse_overlap, refuse_tuned_seed
from .store import Manifest, Store


@dataclass(frozen=True)
class Request:
    """What a command asks for.

    Attributes:
        tables: ids, in any order; what the store knows of other tables stays.
        calibrate: compute one job of each kind only.
        protocol: another reading of the paper than the scale's; "" for the scale's.
    """

    scale: str
    seed: int
    tables: tuple[str, ...]
    workers: int
    retrain: bool = False
    retry_failed: bool = False
    calibrate: bool = False
    protocol: str = ""


@dataclass(frozen=True)
class Watch:
    """Who is told of progress: of training (what, steps done, steps in all), of the plan's size, of each record."""

    training: Callable[[str, int, int], None] = lambda *_: None
    start: Callable[[int, int], None] = lambda *_: None
    record: Callable[[UnitRecord], None] = lambda _: None
    note: Callable[[str], None] = lambda _: None


def rerun(
    request: Request, store: Store, *, arguments: tuple[str, ...], started: datetime, watch: Watch | None = None
) -> Execution:
    """Train or fetch the network, compute what the tables still lack, and keep how it went.

    arguments: the command line, for the provenance. started: when it was given, with its zone.

    Raises:
        InputError: an unknown scale or table, or ratios the scale lacks.
        EnvironmentProblem: the machine cannot carry the work; what was stored stays.
    """
    watch = watch or Watch()
    begun = time.monotonic()
    recipe = scale.load(request.scale)
    refuse_tuned_seed(recipe, request.seed)
    if request.protocol:
        recipe = scale.under(recipe, request.protocol)
    # Before the minutes of training: a table or ratio that is not there is known now.
    asked = [definition.load(name) for name in _in_order(request.tables)]
    plan.make(asked, unexplained(recipe, request.seed))
    store.refuse_unwritable()
    begun_preparing = time.monotonic()
    bench = laboratory.prepare(
        recipe, request.seed, store=store.cache, retrain=request.retrain, progress=watch.training
    )
    prepared = {"": time.monotonic() - begun_preparing} if bench.origin == "trained" else {}
    for note in (*bench.notes, *laboratory.untaken(bench, recipe.backdoor.least_success)):
        watch.note(note)
    if not bench.test_samples:
        raise EnvironmentProblem(
            f"No image can be explained: on the network of seed {request.seed} no patch both took and flipped an "
            "image that was right before; another --seed trains another network."
        )
    material = Material(recipe, request.seed, bench, store.cache)
    refuse_overlap(bench.calibration_samples, bench.test_samples)
    subject = subject_of(material)
    earlier = _earlier(store, subject, watch.note)
    if earlier is not None:
        _refuse_other_rules(earlier, store)
    known = _in_order([*request.tables, *(earlier.defined if earlier else ())])
    history = [dict(item) for item in earlier.provenance["invocations"]] if earlier else []
    _keep_samples(store, material)
    wanted = plan.make(asked, subject)
    done: Execution | None = None

    def keep_manifest(ended: str) -> None:
        call = provenance.invocation(
            arguments,
            started=started,
            seconds=time.monotonic() - begun,
            workers=request.workers,
            units=done.computed if done else 0,
            ended=ended,
        )
        facts = provenance.collect(
            [*history, call],
            scale_sha256=scale_sha256(recipe),
            policy_sha256=policy.load().sha256,
            network=bench.origin,
        )
        facts |= {"tables": {name: definition.load(name).version for name in known}, "stages": dict(plan.STAGES)}
        facts["prepared"] = (earlier.provenance.get("prepared", {}) if earlier else {}) | {
            name: round(seconds, 1) for name, seconds in (prepared | material.seconds).items()
        }
        facts["plugins"] = (earlier.provenance.get("plugins", {}) if earlier else {}) | wanted.plugins | recipe.plugins
        store.write_manifest(Manifest(subject, known, _accuracy(bench), facts))

    keep_manifest("running")
    for name in wanted.networks:
        material.network(name, progress=watch.training, note=watch.note)  # once here, so that no two workers make it
    done = execute(
        wanted,
        store,
        open_evaluator=partial(opened, request.scale, request.seed, store.folder, subject),
        workers=request.workers,
        retry_failed=request.retry_failed,
        calibrate=request.calibrate,
        on_start=watch.start,
        on_record=watch.record,
    )
    keep_manifest("interrupted" if done.interrupted else "complete")
    return done


def subject_of(material: Material) -> Subject:
    """What a material's units are about."""
    bench = material.bench
    return unexplained(
        material.scale,
        material.seed,
        weights_sha256=weights_sha256(bench),
        samples=_notes(bench.test_samples),
        clean=_notes(material.clean_samples),
    )


def _notes(samples: Iterable[Sample]) -> tuple[SampleNote, ...]:
    return tuple(SampleNote(s.id, label=s.label, target=s.target, patch=s.patch) for s in samples)


def weights_sha256(bench: Laboratory) -> str:
    """Identity of a network and its test samples, to the bit."""
    digest = hashlib.sha256(bench.recipe_sha256.encode())
    for name, value in sorted(bench.model.state_dict().items()):
        digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    for sample in bench.test_samples:
        digest.update(f"{sample.id} {sample.target}".encode())
        digest.update(sample.image.contiguous().numpy().tobytes())
        digest.update(sample.mask.contiguous().numpy().tobytes())
    return digest.hexdigest()


def scale_sha256(recipe: Scale) -> str:
    """Identity of everything a scale decides, whatever the seed."""
    facts = {
        "recipe": {key: value for key, value in recipe.recipe(0).items() if key != "seed"},
        "samples": asdict(recipe.samples),
        "pruning": asdict(recipe.pruning),
        "ratios": as_json(recipe.ratios),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@contextmanager
def opened(name: str, seed: int, folder: Path, subject: Subject) -> Iterator[Engine]:
    """The engine of a scale whose network is in the cache of a store's folder; sent to worker processes by name."""
    store = Store(folder)

    def stored(record: UnitRecord) -> NDArray[np.float32] | None:
        return store.read_map(subject.recipe_sha256, record.key, check=record.map_check)

    with engine.opened(partial(_material, name, seed, store.cache), subject, stored) as evaluator:
        yield evaluator


def _material(name: str, seed: int, cache: Path) -> Material:
    recipe = scale.load(name)
    return Material(recipe, seed, laboratory.prepare(recipe, seed, store=cache), cache)


def _in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Table ids, each once, in the paper's order."""
    return tuple(sorted({definition.load(name).id for name in names}, key=definition.all_names().index))


def _earlier(store: Store, subject: Subject, note: Callable[[str], None]) -> Manifest | None:
    """The manifest of an earlier command on the same subject, if there is one that can be read.

    note: told of one that is damaged.

    Raises:
        InputError: it was recorded under another protocol.
    """
    try:
        manifest = store.read_manifest(subject.scale, subject.seed)
    except InputError:
        return None
    except EnvironmentProblem:
        note(
            f"The file of the run of scale '{subject.scale}' with seed {subject.seed} was damaged and is written anew; "
            "tables that were asked for earlier join it when they are asked for again, from the stored units."
        )
        return None
    before, now = (dict(flat(one.protocol, "protocol")) for one in (manifest.subject, subject))
    other = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    # Of two protocols with names the names say enough.
    if other := [_NAME] if _NAME in other else other:
        _refuse(
            [f"{name} {before.get(name, 'none')} (here {now.get(name, 'none')})" for name in other], manifest, store
        )
    return manifest if manifest.subject == subject else None


_NAME = "protocol, pruning, name"


def _refuse_other_rules(earlier: Manifest, store: Store) -> None:
    """Refuse to go on with a run that was recorded under another policy or another version of a table.

    What was measured would still fit; but a verdict's rules are fixed before its numbers are seen.
    """
    facts = earlier.provenance
    different = []
    now = policy.load().sha256
    if facts.get("policy_sha256", now) != now:
        different.append(f"policy {facts['policy_sha256'][:12]} (this release has {now[:12]})")
    for name, version in facts.get("tables", {}).items():
        if f"table {name}" in facts.get("plugins", {}) and name not in earlier.defined:
            continue  # its package is installed no more, and nothing of it is gone on with
        current = definition.load(name).version if name in definition.all_names() else "none"
        if current != version:
            different.append(f"version {version} of table {name} (this release has {current})")
    if different:
        _refuse(different, earlier, store)


def _refuse(different: Sequence[str], earlier: Manifest, store: Store) -> NoReturn:
    subject = earlier.subject
    raise InputError(
        f"The run of scale '{subject.scale}' with seed {subject.seed} in {store.folder} was recorded under "
        f"{', '.join(different)}; runs of different rules are not merged. Give this one another folder with "
        f"--store, or remove runs/{subject.scale}-seed{subject.seed}.json there: its units stay and count."
    )


def _keep_samples(store: Store, material: Material) -> None:
    for sample in (*material.test_samples, *material.clean_samples):
        image = (sample.image * 255).round().to(torch.uint8).numpy()
        store.write_sample(material.bench.recipe_sha256, sample.id, image, sample.mask.numpy())


def _accuracy(bench: Laboratory) -> dict[str, float]:
    by_patch = {f"trojan_accuracy {patch}": value for patch, value in bench.trojan_accuracy.items()}
    return {"clean_accuracy": bench.clean_accuracy, **by_patch}
