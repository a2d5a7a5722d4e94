"""A network's sparse trace on one image: every layer pruned to what this image, augmented, needs (algorithm 1).

Three levels. `traced` gives one trace. `prepare` gathers what any number of traces of one image need, once, and then
tries ratios cheaply. `look` stops before the choice of a solver: both solvers then share one pass over the
augmentations, and one factorisation of each Hessian where the protocol damps alike for both. All work on copies: the
given model keeps every bit, flag and hook, whatever happens.
"""

import copy
import time
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from . import pruners
from .augment import augmented_batches, checked_image
from .errors import InputError
from .gram import GramAccumulator, PrunableLayer
from .layer_hessians import LayerHessians, Work
from .layer_solutions import LayerSolutions
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
from .prepared import Prepared, check_names, put
from .protocol import Protocol
from .protocol import protocol as named_protocol
from .pruners import Solver
from .sparsity import Ratios, checked

if TYPE_CHECKING:
    from .solver.solution import Solution

__all__ = ["Inputs", "Normalise", "Prepared", "Trace", "look", "prepare", "traced"]

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


class Inputs:
    """What the layers of a network see of one image, augmented: their Hessians, before any solver is chosen.

    Attributes:
        seconds: wall time of augmenting, forward pass and Hessians.
        work: counts what was made from here, see `Work`.
    """

    def __init__(
        self,
        model: nn.Module,
        hessians: Mapping[str, LayerHessians],
        *,
        protocol: Protocol,
        excluded: Excluded,
        unprepared: Iterable[str],
        seconds: float,
        work: Work,
    ) -> None:
        """What `look` found; `model` is handed over and never changes."""
        self._model, self._hessians, self._protocol = model, dict(hessians), protocol
        self._excluded, self._unprepared = excluded, tuple(unprepared)
        self.seconds, self.work = seconds, work

    def prepared(self, solver: Solver) -> Prepared:
        """Everything traces by this solver need; nothing is factored or solved yet.

        Each Prepared lets go of a Hessian once its layer was worked through, so memory is freed when this object is
        dropped.

        Raises:
            InputError: There is no such solver.
        """
        pruners.check(solver)
        solutions = {}
        for name, hessians in self._hessians.items():
            layer = self._model.get_submodule(name)
            solutions[name] = LayerSolutions(layer, hessians, solver=solver, protocol=self._protocol)  # type: ignore[arg-type] # `look` keeps prunable layers only
        return Prepared(
            self._model,
            solutions,
            excluded=self._excluded,
            unprepared=self._unprepared,
            seconds=self.seconds,
            work=self.work,
        )


