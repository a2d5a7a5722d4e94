import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spade.errors import InputError
from spade.solver import reference, sparsegpt
from spade.solver.hessian import DeadInputs, positive_definite

Layers = Callable[..., tuple[Tensor, Tensor]]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 5),
    groups=st.integers(1, 8),
    width=st.integers(1, 9),
    samples=st.integers(1, 60),
    dead=st.integers(0, 3),
    zeros=st.sampled_from([0.0, 0.0, 0.3]),
    sparsity=st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]),
    by_layer=st.booleans(),
)
def test_masks_and_weights_are_those_of_the_oracle(
    layer: Layers,
    seed: int,
    rows: int,
    groups: int,
    width: int,
    samples: int,
    dead: int,
    zeros: float,
    sparsity: float,
    *,
    by_layer: bool,
) -> None:
    d = groups * width
    weight, H = layer(seed, rows, d, samples=samples, dead=min(dead, d - 1), zeros=zeros)
    H_damped = positive_definite(H, damping=0.01)
    sizes = [d] if by_layer else [width] * groups
    counts = [math.ceil(round(rows * size * sparsity, 9)) for size in sizes]
    live = weight.masked_fill(H_damped.dead, 0)
    expected = reference.sparsegpt(live, H_damped.matrix, sizes=sizes, counts=counts)
    solution = sparsegpt.prune(
        weight,
        H,
        sparsity=sparsity,
        group="layer" if by_layer else "column",
        block_size=width,
        dtype=torch.float64,
    )
    assert int((~solution.kept).sum()) == sum(counts)
    # The oracle knows no dead inputs: what is kept of their weights is the dense value.
    expected = torch.where(H_damped.dead & solution.kept, weight, expected)
    torch.testing.assert_close(solution.weight, expected, rtol=1e-7, atol=1e-9)
    assert (solution.weight[~solution.kept] == 0).all()


@pytest.mark.parametrize(("group", "block_size"), [("layer", 1), ("column", 1), ("column", 9)])
@pytest.mark.parametrize("sparsity", [0.0, 0.3, 0.9])
def test_a_batch_gives_what_one_hessian_after_the_other_gives(
    layer: Layers, group: sparsegpt.Group, block_size: int, sparsity: float
) -> None:
    weight, _ = layer(0, 6, 45)
    hessians = torch.stack([layer(seed, 6, 45, dead=seed)[1] for seed in range(4)])
    batch = sparsegpt.prune_batch(
        weight, hessians, sparsity=sparsity, group=group, block_size=block_size, dtype=torch.float64
    )
    for H, solution in zip(hessians, batch, strict=True):
        alone = sparsegpt.prune(weight, H, sparsity=sparsity, group=group, block_size=block_size, dtype=torch.float64)
        assert solution.kept.equal(alone.kept)
        torch.testing.assert_close(solution.weight, alone.weight, rtol=1e-11, atol=1e-12)
        assert solution.dead == alone.dead


@pytest.mark.parametrize("panel", [1, 4, 1000])
@pytest.mark.parametrize(("group", "block_size"), [("layer", 1), ("column", 9)])
def test_the_width_of_a_panel_changes_nothing(
    layer: Layers, monkeypatch: pytest.MonkeyPatch, panel: int, group: sparsegpt.Group, block_size: int
) -> None:
    weight, H = layer(1, 6, 45)
    prune = partial(sparsegpt.prune, sparsity=0.6, group=group, block_size=block_size, dtype=torch.float64)
    expected = prune(weight, H)
    monkeypatch.setattr(sparsegpt, "_PANEL", panel)
    solution = prune(weight, H)
    assert solution.kept.equal(expected.kept)
    torch.testing.assert_close(solution.weight, expected.weight, rtol=1e-11, atol=1e-12)


def test_the_factor_is_good_for_every_ratio(layer: Layers) -> None:
    weight, H = layer(2, 6, 20)
    factor = sparsegpt.factor(H)
    for sparsity in (0.0, 0.5, 0.9):
        one = sparsegpt.prune(weight, None, sparsity=sparsity, factor=factor)
        assert one.weight.equal(sparsegpt.prune(weight, H, sparsity=sparsity).weight)


def test_float32_loses_less_than_a_thousandth_of_the_error(layer: Layers) -> None:
    weight, H = layer(3, 16, 200)
    matrix = positive_definite(H, damping=0.01).matrix
    errors = []
    for dtype in (torch.float64, torch.float32):
        change = sparsegpt.prune(weight, H, sparsity=0.8, dtype=dtype).weight - weight
        errors.append(float((change @ matrix * change).sum()))
    assert errors[1] <= 1.001 * errors[0]


