"""The upper triangular factor R of a positive definite matrix: H = R R^T.

A Cholesky factorisation with rows and columns reversed: entry (i, j) of R belongs to what the inputs after j leave of
inputs i and j.

In float32 alone it would cost three digits and change masks: the inputs of a layer share a mean and are correlated, so
H is large beside what the inputs leave of each other. Nearly all of that is gone once a few inputs are taken out.
`mixed_factor` therefore takes the last `_ACCURATE` inputs out in float64 and factors only what they leave in float32.
On the layers of real networks that gives the masks float64 gives, in two thirds of its time (tests/speed).
"""

from collections.abc import Callable

import torch
from torch import Tensor

# Of 32 to 192 columns the best at d = 576 and 1152, in either precision.
_PANEL = 48
_ACCURATE = 2 * _PANEL
# LAPACK is as fast up to here.
_LARGE = 640
# Where inputs keep less than this share of the variance that the accurate part left them, float32 shows in the fifth
# digit of R; with more, R is as good as the float32 sweep that reads it.
_LEAST_SHARE = 0.05


def upper_factor(matrix: Tensor) -> Tensor | None:
    """R [d, d], upper triangular, of `matrix` [d, d], float64; None where a pivot is not positive."""
    lower, failed = torch.linalg.cholesky_ex(matrix.flip(0, 1))
    return None if failed else lower.flip(0, 1)


def mixed_factor(matrix: Tensor) -> Tensor | None:
    """R [d, d] in float32 of `matrix` [d, d], float64; None where only float64 will do, or does not pay."""
    d = len(matrix)
    if d <= _LARGE or not matrix.is_cpu:
        return None
    first = d - _ACCURATE
    accurate = matrix[:, first:].clone()
    if not _factor(accurate, lambda start, stop: accurate[:stop, start - first : stop - first], first, d):
        return None
    behind = accurate[:first]

    def left(start: int, stop: int) -> Tensor:
        """What the accurate part leaves of a panel [stop, stop - start], in float32."""
        panel = torch.addmm(matrix[:stop, start:stop], behind[:stop], behind[start:stop].mT, alpha=-1)
        return panel.float()

    R = matrix.new_zeros(d, d, dtype=torch.float32)
    R[:, first:] = accurate
    if not _factor(R, left, 0, first):
        return None
    variance = matrix.diagonal()[:first] - behind.square().sum(1)
    shares = R.diagonal()[:first].double().square_().div_(variance)
    return R if shares.min() >= _LEAST_SHARE else None


def _factor(R: Tensor, panel: Callable[[int, int], Tensor], first: int, last: int) -> bool:
    """Write columns `first` to `last` of R; False where a pivot is not positive.

    Args:
        R: [d, n], whose last columns are those up to `last` or beyond. Entries below the diagonal become zeros.
        panel: rows before `stop` of the columns from `start` to `stop`, as the columns from `last` on leave them.
        first: column of the whole matrix.
        last: column of the whole matrix.
    """
    shift = len(R) - R.shape[1]
    for stop in range(last, first, -_PANEL):
        start = max(first, stop - _PANEL)
        rest = panel(start, stop)
        done = slice(stop - shift, last - shift)
        rest = torch.addmm(rest, R[:stop, done], R[start:stop, done].mT, alpha=-1)
        corner = upper_factor(rest[start:])
        if corner is None:
            return False
        columns = slice(start - shift, stop - shift)
        R[start:stop, columns] = corner
        R[stop:, columns] = 0
        identity = torch.eye(stop - start, dtype=R.dtype)
        inverse = torch.linalg.solve_triangular(corner, identity, upper=True)
        torch.mm(rest[:start], inverse.mT, out=R[:start, columns])
    return True
