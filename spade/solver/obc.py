"""Exact OBC: the order in which the weights of a layer go, and the best weights for any share of them removed.

Minimises ||(w - w0) X||^2 for each row w of a layer by greedy removal (Frantar and Alistarh 2022, the solver of SPADE
in the paper's section 3.2); `removal` has the algorithm, `least_squares` the weights.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import torch
from torch import Tensor

from ..errors import InputError
from . import selection
from .hessian import DeadInputs, Hessian, check_layer, check_working_dtype, positive_definite
from .least_squares import closest
from .removal import removal_order
from .selection import CountRule
from .solution import Solution, solution

# How much of an input the others explain, as G_jj H_jj, up to which the seven digits of float32 give the same removals
# but for near ties.
_FLOAT32_INFLATION = 1e5
_CPU_MEMORY = 128 * 2**20


@dataclass(frozen=True, eq=False)
class Elimination:
    """The whole path of OBC through a layer; the weights at any number of ratios are read from it.

    Attributes:
        weight: the dense weights [R, d], as they came in.
        hessian: the damped Hessian [d, d] they are pruned under, float64; a dead input has some positive diagonal.
        block: columns that go together; 1 is unstructured.
        order: the block each step removes from each row [R, d / block], int32.
        losses: what each step adds to a row's error 1/2 (w - w0) H (w - w0)^T [R, d / block], float64. They are
            neither cumulative nor monotone; `solve` uses them only to count how many steps each row takes.
        dead_inputs: how weights of dead inputs are treated, see `eliminate`.
        dead: columns whose input was always zero, ascending.
        fallbacks: departures from the plain computation, one sentence each.
    """

    weight: Tensor
    hessian: Tensor
    block: int
    order: Tensor
    losses: Tensor
    dead_inputs: DeadInputs
    dead: tuple[int, ...]
    fallbacks: tuple[str, ...]

    @cached_property
    def _inverse(self) -> Tensor:
        # Not kept from the elimination: many layers are held at a time, and high ratios never ask for it.
        return _inverse(self.hessian)

    def solve(self, sparsity: float, *, count_rule: CountRule = "exact") -> Solution:
        """The layer's weights with this share removed, the rest solved for by least squares.

        The ceil(R d s) smallest step losses of the whole layer decide how many steps each row takes. Solutions of
        rising sparsity remove nested sets; at 0 the weights come back bit for bit.

        Raises:
            InputError: sparsity is no number in [0, 1], or the count rule is unknown.
        """
        selection.check_count_rule(count_rule)
        count = selection.obc_count(self.losses.numel(), selection.check_sparsity(sparsity), count_rule)
        taken = selection.share_of_rows(self.losses, count)
        going = torch.arange(self.losses.shape[1], device=taken.device) < taken[:, None]
        gone = torch.zeros_like(going).scatter_(1, self.order.long(), going)
        kept = ~gone.repeat_interleave(self.block, dim=1)
        if self.dead_inputs == "zeroed":
            kept[:, list(self.dead)] = False
        weight = closest(self.weight, self.hessian, kept, inverse=lambda: self._inverse)
        return solution(weight, kept, dead=self.dead, fallbacks=self.fallbacks)


def eliminate(
    weight: Tensor,
    hessian: Tensor | Hessian,
    *,
    damping: float = 0.01,
    block: int | None = None,
    dead_inputs: DeadInputs = "free",
    absolute_damping_on_failure: float | None = None,
    dtype: torch.dtype = torch.float32,
    memory: int | None = None,
) -> Elimination:
    """The Elimination of a layer: every weight removed one after the other, from each row.

    Args:
        weight: [R, d] (a convolution flattened to [out, in*kh*kw]), any floating-point dtype and device.
        hessian: X X^T up to a constant [d, d]; inverted in float64. Or what `positive_definite` made of it with the
            same `dead_inputs`; then it is not damped again, whatever the two arguments about that.
        damping: this share of the mean diagonal is added to the diagonal.
        block: None or 1 removes single weights. k removes blocks of k consecutive columns, as published for
            convolutions: there the caller puts the columns in (kh, kw, in) order and takes k = kh*kw.
        dead_inputs: what becomes of weights whose input was always zero. `free`: they are the first to go, at no
            cost, and the damping's mean skips them. `zeroed`: they always go (published). `ordinary`: unit
            diagonal and no special treatment.
        absolute_damping_on_failure: added to the diagonal of a singular Hessian; None raises the damping instead.
        dtype: working dtype, float32 or float64. Inputs too collinear for float32 are done in float64. Both this
            and extra damping are told in `fallbacks`.
        memory: bytes the working matrices may take (at least one row's are taken); None is 128 MiB on a CPU and a
            quarter of what is free on a GPU. It never changes results.

    Raises:
        InputError: NaN or infinity, shapes or devices that do not fit, no symmetric positive semidefinite Hessian, a
            block that does not divide d, an unknown name or dtype.
    """
    check_layer(weight, hessian.matrix if isinstance(hessian, Hessian) else hessian)
    check_working_dtype(dtype)
    k = _block_size(block, weight.shape[1])
    if isinstance(hessian, Hessian):
        ready = hessian
    else:
        ready = positive_definite(
            hessian,
            damping=damping,
            dead_inputs=dead_inputs,
            absolute_damping_on_failure=absolute_damping_on_failure,
        )
    inverse = ready.inverse()
    dtype, collinear = _working_dtype(ready.matrix, inverse, dtype)
    w = weight.detach().double()
    if dead_inputs != "ordinary":
        w = w.masked_fill(ready.dead, 0)
    # Powers of two change no digit, and keep float32 from overflow where activations are tiny or huge.
    w_unit = _power_of_two(float(w.abs().max()))
    H_unit = _power_of_two(float(ready.matrix.diagonal().masked_fill(ready.dead, 0).max()))
    layer = _Layer(w / w_unit, ready.matrix / H_unit, inverse * H_unit, ready.dead, dtype, memory)
    order, scores = layer.by_column() if k == 1 else layer.by_block(k)
    return Elimination(
        weight=weight.detach().clone(),
        hessian=ready.matrix,
        block=k,
        order=order.to(torch.int32),
        losses=scores * (w_unit**2 * H_unit / 2),
        dead_inputs=dead_inputs,
        dead=tuple(ready.dead.nonzero()[:, 0].tolist()),
        fallbacks=ready.fallbacks + collinear,
    )


def prune(
    weight: Tensor,
    hessian: Tensor,
    *,
    sparsity: float,
    count_rule: CountRule = "exact",
    damping: float = 0.01,
    block: int | None = None,
    dead_inputs: DeadInputs = "free",
    absolute_damping_on_failure: float | None = None,
    dtype: torch.dtype = torch.float32,
    memory: int | None = None,
) -> Solution:
    """`eliminate` and one `Elimination.solve`; see there for the arguments and what is raised."""
    selection.check_sparsity(sparsity)
    path = eliminate(
        weight,
        hessian,
        damping=damping,
        block=block,
        dead_inputs=dead_inputs,
        absolute_damping_on_failure=absolute_damping_on_failure,
        dtype=dtype,
        memory=memory,
    )
    return path.solve(sparsity, count_rule=count_rule)


def _block_size(block: int | None, d: int) -> int:
    if block is None:
        return 1
    if isinstance(block, bool) or not isinstance(block, int) or block < 1 or d % block:
        raise InputError(f"A block of columns must divide the {d} inputs of the layer; got block={block!r}.")
    return block


def _working_dtype(H: Tensor, G: Tensor, dtype: torch.dtype) -> tuple[torch.dtype, tuple[str, ...]]:
    """The dtype to eliminate in, and what to say where it is not the one asked for."""
    inflation = float((G.diagonal() * H.diagonal()).max())
    if dtype == torch.float64 or inflation <= _FLOAT32_INFLATION:
        return dtype, ()
    return torch.float64, (f"collinear inputs (variance inflation {inflation:.0e}): eliminated in float64",)


def _power_of_two(x: float) -> float:
    """The power of two in (x, 2x], 1 for 0."""
    return 2.0 ** math.frexp(x)[1]


@dataclass(frozen=True, eq=False)
class _Layer:
    """What a layer's rows are eliminated from: w [R, d], H and G = H^-1 [d, d], all float64."""

    w: Tensor
    H: Tensor
    G: Tensor
    dead: Tensor
    dtype: torch.dtype
    memory: int | None

    def by_block(self, k: int) -> tuple[Tensor, Tensor]:
        """Blocks of k columns in the order they go, int64, and their scores, float64, both [R, d / k]."""
        w, base = self.w.to(self.dtype), self.G.to(self.dtype)
        parts = [removal_order(w[rows], base, block=k) for rows in self._chunks(torch.arange(len(w)))]
        return torch.cat([order for order, _ in parts]), torch.cat([scores for _, scores in parts]).double()

    def by_column(self) -> tuple[Tensor, Tensor]:
        """Columns in the order they go, int64, and their scores, float64, both [R, d].

        The zeros of a row go first, at no cost. They change nothing else, so the row starts from inv(H_AA) of its
        other columns A; rows whose zeros are those of every row (dead inputs) share one such inverse.
        """
        zero = self.w == 0
        order = (~zero).to(torch.uint8).argsort(dim=1, stable=True)
        scores = torch.zeros_like(self.w)
        common = zero.all(0)
        alike = (zero == common).all(1)
        for rows, base in chain(self._sharing(alike, common), self._apart(~alike, zero)):
            m = base.shape[-1]
            columns = order[rows, len(self.H) - m :].sort(dim=1).values
            going, costs = removal_order(self.w[rows].gather(1, columns).to(self.dtype), base)
            order[rows, len(self.H) - m :] = columns.gather(1, going)
            scores[rows, len(self.H) - m :] = costs.double()
        return order, scores

    def _sharing(self, chosen: Tensor, absent: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Chunks of the chosen rows with their common base: the inverse [m, m] without the absent columns."""
        # A dead input is coupled to nothing: without it the inverse of the others stays as it is.
        base = self.G[~absent][:, ~absent] if (self.dead | ~absent).all() else _inverse(self.H[~absent][:, ~absent])
        base = base.to(self.dtype)
        for rows in self._chunks(chosen.nonzero()[:, 0]):
            yield rows, base

    def _apart(self, chosen: Tensor, zero: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Chunks of the chosen rows with a base each [r, m, m], m the most columns that are not zero in a row.

        Zeros beyond the fewest of the chunk stay in, uncoupled, and go first.
        """
        zeros = zero.sum(1)
        indices = chosen.nonzero()[:, 0]
        for rows in self._chunks(indices[zeros[indices].argsort(stable=True)]):
            m = len(self.H) - int(zeros[rows].min())
            order = (~zero[rows]).to(torch.uint8).argsort(dim=1, stable=True)
            columns = order[:, len(self.H) - m :].sort(dim=1).values
            base = torch.eye(m, dtype=self.dtype, device=self.H.device).repeat(len(rows), 1, 1)
            for i, (row, present) in enumerate(zip(columns, ~zero[rows].gather(1, columns), strict=True)):
                A, at = row[present], present.nonzero()[:, 0]
                base[i, at[:, None], at] = _inverse(self.H[A][:, A]).to(self.dtype)
            yield rows, base

    def _chunks(self, indices: Tensor) -> Iterator[Tensor]:
        """The indices in even parts whose bases fit the memory."""
        d, device = len(self.H), self.H.device
        memory = self.memory
        if memory is None:
            memory = torch.cuda.mem_get_info(device)[0] // 4 if device.type == "cuda" else _CPU_MEMORY
        most = max(1, memory // (d * d * self.dtype.itemsize))
        if len(indices):
            yield from indices.to(device).tensor_split(math.ceil(len(indices) / most))


def _inverse(H: Tensor) -> Tensor:
    """H^-1 of a positive definite H [n, n], n >= 0."""
    return torch.cholesky_inverse(torch.linalg.cholesky(H)) if len(H) else H
