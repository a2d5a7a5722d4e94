"""The best weights for a given mask, for many rows at once.

A row keeps the columns S of the dense weights w0 and loses the others, P. The weights that minimise
(w - w0) H (w - w0)^T solve H_SS w_S = (H w0)_S; equally, with G = H^-1, they are w0 - G_:P (G_PP)^-1 w0_P. Either is
solved in float64, whichever has the smaller matrix; the second is refined by one step on its residual, since it goes
through an inverse.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

# Rows are solved together while the smallest system is at least this share of the largest (the others are padded) ...
_SIMILAR = 0.75
# ... and the float64 matrices of a group take no more than this.
_BYTES = 16 * 2**20


def closest(weight: Tensor, hessian: Tensor, kept: Tensor, *, inverse: Callable[[], Tensor]) -> Tensor:
    """The weights [R, d] that are zero where `kept` [R, d] is False and closest to `weight` in the Hessian's norm.

    Rows that keep everything come back bit for bit; the rest is solved in float64 and rounded to the dtype of `weight`.
    `hessian` is positive definite [d, d], float64; its `inverse` is asked for only if a row keeps more than half.
    """
    n = kept.sum(1)
    d = kept.shape[1]
    sparse = weight * kept
    for rows in _groups((n > 0) & (2 * n <= d), n):
        solved = _kept_system(weight[rows].double(), hessian, kept[rows])
        sparse[rows] = torch.where(kept[rows], solved, 0).to(weight.dtype)
    for rows in _groups((n < d) & (2 * n > d), d - n):
        solved = _removed_system(weight[rows].double(), hessian, inverse(), ~kept[rows])
        sparse[rows] = torch.where(kept[rows], solved, 0).to(weight.dtype)
    return sparse


def _groups(chosen: Tensor, sizes: Tensor) -> Iterator[Tensor]:
    """Indices of chosen rows whose systems are of similar size."""
    indices = chosen.nonzero()[:, 0]
    indices = indices[sizes[indices].argsort(descending=True, stable=True)]
    ordered = sizes[indices].tolist()
    start = 0
    while start < len(ordered):
        largest = ordered[start]
        most = start + max(1, _BYTES // (8 * largest**2))
        stop = next(
            (i for i in range(start, len(ordered)) if i == most or ordered[i] < _SIMILAR * largest), len(ordered)
        )
        yield indices[start:stop]
        start = stop


def _kept_system(w0: Tensor, H: Tensor, kept: Tensor) -> Tensor:
    columns, real = _padded(kept)
    rhs = (w0 @ H).gather(1, columns) * real
    solved = torch.cholesky_solve(rhs[:, :, None], _factors(H, columns, real))[:, :, 0]
    return _spread(solved, columns, real, w0)


def _removed_system(w0: Tensor, H: Tensor, G: Tensor, removed: Tensor) -> Tensor:
    columns, real = _padded(removed)
    factors = _factors(G, columns, real)

    def without(v: Tensor) -> Tensor:
        """The change of v that empties P: v - G_:P (G_PP)^-1 v_P."""
        x = torch.cholesky_solve((v.gather(1, columns) * real)[:, :, None], factors)[:, :, 0]
        return v - _spread(x, columns, real, v) @ G

    w = without(w0).masked_fill(removed, 0)
    residual = ((w0 - w) @ H).masked_fill(removed, 0)
    return w + without(residual @ G)


def _padded(mask: Tensor) -> tuple[Tensor, Tensor]:
    """The columns of each row where `mask` is True, filled up to the longest row [r, n], and which are real."""
    n = mask.sum(1, keepdim=True)
    longest = int(n.max())
    columns = (~mask).to(torch.uint8).argsort(dim=1, stable=True)[:, :longest]
    return columns, torch.arange(longest, device=mask.device) < n


def _factors(matrix: Tensor, columns: Tensor, real: Tensor) -> Tensor:
    """Cholesky factors of matrix[S, S] for each row's columns S [r, n, n]; padding is the identity."""
    r, n = columns.shape
    places = columns[:, :, None] * len(matrix) + columns[:, None]
    picked = matrix.flatten().index_select(0, places.flatten()).view(r, n, n)
    padding = slice(int(real.sum(1).min()), None)
    picked[:, padding] *= real[:, padding, None]
    picked[:, :, padding] *= real[:, None, padding]
    picked.diagonal(dim1=1, dim2=2).add_(~real)
    factors: Tensor = torch.linalg.cholesky_ex(picked)[0]
    return factors


def _spread(values: Tensor, columns: Tensor, real: Tensor, like: Tensor) -> Tensor:
    """Values [r, n] at their columns, zeros elsewhere, in the shape of `like`."""
    return torch.zeros_like(like).scatter_add_(1, columns, values * real)
