"""One set of images' units on the prepared networks: one look, one factorisation, then every arm and method."""

import math
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spade import saliency, sparsity, trace
from spade.augment import Augmentation, RandomRemove, augmented_batches, checked_image, named_augmentation
from spade.errors import EnvironmentProblem, InputError
from spade.layer_hessians import LayerHessians
from spade.layer_solutions import LayerSolutions, Solver
from spade.layers import excluded_layers, layer_grams, prunable_layers
from spade.protocol import Protocol as Rules
from spade.saliency import MethodUnavailable, Settings

from .augmentation_kinds import PARTS, fields_of
from .controls import CONTROLS
from .metrics import metric
from .metrics.evidence import Evidence
from .plan import Job, Subject, Unit, generator_seed, hessian_key
from .provenance import ARITHMETIC, releases, without_paths
from .records import OF_THE_MAP, Status, UnitRecord
from .runner import Finished
from .supply import Sample, Supply
from .work import Work

StoredMap = Callable[[UnitRecord], NDArray[np.float32] | None]
"""The stored map [H, W] of a record's unit; None where there is none any more."""


@contextmanager
def opened(
    material: Callable[[], Supply], subject: Subject, stored_map: StoredMap = lambda _: None
) -> Iterator["Engine"]:
    """An evaluator of jobs on one thread; the number of threads is given back.

    stored_map: where the maps are that a job knows of.

    One thread, so that sums are added in the same order wherever and beside whatever a unit is computed.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield Engine(material(), subject, stored_map)
    finally:
        torch.set_num_threads(threads)


@dataclass(frozen=True, eq=False)
class _Network:
    """A network, dense or sparse, ready for every method, and what making it took."""

    model: nn.Module
    prepared: saliency.Prepared
    seconds: float = 0.0
    sparsity: Mapping[str, float] = field(default_factory=dict)
    dead_columns: Mapping[str, int] = field(default_factory=dict)
    fallbacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Answer:
    """What a network says of a sample: the class it predicts and the softmax of the target."""

    predicted: int
    probability: float


class Engine:
    """Computes the units of one material; calling it with a job yields them one by one, in the job's order."""

    def __init__(self, material: Supply, subject: Subject, stored_map: StoredMap = lambda _: None) -> None:
        self.material = material
        self.subject = subject
        self.stored_map = stored_map
        self.samples = {sample.id: sample for sample in material.test_samples}
        if subject.clean:
            self.samples |= {sample.id: sample for sample in material.clean_samples}
        model = material.network("")
        self.rules = Rules(**subject.protocol["pruning"])
        spared = "" if self.rules.prune_first_convolution else _first_convolution(model)
        self.layers = tuple(name for name in prunable_layers(model) if name != spared)
        self.settings = Settings(**subject.protocol["saliency"])
        self.dense = _Network(model, saliency.prepare(model))
        self.derived: dict[str, _Network | Exception] = {}
        self.versions = releases(ARITHMETIC)

    def __call__(self, job: Job) -> Iterator[Finished]:
        """Yield each unit of the job; one that raises is yielded as failed, with its reason."""
        bench = _Bench(self, job)
        for unit in job.units:
            yield self._finished(unit, bench)

    def _finished(self, unit: Unit, bench: "_Bench") -> Finished:
        start = time.perf_counter()
        blank = UnitRecord(
            key=unit.key,
            status="ok",
            reason="",
            sample=unit.sample,
            arm=unit.arm,
            method=unit.method,
            seed=self.subject.seed,
            versions=self.versions,
        )
        try:
            done = self._compute(unit, bench, blank)
        except EnvironmentProblem:
            raise
        except MethodUnavailable as problem:
            done = Finished(_without_value(blank, "unavailable", str(problem)))
        except Exception as problem:  # noqa: BLE001 - a failure is data: it is recorded with its reason
            done = Finished(_failed(blank, problem))
        seconds = time.perf_counter() - start - bench.spent + bench.share(unit)
        bench.spent = 0.0
        record = replace(done.record, seconds=seconds, peak_memory_mb=_peak_memory_mb())
        return replace(done, record=record, made=bench.taken())

    def _compute(self, unit: Unit, bench: "_Bench", blank: UnitRecord) -> Finished:
        if unit.impossible:
            return Finished(_without_value(blank, "skipped", unit.impossible))
        match unit.kind:
            case "measurement":
                return Finished(replace(blank, value=self._measured(unit)))
            case "control":
                sample = self.samples[unit.sample]
                drawn = CONTROLS[unit.method](sample, _generator(unit.noise))
                return self._scored(unit, blank, np.asarray(drawn), sample)
            case "map":
                return self._map(unit, bench, blank)

    def _measured(self, unit: Unit) -> float:
        if unit.method == "clean_accuracy":
            return self.material.clean_accuracy
        return self.material.trojan_accuracy[unit.sample]

    def _map(self, unit: Unit, bench: "_Bench", blank: UnitRecord) -> Finished:
        if (known := bench.known.get(unit.key)) is not None:
            return self._from_store(unit, bench, blank, known)
        sample = self.samples[unit.sample]
        network = bench.network(unit)
        x, dense = bench.seen(sample)
        here = dense if network is self.dense else self.answer(network, x, sample)
        heatmap, delta = bench.map(unit, network, x, sample)
        record = replace(
            blank,
            kept=None if network is self.dense else here.predicted == dense.predicted,
            probability_dense=dense.probability,
            probability_sparse=here.probability,
            sparsity=network.sparsity,
            dead_columns=network.dead_columns,
            fallbacks=network.fallbacks,
            delta=delta if math.isfinite(delta) else None,
        )
        return self._scored(unit, record, heatmap, sample)

    def _from_store(self, unit: Unit, bench: "_Bench", blank: UnitRecord, known: UnitRecord) -> Finished:
        """The unit scored on the map of another unit; made like any other where that map has gone meanwhile."""
        if known.status == "unavailable":
            return Finished(replace(_without_value(blank, "unavailable", known.reason), scored_from=known.key))
        heatmap = self.stored_map(known)
        if heatmap is None:
            bench.forget(unit)
            return self._map(unit, bench, blank)
        facts = {name: getattr(known, name) for name in OF_THE_MAP}
        return self._scored(unit, replace(blank, **facts, scored_from=known.key), heatmap, self.samples[unit.sample])

    def explained(self, unit: Unit, network: _Network, x: Tensor, sample: Sample) -> tuple[NDArray[np.float32], float]:
        """The map [H, W] of a unit, and how far its method misses its axiom (NaN where it has none)."""
        attribution = saliency.explain(
            unit.method,
            network.prepared,
            x.clone(),
            sample.target,
            generator=_generator(unit.noise),
            settings=self.settings,
        )
        return saliency.heatmap(attribution, self.rules.map_channels).numpy(), attribution.delta

    def _scored(self, unit: Unit, record: UnitRecord, heatmap: NDArray[np.floating], sample: Sample) -> Finished:
        """The record with the score of a map [H, W] under the unit's metric; a failed one keeps its map for others."""
        evidence = Evidence(
            image=self.material.normalise(checked_image(sample.image)[None])[0].numpy(),
            mask=sample.mask.numpy(),
            probability=lambda images: self._probability(images, sample.target),
        )
        kept = np.asarray(heatmap, dtype=np.float32)
        try:
            value = metric.find(unit.metric).score(heatmap, evidence, **dict(unit.settings))
        except EnvironmentProblem:
            raise
        except Exception as problem:  # noqa: BLE001 - a failure is data: it is recorded with its reason
            return Finished(_failed(record, problem), kept)
        return Finished(replace(record, value=value), kept)

    def _probability(self, images: NDArray[np.float32], target: int) -> NDArray[np.float64]:
        """Softmax of the target [N] that the dense network gives to normalised images [N, C, H, W]."""
        with torch.no_grad():
            logits: Tensor = self.dense.model(torch.from_numpy(images))
        return logits.double().softmax(dim=1)[:, target].numpy()

    def answer(self, network: _Network, x: Tensor, sample: Sample) -> _Answer:
        """What a network says of the normalised image [1, C, H, W] of a sample."""
        with torch.no_grad():
            probabilities = network.model(x)[0].softmax(dim=0)
        return _Answer(int(probabilities.argmax()), float(probabilities[sample.target]))

    def other(self, name: str) -> _Network:
        """A network derived from the dense one, with what share of it is zero; made ready once."""
        if name not in self.derived:
            self.derived[name] = _kept(lambda: self._derived(name))
        return _given(self.derived[name])

    def _derived(self, name: str) -> _Network:
        model = self.material.network(name)
        zeros = {layer: float((module.weight == 0).float().mean()) for layer, module in prunable_layers(model).items()}
        return _Network(
            model,
            saliency.prepare(model, like=self.dense.prepared),
            sparsity={layer: share for layer, share in zeros.items() if share},
        )

    def prune(self, unit: Unit, prepared: trace.Prepared) -> _Network:
        """The sparse network of a unit, from what was prepared for its images."""
        ratios = self.ratios(unit)
        model = prepared.sparse_model(ratios)
        solutions = {layer: prepared.solve(layer, ratio) for layer, ratio in ratios.items()}
        return _Network(
            model,
            saliency.prepare(model, like=self.dense.prepared),
            sparsity={layer: solution.sparsity for layer, solution in solutions.items()},
            dead_columns={layer: len(solution.dead) for layer, solution in solutions.items() if solution.dead},
            fallbacks=tuple(f"{layer}: {told}" for layer, solution in solutions.items() for told in solution.fallbacks),
        )

    def prune_sequentially(self, unit: Unit, work: Counter[str]) -> _Network:
        """The sparse network of a unit whose layers are pruned one behind the other; nothing of it can be shared.

        work: where to count what is made.
        """
        ratios = self.ratios(unit)
        with trace.traced(
            self.material.network(""),
            self._images(unit)[0],
            ratios=ratios,
            normalise=self.material.normalise,
            solver=_solver(unit),
            protocol=self.rules,
            sequential=True,
            n_augmentations=self.subject.n_augmentations,
            generator=_generator(hessian_key(self.subject, unit.image)),
            work=work,
        ) as sparse:
            return _Network(
                sparse.model,
                saliency.prepare(sparse.model, like=self.dense.prepared),
                sparsity={layer: sparse.sparsity[layer] for layer in ratios},
                fallbacks=tuple(
                    f"{layer}: {told}" for layer, all_told in sparse.fallbacks.items() for told in all_told
                ),
            )

    def ratios(self, unit: Unit) -> dict[str, float]:
        """The layers a unit prunes and how much."""
        if unit.rule == "linear":
            found = sparsity.linear(self.layers, dict(unit.ratios)["last"])
        else:
            found = sparsity.by_group(self.layers, dict(unit.ratios))
        return {layer: ratio for layer, ratio in found.items() if ratio}

    def hessians(self, unit: Unit, layers: Sequence[str]) -> dict[str, LayerHessians]:
        """The Hessians of some layers for a unit's images, whatever solver asks for them; each counts by itself."""
        images = self._images(unit)
        batches = (self.material.normalise(batch) for batch in self._batches(unit, images))
        found = layer_grams(self.material.network(""), batches, layers=layers)
        return {name: LayerHessians(hessian) for name, hessian in found.items()}

    def prepared(self, solver: Solver, hessians: Mapping[str, LayerHessians], work: Counter[str]) -> trace.Prepared:
        """What every trace by a solver needs, from Hessians that solvers share; it lets go of those it is done with.

        work: where to count the traces.
        """
        start = time.perf_counter()
        model = self.material.network("")
        layers = prunable_layers(model)
        solutions = {
            name: LayerSolutions(layers[name], hessian, solver=solver, protocol=self.rules)
            for name, hessian in hessians.items()
        }
        return trace.Prepared(
            model,
            solutions,
            excluded=excluded_layers(model),
            unprepared=[name for name in layers if name not in hessians],
            seconds=time.perf_counter() - start,
            work=work,
        )

    def _images(self, unit: Unit) -> Tensor:
        """The images [N, C, H, W] in [0, 1] that a unit is pruned for."""
        if unit.images is None:
            raise ValueError("nothing is pruned here")
        return self.material.images(unit.images, self.subject.n_augmentations)

    def _batches(self, unit: Unit, images: Tensor) -> Iterator[Tensor]:
        if unit.images is not None and unit.images.many:
            return iter(torch.split(images, _BATCH))
        return augmented_batches(
            images[0],
            self.subject.n_augmentations,
            augmentation=_augmentation(named_augmentation(self.rules.augmentation), unit.augmentation),
            generator=_generator(hessian_key(self.subject, unit.image)),
            batch_size=_BATCH,
        )


