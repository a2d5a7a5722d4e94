"""The solvers against the published forms of their algorithms, on the Hessians of a network."""

from collections.abc import Callable
from functools import cache

import pytest
import torch
import torchvision
from torch import Tensor

from spade.gram import conv_gram
from spade.solver import obc, sparsegpt
from spade.solver.hessian import positive_definite
from spade.solver.reference import least_squares

pytestmark = pytest.mark.speed

LAYERS = {"64 x 576": "layer1.0.conv2", "128 x 1152": "layer2.0.conv2"}
Paired = Callable[..., None]
_CHUNK = 32  # rows the published OBC works on at once


@cache
def _hessians(layer: str, count: int) -> tuple[Tensor, Tensor]:
    """Weights [R, d] of a ResNet18 layer and its Hessians [count, d, d], each of 16 crops of one smooth image.

    Neighbouring taps and channels of a convolution see nearly the same, so these are correlated as those of
    photographs are; random matrices are not. Weights are drawn, not trained: no step of a solver costs more or less.
    """
    torch.manual_seed(0)
    network = torchvision.models.resnet18(weights=None).eval()
    convolution = network.get_submodule(layer)
    seen: list[Tensor] = []
    convolution.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    # Noise of several scales, the coarse ones strongest: the spectrum of photographs.
    sizes = [4, 8, 16, 32, 64]
    noise = [torch.nn.functional.interpolate(torch.randn(count, 3, n, n), 256, mode="bicubic") / n for n in sizes]
    images = 8 * torch.stack(noise).sum(0)
    with torch.no_grad():
        for image in images:
            corners = torch.randint(0, 256 - 128, (16, 2)).tolist()
            network(torch.stack([image[:, y : y + 128, x : x + 128] for y, x in corners]))
    weight = convolution.weight.detach().flatten(1)
    return weight, torch.stack([conv_gram(inputs, convolution)[0] for inputs in seen])


def _published_obc(w: Tensor, G: Tensor, steps: int, product: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """So many steps of OBC as published, on one chunk of rows: w [r, d], G [r, d, d]; both are used up.

    product: memory for the rank-1 products, like G; None asks for it anew each step, as published.
    """
    rows, d = w.shape
    each = torch.arange(rows)
    mask = torch.zeros_like(w, dtype=torch.bool)
    losses = torch.zeros(rows, d + 1)
    traces = torch.zeros(steps, rows, d)
    for step in range(steps):
        diagonal = torch.diagonal(G, dim1=1, dim2=2)
        scores = w**2 / diagonal
        scores[mask] = float("inf")
        j = torch.argmin(scores, 1)
        losses[:, step + 1] = scores[each, j] / 2
        row = G[each, j, :]
        pivot = diagonal[each, j]
        w -= row * (w[each, j] / pivot).unsqueeze(1)
        mask[each, j] = True
        w[mask] = 0
        traces[step] = w
        row /= torch.sqrt(pivot).unsqueeze(1)
        G -= torch.bmm(row.unsqueeze(2), row.unsqueeze(1), out=product)
    return losses, traces


def _published_sparsegpt(weight: Tensor, hessian: Tensor, sparsity: float, block: int) -> Tensor:
    """SparseGPT as published, column by column in blocks that each choose their mask."""
    W, H = weight.clone(), hessian.float()
    dead = torch.diag(H) == 0
    H[dead, dead] = 1
    W[:, dead] = 0
    each = torch.arange(len(H))
    H[each, each] += 0.01 * torch.diag(H).mean()
    U = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(H)), upper=True)
    for start in range(0, len(H), block):
        stop = start + block
        W_block, U_block = W[:, start:stop].clone(), U[start:stop, start:stop]
        Q, errors = torch.zeros_like(W_block), torch.zeros_like(W_block)
        scores = W_block**2 / torch.diag(U_block).reshape(1, -1) ** 2
        mask = scores <= torch.sort(scores.flatten())[0][int(scores.numel() * sparsity)]
        for i in range(block):
            w, pivot = W_block[:, i], U_block[i, i]
            q = w.clone()
            q[mask[:, i]] = 0
            Q[:, i] = q
            error = (w - q) / pivot
            W_block[:, i:] -= error.unsqueeze(1).matmul(U_block[i, i:].unsqueeze(0))
            errors[:, i] = error
        W[:, start:stop] = Q
        W[:, stop:] -= errors.matmul(U[start:stop, stop:])
    return W


