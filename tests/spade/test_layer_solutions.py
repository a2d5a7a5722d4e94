import math
from dataclasses import replace
from fractions import Fraction
from typing import Any, Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from spade import layer_hessians
from spade.errors import InputError
from spade.gram import PrunableLayer
from spade.layer_hessians import LayerHessians
from spade.layer_solutions import LayerSolutions, Solver, solve_together
from spade.protocol import PROTOCOLS, Protocol
from spade.solver import obc, reference, sparsegpt
from spade.solver.hessian import Hessian, positive_definite
from spade.solver.solution import Solution

OURS, OFFICIAL = PROTOCOLS["ours"], PROTOCOLS["official"]


def layer_of(kind: str, seed: int = 0) -> PrunableLayer:
    kinds: dict[str, PrunableLayer] = {
        "linear": nn.Linear(6, 5, dtype=torch.float64),
        "conv": nn.Conv2d(4, 3, (3, 2), dtype=torch.float64),
        "pointwise": nn.Conv2d(6, 5, 1, dtype=torch.float64),
        "grouped": nn.Conv2d(4, 6, (3, 2), groups=2, dtype=torch.float64),
        "depthwise": nn.Conv2d(4, 4, 3, groups=4, dtype=torch.float64),
    }
    layer = kinds[kind]
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator))
    return layer


def hessians_of(layer: PrunableLayer, seed: int = 1) -> Tensor:
    """Correlated inputs of one Hessian a group, of different sizes."""
    groups = layer.groups if isinstance(layer, nn.Conv2d) else 1
    d = layer.weight.flatten(1).shape[1]
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(groups, d, 40, generator=generator, dtype=torch.float64) + 0.5
    return (x @ x.mT) * torch.arange(1, groups + 1, dtype=torch.float64).view(-1, 1, 1)


def damped(hessian: Tensor) -> Tensor:
    return hessian + 0.01 * hessian.diagonal().mean() * torch.eye(len(hessian), dtype=torch.float64)


def exact(n: int, ratio: float) -> int:
    return math.ceil(n * Fraction(repr(ratio)))


def plain_obc(weights: list[Tensor], hessians: list[Tensor], ratio: float, *, block: int = 1) -> Tensor:
    """All groups' steps in one sorted list; each row loses as many blocks as it has steps in the first part of it."""
    paths = [reference.obc_order(w, h, block=block) for w, h in zip(weights, hessians, strict=True)]
    steps = sorted(
        (float(loss), g, row)
        for g, (_, losses) in enumerate(paths)
        for row, of_row in enumerate(losses)
        for loss in of_row
    )
    kept = [torch.ones_like(w, dtype=torch.bool) for w in weights]
    lost = [[0] * len(w) for w in weights]
    for _, g, row in steps[: exact(len(steps), ratio)]:
        start = int(paths[g][0][row, lost[g][row]]) * block
        kept[g][row, start : start + block] = False
        lost[g][row] += 1
    return torch.cat([reference.least_squares(w, h, k) for w, h, k in zip(weights, hessians, kept, strict=True)])


def plain_sparsegpt(weights: list[Tensor], hessians: list[Tensor], ratio: float) -> Tensor:
    """All groups' scores in one sorted list, the score of a weight being its loss when only later columns may react."""
    d = weights[0].shape[1]
    scores = sorted(
        (float(w[row, j] ** 2 / torch.linalg.inv(h[j:, j:])[0, 0]), g)
        for g, (w, h) in enumerate(zip(weights, hessians, strict=True))
        for row in range(len(w))
        for j in range(d)
    )
    gone = [g for _, g in scores[: exact(len(scores), ratio)]]
    return torch.cat(
        [
            reference.sparsegpt(w, h, sizes=[d], counts=[gone.count(g)])
            for g, (w, h) in enumerate(zip(weights, hessians, strict=True))
        ]
    )


