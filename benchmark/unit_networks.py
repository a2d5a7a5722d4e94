"""The networks that units' maps are made on: the dense one, those derived from it, and the sparse one of each trace."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from spade import saliency, sparsity, trace
from spade.augment import Augmentation, RandomRemove, augmented_batches, named_augmentation
from spade.errors import InputError
from spade.layer_hessians import LayerHessians
from spade.layer_solutions import LayerSolutions, Solver
from spade.layers import excluded_layers, layer_grams, prunable_layers
from spade.protocol import Protocol as Rules

from .augmentation_kinds import PARTS, fields_of
from .plan import Subject, Unit, generator_seed, hessian_key
from .supply import Supply

_BATCH = 64  # images a forward pass; the Hessians depend on it by rounding only


@dataclass(frozen=True, eq=False)
class ReadyNetwork:
    """A network, dense or sparse, ready for every method, and how it was pruned."""

    model: nn.Module
    prepared: saliency.Prepared
    sparsity: Mapping[str, float] = field(default_factory=dict)
    dead_columns: Mapping[str, int] = field(default_factory=dict)
    fallbacks: tuple[str, ...] = ()


class UnitNetworks:
    """What makes the networks of one subject's units from its material; it keeps none but the dense one.

    Attributes:
        layers: names of those that may be pruned.
    """

    def __init__(self, material: Supply, subject: Subject) -> None:
        self.material = material
        self.subject = subject
        self.rules = Rules(**subject.protocol["pruning"])
        model = material.network("")
        spared = "" if self.rules.prune_first_convolution else _first_convolution(model)
        self.layers = tuple(name for name in prunable_layers(model) if name != spared)
        self.dense = ReadyNetwork(model, saliency.prepare(model))

    def derived(self, name: str) -> ReadyNetwork:
        """A network derived from the dense one, with what share of it is zero."""
        model = self.material.network(name)
        zeros = {layer: float((module.weight == 0).float().mean()) for layer, module in prunable_layers(model).items()}
        return ReadyNetwork(
            model,
            saliency.prepare(model, like=self.dense.prepared),
            sparsity={layer: share for layer, share in zeros.items() if share},
        )

    def prune(self, unit: Unit, prepared: trace.Prepared) -> ReadyNetwork:
        """The sparse network of a unit, from what was prepared for its images."""
        ratios = self.ratios(unit)
        model = prepared.sparse_model(ratios)
        solutions = {layer: prepared.solve(layer, ratio) for layer, ratio in ratios.items()}
        return ReadyNetwork(
            model,
            saliency.prepare(model, like=self.dense.prepared),
            sparsity={layer: solution.sparsity for layer, solution in solutions.items()},
            dead_columns={layer: len(solution.dead) for layer, solution in solutions.items() if solution.dead},
            fallbacks=tuple(f"{layer}: {told}" for layer, solution in solutions.items() for told in solution.fallbacks),
        )

    def prune_sequentially(self, unit: Unit, work: Counter[str]) -> ReadyNetwork:
        """The sparse network of a unit whose layers are pruned one behind the other; nothing of it can be shared.

        work: where to count what is made.
        """
        ratios = self.ratios(unit)
        with trace.traced(
            self.material.network(""),
            self._images(unit)[0],
            ratios=ratios,
            normalise=self.material.normalise,
            solver=asked_solver(unit),
            protocol=self.rules,
            sequential=True,
            n_augmentations=self.subject.n_augmentations,
            generator=drawn_by(hessian_key(self.subject, unit.image)),
            work=work,
        ) as sparse:
            return ReadyNetwork(
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
            generator=drawn_by(hessian_key(self.subject, unit.image)),
            batch_size=_BATCH,
        )


def drawn_by(key: str) -> torch.Generator:
    """The generator of what a key names: the same draws whenever and wherever it is computed."""
    return torch.Generator().manual_seed(generator_seed(key))


def _first_convolution(model: nn.Module) -> str:
    """Name of the convolution that a network defines first, "" if it has none."""
    return next((name for name, module in model.named_modules() if isinstance(module, nn.Conv2d)), "")


def asked_solver(unit: Unit) -> Solver:
    """The solver of a unit on a sparse network.

    Raises:
        ValueError: it prunes nothing.
    """
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
