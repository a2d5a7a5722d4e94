import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spade.errors import InputError
from spade.solver import obc, reference
from spade.solver.hessian import DeadInputs

Layers = Callable[..., tuple[Tensor, Tensor]]
RATIOS = (0.0, 0.1, 0.5, 0.9, 0.99, 1.0)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 5),
    blocks=st.integers(1, 12),
    block=st.sampled_from([1, 1, 1, 2, 3]),
    samples=st.integers(1, 60),
    dead=st.integers(0, 3),
    doubled=st.integers(0, 3),
    zeros=st.sampled_from([0.0, 0.0, 0.2, 0.9]),
)
def test_orders_losses_masks_and_weights_are_those_of_the_oracle(
    layer: Layers, seed: int, rows: int, blocks: int, block: int, samples: int, dead: int, doubled: int, zeros: float
) -> None:
    d = blocks * block
    dead, doubled = min(dead, d - 1), min(doubled, d - 1 - min(dead, d - 1))
    weight, H = layer(seed, rows, d, samples=samples, dead=dead, doubled=doubled, zeros=zeros)
    path = obc.eliminate(weight, H, block=block, dtype=torch.float64)
    assert path.fallbacks == ()
    live = weight.clone()
    live[:, list(path.dead)] = 0
    order, losses = reference.obc_order(live, path.hessian, block=block)
    assert path.order.equal(order.int())
    torch.testing.assert_close(path.losses, losses, rtol=1e-6, atol=1e-9)
    for sparsity in RATIOS:
        solution = path.solve(sparsity)
        kept = _oracle_mask(order, losses, math.ceil(round(rows * blocks * sparsity, 9)), block)
        assert solution.kept.equal(kept)
        expected = reference.least_squares(weight, path.hessian, kept)
        torch.testing.assert_close(solution.weight, expected, rtol=1e-6, atol=1e-8)


def _oracle_mask(order: Tensor, losses: Tensor, count: int, block: int) -> Tensor:
    """Weights of the steps that are not among the `count` smallest losses; row and step break ties."""
    steps = [(losses[i, t].item(), i, t) for i in range(len(losses)) for t in range(losses.shape[1])]
    kept = torch.ones(len(order), order.shape[1], dtype=torch.bool)
    taken = [row for _, row, _ in sorted(steps)[:count]]
    for row in range(len(order)):
        kept[row, order[row, : taken.count(row)]] = False
    return kept.repeat_interleave(block, 1)


def test_equal_scores_go_first_index_first() -> None:
    # Uncorrelated inputs of equal strength: the score is w^2, so |w| alone decides.
    path = obc.eliminate(torch.tensor([[2.0, -1.0, 1.0, 2.0]]), 3 * torch.eye(4))
    assert path.order.tolist() == [[1, 2, 0, 3]]


def test_more_columns_than_one_panel_are_still_those_of_the_oracle(layer: Layers) -> None:
    weight, H = layer(0, 3, 64)
    path = obc.eliminate(weight, H, dtype=torch.float64)
    order, losses = reference.obc_order(weight, path.hessian)
    assert path.order.equal(order.int())
    torch.testing.assert_close(path.losses, losses, rtol=1e-9, atol=1e-12)


def test_float32_loses_less_than_a_thousandth_of_the_error(layer: Layers) -> None:
    weight, H = layer(1, 16, 200)
    exact = obc.eliminate(weight, H, dtype=torch.float64)
    fast = obc.eliminate(weight.float(), H.float())
    assert fast.fallbacks == ()
    for sparsity in (0.2, 0.5, 0.9, 0.99):
        assert _error(fast, sparsity) <= 1.001 * _error(exact, sparsity)


def _error(path: obc.Elimination, sparsity: float) -> float:
    change = path.solve(sparsity).weight.double() - path.weight.double()
    return float((change @ path.hessian * change).sum())