@pytest.mark.parametrize("ratio", [0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("kind", ["linear", "conv", "pointwise", "grouped", "depthwise"])
class TestAgainstTheOracle:
    def test_obc_selects_over_all_groups_of_the_layer(self, kind: str, ratio: float) -> None:
        layer = layer_of(kind)
        hessians = hessians_of(layer)
        found = LayerSolutions(layer, hessians, solver="obc", protocol=OURS).solve(ratio)
        weights = list(layer.weight.detach().flatten(1).chunk(len(hessians)))
        plain = plain_obc(weights, [damped(h) for h in hessians], ratio)
        assert torch.allclose(found.weight, plain, atol=1e-9)
        assert torch.equal(found.kept, plain != 0)

    def test_sparsegpt_selects_over_all_groups_of_the_layer(self, kind: str, ratio: float) -> None:
        layer = layer_of(kind)
        hessians = hessians_of(layer)
        found = LayerSolutions(layer, hessians, solver="sparsegpt", protocol=OURS).solve(ratio)
        weights = list(layer.weight.detach().flatten(1).chunk(len(hessians)))
        plain = plain_sparsegpt(weights, [damped(h) for h in hessians], ratio)
        assert torch.allclose(found.weight, plain, atol=1e-9)
        assert torch.equal(found.kept, plain != 0)

    def test_blocks_of_the_kernel_are_neighbouring_channels_at_one_tap(self, kind: str, ratio: float) -> None:
        layer = layer_of(kind)
        hessians = hessians_of(layer)
        protocol = replace(OURS, obc_block="kernel")
        found = LayerSolutions(layer, hessians, solver="obc", protocol=protocol).solve(ratio)
        taps = math.prod(layer.weight.shape[2:])
        d = layer.weight.flatten(1).shape[1]
        # Column (channel, tap) of the weight is column (tap, channel) of the blocks.
        place = [c * taps + tap for tap in range(taps) for c in range(d // taps)]
        weights = list(layer.weight.detach().flatten(1)[:, place].chunk(len(hessians)))
        plain = torch.empty(found.weight.shape, dtype=torch.float64)
        plain[:, place] = plain_obc(weights, [damped(h)[place][:, place] for h in hessians], ratio, block=taps)
        assert torch.allclose(found.weight, plain, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["linear", "conv", "grouped", "depthwise"]),
    solver=st.sampled_from(["obc", "sparsegpt"]),
    ratio=st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.2, 0.55, 0.99, 1.0])),
    seed=st.integers(0, 20),
)
def test_exactly_the_asked_share_goes(kind: str, solver: Solver, ratio: float, seed: int) -> None:
    layer = layer_of(kind, seed)
    found = LayerSolutions(layer, hessians_of(layer), solver=solver, protocol=OURS).solve(ratio)
    n = layer.weight.numel()
    assert int((~found.kept).sum()) == exact(n, ratio)
    assert found.sparsity == exact(n, ratio) / n
    assert not found.weight[~found.kept].any()


@pytest.mark.parametrize("kind", ["conv", "grouped"])
def test_the_published_groups_of_sparsegpt_are_single_input_channels(kind: str) -> None:
    layer = layer_of(kind)
    found = LayerSolutions(layer, hessians_of(layer), solver="sparsegpt", protocol=OFFICIAL).solve(0.5)
    # 6 taps under 3 rows a group: int(18 * .5) + 1 = 10 of the 18 weights of each channel go.
    lost = (~found.kept).unflatten(1, (-1, 6)).unflatten(0, (-1, 3)).sum(dim=(1, 3))
    assert set(lost.flatten().tolist()) == {10}


