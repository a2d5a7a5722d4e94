"""Everything the traces of one image by one solver need, and the traces themselves."""

import copy
from collections import Counter
from collections.abc import Iterable, Mapping

import torch
from torch import nn

from .errors import InputError, nearest
from .gram import PrunableLayer
from .layer_hessians import Work
from .layer_solutions import LayerSolutions, solve_together
from .layers import Excluded
from .solver.solution import Solution
from .sparsity import Ratios, checked

_UNPREPARED = "it was not among the `layers` this image was prepared for"


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
        work: Work | None = None,
    ) -> None:
        """What `prepare` found; `model` is handed over and never changes."""
        self._model = model
        self._work: Work = Counter() if work is None else work
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

    def solutions(self, ratios: Mapping[str, float]) -> list[tuple[LayerSolutions, float]]:
        """The layers of these ratios, for `solve_together`, which solves those of several images at once.

        Raises:
            InputError: As for `sparse_model`.
        """
        return [
            (self._solutions[name], ratio) for name, ratio in self._checked(ratios).items() if name in self._solutions
        ]

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
        check_names(ratios, [*self.layers, *self._unprepared], self.excluded)
        for name in self._unprepared:
            if ratios.get(name, 0):
                raise InputError(f"Layer '{name}' cannot be pruned: {_UNPREPARED}.")
        return checked(ratios)

    def _write(self, model: nn.Module, ratios: Ratios) -> None:
        solve_together(self.solutions(ratios))
        self._work["traces"] += 1
        for name, ratio in ratios.items():
            if name in self._solutions:
                layer = model.get_submodule(name)
                if not isinstance(layer, nn.Conv2d | nn.Linear):
                    raise InputError(f"This model was not made by `sparse_model` of this image: '{name}' is {layer}.")
                put(layer, self._solutions[name].solve(ratio))


def check_names(names: Iterable[str], prunable: Iterable[str], excluded: Excluded) -> None:
    """Nothing, where every name is that of a layer.

    Raises:
        InputError: If one is not.
    """
    known = [*prunable, *excluded]
    for name in names:
        if name not in known:
            raise InputError(f"There is no layer '{name}'. {nearest(name, known)}")


def put(layer: PrunableLayer, solution: Solution) -> None:
    """Give a layer the weights of a Solution, in place."""
    with torch.no_grad():
        layer.weight.copy_(solution.weight.view_as(layer.weight))