_BATCH = 64  # images a forward pass; the Hessians depend on it by rounding only


def _first_convolution(model: nn.Module) -> str:
    """Name of the convolution that a network defines first, "" if it has none."""
    return next((name for name, module in model.named_modules() if isinstance(module, nn.Conv2d)), "")


def _solver(unit: Unit) -> Solver:
    if not unit.solver:
        raise ValueError("nothing is pruned here")
    return unit.solver


def _augmentation(amounts: Augmentation, kind: str) -> Augmentation:
    """The scale's augmentation with only the parts of a kind; random removal, if the scale has none, as in A14."""
    if not kind:
        return amounts
    off: dict[str, object] = {"jitter": None, "crop": None, "remove": None, "noise": 0.0, "flip": 0.0}
    there: dict[str, object] = {part: getattr(amounts, part) for part in PARTS.values()}
    there["remove"] = there["remove"] or RandomRemove()
    if missing := [part for part in fields_of(kind) if not there[part]]:
        raise InputError(f"The scale's augmentation has no {' or '.join(missing)}, so '{kind}' has no amounts.")
    changes: dict[str, object] = off | {part: there[part] for part in fields_of(kind)}
    return replace(amounts, **changes)  # type: ignore[arg-type] # each under its own field


Made = TypeVar("Made")


