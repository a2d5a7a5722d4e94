"""The sparse weights of one layer at any ratio, from work that is done once.

A convolution with groups has one Hessian a group, and its rows see their own group's only. Its weights still compete
as one layer: the count rule is applied to the scores of all groups together, and each group loses what fell on it
(SparseGPT with `sparsegpt_group = "column"` has no layer-wide competition to begin with).
"""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from .errors import InputError
from .gram import PrunableLayer
from .protocol import Protocol
from .solver import obc, selection, sparsegpt
from .solver.solution import Solution, solution

Solver = Literal["obc", "sparsegpt"]
AtRatio = Callable[[float], list[Solution]]


class LayerSolutions:
    """One layer's Solutions: nothing is computed before the first ratio above 0, and each ratio once.

    At ratio 0 a layer is not touched, under every protocol, although the published SparseGPT rule would still take a
    weight a group there: a layer whose target is 0 is not pruned.
    """

    def __init__(self, layer: PrunableLayer, hessians: Tensor, *, solver: Solver, protocol: Protocol) -> None:
        """Solutions for the weight of `layer` as it is now, under the Hessians [groups, d, d] of its inputs."""
        self._weight = layer.weight.detach().flatten(1).clone()
        self._hessians: Tensor | None = hessians
        self._taps = layer.weight[0, 0].numel() if isinstance(layer, nn.Conv2d) else 1
        self._dtype = torch.float64 if layer.weight.dtype == torch.float64 else torch.float32
        self._solver, self._protocol = solver, protocol
        self._at_ratio: AtRatio | None = None
        self._known: dict[float, Solution] = {}

    def solve(self, ratio: float) -> Solution:
        """The layer's Solution: `weight` and `kept` [R, d] in the order of `layer.weight.flatten(1)`.

        Its `dead` columns count through the groups: column c of group g is g * d + c.
        """
        ratio = selection.check_sparsity(ratio)
        if ratio not in self._known:
            self._known[ratio] = self._solve(ratio)
        return self._known[ratio]

    def _solve(self, ratio: float) -> Solution:
        if ratio == 0:
            return self._dense()
        try:
            if self._at_ratio is None:
                self._at_ratio = self._obc() if self._solver == "obc" else self._sparsegpt()
                # Not needed any more, and many images may be prepared at a time.
                self._hessians = None
            return _joined(self._at_ratio(ratio))
        except InputError as error:
            if self._protocol.failed_layer == "raise":
                raise
            return self._dense(f"left dense, its solver failed: {error}")

    def _dense(self, *fallbacks: str) -> Solution:
        kept = torch.ones_like(self._weight, dtype=torch.bool)
        return solution(self._weight, kept, dead=(), fallbacks=fallbacks)

    def _groups(self) -> list[tuple[Tensor, Tensor]]:
        """Weights [R / groups, d] and Hessian [d, d] of each group."""
        if self._hessians is None:
            raise RuntimeError("the layer was worked through already")
        dtype = getattr(torch, self._protocol.gram_dtype)
        hessians = self._hessians.to(self._weight.device, dtype)
        return list(zip(torch.chunk(self._weight, len(hessians)), hessians, strict=True))

    def _obc(self) -> AtRatio:
        options = self._protocol.obc_options(self._taps)
        count_rule = self._protocol.count_rule
        # The published blocks are consecutive columns after sorting them from (channel, tap) to (tap, channel).
        d, block = self._weight.shape[1], options["block"]
        order = None if block is None else torch.arange(d, device=self._weight.device).view(-1, block).T.flatten()
        eliminations = [
            obc.eliminate(weight, hessian, **options, dtype=self._dtype)
            if order is None
            else obc.eliminate(weight[:, order], hessian[order][:, order], **options, dtype=self._dtype)
            for weight, hessian in self._groups()
        ]

        def at_ratio(ratio: float) -> list[Solution]:
            if len(eliminations) == 1:
                solutions = [eliminations[0].solve(ratio, count_rule=count_rule)]
            else:
                losses = torch.stack([elimination.losses for elimination in eliminations])
                shares = _shares(losses, selection.obc_count(losses.numel(), ratio, count_rule))
                solutions = [each.solve(share) for each, share in zip(eliminations, shares, strict=True)]
            return solutions if order is None else [_reordered(each, order) for each in solutions]

        return at_ratio

    def _sparsegpt(self) -> AtRatio:
        options = self._protocol.sparsegpt_options(self._taps)
        weights, hessians = zip(*self._groups(), strict=True)
        factors = [
            sparsegpt.factor(hessian, damping=options["damping"], dead_inputs=options["dead_inputs"], dtype=self._dtype)
            for hessian in hessians
        ]

        def at_ratio(ratio: float) -> list[Solution]:
            shares, chosen = [ratio] * len(factors), options
            if len(factors) > 1 and options["group"] == "layer":
                # The score of a weight before any error reached it, which is what one whole layer is chosen by.
                scores = torch.stack([_scores(*pair) for pair in zip(weights, factors, strict=True)])
                shares = _shares(scores, selection.sparsegpt_count(scores.numel(), ratio, options["count_rule"]))
                chosen = {**options, "count_rule": "exact"}
            return [
                sparsegpt.prune(weight, None, sparsity=share, factor=factor, **chosen)
                for weight, factor, share in zip(weights, factors, shares, strict=True)
            ]

        return at_ratio


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
