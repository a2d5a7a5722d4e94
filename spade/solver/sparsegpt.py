"""SparseGPT: sparse weights from one sweep over the columns, for one Hessian or a batch of them.

A removed or already changed weight leaves an error e_j = w_j - q_j (w dense, q sparse), and the columns after it
take the values that minimise e H e^T given the errors before them. With H = R R^T, R upper triangular, those are
e_j = -sum_{i<j} e_i R_ij / R_jj. This is the published sweep (Frantar and Alistarh 2023, algorithm 1) without its
matrix U = R^-1: the inverse of the Hessian is never formed, and U_jj = 1 / R_jj.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from ..errors import InputError, nearest
from . import selection
from .hessian import DeadInputs, Hessian, check_layer, check_working_dtype, positive_definite
from .selection import CountRule
from .solution import Solution, solution

Group = Literal["layer", "column"]
Singular = Literal["damp", "identity"]

# Columns swept one by one before their errors reach the rest by one matrix product; changes no result.
_PANEL = 32


@dataclass(frozen=True, eq=False)
class Factor:
    """The triangular factors of B damped Hessians, good for any weights and ratio.

    Attributes:
        coupling: -R_ij / R_jj above the diagonal [B, d, d], in the working dtype.
        scale: R_jj = 1 / U_jj [B, d], in the working dtype.
        dead: True for an input that was always zero [B, d].
        dead_inputs: how those are treated, see `factor`.
        fallbacks: for each Hessian, what it took to make it positive definite.
    """

    coupling: Tensor
    scale: Tensor
    dead: Tensor
    dead_inputs: DeadInputs
    fallbacks: tuple[tuple[str, ...], ...]


def factor(
    hessian: Tensor,
    *,
    damping: float = 0.01,
    dead_inputs: DeadInputs = "free",
    singular: Singular = "damp",
    dtype: torch.dtype = torch.float32,
) -> Factor:
    """The Factor of one Hessian [d, d] or of each in a batch [B, d, d].

    Args:
        hessian: X X^T up to a constant, any floating-point dtype; factored in float64.
        damping: this share of the mean diagonal is added to the diagonal.
        dead_inputs: what becomes of weights whose input was always zero. `free`: they are the first to go, at no
            cost, and the damping's mean skips them. `zeroed`: they always go (published, one example). `ordinary`:
            unit diagonal and no special treatment (published, batched).
        singular: where damping does not suffice, `damp` grows it until it does; `identity` replaces the Hessian by
            the identity, which prunes by magnitude (published, batched). Both are told in the Solution.
        dtype: working dtype of the sweep.

    Raises:
        InputError: the Hessian cannot be used, or an unknown name.
    """
    if singular not in get_args(Singular):
        raise InputError(f"Unknown treatment '{singular}' of singular ones. {nearest(singular, get_args(Singular))}")
    check_working_dtype(dtype)
    batch = hessian if hessian.ndim == 3 else hessian[None]
    couplings = torch.empty(batch.shape, dtype=dtype, device=batch.device)
    scales, deads, fallbacks = [], [], []
    for H, coupling in zip(batch, couplings, strict=True):
        ready = positive_definite(
            H,
            damping=damping,
            dead_inputs=dead_inputs,
            identity_on_failure=singular == "identity",
            factor_dtype=dtype,
        )
        scales.append(_read(ready, coupling))
        deads.append(ready.dead)
        fallbacks.append(ready.fallbacks)
    return Factor(couplings, torch.stack(scales), torch.stack(deads), dead_inputs, tuple(fallbacks))


def factor_of(ready: Hessian, *, dead_inputs: DeadInputs, dtype: torch.dtype = torch.float32) -> Factor:
    """The Factor of one Hessian that was damped and factored already, with the same treatment of dead inputs."""
    coupling = torch.empty_like(ready.matrix, dtype=dtype)[None]
    scale = _read(ready, coupling[0])
    return Factor(coupling, scale[None], ready.dead[None], dead_inputs, (ready.fallbacks,))


def stacked(factors: Sequence[Factor]) -> Factor:
    """The Factor of all Hessians of these, in their order; all treat dead inputs alike."""
    return Factor(
        torch.cat([each.coupling for each in factors]),
        torch.cat([each.scale for each in factors]),
        torch.cat([each.dead for each in factors]),
        factors[0].dead_inputs,
        tuple(told for each in factors for told in each.fallbacks),
    )


def _read(ready: Hessian, coupling: Tensor) -> Tensor:
    """Write the coupling of one Hessian [d, d]; its scale [d], in the same dtype."""
    R = ready.factor
    torch.div(R, -R.diagonal(), out=coupling)
    return R.diagonal().to(coupling.dtype)


def prune(
    weight: Tensor,
    hessian: Tensor | None,
    *,
    sparsity: float,
    group: Group = "layer",
    block_size: int = 1,
    count_rule: CountRule = "exact",
    damping: float = 0.01,
    dead_inputs: DeadInputs = "free",
    dtype: torch.dtype = torch.float32,
    factor: Factor | None = None,
) -> Solution:
    """Weights with the asked sparsity that stay close to `weight` on the inputs behind `hessian`.

    Args:
        weight: [R, d].
        hessian: [d, d]; may be None where `factor` is given.
        sparsity: share to remove, in [0, 1].
        group: which weights compete. `layer`: all of them. `column`: `block_size` consecutive columns, each such
            group with the same share removed; kernel size for a convolution, 1 otherwise, as published.
        block_size: columns in a group of `column`; not used by `layer`.
        count_rule: `exact`, or the notebook's `published`, which removes one more a group and all its ties.
        damping: see `factor`; not used where one is given, nor are `dead_inputs` and `dtype`.
        dead_inputs: see `factor`.
        dtype: see `factor`.
        factor: reusable over ratios.

    Raises:
        InputError: anything about the arguments that cannot be used, in a sentence.
    """
    if factor is not None and len(factor.scale) != 1:
        raise InputError(f"One solution needs the Factor of one Hessian; got one of {len(factor.scale)}.")
    batch = None if hessian is None else hessian[None]
    return prune_batch(
        weight,
        batch,
        sparsity=sparsity,
        group=group,
        block_size=block_size,
        count_rule=count_rule,
        damping=damping,
        dead_inputs=dead_inputs,
        dtype=dtype,
        factor=factor,
    )[0]


def prune_batch(
    weight: Tensor,
    hessians: Tensor | None,
    *,
    sparsity: float,
    group: Group = "layer",
    block_size: int = 1,
    count_rule: CountRule = "exact",
    damping: float = 0.01,
    dead_inputs: DeadInputs = "free",
    singular: Singular = "damp",
    dtype: torch.dtype = torch.float32,
    factor: Factor | None = None,
) -> list[Solution]:
    """What `prune` gives for weights and each of the Hessians [B, d, d], bit for bit on a CPU, computed together.

    The weights are [R, d] for all (one layer, several examples) or [B, R, d], one for each (layers of one shape).

    Raises:
        InputError: as `prune`.
    """
    selection.check_count_rule(count_rule)
    sparsity = selection.check_sparsity(sparsity)
    widths = _widths(weight, group, block_size)
    if factor is None:
        if hessians is None:
            raise InputError("Give a Hessian or the Factor of one.")
        for one in weight if weight.ndim == 3 else (weight,):
            check_layer(one, hessians)
        factor = _factored(hessians, damping=damping, dead_inputs=dead_inputs, singular=singular, dtype=dtype)
    elif factor.scale.shape[1] != weight.shape[-1]:
        raise InputError(f"Weights with {weight.shape[-1]} inputs do not fit a Factor of {factor.scale.shape[1]}.")
    if weight.ndim == 3 and len(weight) != len(factor.scale):
        raise InputError(f"{len(weight)} matrices of weights need as many Hessians; got {len(factor.scale)}.")
    counts = {n: selection.sparsegpt_count(n * weight.shape[-2], sparsity, count_rule) for n in set(widths)}
    sweep = _Sweep(weight, factor, counts, published=count_rule == "published")
    if any(counts.values()):
        sweep.run(widths)
    return sweep.solutions()


# Inside `prune` and `prune_batch` the name `factor` is their argument.
_factored = factor


def _widths(weight: Tensor, group: Group, block_size: int) -> list[int]:
    d = weight.shape[-1]
    if group not in get_args(Group):
        raise InputError(f"Unknown group '{group}'. {nearest(group, get_args(Group))}")
    if group == "layer":
        return [d]
    if isinstance(block_size, bool) or not isinstance(block_size, int) or block_size < 1 or d % block_size:
        raise InputError(f"A group of columns must divide the {d} inputs of the layer; got block_size={block_size!r}.")
    return [block_size] * (d // block_size)


class _Sweep:
    """The state of one sweep: errors E, what they ask of later columns, and the mask, all [B, d, R]."""

    def __init__(self, weight: Tensor, factor: Factor, counts: dict[int, int], *, published: bool) -> None:
        self.weight, self.factor, self.counts = weight.detach(), factor, counts
        self.choose = selection.up_to_threshold if published else selection.smallest
        w = weight.detach().mT.to(factor.scale.dtype).expand(len(factor.scale), -1, -1)
        if factor.dead_inputs != "ordinary":
            w = w.masked_fill(factor.dead[:, :, None], 0)
        self.w = w.contiguous()
        self.errors = torch.zeros_like(self.w)
        self.asked = torch.zeros_like(self.w)
        self.gone = torch.zeros_like(self.w, dtype=torch.bool)

    def run(self, widths: list[int]) -> None:
        """Sweep all columns, whose groups have these widths."""
        starts = [sum(widths[:i]) for i in range(len(widths))]
        self._groups(list(zip(starts, widths, strict=True)))

    def solutions(self) -> list[Solution]:
        """One Solution for each Hessian."""
        factor = self.factor
        gone = self.gone | factor.dead[:, :, None] if factor.dead_inputs == "zeroed" else self.gone
        kept = ~gone.mT.contiguous()
        # Elementwise work before the one pass that transposes.
        weights = torch.where(gone, 0, self.weight.mT - self.errors.to(self.weight.dtype)).mT.contiguous()
        return [
            solution(weight, kept_one, dead=tuple(dead.nonzero()[:, 0].tolist()), fallbacks=fallbacks)
            for weight, kept_one, dead, fallbacks in zip(weights, kept, factor.dead, factor.fallbacks, strict=True)
        ]

    def _groups(self, groups: list[tuple[int, int]]) -> None:
        if len(groups) == 1 or sum(width for _, width in groups) <= _PANEL:
            for start, width in groups:
                self._choose(start, start + width)
                self._columns(start, start + width, groups[-1][0] + groups[-1][1])
            return
        half = len(groups) // 2
        self._groups(groups[:half])
        self._pass_on(groups[0][0], groups[half][0], groups[-1][0] + groups[-1][1])
        self._groups(groups[half:])

    def _choose(self, start: int, stop: int) -> None:
        """Fix the mask of one group from the values it would take if nothing of it were removed."""
        errors = self.asked[:, start:stop]
        if start and stop - start > 1:
            # What is asked of a column supposes that the columns before it kept to their errors so far; if all of
            # the group is kept they move too, each with those before it.
            within = -self.factor.coupling[:, start:stop, start:stop].mT
            errors = torch.linalg.solve_triangular(within, errors, upper=False, unitriangular=True)
        scores = ((self.w[:, start:stop] - errors) * self.factor.scale[:, start:stop, None]).square_()
        # Ties go in the reading order of [R, columns].
        chosen = self.choose(scores.mT.flatten(1), self.counts[stop - start])
        self.gone[:, start:stop] = chosen.unflatten(1, (-1, stop - start)).mT

    def _columns(self, start: int, stop: int, reach: int) -> None:
        """Sweep columns whose mask is fixed; their errors reach the columns before `reach`."""
        if stop - start > _PANEL:
            middle = (start + stop) // 2
            self._columns(start, middle, middle)
            self._pass_on(start, middle, reach)
            self._columns(middle, stop, reach)
            return
        part = slice(start, stop)
        parts = (x[:, part].unbind(1) for x in (self.gone, self.w, self.asked, self.errors))
        coupling = self.factor.coupling[:, part, start:reach, None].unbind(1)
        asked = self.asked[:, start:reach]
        for j, (gone, w, asked_j, error) in enumerate(zip(*parts, strict=True), 1):
            torch.where(gone, w, asked_j, out=error)
            if j < reach - start:
                asked[:, j:].addcmul_(coupling[j - 1][:, j:], error[:, None])

    def _pass_on(self, start: int, middle: int, stop: int) -> None:
        """Tell the columns from `middle` to `stop` the errors of those from `start` to `middle`."""
        asked = self.asked[:, middle:stop]
        coupling, errors = self.factor.coupling[:, start:middle, middle:stop].mT, self.errors[:, start:middle]
        if not asked.is_cpu:
            asked.baddbmm_(coupling, errors)
            return
        # What torch does anyway for parts of matrices, said here so that each sum is added up as it is without others.
        for one in zip(asked, coupling, errors, strict=True):
            one[0].addmm_(*one[1:])
