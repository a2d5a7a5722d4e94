"""How many weights go, and which: the count rules and the tie rule, each by name."""

import math
from fractions import Fraction
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError, nearest

CountRule = Literal["exact", "published"]


def check_sparsity(sparsity: float) -> float:
    """The ratio as a float in [0, 1].

    Raises:
        InputError: it is no number, NaN, or outside [0, 1].
    """
    try:
        ratio = float(sparsity)
    except (TypeError, ValueError):
        ratio = math.nan
    if not 0 <= ratio <= 1:
        raise InputError(f"A sparsity is the share of weights to remove, between 0 and 1; got {sparsity!r}.")
    return ratio


def check_count_rule(rule: str) -> None:
    """Nothing, for a known count rule.

    Raises:
        InputError: the rule has no such name.
    """
    if rule not in get_args(CountRule):
        raise InputError(f"Unknown count rule '{rule}'. {nearest(rule, get_args(CountRule))}")


def exact_count(n: int, sparsity: float) -> int:
    """ceil(n * sparsity), with the ratio read as the decimal it prints as.

    In floating point 100 * 0.55 is a little more than 55 and its ceiling 56; nobody who writes 0.55 means that.
    """
    return math.ceil(n * Fraction(repr(sparsity)))


def obc_count(n: int, sparsity: float, rule: CountRule) -> int:
    """How many of `n` weights (or blocks) OBC removes; `published` takes the ceiling of the floating-point product."""
    return exact_count(n, sparsity) if rule == "exact" else math.ceil(n * sparsity)


def sparsegpt_count(n: int, sparsity: float, rule: CountRule) -> int:
    """How many of a group's `n` weights SparseGPT removes.

    `published` is the notebook's `<= sorted[int(n * s)]`, one more than asked: s = 0 still removes one a group.

    Raises:
        InputError: the published rule at s = 1, whose threshold lies past the end of the group.
    """
    if rule == "exact":
        return exact_count(n, sparsity)
    count = int(n * sparsity) + 1
    if count > n:
        raise InputError(f"The published count rule has no threshold at sparsity {sparsity}; use count_rule='exact'.")
    return count


def share_of_rows(losses: Tensor, count: int) -> Tensor:
    """How many of the layer's `count` smallest step losses [R, n] fall in each row [R], int64.

    Equal losses are taken in reading order (row, then step), so the answer is one and only one.
    """
    return smallest(losses.reshape(1, -1), count).reshape(losses.shape).sum(1)


def smallest(scores: Tensor, count: int) -> Tensor:
    """True on the `count` smallest of each row of scores [..., n]; among equals the first index wins."""
    n = scores.shape[-1]
    if count in {0, n}:
        return torch.full_like(scores, count == n, dtype=torch.bool)
    threshold = _threshold(scores, count)
    chosen = scores <= threshold
    if int(chosen.count_nonzero()) > count * (scores.numel() // n):
        surplus = chosen.count_nonzero(-1)[..., None] - count
        equal = scores == threshold
        chosen &= ~equal | (equal.cumsum(-1) <= equal.count_nonzero(-1)[..., None] - surplus)
    return chosen


def up_to_threshold(scores: Tensor, count: int) -> Tensor:
    """True on every score not above the `count`-th smallest of its row [..., n]: ties all go, as published."""
    return scores <= _threshold(scores, count)


def _threshold(scores: Tensor, count: int) -> Tensor:
    """The `count`-th smallest of each row [..., 1]."""
    if scores.is_cpu:
        # Without branches on the values, and so up to ten times faster than torch's topk.
        return torch.from_numpy(np.partition(scores.numpy(), count - 1, axis=-1)[..., count - 1 : count])
    # Many times faster than kthvalue.
    n = scores.shape[-1]
    if 2 * count <= n:
        return scores.topk(count, largest=False, sorted=False).values.amax(-1, keepdim=True)
    return scores.topk(n - count + 1, sorted=False).values.amin(-1, keepdim=True)