class _Bench:
    """What the units of one job share, made when the first of them asks; a failure is shared like a result.

    Making a sparse network is charged in equal parts to the units of the job that use it.

    Attributes:
        spent: seconds that the unit at hand spent on making shared things.
    """

    def __init__(self, engine: Engine, job: Job) -> None:
        self.engine = engine
        self.known = dict(job.known)
        self.units = job.units
        self.users = Counter(unit.trace for unit in job.fresh)
        self.spent = 0.0
        self._looks: dict[tuple[object, ...], Mapping[str, trace.Prepared | Exception]] = {}
        self._network: tuple[object, _Network | Exception] = (None, engine.dense)
        self._cost = 0.0
        self._map: tuple[object, tuple[NDArray[np.float32], float] | Exception] = (None, ValueError("none yet"))
        self._seen: dict[str, tuple[Tensor, _Answer]] = {}
        self._made = self._told = Work()
        self._traces: Counter[str] = Counter()
        self._factored: list[list[tuple[int, Counter[str]]]] = []

    def taken(self) -> Work:
        """What was made since this was last asked."""
        # A set of Hessians was factorised as often as the one of its layers that was factorised most.
        times = (max((count["factorisations"] // groups for groups, count in one), default=0) for one in self._factored)
        made = self._made + Work(factorisations=sum(times), traces=self._traces["traces"])
        new, self._told = made - self._told, made
        return new

    def forget(self, unit: Unit) -> None:
        """Treat a unit like any other, whose map is not known; what was prepared without it is prepared again."""
        del self.known[unit.key]
        self.users[unit.trace] += 1
        self._looks.pop(unit.hessians, None)

    def network(self, unit: Unit) -> _Network:
        """The network that a unit's map is made on; only the last one is kept, the job's order has each once."""
        if unit.network:
            return self.engine.other(unit.network)
        if not unit.solver:
            return self.engine.dense
        if self._network[0] != unit.trace:
            start = time.perf_counter()
            self._network = (unit.trace, _kept(lambda: self._pruned(unit)))
            self._cost = self.spent = time.perf_counter() - start
        return _given(self._network[1])

    def share(self, unit: Unit) -> float:
        """The seconds charged to a unit for the network it used."""
        return self._cost / self.users[unit.trace] if self._network[0] == unit.trace else 0.0

    def map(self, unit: Unit, network: _Network, x: Tensor, sample: Sample) -> tuple[NDArray[np.float32], float]:
        """The map of a unit and its completeness delta; only the last is kept, the job's order has each once."""
        if self._map[0] != unit.map:
            self._made += Work(maps=1)
            self._map = (unit.map, _kept(lambda: self.engine.explained(unit, network, x, sample)))
        return _given(self._map[1])

    def seen(self, sample: Sample) -> tuple[Tensor, _Answer]:
        """The normalised image [1, C, H, W] of a sample, and what the dense network says of it."""
        if sample.id not in self._seen:
            image = checked_image(sample.image)
            x = self.engine.material.normalise(image[None])
            self._seen[sample.id] = x, self.engine.answer(self.engine.dense, x, sample)
        return self._seen[sample.id]

    def _pruned(self, unit: Unit) -> _Network:
        if not unit.sequential:
            return self.engine.prune(unit, self._looked_at(unit))
        self._made += Work(hessians=1, factorisations=1)
        return self.engine.prune_sequentially(unit, self._traces)

    def _looked_at(self, unit: Unit) -> trace.Prepared:
        """What traces by the unit's solver rest on."""
        if unit.hessians not in self._looks:
            self._looks[unit.hessians] = self._look(unit)
        return _given(self._looks[unit.hessians][unit.solver])

    def _look(self, unit: Unit) -> dict[str, trace.Prepared | Exception]:
        """By solver what traces on a unit's images rest on; for all at once, so that the last one frees a Hessian."""
        fresh = (other for other in self.units if other.key not in self.known)
        alike = [other for other in fresh if other.solver and other.hessians == unit.hessians]
        solvers = dict.fromkeys(_solver(other) for other in alike)
        self._made += Work(hessians=1)
        hessians = _kept(lambda: self.engine.hessians(unit, self._layers(alike)))
        if isinstance(hessians, Exception):
            return dict.fromkeys(solvers, hessians)
        self._factored.append([(each.groups, each.work) for each in hessians.values()])
        found: dict[str, trace.Prepared | Exception] = {}
        for solver in solvers:
            wanted = self._layers(other for other in alike if other.solver == solver)
            chosen = {layer: hessians[layer] for layer in wanted if layer in hessians}
            found[solver] = _kept(partial(self.engine.prepared, solver, chosen, self._traces))
        return found

    def _layers(self, units: Iterable[Unit]) -> list[str]:
        """The layers that some of these units prune."""
        wanted: set[str] = set()
        for unit in units:
            with suppress(InputError):  # ratios the network has no layer for fail at their own units
                wanted |= self.engine.ratios(unit).keys()
        return [layer for layer in self.engine.layers if layer in wanted]


def _kept(make: Callable[[], Made]) -> Made | Exception:
    """What `make` gives, or what it raised."""
    try:
        return make()
    except EnvironmentProblem:
        raise
    except Exception as problem:  # noqa: BLE001 - raised again for every unit that needs it
        return problem


def _given(made: Made | Exception) -> Made:
    if isinstance(made, Exception):
        raise made
    return made


def _without_value(record: UnitRecord, status: Status, reason: str) -> UnitRecord:
    # A reason is printed on pages that strangers read, on one line.
    return replace(record, status=status, reason=without_paths(" ".join(reason.split())))


def _failed(record: UnitRecord, problem: Exception) -> UnitRecord:
    return _without_value(record, "failed", f"{type(problem).__name__}: {problem}")


def _generator(key: str) -> torch.Generator:
    return torch.Generator().manual_seed(generator_seed(key))


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10  # bytes there, KiB on Linux
