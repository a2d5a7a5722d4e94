"""One set of images' units on the prepared networks: one look, one factorisation, then every arm and method."""

import math
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spade import saliency, trace
from spade.augment import checked_image
from spade.errors import EnvironmentProblem, InputError
from spade.saliency import MethodUnavailable, Settings

from .controls import CONTROLS
from .metrics import metric
from .metrics.evidence import Evidence
from .plan import Job, Subject, Unit
from .provenance import ARITHMETIC, releases, without_paths
from .records import OF_THE_MAP, Status, UnitRecord
from .runner import Finished
from .supply import Sample, Supply
from .unit_networks import ReadyNetwork, UnitNetworks, asked_solver, drawn_by
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
        self.networks = UnitNetworks(material, subject)
        self.dense = self.networks.dense
        self.settings = Settings(**subject.protocol["saliency"])
        self.derived: dict[str, ReadyNetwork | Exception] = {}
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
                drawn = CONTROLS[unit.method](sample, drawn_by(unit.noise))
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

    def explained(
        self, unit: Unit, network: ReadyNetwork, x: Tensor, sample: Sample
    ) -> tuple[NDArray[np.float32], float]:
        """The map [H, W] of a unit, and how far its method misses its axiom (NaN where it has none)."""
        attribution = saliency.explain(
            unit.method,
            network.prepared,
            x.clone(),
            sample.target,
            generator=drawn_by(unit.noise),
            settings=self.settings,
        )
        return saliency.heatmap(attribution, self.networks.rules.map_channels).numpy(), attribution.delta

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

    def answer(self, network: ReadyNetwork, x: Tensor, sample: Sample) -> _Answer:
        """What a network says of the normalised image [1, C, H, W] of a sample."""
        with torch.no_grad():
            probabilities = network.model(x)[0].softmax(dim=0)
        return _Answer(int(probabilities.argmax()), float(probabilities[sample.target]))

    def other(self, name: str) -> ReadyNetwork:
        """A network derived from the dense one; made ready once."""
        if name not in self.derived:
            self.derived[name] = _kept(lambda: self.networks.derived(name))
        return _given(self.derived[name])


Made = TypeVar("Made")


class _Bench:
    """What the units of one job share, made when the first of them asks; a failure is shared like a result.

    Making a sparse network is charged in equal parts to the units of the job that use it.

    Attributes:
        spent: seconds that the unit at hand spent on making shared things.
    """

    def __init__(self, engine: Engine, job: Job) -> None:
        self.engine = engine
        self.networks = engine.networks
        self.known = dict(job.known)
        self.units = job.units
        self.users = Counter(unit.trace for unit in job.fresh)
        self.spent = 0.0
        self._looks: dict[tuple[object, ...], Mapping[str, trace.Prepared | Exception]] = {}
        self._network: tuple[object, ReadyNetwork | Exception] = (None, engine.dense)
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

    def network(self, unit: Unit) -> ReadyNetwork:
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

    def map(self, unit: Unit, network: ReadyNetwork, x: Tensor, sample: Sample) -> tuple[NDArray[np.float32], float]:
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

    def _pruned(self, unit: Unit) -> ReadyNetwork:
        if not unit.sequential:
            return self.networks.prune(unit, self._looked_at(unit))
        self._made += Work(hessians=1, factorisations=1)
        return self.networks.prune_sequentially(unit, self._traces)

    def _looked_at(self, unit: Unit) -> trace.Prepared:
        """What traces by the unit's solver rest on."""
        if unit.hessians not in self._looks:
            self._looks[unit.hessians] = self._look(unit)
        return _given(self._looks[unit.hessians][unit.solver])

    def _look(self, unit: Unit) -> dict[str, trace.Prepared | Exception]:
        """By solver what traces on a unit's images rest on; for all at once, so that the last one frees a Hessian."""
        fresh = (other for other in self.units if other.key not in self.known)
        alike = [other for other in fresh if other.solver and other.hessians == unit.hessians]
        solvers = dict.fromkeys(asked_solver(other) for other in alike)
        self._made += Work(hessians=1)
        hessians = _kept(lambda: self.networks.hessians(unit, self._layers(alike)))
        if isinstance(hessians, Exception):
            return dict.fromkeys(solvers, hessians)
        self._factored.append([(each.groups, each.work) for each in hessians.values()])
        found: dict[str, trace.Prepared | Exception] = {}
        for solver in solvers:
            wanted = self._layers(other for other in alike if other.solver == solver)
            chosen = {layer: hessians[layer] for layer in wanted if layer in hessians}
            found[solver] = _kept(partial(self.networks.prepared, solver, chosen, self._traces))
        return found

    def _layers(self, units: Iterable[Unit]) -> list[str]:
        """The layers that some of these units prune."""
        wanted: set[str] = set()
        for unit in units:
            with suppress(InputError):  # ratios the network has no layer for fail at their own units
                wanted |= self.networks.ratios(unit).keys()
        return [layer for layer in self.networks.layers if layer in wanted]


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


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10  # bytes there, KiB on Linux
