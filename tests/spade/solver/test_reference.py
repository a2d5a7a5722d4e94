"""The oracle itself, against exhaustive search and against arithmetic in comments."""

from collections.abc import Callable
from itertools import combinations

import torch
from torch import Tensor

from spade.solver import reference

Layers = Callable[..., tuple[Tensor, Tensor]]


def test_least_squares_is_no_worse_than_a_thousand_nearby_weights(layer: Layers) -> None:
    weight, H = layer(0, 1, 6)
    kept = torch.tensor([[True, False, True, True, False, False]])
    best = reference.least_squares(weight, H, kept)
    nearby = best + 0.01 * torch.randn(1000, 6, generator=torch.Generator().manual_seed(0)) * kept
    assert _error(best, weight, H).item() <= _error(nearby, weight, H).min().item()


def test_the_first_step_removes_the_weight_whose_loss_is_least_of_all(layer: Layers) -> None:
    weight, H = layer(1, 1, 6)
    errors = []
    for column in range(6):
        kept = torch.ones(1, 6, dtype=torch.bool)
        kept[0, column] = False
        errors.append(_error(reference.least_squares(weight, H, kept), weight, H).item())
    order, losses = reference.obc_order(weight, H)
    assert order[0, 0] == errors.index(min(errors))
    torch.testing.assert_close(losses[0, 0].item(), min(errors))


def test_the_losses_add_up_to_the_error_of_removing_everything(layer: Layers) -> None:
    weight, H = layer(2, 3, 8)
    for block in (1, 2):
        _, losses = reference.obc_order(weight, H, block=block)
        torch.testing.assert_close(losses.sum(1), _error(torch.zeros_like(weight), weight, H))


def test_the_first_block_is_the_best_of_all_blocks(layer: Layers) -> None:
    weight, H = layer(3, 1, 6)
    errors = []
    for block in range(3):
        kept = torch.ones(1, 6, dtype=torch.bool)
        kept[0, 2 * block : 2 * block + 2] = False
        errors.append(_error(reference.least_squares(weight, H, kept), weight, H).item())
    order, _ = reference.obc_order(weight, H, block=2)
    assert order[0, 0] == errors.index(min(errors))


def test_greedy_is_never_better_than_the_best_pair(layer: Layers) -> None:
    weight, H = layer(4, 1, 6)
    best = min(
        _error(reference.least_squares(weight, H, _without(6, pair)), weight, H).item()
        for pair in combinations(range(6), 2)
    )
    _, losses = reference.obc_order(weight, H)
    assert losses[0, :2].sum().item() >= best - 1e-12


def test_sparsegpt_by_hand() -> None:
    # H = [[2, 1], [1, 2]], H^-1 = [[2, -1], [-1, 2]] / 3, U = [[sqrt(2/3), -sqrt(1/6)], [0, sqrt(1/2)]].
    # w = (1, 3): scores 1 / (2/3) = 1.5 and 9 / (1/2) = 18, so the first goes; the second changes by
    # -w_1 U_12 / U_11 = sqrt(1/6) / sqrt(2/3) = 1/2, which is H_12 / H_22 w_1, the least-squares answer.
    H = torch.tensor([[2.0, 1.0], [1.0, 2.0]])
    sparse = reference.sparsegpt(torch.tensor([[1.0, 3.0]]), H, sizes=[2], counts=[1])
    torch.testing.assert_close(sparse, torch.tensor([[0.0, 3.5]], dtype=torch.float64))


def _error(w: Tensor, weight: Tensor, H: Tensor) -> Tensor:
    return ((w - weight) @ H * (w - weight)).sum(1) / 2


def _without(d: int, columns: tuple[int, ...]) -> Tensor:
    return torch.tensor([[column not in columns for column in range(d)]])
