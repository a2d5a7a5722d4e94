"""One image's units on one prepared network: Hessians once, eliminations once, then every arm, ratio and method."""

import math
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from spade import saliency, sparsity, trace
from spade.augment import checked_image
from spade.errors import EnvironmentProblem, InputError
from spade.layers import prunable_layers
from spade.protocol import Protocol as Rules
from spade.saliency import MethodUnavailable, Settings

from .controls import CONTROLS
from .metrics.trojan_auc import trojan_auc
from .plan import Job, Subject, Unit, generator_seed, hessian_key
from .provenance import ARITHMETIC, releases, without_paths
from .records import Status, UnitRecord
from .runner import Finished


class Sample(Protocol):
    """An image with a patch in it."""

    @property
    def id(self) -> str:
        """Name, unlike that of any other sample of the laboratory."""

    @property
    def image(self) -> Tensor:
        """[C, H, W] in [0, 1], or uint8."""

    @property
    def mask(self) -> Tensor:
        """[H, W] bool: where the patch is."""

    @property
    def target(self) -> int:
        """The class the patch leads to, which the maps explain."""


class Laboratory(Protocol):
    """A backdoored network in evaluation mode, with its samples."""

    @property
    def model(self) -> nn.Module:
        """The network."""

    @property
    def clean_accuracy(self) -> float:
        """Share of unpatched test images it gets right."""

    @property
    def trojan_accuracy(self) -> Mapping[str, float]:
        """By patch: share of patched test images that it takes for the patch's target."""

    @property
    def test_samples(self) -> Sequence[Sample]:
        """What is explained."""

    def normalise(self, images: Tensor, /) -> Tensor:
        """Images [N, C, H, W] in [0, 1] as the network takes them."""


@contextmanager
def opened(laboratory: Callable[[], Laboratory], subject: Subject) -> Iterator["Engine"]:
    """An evaluator of jobs on one thread; the number of threads is given back.

    One thread, so that sums are added in the same order wherever and beside whatever a unit is computed.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield Engine(laboratory(), subject)
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
    """Computes the units of one laboratory; calling it with a job yields them one by one, in the job's order."""

    def __init__(self, laboratory: Laboratory, subject: Subject) -> None:
        self.laboratory = laboratory
        self.subject = subject
        self.samples = {sample.id: sample for sample in laboratory.test_samples}
        self.layers = tuple(prunable_layers(laboratory.model))
        self.rules = Rules(**subject.protocol["pruning"])
        self.settings = Settings(**subject.protocol["saliency"])
        self.dense = _Network(laboratory.model, saliency.prepare(laboratory.model))
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
            done = Finished(_without_value(blank, "failed", f"{type(problem).__name__}: {problem}"))
        seconds = time.perf_counter() - start - bench.spent + bench.share(unit)
        bench.spent = 0.0
        return replace(done, record=replace(done.record, seconds=seconds, peak_memory_mb=_peak_memory_mb()))

    def _compute(self, unit: Unit, bench: "_Bench", blank: UnitRecord) -> Finished:
        if unit.impossible:
            return Finished(_without_value(blank, "skipped", unit.impossible))
        match unit.kind:
            case "measurement":
                return Finished(replace(blank, value=self._measured(unit)))
            case "control":
                sample = self.samples[unit.sample]
                return _scored(blank, CONTROLS[unit.method](sample, _generator(unit.noise)), sample)
            case "map":
                return self._map(unit, bench, blank)

    def _measured(self, unit: Unit) -> float:
        if unit.method == "clean_accuracy":
            return self.laboratory.clean_accuracy
        return self.laboratory.trojan_accuracy[unit.sample]

    def _map(self, unit: Unit, bench: "_Bench", blank: UnitRecord) -> Finished:
        sample = self.samples[unit.sample]
        network = bench.network(unit)
        x, dense = bench.seen(sample)
        here = self.answer(network, x, sample) if unit.solver else dense
        attribution = saliency.explain(
            unit.method,
            network.prepared,
            x.clone(),
            sample.target,
            generator=_generator(unit.noise),
            settings=self.settings,
        )
        record = replace(
            blank,
            kept=here.predicted == dense.predicted if unit.solver else None,
            probability_dense=dense.probability,
            probability_sparse=here.probability,
            sparsity=network.sparsity,
            dead_columns=network.dead_columns,
            fallbacks=network.fallbacks,
            delta=attribution.delta if math.isfinite(attribution.delta) else None,
        )
        return _scored(record, saliency.heatmap(attribution, self.rules.map_channels).numpy(), sample)

    def answer(self, network: _Network, x: Tensor, sample: Sample) -> _Answer:
        """What a network says of the normalised image [1, C, H, W] of a sample."""
        with torch.no_grad():
            probabilities = network.model(x)[0].softmax(dim=0)
        return _Answer(int(probabilities.argmax()), float(probabilities[sample.target]))

    def prune(self, unit: Unit, prepared: trace.Prepared) -> _Network:
        """The sparse network of a unit, from what was prepared for its image."""
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

    def ratios(self, unit: Unit) -> dict[str, float]:
        """The layers a unit prunes and how much."""
        return {layer: ratio for layer, ratio in sparsity.by_group(self.layers, dict(unit.ratios)).items() if ratio}

    def prepare(self, image: str, solver: Literal["obc", "sparsegpt"], layers: Sequence[str]) -> trace.Prepared:
        """What every trace of one image needs, by one solver."""
        return trace.prepare(
            self.laboratory.model,
            self.samples[image].image,
            normalise=self.laboratory.normalise,
            solver=solver,
            protocol=self.rules,
            layers=layers,
            n_augmentations=self.subject.n_augmentations,
            generator=_generator(hessian_key(self.subject, image)),
        )


