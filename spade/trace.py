"""A network's sparse trace on one image: every layer pruned to what this image, augmented, needs (algorithm 1).

Two levels. `traced` gives one trace. `prepare` gathers what any number of traces of one image need, once, and then
tries ratios cheaply. Both work on copies: the given model keeps every bit, flag and hook, whatever happens.
"""

import copy
import time
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor, nn

from .augment import augmented_batches, checked_image
from .errors import InputError, nearest
from .gram import GramAccumulator, PrunableLayer
from .layer_solutions import LayerSolutions, Solver
from .layers import (
    Excluded,
    check_takes,
    evaluating,
    excluded_layers,
    finite,
    layer_grams,
    prunable_layers,
    watched,
)
from .protocol import Protocol
from .protocol import protocol as named_protocol
from .solver.solution import Solution
from .sparsity import Ratios, checked

Normalise = Callable[[Tensor], Tensor]

_BATCH = 64  # images a forward pass; the trace depends on it by rounding only


@dataclass(frozen=True, eq=False)
class Trace:
    """A sparse network and how it came about.

    Attributes:
        model: a copy of the network in evaluation mode with sparse weights; yours to change.
        sparsity: achieved share of removed weights by layer, 0 for layers left dense.
        fallbacks: what a solver had to do beyond its plain computation, by layer.
        excluded: layers that could not be pruned, with reasons.
        seconds: wall time of augmenting, forward pass, Hessians and solving.
    """

    model: nn.Module
    sparsity: dict[str, float]
    fallbacks: dict[str, tuple[str, ...]]
    excluded: Excluded
    seconds: float


class Prepared:
    """Everything the traces of one image need, computed once: any ratios can be tried from here.

    Attributes:
        layers: names of the layers that can be pruned, in order of execution.
        excluded: other layers with weights, each with the reason why it cannot be pruned.
        seconds: wall time of augmenting, forward pass and Hessians.
    """

    def __init__(
        self,
        model: nn.Module,
        solutions: Mapping[str, LayerSolutions],
        *,
        excluded: Excluded,
        unprepared: Iterable[str],
        seconds: float,
    ) -> None:
        """What `prepare` found; `model` is handed over and never changes."""
        self._model = model
        self._solutions = dict(solutions)
        self._unprepared = tuple(unprepared)
        self.layers = tuple(solutions)
        self.excluded = excluded
        self.seconds = seconds

    def solve(self, layer: str, ratio: float) -> Solution:
        """The layer's sparse weights [R, d]; computed once for each ratio, and nothing at all for ratio 0.

        Raises:
            InputError: If the layer is unknown or cannot be pruned, or the ratio is outside [0, 1].
        """
        (ratio,) = self._checked({layer: ratio}).values()
        if layer not in self._solutions:
            raise InputError(f"Layer '{layer}' cannot be pruned: {self.excluded.get(layer, _UNPREPARED)}.")
        return self._solutions[layer].solve(ratio)

    def sparse_model(self, ratios: Mapping[str, float]) -> nn.Module:
        """A new copy of the network, in evaluation mode, pruned to these ratios; layers not named stay dense.

        It shares no tensor with this object or with the original. Layers of `excluded` stay dense whatever their ratio.

        Raises:
            InputError: If a name is unknown or not prepared, or a ratio is outside [0, 1].
        """
        ratios = self._checked(ratios)
        model = copy.deepcopy(self._model)
        self._write(model, {name: ratio for name, ratio in ratios.items() if ratio})
        return model

    def rewrite(self, model: nn.Module, ratios: Mapping[str, float]) -> None:
        """Put the weights for other ratios into a model that `sparse_model` returned, cheaper than another copy.

        Every prepared layer is written, those not named with their dense weights, in place: whatever was built on the
        model's parameters follows.

        Raises:
            InputError: As for `sparse_model`.
        """
        self._write(model, dict.fromkeys(self.layers, 0.0) | self._checked(ratios))

    def outcome(self, ratios: Mapping[str, float]) -> tuple[dict[str, float], dict[str, tuple[str, ...]]]:
        """Achieved sparsity of every layer that can be pruned, and the fall-backs of those that had any."""
        ratios = self._checked(ratios)
        solutions = {name: self._solutions[name].solve(ratios.get(name, 0.0)) for name in self.layers}
        dense = dict.fromkeys(self._unprepared, 0.0)
        return (
            {name: solution.sparsity for name, solution in solutions.items()} | dense,
            {name: solution.fallbacks for name, solution in solutions.items() if solution.fallbacks},
        )

    def _checked(self, ratios: Mapping[str, float]) -> Ratios:
        _check_names(ratios, [*self.layers, *self._unprepared], self.excluded)
        for name in self._unprepared:
            if ratios.get(name, 0):
                raise InputError(f"Layer '{name}' cannot be pruned: {_UNPREPARED}.")
        return checked(ratios)

    def _write(self, model: nn.Module, ratios: Ratios) -> None:
        for name, ratio in ratios.items():
            if name in self._solutions:
                layer = model.get_submodule(name)
                if not isinstance(layer, nn.Conv2d | nn.Linear):
                    raise InputError(f"This model was not made by `sparse_model` of this image: '{name}' is {layer}.")
                _put(layer, self._solutions[name].solve(ratio))