@pytest.mark.parametrize("solver", ["obc", "sparsegpt"])
@pytest.mark.parametrize("protocol", [OURS, OFFICIAL], ids=lambda protocol: protocol.name)
class TestLaziness:
    def test_at_ratio_zero_the_weights_are_those_of_the_layer_and_nothing_is_solved(
        self, solver: Solver, protocol: Protocol
    ) -> None:
        layer = layer_of("conv")
        unusable = torch.full((1, 24, 24), torch.nan, dtype=torch.float64)
        found = LayerSolutions(layer, unusable, solver=solver, protocol=protocol).solve(0)
        assert torch.equal(found.weight, layer.weight.flatten(1))
        assert found.sparsity == 0
        assert found.kept.all()

    def test_the_layer_is_worked_through_once_and_each_ratio_solved_once(
        self, solver: Solver, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls: list[str] = []
        module, name = {"obc": (obc, "eliminate"), "sparsegpt": (sparsegpt, "factor_of")}[solver]
        original = getattr(module, name)

        def counting(*args: Any, **options: Any) -> Any:
            calls.append(name)
            return original(*args, **options)

        monkeypatch.setattr(module, name, counting)
        layer = layer_of("conv")
        solutions = LayerSolutions(layer, hessians_of(layer), solver=solver, protocol=protocol)
        assert solutions.solve(0.5) is solutions.solve(0.5)
        assert solutions.solve(0.9) is not solutions.solve(0.5)
        assert calls == [name]

    def test_later_changes_of_the_layer_do_not_matter(self, solver: Solver, protocol: Protocol) -> None:
        layer, other = layer_of("conv"), layer_of("conv")
        solutions = LayerSolutions(layer, hessians_of(layer), solver=solver, protocol=protocol)
        with torch.no_grad():
            layer.weight.zero_()
        expected = LayerSolutions(other, hessians_of(other), solver=solver, protocol=protocol)
        assert torch.equal(solutions.solve(0.5).weight, expected.solve(0.5).weight)


def test_hessians_are_rounded_as_the_protocol_says(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.dtype] = []
    original = positive_definite

    def noting(hessian: Tensor, **options: Any) -> Hessian:
        seen.append(hessian.dtype)
        return original(hessian, **options)

    monkeypatch.setattr(layer_hessians, "positive_definite", noting)
    layer = layer_of("conv")
    for protocol in (OURS, OFFICIAL):
        LayerSolutions(layer, hessians_of(layer), solver="sparsegpt", protocol=protocol).solve(0.5)
    assert seen == [torch.float64, torch.float32]


@pytest.mark.parametrize(("protocol", "factorisations"), [(OURS, 1), (OFFICIAL, 2)], ids=["ours", "official"])
def test_both_solvers_share_a_factorisation_where_they_damp_alike(protocol: Protocol, factorisations: int) -> None:
    layer = layer_of("conv")
    shared = LayerHessians(hessians_of(layer))
    for solver in ("obc", "sparsegpt"):
        together = LayerSolutions(layer, shared, solver=solver, protocol=protocol)
        alone = LayerSolutions(layer, hessians_of(layer), solver=solver, protocol=protocol)
        for ratio in (0.5, 0.9):
            assert torch.equal(together.solve(ratio).weight, alone.solve(ratio).weight)
    assert shared.work == {"factorisations": factorisations, "eliminations": 1, "sweeps": 2}


@pytest.mark.parametrize("protocol", [OURS, OFFICIAL], ids=["ours", "official"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_layers_swept_together_have_the_bits_they_have_alone(
    protocol: Protocol, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two shapes among seven layers, one in groups; three ratios; each seed another layer and another image.
    kinds = ["conv", "conv", "linear", "grouped", "conv", "linear", "conv"]
    layers = [layer_of(kind, seed).to(dtype) for seed, kind in enumerate(kinds)]
    ratios = [0.5, 0.5, 0.5, 0.7, 0.9, 0.5, 0.5]
    solved = [
        [LayerSolutions(layer, hessians_of(layer), solver="sparsegpt", protocol=protocol) for layer in layers]
        for _ in range(2)
    ]
    batches: list[int] = []
    original = sparsegpt.prune_batch

    def noting(weight: Tensor, *args: Any, **options: Any) -> list[Solution]:
        batches.append(len(weight) if weight.ndim == 3 else 1)
        return original(weight, *args, **options)

    monkeypatch.setattr(sparsegpt, "prune_batch", noting)
    solve_together(zip(solved[0], ratios, strict=True))
    assert sorted(batches)[-2:] == [2, 3]  # the linear layers, and three convolutions at 0.5
    for together, alone, ratio in zip(*solved, ratios, strict=True):
        assert torch.equal(together.solve(ratio).weight, alone.solve(ratio).weight)


def test_a_solver_that_fails_is_told_or_leaves_the_layer_dense() -> None:
    layer = layer_of("conv")
    # The published count has no threshold at ratio 1.
    dense = LayerSolutions(layer, hessians_of(layer), solver="sparsegpt", protocol=OFFICIAL).solve(1)
    assert torch.equal(dense.weight, layer.weight.flatten(1))
    assert dense.sparsity == 0
    assert "left dense, its solver failed" in dense.fallbacks[0]
    raising = replace(OFFICIAL, failed_layer="raise")
    with pytest.raises(InputError, match="no threshold at sparsity 1"):
        LayerSolutions(layer, hessians_of(layer), solver="sparsegpt", protocol=raising).solve(1)


@pytest.mark.parametrize("solver", ["obc", "sparsegpt"])
@pytest.mark.parametrize("block", ["unstructured", "kernel"])
def test_dead_inputs_are_named_in_the_layers_own_order(
    solver: Solver, block: Literal["unstructured", "kernel"]
) -> None:
    layer = layer_of("grouped")
    hessians = hessians_of(layer)
    hessians[0, 7] = hessians[0, :, 7] = 0
    hessians[1, 2] = hessians[1, :, 2] = 0
    protocol = replace(OURS, obc_block=block)
    found = LayerSolutions(layer, hessians, solver=solver, protocol=protocol).solve(0.5)
    assert found.dead == (7, 12 + 2)


@pytest.mark.parametrize("ratio", [-0.1, 1.1, math.nan])
def test_a_ratio_that_is_no_share_is_refused(ratio: float) -> None:
    layer = layer_of("linear")
    with pytest.raises(InputError, match="between 0 and 1"):
        LayerSolutions(layer, hessians_of(layer), solver="obc", protocol=OURS).solve(ratio)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_weights_keep_their_dtype(dtype: torch.dtype) -> None:
    layer = layer_of("conv")
    layer.to(dtype)
    assert LayerSolutions(layer, hessians_of(layer), solver="obc", protocol=OURS).solve(0.5).weight.dtype == dtype