@pytest.mark.parametrize(("shape", "target"), [("64 x 576", 40), ("128 x 1152", 50)])
@pytest.mark.parametrize("memory", ["asked for each step", "kept"])
def test_obc(paired: Paired, shape: str, target: float, memory: str) -> None:
    """The published form asks for as much memory as its Hessians have, at each step, and gives it back.

    What that costs is the allocator's affair: a fresh process maps the pages anew each time, one that has freed as much
    before does not. So it is measured as published, which the targets are for and which tox runs first, and with that
    memory kept, which is the arithmetic alone: 29 and 40 times where the other is 81 and 133.
    """
    weight, hessians = _hessians(LAYERS[shape], 1)
    rows, d = weight.shape
    base = positive_definite(hessians[0], damping=0.01).inverse().float()
    # Every published step moves the same bytes, so a few stand for all; the copies below are made once a chunk.
    steps = 24
    w = weight[:_CHUNK].clone()
    G = base.repeat(_CHUNK, 1, 1)
    product = torch.empty_like(G) if memory == "kept" else None

    def published() -> None:
        w.copy_(weight[:_CHUNK])
        _published_obc(w, G, steps, product)

    def restore() -> None:
        G.copy_(base)

    restore()
    paired(
        f"OBC, {shape}, all losses",
        lambda: obc.eliminate(weight, hessians[0]),
        other=f"published, memory {memory}",
        theirs=published,
        theirs_times=rows / _CHUNK * d / steps,
        target=None if memory == "kept" else target,
        rounds=3,
    )


@pytest.mark.parametrize(("shape", "batch"), [("64 x 576", 25), ("128 x 1152", 16)])
def test_batched_sparsegpt(paired: Paired, shape: str, batch: int) -> None:
    weight, hessians = _hessians(LAYERS[shape], batch)
    paired(
        f"SparseGPT, {shape}, {batch} examples at once",
        lambda: sparsegpt.prune_batch(weight, hessians, sparsity=0.9, group="column", block_size=9),
        other="published, one by one",
        theirs=lambda: [_published_sparsegpt(weight, H, 0.9, 9) for H in hessians],
        target=2,
        rounds=3,
    )


@pytest.mark.parametrize(("shape", "batch"), [("64 x 576", 25), ("128 x 1152", 16)])
def test_batched_sparsegpt_against_our_own(paired: Paired, shape: str, batch: int) -> None:
    """Each Hessian has its own triangular factor, batched or not, and at d = 1152 that is most of what is left.

    Of 46 ms an example takes alone and 30 ms in a batch (CPU time of one busy core), 23 are the factor; sweeping in a
    batch costs 8 instead of 27. A sweep that cost nothing would give 2.2 times: two times needs a factor that takes
    half as long, where the mixed-precision one alone, without its checks, takes 14 ms already.
    """
    weight, hessians = _hessians(LAYERS[shape], batch)
    paired(
        f"SparseGPT, {shape}, {batch} examples at once",
        lambda: sparsegpt.prune_batch(weight, hessians, sparsity=0.9, group="column", block_size=9),
        other="ours, one by one",
        theirs=lambda: [sparsegpt.prune(weight, H, sparsity=0.9, group="column", block_size=9) for H in hessians],
        target=2,
        rounds=3,
    )


@pytest.mark.parametrize("shape", LAYERS)
def test_a_ratio_read_from_an_elimination(paired: Paired, shape: str) -> None:
    weight, hessians = _hessians(LAYERS[shape], 1)
    path = obc.eliminate(weight, hessians[0])
    paired(
        f"OBC, {shape}, weights at 0.9",
        lambda: path.solve(0.9),
        other="row by row",
        theirs=lambda: least_squares(weight, path.hessian, path.solve(0.9).kept),
        rounds=3,
    )