_UNPREPARED = "it was not among the `layers` this image was prepared for"


def prepare(
    model: nn.Module,
    image: Tensor,
    *,
    normalise: Normalise | None = None,
    solver: Solver = "obc",
    protocol: Protocol | str = "ours",
    layers: Iterable[str] | None = None,
    n_augmentations: int | None = None,
    generator: torch.Generator | None = None,
) -> Prepared:
    """What any traces of one image need: the image is augmented and run through the network once.

    Args:
        model: any module that takes one batch [N, C, H, W]; it is copied and not touched.
        image: [C, H, W] in [0, 1] or uint8; moved to the model's device.
        normalise: from [N, C, H, W] in [0, 1] to what the model takes.
        solver: `obc` is SPADE, `sparsegpt` FastSPADE.
        protocol: a name in PROTOCOLS, or your own.
        layers: names of the layers wanted, all that can be pruned by default.
        n_augmentations: instead of the protocol's.
        generator: for the augmentations; one with seed 0 by default.

    Raises:
        InputError: If the image, a name or the model cannot be used, or activations are not finite.
    """
    work = _Work(model, image, normalise, solver, protocol, n_augmentations, generator)
    return work.prepared(work.layers if layers is None else layers)


@contextmanager
def traced(
    model: nn.Module,
    image: Tensor,
    *,
    ratios: Mapping[str, float],
    normalise: Normalise | None = None,
    solver: Solver = "obc",
    protocol: Protocol | str = "ours",
    sequential: bool = False,
    n_augmentations: int | None = None,
    generator: torch.Generator | None = None,
) -> Iterator[Trace]:
    """The Trace of one image (algorithm 1), in a with statement; the given model is never touched.

    Every layer is pruned to the inputs it has in the dense network (parallel, the paper's choice), or, if
    `sequential`, to those it has behind the layers already pruned (table A17). Sequential pruning runs all
    augmentations in one batch, and prunes a layer that runs more than once by the inputs of its first run.

    Args:
        model: as for `prepare`.
        image: as for `prepare`.
        ratios: share of weights to remove, by layer name (see `spade.sparsity`); others stay dense.
        normalise: as for `prepare`.
        solver: as for `prepare`.
        protocol: as for `prepare`.
        sequential: which inputs a layer is pruned to.
        n_augmentations: as for `prepare`.
        generator: as for `prepare`.

    Raises:
        InputError: As for `prepare`, and if a ratio or its layer's name cannot be used.
    """
    work = _Work(model, image, normalise, solver, protocol, n_augmentations, generator)
    _check_names(ratios, work.layers, work.excluded)
    ratios = checked(ratios)
    wanted = [name for name in work.layers if ratios.get(name, 0.0)]
    if sequential:
        yield work.sequential({name: ratios[name] for name in wanted})
        return
    prepared = work.prepared(wanted)
    sparse = prepared.sparse_model(ratios)
    achieved, fallbacks = prepared.outcome(ratios)
    yield Trace(sparse, achieved, fallbacks, prepared.excluded, work.seconds())