def look(
    model: nn.Module,
    image: Tensor,
    *,
    normalise: Normalise | None = None,
    protocol: Protocol | str = "ours",
    layers: Iterable[str] | None = None,
    n_augmentations: int | None = None,
    generator: torch.Generator | None = None,
    work: Work | None = None,
    watch: Callable[[int], None] = lambda _: None,
) -> Inputs:
    """What any traces of one image need, by whichever solver: it is augmented and run through the network once.

    Args:
        model: any module that takes one batch [N, C, H, W]; it is copied and not touched.
        image: [C, H, W] in [0, 1] or uint8; moved to the model's device.
        normalise: from [N, C, H, W] in [0, 1] to what the model takes.
        protocol: a name in PROTOCOLS, or your own.
        layers: names of the layers wanted, all that can be pruned by default.
        n_augmentations: instead of the protocol's.
        generator: for the augmentations; one with seed 0 by default.
        work: where to count what is made; a counter of its own by default.
        watch: told after each batch how many augmentations were run.

    Raises:
        InputError: If the image, a name or the model cannot be used, or activations are not finite.
    """
    task = _Task(model, image, normalise, protocol, n_augmentations, generator, work)
    return task.inputs(task.layers if layers is None else layers, watch)


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
    work: Work | None = None,
    watch: Callable[[int], None] = lambda _: None,
) -> Prepared:
    """`look` and one `Inputs.prepared`: what any traces of one image by one solver need.

    Args:
        model: as for `look`.
        image: as for `look`.
        normalise: as for `look`.
        solver: `obc` is SPADE, `sparsegpt` FastSPADE.
        protocol: as for `look`.
        layers: as for `look`.
        n_augmentations: as for `look`.
        generator: as for `look`.
        work: as for `look`.
        watch: as for `look`.

    Raises:
        InputError: If the image, a name or the model cannot be used, or activations are not finite.
    """
    pruners.check(solver)
    task = _Task(model, image, normalise, protocol, n_augmentations, generator, work)
    return task.inputs(task.layers if layers is None else layers, watch).prepared(solver)


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
    work: Work | None = None,
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
        work: as for `prepare`.

    Raises:
        InputError: As for `prepare`, and if a ratio or its layer's name cannot be used.
    """
    pruners.check(solver)
    task = _Task(model, image, normalise, protocol, n_augmentations, generator, work)
    check_names(ratios, task.layers, task.excluded)
    ratios = checked(ratios)
    wanted = [name for name in task.layers if ratios.get(name, 0.0)]
    if sequential:
        yield task.sequential({name: ratios[name] for name in wanted}, solver)
        return
    prepared = task.inputs(wanted).prepared(solver)
    sparse = prepared.sparse_model(ratios)
    achieved, fallbacks = prepared.outcome(ratios)
    yield Trace(sparse, achieved, fallbacks, prepared.excluded, task.seconds())


class _Task:
    """The checked arguments of one trace, with a copy of the network to work on."""

    def __init__(  # noqa: PLR0917 # the arguments of `look`, in its order
        self,
        model: nn.Module,
        image: Tensor,
        normalise: Normalise | None,
        protocol: Protocol | str,
        n_augmentations: int | None,
        generator: torch.Generator | None,
        work: Work | None,
    ) -> None:
        self._start = time.perf_counter()
        self.work: Work = Counter() if work is None else work
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
        """The augmented image [at most `batch_size`, C, H, W], normalised, in the dtype of the network."""
        for batch in augmented_batches(
            self.image,
            self.n,
            augmentation=self.protocol.augmentation,
            generator=self.generator,
            batch_size=batch_size,
        ):
            yield (batch if self.normalise is None else self.normalise(batch)).to(self.dtype)

    def inputs(self, names: Iterable[str], watch: Callable[[int], None] = lambda _: None) -> Inputs:
        """Hessians of these layers, from the dense network."""
        wanted = set(names)
        check_names(wanted, self.layers, self.excluded)
        layers = {name: layer for name, layer in self.layers.items() if name in wanted}
        hessians = layer_grams(self.model, self.batches(), layers=layers, watch=watch) if layers else {}
        self.work["hessians"] += sum(len(hessian) for hessian in hessians.values())
        return Inputs(
            self.model,
            {name: LayerHessians(hessian, work=self.work) for name, hessian in hessians.items()},
            protocol=self.protocol,
            excluded=self._excluded(layers, hessians),
            unprepared=[name for name in self.layers if name not in layers],
            seconds=self.seconds(),
            work=self.work,
        )

    def sequential(self, ratios: Ratios, solver: Solver) -> Trace:
        """A Trace whose layers are pruned one after the other, in one pass through the copy."""
        images = torch.cat(list(self.batches()))
        solutions: dict[str, Solution] = {}
        runs: Counter[str] = Counter()

        def prune(name: str, layer: PrunableLayer, x: Tensor) -> None:
            runs[name] += 1
            if runs[name] == 1:
                hessian = finite(GramAccumulator(layer).add(x).hessian(len(images)), name)
                self.work["hessians"] += len(hessian)
                shared = LayerHessians(hessian, work=self.work)
                solutions[name] = LayerSolutions(layer, shared, solver=solver, protocol=self.protocol).solve(
                    ratios[name]
                )
                put(layer, solutions[name])

        layers = {name: self.layers[name] for name in ratios}
        check_takes(self.model, images[:1])
        with watched(layers, prune), evaluating(self.model):
            self.model(images)
        self.work["traces"] += 1
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


def _copied(model: nn.Module) -> nn.Module:
    """A copy in evaluation mode, with the hooks of the original: they may be part of what it computes."""
    # Hooks of old-style weight norm and of pruning masks keep a computed tensor, which deepcopy refuses.
    computed = [value for module in model.modules() for value in vars(module).values() if isinstance(value, Tensor)]
    memo = {id(value): value.detach().clone() for value in computed}
    try:
        return copy.deepcopy(model, memo).eval()
    except (RuntimeError, TypeError) as error:
        raise InputError(f"{type(model).__name__} cannot be copied, and no trace is made in place: {error}.") from error
