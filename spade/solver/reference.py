"""What the fast solvers must agree with: the same mathematics, one weight at a time, in float64.

Nothing here is meant to be fast; only tests call it.
"""

import torch
from torch import Tensor


def obc_order(weight: Tensor, hessian: Tensor, *, block: int = 1) -> tuple[Tensor, Tensor]:
    """The order in which OBC removes the blocks of each row and the loss of each step, both [R, d / block].

    Args:
        weight: [R, d].
        hessian: positive definite [d, d]; damping is the caller's.
        block: this many consecutive columns go at once; 1 is unstructured.

    Frantar and Alistarh 2022, algorithm 1 and its block form: at every step the block with the least
    w_B^T (G_BB)^-1 w_B goes (first index on ties), half of that is the loss, and G = inv(H_AA) loses its columns.
    """
    rows, d = weight.shape
    blocks = d // block
    H = hessian.double()
    order = torch.zeros(rows, blocks, dtype=torch.int64)
    losses = torch.zeros(rows, blocks, dtype=torch.float64)
    for i in range(rows):
        w = weight[i].double().clone()
        alive = list(range(blocks))
        for step in range(blocks):
            A = _columns(alive, block)
            G = torch.linalg.inv(H[A][:, A])
            scores = []
            for position in range(len(alive)):
                B = slice(position * block, (position + 1) * block)
                scores.append(float(w[A][B] @ torch.linalg.solve(G[B, B], w[A][B])))
            position = scores.index(min(scores))
            B = slice(position * block, (position + 1) * block)
            w[A] -= G[:, B] @ torch.linalg.solve(G[B, B], w[A][B])
            order[i, step] = alive[position]
            losses[i, step] = scores[position] / 2
            w[_columns([alive.pop(position)], block)] = 0
    return order, losses


def least_squares(weight: Tensor, hessian: Tensor, kept: Tensor) -> Tensor:
    """The weights [R, d], float64, that are zero where `kept` is False and closest to `weight` in the Hessian norm.

    Solves H_SS w_S = (H w0)_S row by row.
    """
    H = hessian.double()
    sparse = torch.zeros(weight.shape, dtype=torch.float64)
    for i, S in enumerate(kept):
        if S.any():
            sparse[i, S] = torch.linalg.solve(H[S][:, S], (H @ weight[i].double())[S])
    return sparse


def sparsegpt(weight: Tensor, hessian: Tensor, *, sizes: list[int], counts: list[int]) -> Tensor:
    """SparseGPT's weights [R, d], float64, column by column.

    Args:
        weight: [R, d].
        hessian: positive definite [d, d]; damping is the caller's.
        sizes: widths of the groups of consecutive columns that choose their mask together; they add up to d.
        counts: how many weights of each group go: those with the least w^2 / U_jj^2 when the group begins (first
            index on ties).

    Frantar and Alistarh 2023, algorithm 1: U is the upper Cholesky factor of H^-1, and a removed weight w_j changes
    the later ones by -w_j U_j,: / U_jj.
    """
    W = weight.double().clone()
    U = torch.linalg.cholesky(torch.linalg.inv(hessian.double()), upper=True)
    start = 0
    for size, count in zip(sizes, counts, strict=True):
        group = slice(start, start + size)
        scores = (W[:, group] / U.diagonal()[group]).square().flatten()
        gone = torch.zeros_like(scores, dtype=torch.bool)
        gone[scores.argsort(stable=True)[:count]] = True
        for j, mask in enumerate(gone.reshape(-1, size).T, start):
            error = torch.where(mask, W[:, j], 0) / U[j, j]
            W[:, j:] -= torch.outer(error, U[j, j:])
            W[mask, j] = 0
        start += size
    return W


def _columns(blocks: list[int], block: int) -> list[int]:
    return [b * block + offset for b in blocks for offset in range(block)]
