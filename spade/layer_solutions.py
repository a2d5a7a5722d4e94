"""The sparse weights of one layer at any ratio, from work that is done once.

A convolution with groups has one Hessian a group, and its rows see their own group's only. Its weights still compete
as one layer: the count rule is applied to the scores of all groups together, and each group loses what fell on it
(SparseGPT with `sparsegpt_group = "column"` has no layer-wide competition to begin with).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from . import added_pruner
from .errors import InputError
from .gram import PrunableLayer
from .layer_hessians import LayerHessians
from .protocol import Protocol, SparsegptOptions
from .pruners import SOLVERS, Solver
from .solver import obc, selection, sparsegpt
from .solver.solution import Solution, solution

__all__ = ["LayerSolutions", "Solver", "solve_together"]

# What the matrices of one batch of sweeps may take; more at a time is no faster and needs more memory.
_BYTES = 256 * 2**20


class LayerSolutions:
    """One layer's Solutions: nothing is computed before the first ratio above 0, and each ratio once.

    At ratio 0 a layer is not touched, under every protocol, although the published SparseGPT rule would still take a
    weight a group there: a layer whose target is 0 is not pruned.
    """

    def __init__(
        self, layer: PrunableLayer, hessians: Tensor | LayerHessians, *, solver: Solver, protocol: Protocol
    ) -> None:
        """Solutions for the weight of `layer` as it is now, under the Hessians [groups, d, d] of its inputs."""
        self._weight = layer.weight.detach().flatten(1).clone()
        self._hessians: LayerHessians | None = LayerHessians(hessians) if isinstance(hessians, Tensor) else hessians
        self._work = self._hessians.work
        self._taps = layer.weight[0, 0].numel() if isinstance(layer, nn.Conv2d) else 1
        self._dtype = torch.float64 if layer.weight.dtype == torch.float64 else torch.float32
        self._solver, self._protocol = solver, protocol
        self._path: Callable[[float], list[Solution]] | None = None
        self._factors: list[sparsegpt.Factor] | None = None
        self._known: dict[float, Solution] = {}

    def solve(self, ratio: float) -> Solution:
        """The layer's Solution: `weight` and `kept` [R, d] in the order of `layer.weight.flatten(1)`.

        Its `dead` columns count through the groups: column c of group g is g * d + c.
        """
        solve_together([(self, ratio)])
        return self._known[float(ratio)]

    def _begun(self, ratio: float) -> list["_Sweep"]:
        """What is left to sweep for this ratio; nothing where the Solution is known now.

        Raises:
            InputError: the solver fails and the protocol does not leave such a layer dense.
        """
        if ratio in self._known:
            return []
        if ratio == 0:
            self._known[ratio] = self._dense()
            return []
        if self._solver not in SOLVERS:
            # Outside the net below: a layer left dense would hide that another package's pruner is broken.
            self._known[ratio] = _joined(self._added(ratio))
            return []
        try:
            if self._solver == "sparsegpt":
                return self._sweeps(ratio)
            self._known[ratio] = _joined(self._eliminated()(ratio))
        except InputError as error:
            self._failed(ratio, error)
        return []

    def _ended(self, ratio: float, sweeps: Sequence["_Sweep"]) -> None:
        """Keep what the sweeps of this ratio gave.

        Raises:
            InputError: as `_begun`.
        """
        groups = []
        for sweep in sweeps:
            if isinstance(sweep.outcome, InputError):
                self._failed(ratio, sweep.outcome)
                return
            groups.append(sweep.outcome)
        self._known[ratio] = _joined([group for group in groups if group is not None])

    def _failed(self, ratio: float, error: InputError) -> None:
        if self._protocol.failed_layer == "raise":
            raise error
        self._known[ratio] = self._dense(f"left dense, its solver failed: {error}")

    def _dense(self, *fallbacks: str) -> Solution:
        kept = torch.ones_like(self._weight, dtype=torch.bool)
        return solution(self._weight, kept, dead=(), fallbacks=fallbacks)

    def _added(self, ratio: float) -> list[Solution]:
        """The Solutions of each group by a pruner that another package adds; each group loses its own share."""
        hessians = _still(self._hessians).matrices(self._protocol, self._weight.device)
        weights = self._weight.chunk(len(hessians))
        self._work["sweeps"] += len(weights)
        return [added_pruner.solve(self._solver, *pair, ratio) for pair in zip(weights, hessians, strict=True)]

    def _eliminated(self) -> Callable[[float], list[Solution]]:
        """The Solutions of each group at a ratio, by OBC."""
        if self._path is None:
            self._path = self._obc(_still(self._hessians))
            # Not needed any more, and many images may be prepared at a time.
            self._hessians = None
        return self._path

    def _obc(self, hessians: LayerHessians) -> Callable[[float], list[Solution]]:
        options = self._protocol.obc_options(self._taps)
        count_rule = self._protocol.count_rule
        # The published blocks are consecutive columns after sorting them from (channel, tap) to (tap, channel).
        d, block, device = self._weight.shape[1], options["block"], self._weight.device
        order = None if block is None else torch.arange(d, device=device).view(-1, block).T.flatten()
        if order is None:
            ready = hessians.factored(
                self._protocol,
                device,
                damping=options["damping"],
                dead_inputs=options["dead_inputs"],
                absolute_damping_on_failure=options["absolute_damping_on_failure"],
            )
            weights = self._weight.chunk(len(ready))
            eliminations = [
                obc.eliminate(weight, hessian, **options, dtype=self._dtype)
                for weight, hessian in zip(weights, ready, strict=True)
            ]
        else:
            matrices = hessians.matrices(self._protocol, device)
            weights = self._weight.chunk(len(matrices))
            eliminations = [
                obc.eliminate(weight[:, order], matrix[order][:, order], **options, dtype=self._dtype)
                for weight, matrix in zip(weights, matrices, strict=True)
            ]
            self._work["factorisations"] += len(eliminations)
        self._work["eliminations"] += len(eliminations)

        def at_ratio(ratio: float) -> list[Solution]:
            if len(eliminations) == 1:
                solutions = [eliminations[0].solve(ratio, count_rule=count_rule)]
            else:
                losses = torch.stack([elimination.losses for elimination in eliminations])
                shares = _shares(losses, selection.obc_count(losses.numel(), ratio, count_rule))
                solutions = [each.solve(share) for each, share in zip(eliminations, shares, strict=True)]
            return solutions if order is None else [_reordered(each, order) for each in solutions]

        return at_ratio

    def _sweeps(self, ratio: float) -> list["_Sweep"]:
        """What SparseGPT has to sweep for this ratio, a group each."""
        options = self._protocol.sparsegpt_options(self._taps)
        if self._factors is None:
            ready = _still(self._hessians).factored(
                self._protocol, self._weight.device, damping=options["damping"], dead_inputs=options["dead_inputs"]
            )
            self._factors = [
                sparsegpt.factor_of(each, dead_inputs=options["dead_inputs"], dtype=self._dtype) for each in ready
            ]
            self._hessians = None
        weights = self._weight.chunk(len(self._factors))
        shares = [ratio] * len(self._factors)
        if len(self._factors) > 1 and options["group"] == "layer":
            # The score of a weight before any error reached it, which is what one whole layer is chosen by.
            scores = torch.stack([_scores(*pair) for pair in zip(weights, self._factors, strict=True)])
            shares = _shares(scores, selection.sparsegpt_count(scores.numel(), ratio, options["count_rule"]))
            options = {**options, "count_rule": "exact"}
        self._work["sweeps"] += len(shares)
        return [
            _Sweep(weight, factor, share, options)
            for weight, factor, share in zip(weights, self._factors, shares, strict=True)
        ]


def solve_together(wanted: Iterable[tuple[LayerSolutions, float]]) -> None:
    """Solve layers, of one network or of several images, each at its ratio; `solve` then has them.

    SparseGPT sweeps matrices of one shape at one ratio as one batch. That changes no bit on a CPU.

    Raises:
        InputError: a ratio is outside [0, 1], or a solver fails where the protocol does not leave such a layer dense.
    """
    begun = [
        (layer, ratio, layer._begun(ratio))  # noqa: SLF001 - its own kind
        for layer, ratio in dict.fromkeys((layer, selection.check_sparsity(ratio)) for layer, ratio in wanted)
    ]
    alike: dict[tuple[object, ...], list[_Sweep]] = {}
    for _, _, sweeps in begun:
        for sweep in sweeps:
            alike.setdefault(sweep.kind, []).append(sweep)
    for sweeps in alike.values():
        most = max(1, _BYTES // sweeps[0].bytes)
        for start in range(0, len(sweeps), most):
            _run(sweeps[start : start + most])
    for layer, ratio, sweeps in begun:
        if sweeps:
            layer._ended(ratio, sweeps)  # noqa: SLF001 - its own kind


@dataclass(eq=False)
class _Sweep:
    """Weights [R, d] to prune by SparseGPT, and then what came of it."""

    weight: Tensor
    factor: sparsegpt.Factor
    share: float
    options: SparsegptOptions
    outcome: Solution | InputError | None = None

    @property
    def kind(self) -> tuple[object, ...]:
        """Equal for sweeps that can be one batch."""
        weight, scale = self.weight, self.factor.scale
        return (*weight.shape, weight.dtype, weight.device, scale.dtype, self.share, *self.options.values())

    @property
    def bytes(self) -> int:
        """What it takes in a batch: its coupling, and about six matrices as large as the weights."""
        rows, d = self.weight.shape
        return (d + 6 * rows) * d * self.factor.scale.itemsize


def _run(sweeps: Sequence[_Sweep]) -> None:
    """Sweep one batch of a kind."""
    first, options = sweeps[0], sweeps[0].options
    alone = len(sweeps) == 1
    try:
        outcomes = sparsegpt.prune_batch(
            first.weight if alone else torch.stack([sweep.weight for sweep in sweeps]),
            None,
            sparsity=first.share,
            group=options["group"],
            block_size=options["block_size"],
            count_rule=options["count_rule"],
            factor=first.factor if alone else sparsegpt.stacked([sweep.factor for sweep in sweeps]),
        )
    except InputError as error:
        for sweep in sweeps:
            sweep.outcome = error
        return
    for sweep, outcome in zip(sweeps, outcomes, strict=True):
        sweep.outcome = outcome


def _still(hessians: LayerHessians | None) -> LayerHessians:
    if hessians is None:
        raise RuntimeError("the layer was worked through already")
    return hessians


def _scores(weight: Tensor, factor: sparsegpt.Factor) -> Tensor:
    """What each weight [R, d] of one group costs by itself."""
    live = weight if factor.dead_inputs == "ordinary" else weight.masked_fill(factor.dead[0], 0)
    return (live.to(factor.scale.dtype) * factor.scale[0]).square()


def _shares(scores: Tensor, count: int) -> list[float]:
    """What share of each group's own scores [G, ...] is among the `count` smallest of all.

    Half a weight less than the number, so that rounding the product up gives the number again in any arithmetic.
    """
    n = scores[0].numel()
    numbers = selection.share_of_rows(scores.flatten(1), count).tolist()
    return [max(number - 0.5, 0.0) / n for number in numbers]


def _reordered(permuted: Solution, order: Tensor) -> Solution:
    """The Solution of columns `order`, with every column back in its place."""
    back = order.argsort()
    dead = tuple(sorted(order[list(permuted.dead)].tolist()))
    return Solution(permuted.weight[:, back], permuted.kept[:, back], permuted.sparsity, dead, permuted.fallbacks)


def _joined(groups: Sequence[Solution]) -> Solution:
    """One Solution of the rows of all groups."""
    if len(groups) == 1:
        return groups[0]
    d = groups[0].weight.shape[1]
    return solution(
        torch.cat([group.weight for group in groups]),
        torch.cat([group.kept for group in groups]),
        dead=tuple(number * d + column for number, group in enumerate(groups) for column in group.dead),
        fallbacks=tuple(f"group {number}: {told}" for number, group in enumerate(groups) for told in group.fallbacks),
    )