def test_kept_weights_after_the_last_removed_one_are_optimal_given_what_is_before(layer: Layers) -> None:
    # One removed weight in the first column: the others are free afterwards, so this is plain least squares.
    weight, H = layer(4, 1, 12)
    weight[0, 0] = 1e-6
    solution = sparsegpt.prune(weight, H, sparsity=1 / 12, dtype=torch.float64)
    assert solution.kept.tolist() == [[False] + [True] * 11]
    expected = reference.least_squares(weight, positive_definite(H, damping=0.01).matrix, solution.kept)
    torch.testing.assert_close(solution.weight, expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_sparsity_zero_is_the_dense_layer_bit_for_bit(layer: Layers, dtype: torch.dtype) -> None:
    weight, H = layer(5, 3, 12, dead=2, zeros=0.2)
    weight = weight.to(dtype)
    for group in ("layer", "column"):
        solution = sparsegpt.prune(weight, H, sparsity=0, group=group)
        assert solution.weight.equal(weight)
        assert solution.kept.all()


def test_sparsity_one_is_all_zero(layer: Layers) -> None:
    solution = sparsegpt.prune(*layer(6, 3, 12, dead=2), sparsity=1)
    assert not solution.weight.any()
    assert solution.sparsity == 1


def test_rows_without_a_removed_weight_do_not_change(layer: Layers) -> None:
    weight, H = layer(7, 3, 12)
    weight[1] *= 1e-4
    solution = sparsegpt.prune(weight, H, sparsity=1 / 3)
    assert solution.kept.sum(1).tolist() == [12, 0, 12]
    assert solution.weight[[0, 2]].equal(weight[[0, 2]])


def test_the_published_count_removes_one_more_a_group_and_all_its_ties(layer: Layers) -> None:
    weight, H = layer(8, 6, 20)
    assert (~sparsegpt.prune(weight, H, sparsity=0, count_rule="published").kept).sum() == 1
    column = sparsegpt.prune(weight, H, sparsity=0.5, count_rule="published", group="column", block_size=4)
    assert (~column.kept).unflatten(1, (5, 4)).sum((0, 2)).tolist() == [13] * 5
    weight[:, 3] = 0  # six scores of zero, and one more asked
    tied = sparsegpt.prune(weight, H, sparsity=0, count_rule="published")
    assert (~tied.kept).sum(0).tolist() == [0, 0, 0, 6] + [0] * 16


def test_the_published_count_empties_a_64_row_column_at_99_percent(layer: Layers) -> None:
    weight, H = layer(9, 64, 5)
    assert not sparsegpt.prune(weight, H, sparsity=0.99, group="column", count_rule="published").kept.any()


def test_dead_inputs_are_free_unless_told_otherwise(layer: Layers) -> None:
    weight, H = layer(10, 4, 10, dead=2)
    dead = H.diagonal() == 0
    free = sparsegpt.prune(weight, H, sparsity=0.1)
    assert free.kept[:, ~dead].all()
    assert free.weight[free.kept].equal(weight[free.kept])


@pytest.mark.parametrize(("dead_inputs", "removed"), [("free", 0), ("ordinary", 0), ("zeroed", 2 * 4)])
def test_only_the_published_treatment_removes_dead_inputs_at_sparsity_zero(
    layer: Layers, dead_inputs: DeadInputs, removed: int
) -> None:
    weight, H = layer(10, 4, 10, dead=2)
    solution = sparsegpt.prune(weight, H, sparsity=0, dead_inputs=dead_inputs)
    assert int((~solution.kept).sum()) == removed
    assert len(solution.dead) == 2


def test_each_hessian_of_a_batch_tells_its_own_fallback(layer: Layers) -> None:
    weight, regular = layer(11, 4, 10)
    _, singular = layer(11, 4, 10, samples=3)
    batch = torch.stack([regular, singular])
    damped = sparsegpt.prune_batch(weight, batch, sparsity=0.5, damping=0)
    assert damped[0].fallbacks == ()
    assert damped[1].fallbacks[0].startswith("singular Hessian: damping raised")
    replaced = sparsegpt.prune_batch(weight, batch, sparsity=0.5, damping=0, singular="identity")
    assert replaced[1].fallbacks == ("singular Hessian: replaced by the identity",)
    # With the identity for a Hessian pruning goes by magnitude and moves nothing.
    assert replaced[1].weight[replaced[1].kept].equal(weight[replaced[1].kept])
    assert weight.abs()[replaced[1].kept].min() >= weight.abs()[~replaced[1].kept].max()


def test_what_is_given_is_left_alone(layer: Layers) -> None:
    weight, H = layer(12, 4, 20, dead=1, zeros=0.2)
    weight = weight.float().requires_grad_()
    before = weight.detach().clone(), H.clone()
    solution = sparsegpt.prune(weight, H, sparsity=0.5)
    assert weight.equal(before[0])
    assert H.equal(before[1])
    assert not solution.weight.requires_grad


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"group": "colum"}, "did you mean 'column'"),
        ({"group": "column", "block_size": 3}, "must divide the 10 inputs"),
        ({"sparsity": -0.5}, "between 0 and 1"),
        ({"count_rule": "exakt"}, "did you mean 'exact'"),
        ({"dtype": torch.float16}, "working dtype"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(layer: Layers, arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        sparsegpt.prune(*layer(13, 4, 10), **{"sparsity": 0.5} | arguments)  # type: ignore[arg-type]


def test_a_factor_of_another_layer_is_refused(layer: Layers) -> None:
    weight, H = layer(14, 4, 10)
    with pytest.raises(InputError, match="do not fit a Factor of 9"):
        sparsegpt.prune(weight, None, sparsity=0.5, factor=sparsegpt.factor(H[:9, :9]))
    with pytest.raises(InputError, match="Factor of one Hessian; got one of 2"):
        sparsegpt.prune(weight, None, sparsity=0.5, factor=sparsegpt.factor(torch.stack([H, H])))
    with pytest.raises(InputError, match="Give a Hessian"):
        sparsegpt.prune(weight, None, sparsity=0.5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("group", ["layer", "column"])
def test_a_gpu_gives_what_a_cpu_gives(layer: Layers, group: sparsegpt.Group) -> None:
    weight, H = layer(15, 6, 60, dead=2, zeros=0.1)
    batch = torch.stack([H, H + torch.eye(60)])
    cpu = sparsegpt.prune_batch(weight, batch, sparsity=0.7, group=group, dtype=torch.float64)
    gpu = sparsegpt.prune_batch(weight.cuda(), batch.cuda(), sparsity=0.7, group=group, dtype=torch.float64)
    for one, other in zip(cpu, gpu, strict=True):
        assert other.weight.is_cuda
        assert other.kept.cpu().equal(one.kept)
        torch.testing.assert_close(other.weight.cpu(), one.weight, rtol=1e-8, atol=1e-10)
