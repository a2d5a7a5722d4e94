"""The order in which OBC removes the weights of some rows, and what each step costs.

A row with alive columns A keeps w_A and G = inv(H_AA). A step removes the block B with the least
w_B^T (G_BB)^-1 w_B (for one column j: w_j^2 / G_jj) and updates w <- w - G_:B (G_BB)^-1 w_B and
G <- G - G_:B (G_BB)^-1 G_B: (Frantar and Alistarh 2022, algorithm 1 and its block form). Updating G at every step
would move all of it through memory for each weight. Here G is held as base - U^T U: a step adds the rows
u = L^-1 G_B: (L L^T = G_BB) to U and computes only the rows of G it needs, and after a panel of steps one matrix
product for each row folds U into a base that is also freed of the removed columns. The numbers are the same up to
rounding.
"""

import torch
from torch import Tensor

# On a CPU the bases of a few rows at a time are folded, so that they stay in its caches.
_CACHE = 4 * 2**20


def removal_order(w: Tensor, base: Tensor, *, block: int = 1) -> tuple[Tensor, Tensor]:
    """The blocks of each row in the order they go, int64, and the score of each step, both [r, m / block].

    Args:
        w: weights [r, m]. A block of exact zeros goes at no cost; among equal scores the first index goes.
        base: inv(H_AA) for the m columns, shared [m, m] or for each row [r, m, m], in the dtype of `w`.
        block: this many consecutive columns go together.
    """
    rows, m = w.shape
    state = _Columns(w.clone(), base) if block == 1 else _Blocks(w.clone(), base, block)
    blocks = torch.arange(m // block, device=w.device).expand(rows, -1)
    order, scores = [blocks[:, :0]], [w[:, :0]]
    memory = None
    while m:
        # Measured best for d = 64 to 1152: longer panels fold less often, shorter ones read less of U at each step.
        steps = min(max(1, round(2.5 * m**0.5 / block)), m // block)
        U, removed, costs = _panel(state, base, steps, block)
        order.append(blocks.gather(1, removed))
        scores.append(costs)
        keep = _others(removed, m // block)
        blocks = blocks.gather(1, keep)
        keep = _columns(keep, block)
        m = keep.shape[1]
        if m:
            base = memory = _folded(base, U, keep, memory)
            state.compact(keep)
    return torch.cat(order, 1), torch.cat(scores, 1)


class _Columns:
    """Weights w and the diagonal g of G [r, m] while single columns are removed."""

    def __init__(self, w: Tensor, base: Tensor) -> None:
        self.w = w
        self.g = base.diagonal(dim1=-2, dim2=-1).expand(len(w), -1).clone()

    def choose(self) -> tuple[Tensor, Tensor]:
        """The least score of each row and its column, both [r, 1]."""
        cost, j = (self.w * self.w).div_(self.g).min(1, keepdim=True)
        return cost, j

    def remove(self, j: Tensor, G_j: Tensor, u: Tensor) -> None:
        """Remove column j [r, 1] whose row of G is G_j [r, 1, m]; writes u [r, 1, m]."""
        scale = G_j.gather(2, j[:, None]).rsqrt_()
        torch.mul(G_j, scale, out=u)
        w_j = self.w.gather(1, j).mul_(scale[:, 0])
        u = u[:, 0]
        self.w.addcmul_(u, w_j, value=-1)
        self.g.addcmul_(u, u, value=-1)
        # A removed column stays in the panel, where its score is infinite; what changes there is rounding noise.
        self.w.scatter_(1, j, torch.inf)
        self.g.scatter_(1, j, 1)

    def compact(self, keep: Tensor) -> None:
        """Forget every column but those at `keep` [r, m']."""
        self.w, self.g = self.w.gather(1, keep), self.g.gather(1, keep)


class _Blocks:
    """Weights w [r, m] and the diagonal blocks D of G [r, m / k, k, k] while blocks of k columns are removed."""

    def __init__(self, w: Tensor, base: Tensor, k: int) -> None:
        self.w, self.k = w, k
        m = w.shape[1]
        diagonal = base.unflatten(-1, (m // k, k)).unflatten(-3, (m // k, k)).diagonal(dim1=-4, dim2=-2)
        self.D = diagonal.movedim(-1, -3).expand(len(w), -1, -1, -1).clone()
        self.gone = torch.zeros(w.shape[0], m // k, dtype=torch.bool, device=w.device)

    def choose(self) -> tuple[Tensor, Tensor]:
        """The least score of each row and its block, both [r, 1]."""
        w_B = self.w.unflatten(1, (-1, self.k))
        factor = torch.linalg.cholesky_ex(self.D)[0]
        score = torch.linalg.solve_triangular(factor, w_B[..., None], upper=False).square_().sum((2, 3))
        cost, B = score.masked_fill_(self.gone, torch.inf).min(1, keepdim=True)
        return cost, B

    def remove(self, B: Tensor, G_B: Tensor, u: Tensor) -> None:
        """Remove block B [r, 1] whose rows of G are G_B [r, k, m]; writes u [r, k, m]."""
        columns = _columns(B, self.k)
        factor = torch.linalg.cholesky_ex(G_B.gather(2, columns[:, None].expand(-1, self.k, -1)))[0]
        u.copy_(torch.linalg.solve_triangular(factor, G_B, upper=False))
        y = torch.linalg.solve_triangular(factor, self.w.gather(1, columns)[..., None], upper=False)
        self.w -= (y.mT @ u)[:, 0]
        u_B = u.unflatten(2, (-1, self.k)).transpose(1, 2)
        self.D -= u_B.mT @ u_B
        # A removed block stays in the panel; its own block becomes one that factors, and its score is not looked at.
        rows = torch.arange(len(B), device=B.device)
        self.D[rows, B[:, 0]] = torch.eye(self.k, dtype=u.dtype, device=u.device)
        self.w.scatter_(1, columns, 0)
        self.gone.scatter_(1, B, value=True)

    def compact(self, keep: Tensor) -> None:
        """Forget every column but those at `keep` [r, m']."""
        blocks = keep[:, :: self.k] // self.k
        self.w = self.w.gather(1, keep)
        self.D = self.D.gather(1, blocks[:, :, None, None].expand(-1, -1, self.k, self.k))
        self.gone = self.gone.gather(1, blocks)


def _panel(state: _Columns | _Blocks, base: Tensor, steps: int, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """Remove `steps` blocks of each row: U [r, steps * k, m], the blocks' positions and scores [r, steps]."""
    rows, m = state.w.shape
    U = state.w.new_empty(rows, steps * k, m)
    removed, costs = [], []
    first = _first_rows(base, rows)
    base = base.reshape(-1, m)
    for t in range(steps):
        cost, B = state.choose()
        columns = B if k == 1 else _columns(B, k)
        G_B = base.index_select(0, (first + columns).flatten()).view(rows, k, m)
        if t:
            past = U[:, : t * k]
            G_B.baddbmm_(past.gather(2, columns[:, None].expand(-1, t * k, -1)).mT, past, alpha=-1)
        state.remove(B, G_B, U[:, t * k : (t + 1) * k])
        removed.append(B)
        costs.append(cost)
    return U, torch.cat(removed, 1), torch.cat(costs, 1)


def _columns(blocks: Tensor, k: int) -> Tensor:
    """The columns of blocks [r, n] in their order [r, n * k]."""
    return (blocks[:, :, None] * k + torch.arange(k, device=blocks.device)).flatten(1)


def _first_rows(base: Tensor, rows: int) -> Tensor:
    """Where the base of each row begins [r, 1] once all bases lie below each other."""
    if base.ndim == 2:
        return torch.zeros(rows, 1, dtype=torch.int64, device=base.device)
    return torch.arange(0, rows * base.shape[1], base.shape[1], device=base.device)[:, None]


def _others(removed: Tensor, m: int) -> Tensor:
    """The positions below m that are not removed, ascending [r, m - steps]."""
    alive = torch.ones(len(removed), m, dtype=torch.bool, device=removed.device).scatter_(1, removed, value=False)
    return alive.nonzero()[:, 1].view(len(removed), -1)


def _folded(base: Tensor, U: Tensor, keep: Tensor, memory: Tensor | None) -> Tensor:
    """The new base, base - U^T U on the kept columns [r, m', m'].

    It is written to the front of `memory`, which may be that of the old base; None takes new memory.
    """
    rows, m = keep.shape
    old = base.shape[-1]
    memory = base.new_empty(rows * m * m) if memory is None else memory
    new = memory.view(-1)[: rows * m * m].view(rows, m, m)
    first = _first_rows(base, rows)
    base = base.reshape(-1, old)
    together = max(1, _CACHE // (base.element_size() * m * m)) if base.is_cpu else rows
    for start in range(0, rows, together):
        some = slice(start, start + together)
        columns = keep[some, None]
        u = U[some].gather(2, columns.expand(-1, U.shape[1], -1))
        # Copied first: the new bases are written from the front of the memory the old ones are read from.
        kept_rows = base.index_select(0, (first[some] + keep[some]).flatten()).view(-1, m, old)
        torch.gather(kept_rows, 2, columns.expand(-1, m, -1), out=new[some])
        new[some].baddbmm_(u.mT, u, alpha=-1)
    return new