Made = TypeVar("Made")


class _Bench:
    """What the units of one job share, made when the first of them asks; a failure is shared like a result.

    Making a sparse network is charged in equal parts to the units of the job that use it.

    Attributes:
        spent: seconds that the unit at hand spent on making shared things.
    """

    def __init__(self, engine: Engine, job: Job) -> None:
        self.engine = engine
        self.units = job.units
        self.users = Counter(_network_of(unit) for unit in job.units)
        self.spent = 0.0
        self._prepared: dict[str, trace.Prepared | Exception] = {}
        self._network: tuple[object, _Network | Exception] = (None, engine.dense)
        self._cost = 0.0
        self._seen: dict[str, tuple[Tensor, _Answer]] = {}

    def network(self, unit: Unit) -> _Network:
        """The network that a unit's map is made on; only the last one is kept, the job's order has each once."""
        if not unit.solver:
            return self.engine.dense
        if self._network[0] != _network_of(unit):
            start = time.perf_counter()
            self._network = (_network_of(unit), _kept(lambda: self.engine.prune(unit, self._of_image(unit))))
            self._cost = self.spent = time.perf_counter() - start
        return _given(self._network[1])

    def share(self, unit: Unit) -> float:
        """The seconds charged to a unit for the network it used."""
        return self._cost / self.users[_network_of(unit)] if self._network[0] == _network_of(unit) else 0.0

    def seen(self, sample: Sample) -> tuple[Tensor, _Answer]:
        """The normalised image [1, C, H, W] of a sample, and what the dense network says of it."""
        if sample.id not in self._seen:
            image = checked_image(sample.image)
            x = self.engine.laboratory.normalise(image[None])
            self._seen[sample.id] = x, self.engine.answer(self.engine.dense, x, sample)
        return self._seen[sample.id]

    def _of_image(self, unit: Unit) -> trace.Prepared:
        if unit.solver and unit.solver not in self._prepared:
            solver, wanted = unit.solver, self._layers(unit.solver)
            self._prepared[solver] = _kept(lambda: self.engine.prepare(unit.image, solver, wanted))
        return _given(self._prepared[unit.solver])

    def _layers(self, solver: str) -> list[str]:
        """The layers that some unit of the job prunes with this solver."""
        wanted: set[str] = set()
        for unit in self.units:
            if unit.solver == solver:
                with suppress(InputError):  # ratios the network has no layer for fail at their own units
                    wanted |= self.engine.ratios(unit).keys()
        return [layer for layer in self.engine.layers if layer in wanted]


def _network_of(unit: Unit) -> tuple[str, tuple[tuple[str, float], ...]]:
    return unit.solver, unit.ratios


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


def _scored(record: UnitRecord, heatmap: ArrayLike, sample: Sample) -> Finished:
    """The record with its Trojan AUC, and the map [H, W].

    Raises:
        ValueError: the map is not finite, or the mask covers nothing or everything.
    """
    value = trojan_auc(heatmap, sample.mask)
    if math.isnan(value):
        raise ValueError("the patch mask covers nothing or everything, so no ranking can be right or wrong")
    return Finished(replace(record, value=value), np.asarray(heatmap, dtype=np.float32))


def _without_value(record: UnitRecord, status: Status, reason: str) -> UnitRecord:
    # A reason is printed on pages that strangers read, on one line.
    return replace(record, status=status, reason=without_paths(" ".join(reason.split())))


def _generator(key: str) -> torch.Generator:
    return torch.Generator().manual_seed(generator_seed(key))


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10  # bytes there, KiB on Linux
