"""Exact OBC: the order in which the weights of a layer go, and the best weights for any share removed."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import InputError
from . import selection
from .hessian import DeadInputs, Hessian, check_layer, inverse, positive_definite
from .selection import CountRule
from .solution import Solution, solution


@dataclass(frozen=True, eq=False)
class Elimination:
    """The whole path of OBC through a layer; any number of ratios are read from one.

    Attributes:
        weight: the dense weights [R, d], as they came in.
        hessian: the damped Hessian they were pruned under, float64.
        block: columns that go together; 1 is unstructured.
        order: the block each step removes from each row [R, d / block], int32.
        losses: what each step adds to the layer's squared error [R, d / block], in the working dtype.
        dead_inputs: how weights of dead inputs are treated, see `eliminate`.
        dead: columns whose input was always zero, ascending.
        fallbacks: departures from the plain computation, one sentence each.
    """

    weight: Tensor
    hessian: Hessian
    block: int
    order: Tensor
    losses: Tensor
    dead_inputs: DeadInputs
    dead: tuple[int, ...]
    fallbacks: tuple[str, ...]

    def solve(self, sparsity: float, *, count_rule: CountRule = "exact") -> Solution:
        """The best weights with this share of the layer removed."""
        selection.check_count_rule(count_rule)
        sparsity = selection.check_sparsity(sparsity)
        steps = self.losses.shape[1]
        count = selection.obc_count(self.losses.numel(), sparsity, count_rule)
        lost = selection.share_of_rows(self.losses, count)
        going = torch.arange(steps, device=lost.device) < lost[:, None]
        gone = torch.zeros_like(going).scatter_(1, self.order.long(), going)
        kept = ~gone.repeat_interleave(self.block, dim=1)
        if self.dead_inputs == "zeroed":
            kept &= ~self.hessian.dead
        weight = self.weight.clone()
        from .reference import least_squares

        for i in range(len(weight)):
            if not kept[i].all():
                weight[i] = least_squares(self.weight[i : i + 1], self.hessian.matrix, kept[i : i + 1])[0].to(weight)
        return solution(weight, kept, dead=self.dead, fallbacks=self.fallbacks)


def eliminate(
    weight: Tensor,
    hessian: Tensor,
    *,
    damping: float = 0.01,
    block: int | None = None,
    dead_inputs: DeadInputs = "free",
    absolute_damping_on_failure: float | None = None,
    dtype: torch.dtype = torch.float32,
    memory: int = 256 * 2**20,
) -> Elimination:
    """first version."""
    check_layer(weight, hessian)
    k = 1 if block is None else block
    ready = positive_definite(
        hessian, damping=damping, dead_inputs=dead_inputs, absolute_damping_on_failure=absolute_damping_on_failure
    )
    w = weight.to(dtype).clone()
    if dead_inputs != "ordinary":
        w[:, ready.dead] = 0
    orders, losses = [], []
    for rows in w.split(32):
        o, l = _rank_one(rows.clone(), inverse(ready).to(dtype), k)
        orders.append(o)
        losses.append(l)
    dead = tuple(ready.dead.nonzero()[:, 0].tolist())
    return Elimination(weight, ready, k, torch.cat(orders).int(), torch.cat(losses), dead_inputs, dead, ready.fallbacks)


def _rank_one(w, G, k):
    R, d = w.shape
    n = d // k
    G = G.repeat(R, 1, 1)
    order = torch.zeros(R, n, dtype=torch.int64)
    losses = torch.zeros(R, n, dtype=w.dtype)
    gone = torch.zeros(R, n, dtype=torch.bool)
    r = torch.arange(R)
    for t in range(n):
        D = G.reshape(R, n, k, n, k).diagonal(dim1=1, dim2=3).permute(0, 3, 1, 2)
        wb = w.reshape(R, n, k)
        x = torch.linalg.solve(D + gone[:, :, None, None] * torch.eye(k), wb)
        s = (x * wb).sum(2).masked_fill(gone, torch.inf)
        j = s.argmin(1)
        order[:, t] = j
        losses[:, t] = s[r, j] / 2
        col = G.reshape(R, n, k, d)[r, j]
        w -= (x[r, j][:, None] @ col)[:, 0]
        G -= col.mT @ torch.linalg.solve(D[r, j], col)
        gone[r, j] = True
        w[gone.repeat_interleave(k, 1)] = 0
        wipe = gone.repeat_interleave(k, 1)
        G[wipe] = 0
        G.mT[wipe] = 0
    return order, losses


def prune(weight: Tensor, hessian: Tensor, *, sparsity: float, count_rule: CountRule = "exact", **options) -> Solution:
    """Both."""
    return eliminate(weight, hessian, **options).solve(sparsity, count_rule=count_rule)