class _Work:
    """The checked arguments of one trace, with a copy of the network to work on."""

    def __init__(  # noqa: PLR0917 # the arguments of `prepare`, in its order
        self,
        model: nn.Module,
        image: Tensor,
        normalise: Normalise | None,
        solver: Solver,
        protocol: Protocol | str,
        n_augmentations: int | None,
        generator: torch.Generator | None,
    ) -> None:
        self._start = time.perf_counter()
        if solver not in get_args(Solver):
            raise InputError(f"There is no solver '{solver}'. {nearest(solver, get_args(Solver))}")
        self.solver = solver
        self.protocol = named_protocol(protocol) if isinstance(protocol, str) else protocol
        self.n = self.protocol.n_augmentations if n_augmentations is None else n_augmentations
        self.generator = torch.Generator().manual_seed(0) if generator is None else generator
        self.model = _copied(model)
        self.layers, self.excluded = prunable_layers(self.model), excluded_layers(self.model)
        weight = next(iter(self.layers.values())).weight
        self.image, self.dtype = checked_image(image).to(weight.device), weight.dtype
        self.normalise = normalise
        if not self.protocol.prune_first_convolution:
            self._spare_first_convolution()

    def seconds(self) -> float:
        """Wall time since the work began."""
        return time.perf_counter() - self._start

    def batches(self, batch_size: int = _BATCH) -> Iterator[Tensor]:
        """The augmented image, as the network takes it."""
        for batch in augmented_batches(
            self.image,
            self.n,
            augmentation=self.protocol.augmentation,
            generator=self.generator,
            batch_size=batch_size,
        ):
            yield (batch if self.normalise is None else self.normalise(batch)).to(self.dtype)

    def prepared(self, names: Iterable[str]) -> Prepared:
        """Hessians of these layers, from the dense network."""
        wanted = set(names)
        _check_names(wanted, self.layers, self.excluded)
        layers = {name: layer for name, layer in self.layers.items() if name in wanted}
        hessians = layer_grams(self.model, self.batches(), layers=layers) if layers else {}
        excluded = self._excluded(layers, hessians)
        solutions = {name: self._solutions(layers[name], hessian) for name, hessian in hessians.items()}
        return Prepared(
            self.model,
            solutions,
            excluded=excluded,
            unprepared=[name for name in self.layers if name not in layers],
            seconds=self.seconds(),
        )

    def sequential(self, ratios: Ratios) -> Trace:
        """A Trace whose layers are pruned one after the other, in one pass through the copy."""
        images = torch.cat(list(self.batches()))
        solutions: dict[str, Solution] = {}
        runs: Counter[str] = Counter()

        def prune(name: str, layer: PrunableLayer, x: Tensor) -> None:
            runs[name] += 1
            if runs[name] == 1:
                hessian = finite(GramAccumulator(layer).add(x).hessian(len(images)), name)
                solutions[name] = self._solutions(layer, hessian).solve(ratios[name])
                _put(layer, solutions[name])

        layers = {name: self.layers[name] for name in ratios}
        check_takes(self.model, images[:1])
        with watched(layers, prune), evaluating(self.model):
            self.model(images)
        fallbacks = {
            name: solution.fallbacks + (() if runs[name] == 1 else (f"pruned at the first of its {runs[name]} runs",))
            for name, solution in solutions.items()
        }
        return Trace(
            self.model,
            {name: solutions[name].sparsity if name in solutions else 0.0 for name in self.layers},
            {name: told for name, told in fallbacks.items() if told},
            self._excluded(layers, runs),
            self.seconds(),
        )

    def _excluded(self, layers: Collection[str], ran: Container[str]) -> Excluded:
        """The layers that cannot be pruned, with those of `layers` that did not run.

        Raises:
            InputError: If none of them ran.
        """
        idle = [name for name in layers if name not in ran]
        if idle and len(idle) == len(layers):
            raise InputError(
                f"None of the layers {', '.join(idle)} ran: {type(self.model).__name__} does not call them, or uses "
                "their weights by itself."
            )
        return self.excluded | dict.fromkeys(idle, "it never ran on this image")

    def _spare_first_convolution(self) -> None:
        """Take the convolution that the model defines first out of the layers."""
        first = next((name for name, module in self.model.named_modules() if isinstance(module, nn.Conv2d)), None)
        if first in self.layers:
            del self.layers[first]
            self.excluded[first] = f"protocol '{self.protocol.name}' does not prune the first convolution"

    def _solutions(self, layer: PrunableLayer, hessians: Tensor) -> LayerSolutions:
        return LayerSolutions(layer, hessians, solver=self.solver, protocol=self.protocol)


def _check_names(names: Iterable[str], prunable: Iterable[str], excluded: Excluded) -> None:
    known = [*prunable, *excluded]
    for name in names:
        if name not in known:
            raise InputError(f"There is no layer '{name}'. {nearest(name, known)}")


def _copied(model: nn.Module) -> nn.Module:
    """A copy in evaluation mode, with the hooks of the original: they may be part of what it computes."""
    try:
        return copy.deepcopy(model).eval()
    except (RuntimeError, TypeError) as error:
        raise InputError(f"{type(model).__name__} cannot be copied, and no trace is made in place: {error}.") from error


def _put(layer: PrunableLayer, solution: Solution) -> None:
    with torch.no_grad():
        layer.weight.copy_(solution.weight.view_as(layer.weight))