@pytest.mark.parametrize("block", [None, 4])
@pytest.mark.parametrize("zeros", [0.0, 0.3])
def test_the_memory_changes_no_result(layer: Layers, block: int | None, zeros: float) -> None:
    weight, H = layer(2, 17, 48, dead=2, zeros=zeros)
    paths = [obc.eliminate(weight, H, block=block, dtype=torch.float64, memory=memory) for memory in (1, 10**5, 10**9)]
    for path in paths[1:]:
        assert path.order.equal(paths[0].order)
        torch.testing.assert_close(path.losses, paths[0].losses, rtol=1e-9, atol=1e-12)
        for sparsity in (0.3, 0.9):
            one, other = path.solve(sparsity), paths[0].solve(sparsity)
            assert one.kept.equal(other.kept)
            torch.testing.assert_close(one.weight, other.weight, rtol=1e-10, atol=1e-12)


def test_rising_sparsity_removes_nested_sets_of_the_exact_size(layer: Layers) -> None:
    path = obc.eliminate(*layer(3, 8, 30, dead=3, zeros=0.1))
    kept = torch.ones(8, 30, dtype=torch.bool)
    for sparsity in (0.0, 0.01, 0.1, 0.25, 0.5, 0.55, 0.8, 0.99, 1.0):
        solution = path.solve(sparsity)
        assert not (solution.kept & ~kept).any()
        assert int((~solution.kept).sum()) == math.ceil(round(240 * sparsity, 9))
        assert solution.sparsity == (~solution.kept).double().mean().item()
        kept = solution.kept


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_sparsity_zero_is_the_dense_layer_bit_for_bit(layer: Layers, dtype: torch.dtype) -> None:
    weight, H = layer(4, 3, 12, dead=2, zeros=0.2)
    weight = weight.to(dtype)
    solution = obc.prune(weight, H, sparsity=0)
    assert solution.weight.equal(weight)
    assert solution.weight.dtype == dtype
    assert solution.kept.all()
    assert solution.weight.data_ptr() != weight.data_ptr()


def test_sparsity_one_is_all_zero(layer: Layers) -> None:
    solution = obc.prune(*layer(5, 3, 12, dead=2), sparsity=1)
    assert not solution.weight.any()
    assert not solution.kept.any()
    assert solution.sparsity == 1


def test_dead_inputs_go_first_and_keep_their_weights_until_then(layer: Layers) -> None:
    weight, H = layer(6, 4, 10, dead=2)
    path = obc.eliminate(weight, H)
    assert path.dead == tuple((H.diagonal() == 0).nonzero()[:, 0].tolist())
    assert (path.losses[:, :2] == 0).all()
    some = path.solve(0.1)  # 4 of the 8 weights on dead inputs
    assert some.kept[:, H.diagonal() > 0].all()
    assert some.weight[some.kept].equal(weight[some.kept])


@pytest.mark.parametrize(("dead_inputs", "removed"), [("free", 0), ("ordinary", 0), ("zeroed", 2 * 4)])
def test_only_the_published_treatment_removes_dead_inputs_at_sparsity_zero(
    layer: Layers, dead_inputs: DeadInputs, removed: int
) -> None:
    weight, H = layer(6, 4, 10, dead=2)
    solution = obc.prune(weight, H, sparsity=0, dead_inputs=dead_inputs)
    assert int((~solution.kept).sum()) == removed
    assert len(solution.dead) == 2


def test_ordinary_dead_inputs_are_pruned_by_magnitude(layer: Layers) -> None:
    weight, H = layer(6, 1, 10, dead=2)
    path = obc.eliminate(weight, H, dead_inputs="ordinary", damping=0.01, dtype=torch.float64)
    order, losses = reference.obc_order(weight, path.hessian)
    assert path.order.equal(order.int())
    torch.testing.assert_close(path.losses, losses)


def test_a_layer_of_only_dead_inputs_loses_weights_in_reading_order() -> None:
    solution = obc.prune(torch.ones(2, 4), torch.zeros(4, 4), sparsity=0.5)
    assert solution.kept.tolist() == [[False] * 4, [True] * 4]
    assert solution.weight.tolist() == [[0.0] * 4, [1.0] * 4]
    assert solution.dead == (0, 1, 2, 3)


def test_a_row_of_zeros_stays_one_and_goes_first(layer: Layers) -> None:
    weight, H = layer(7, 4, 10)
    weight[2] = 0
    solution = obc.prune(weight, H, sparsity=0.25)
    assert solution.kept.sum(1).tolist() == [10, 10, 0, 10]
    assert solution.weight.equal(weight)


