"""A layer's sparse weights, and what it took to get them."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Solution:
    """The pruned weights of one layer.

    Attributes:
        weight: sparse weights [R, d], in the dtype and on the device of the weights that came in.
        kept: True where a weight survived [R, d]; everything else in `weight` is exactly 0.
        sparsity: achieved share of removed weights, in [0, 1].
        dead: columns whose input was always zero, ascending.
        fallbacks: one sentence for each departure from the plain computation (extra damping, ...); empty when none.
    """

    weight: Tensor
    kept: Tensor
    sparsity: float
    dead: tuple[int, ...]
    fallbacks: tuple[str, ...]


def solution(weight: Tensor, kept: Tensor, *, dead: tuple[int, ...], fallbacks: tuple[str, ...]) -> Solution:
    """A Solution whose sparsity is counted from `kept` [R, d]."""
    removed = kept.numel() - int(kept.count_nonzero())
    return Solution(weight, kept, removed / kept.numel(), dead, fallbacks)
