"""What every table relies on in a pruner, tried on one layer whose inputs are correlated, and one of them dead."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from spade.errors import InputError
from spade.layer_solutions import LayerSolutions
from spade.protocol import protocol
from spade.pruners import SOLVERS, Pruner

from . import global_randomness
from .finding import Finding, Question, answered, raised

ROWS, COLUMNS, IMAGES = 12, 24, 256
RATIOS = (0.5, 0.9)
CHANGED = "the weights change with torch's global generator"
_SLACK = 0.02 + 1 / COLUMNS  # of the ratio: a pruner may round by the row


@dataclass(frozen=True, eq=False)
class Problem:
    """A layer to prune: `weight` [ROWS, COLUMNS] fp32 and the `hessian` [COLUMNS, COLUMNS] fp64 of its inputs."""

    weight: Tensor
    hessian: Tensor

    def error(self, pruned: Tensor) -> float:
        """How much the layer's outputs change: tr((W - W') H (W - W')^T)."""
        gap = (self.weight - pruned).double()
        return float((gap @ self.hessian @ gap.T).trace())


def problem(*, dead: bool = False) -> Problem:
    """A layer whose inputs are correlated and of very different size; with `dead`, one input is always 0."""
    draw = torch.Generator().manual_seed(11)
    weight = torch.randn(ROWS, COLUMNS, generator=draw)
    mix = torch.randn(COLUMNS, COLUMNS, generator=draw, dtype=torch.float64) / COLUMNS**0.5 + torch.eye(COLUMNS)
    inputs = torch.randn(IMAGES, COLUMNS, generator=draw, dtype=torch.float64) @ mix
    inputs *= torch.logspace(-1, 1, COLUMNS, dtype=torch.float64)
    if dead:
        inputs[:, 5] = 0
    return Problem(weight, inputs.T @ inputs / IMAGES)


def built_in(name: str) -> Pruner:
    """OBC or SparseGPT as a pruner, so that both are held to the same."""

    def prune(weight: Tensor, hessian: Tensor, ratio: float) -> Tensor:
        # Drawing first weights would move torch's global generator on.
        layer = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0], bias=False)
        layer.weight = nn.Parameter(weight)
        return LayerSolutions(layer, hessian[None], solver=name, protocol=protocol("ours")).solve(ratio).weight

    return Pruner(SOLVERS[name], prune)


def findings(name: str, pruner: Pruner) -> Iterator[Finding]:
    """One finding a question; a question whose answer raises does not hold, and the next is asked."""
    layer = problem()

    def pruned(ratio: float = RATIOS[0], of: Problem = layer) -> Tensor:
        return pruner.prune(of.weight.clone(), of.hessian.clone(), ratio)

    try:
        first = pruned()
    except Exception as fault:  # noqa: BLE001 - whatever a plug-in raises is the finding
        yield Finding("it prunes a layer", holds=False, found=raised(fault))
        return
    if not isinstance(first, Tensor):
        yield Finding("it prunes a layer", holds=False, found=f"it gave a {type(first).__name__}, no tensor of weights")
        return
    yield Finding("it prunes a layer", holds=True, found=f"{ROWS} rows, {COLUMNS} columns")
    same = first.shape == layer.weight.shape and first.dtype == layer.weight.dtype
    said = f"{list(first.shape)} {first.dtype} for {list(layer.weight.shape)} {layer.weight.dtype}"
    yield Finding("shape and dtype of the weights", same, said)
    finite = bool(torch.isfinite(first).all())
    yield Finding("finite weights", finite, "all are finite" if finite else "NaN or infinite values")
    if not same or not finite:
        return
    questions: tuple[tuple[str, Question], ...] = (
        ("the asked share of the weights is exactly 0", lambda: _share(pruned)),
        ("ratio 1 leaves nothing", lambda: _nothing(pruned(1.0))),
        ("the same layer gives the same weights", lambda: _equal(first, pruned())),
        ("no randomness but its arguments'", lambda: global_randomness.of_torch(first, pruned, changed=CHANGED)),
        ("weights and Hessian are not changed", lambda: _kept(pruner)),
        ("a dead input, whose Hessian is singular", lambda: _dead(pruned)),
        ("less harm than removing the largest weights", lambda: _harm(layer, first)),
        ("through the door that tables use, a grouped convolution too", lambda: _door(name)),
    )
    for asked, question in questions:
        yield answered(asked, question)


Pruned = Callable[..., Tensor]


def _share(pruned: Pruned) -> tuple[bool, str]:
    shares = {ratio: float((pruned(ratio) == 0).float().mean()) for ratio in RATIOS}
    close = all(abs(share - ratio) <= _SLACK for ratio, share in shares.items())
    return close, ", ".join(f"{share:.3f} at ratio {ratio:g}" for ratio, share in shares.items())


def _nothing(found: Tensor) -> tuple[bool, str]:
    left = int(found.count_nonzero())
    return not left, f"{left} of {found.numel()} weights are left"


def _equal(first: Tensor, second: Tensor) -> tuple[bool, str]:
    same = torch.equal(first, second)
    return same, "the two are equal, bit for bit" if same else "the two differ; seed what is random from the arguments"


def _kept(pruner: Pruner) -> tuple[bool, str]:
    mine, fresh = problem(), problem()
    pruner.prune(mine.weight, mine.hessian, RATIOS[0])
    changed = [
        said
        for said, one, other in (
            ("the weights", mine.weight, fresh.weight),
            ("the Hessian", mine.hessian, fresh.hessian),
        )
        if not torch.equal(one, other)
    ]
    return not changed, f"{' and '.join(changed)} were written into" if changed else "they are as they were"


def _dead(pruned: Pruned) -> tuple[bool, str]:
    finite = bool(torch.isfinite(pruned(of=problem(dead=True))).all())
    return finite, "finite weights" if finite else "NaN or infinite weights; damp the Hessian, or leave that column out"


def _harm(layer: Problem, first: Tensor) -> tuple[bool, str]:
    order = layer.weight.abs().flatten().argsort(descending=True)
    worst = layer.weight.clone()
    worst.view(-1)[order[: int((first == 0).sum())]] = 0
    here, there = layer.error(first), layer.error(worst)
    return here < there, f"the outputs change by {here:.4g}; without the largest weights by {there:.4g}"


def _door(name: str) -> tuple[bool, str]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        layer = nn.Conv2d(4, 6, 3, groups=2)
    draw = torch.Generator().manual_seed(4)
    inputs = torch.randn(2, IMAGES, 18, generator=draw, dtype=torch.float64)
    hessians = inputs.transpose(1, 2) @ inputs / IMAGES
    try:
        found = LayerSolutions(layer, hessians, solver=name, protocol=protocol("ours")).solve(RATIOS[0])
    except InputError as fault:
        return False, str(fault)
    return True, f"two groups of 3 filters, {found.sparsity:.2f} of their weights removed"