def test_a_singular_hessian_is_damped_more_and_told(layer: Layers) -> None:
    weight, H = layer(8, 4, 10, samples=3)
    solution = obc.prune(weight, H, sparsity=0.5, damping=0)
    assert solution.weight.isfinite().all()
    assert solution.fallbacks[0].startswith("singular Hessian: damping raised")
    assert solution.fallbacks[1].startswith("collinear inputs")


def test_collinear_inputs_are_eliminated_in_float64_and_told(layer: Layers) -> None:
    weight, H = layer(9, 4, 10, samples=3)
    fallen_back = obc.eliminate(weight, H, damping=1e-8)
    assert len(fallen_back.fallbacks) == 1
    assert "eliminated in float64" in fallen_back.fallbacks[0]
    asked = obc.eliminate(weight, H, damping=1e-8, dtype=torch.float64)
    assert asked.fallbacks == ()
    assert asked.order.equal(fallen_back.order)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_the_units_of_weights_and_activations_do_not_matter(layer: Layers, scale: float) -> None:
    weight, H = layer(10, 4, 20, dead=1)
    path = obc.eliminate(weight, H)
    scaled = obc.eliminate(weight * scale, H * scale)
    assert scaled.order.equal(path.order)
    torch.testing.assert_close(scaled.losses / scale**3, path.losses, rtol=1e-3, atol=1e-12)
    torch.testing.assert_close(scaled.solve(0.5).weight / scale, path.solve(0.5).weight, rtol=1e-9, atol=1e-12)


def test_what_is_given_is_left_alone(layer: Layers) -> None:
    weight, H = layer(11, 4, 20, dead=1, zeros=0.2)
    weight = weight.float().requires_grad_()
    before = weight.detach().clone(), H.clone()
    solution = obc.prune(weight, H, sparsity=0.5)
    assert weight.equal(before[0])
    assert H.equal(before[1])
    assert not solution.weight.requires_grad


def test_a_later_change_of_the_layer_does_not_reach_an_elimination(layer: Layers) -> None:
    weight, H = layer(12, 4, 20)
    path = obc.eliminate(weight, H)
    expected = path.solve(0.5).weight
    weight.zero_()
    assert path.solve(0.5).weight.equal(expected)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"block": 3}, "must divide the 10 inputs"),
        ({"block": 0}, "must divide the 10 inputs"),
        ({"dtype": torch.float16}, "working dtype"),
        ({"damping": -1.0}, "share of the mean diagonal"),
        ({"dead_inputs": "fre"}, "did you mean 'free'"),
        ({"sparsity": 2}, "between 0 and 1"),
        ({"count_rule": "publish"}, "did you mean 'published'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(layer: Layers, arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        obc.prune(*layer(13, 4, 10), **{"sparsity": 0.5} | arguments)  # type: ignore[arg-type]


def test_a_batch_of_hessians_is_refused(layer: Layers) -> None:
    weight, H = layer(13, 4, 10)
    with pytest.raises(InputError, match="one floating-point square matrix"):
        obc.prune(weight, H[None], sparsity=0.5)


def test_nan_in_the_hessian_is_told(layer: Layers) -> None:
    weight, H = layer(13, 4, 10)
    H[3, 3] = float("nan")
    with pytest.raises(InputError, match="Hessian holds NaN"):
        obc.eliminate(weight, H)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("block", [None, 3])
def test_a_gpu_gives_what_a_cpu_gives(layer: Layers, block: int | None) -> None:
    weight, H = layer(14, 6, 60, dead=2, zeros=0.1)
    cpu = obc.eliminate(weight, H, block=block, dtype=torch.float64)
    gpu = obc.eliminate(weight.cuda(), H.cuda(), block=block, dtype=torch.float64)
    assert gpu.order.cpu().equal(cpu.order)
    for sparsity in RATIOS:
        solution = gpu.solve(sparsity)
        assert solution.weight.is_cuda
        torch.testing.assert_close(solution.weight.cpu(), cpu.solve(sparsity).weight, rtol=1e-8, atol=1e-10)
