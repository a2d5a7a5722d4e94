from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from spade.solver import removal

Layers = Callable[..., tuple[Tensor, Tensor]]


@pytest.mark.parametrize("block", [1, 3])
def test_the_folded_base_is_the_inverse_of_what_is_alive(layer: Layers, block: int) -> None:
    weight, H = layer(0, 5, 36)
    G = torch.linalg.inv(H)
    state = removal._Columns(weight.clone(), G) if block == 1 else removal._Blocks(weight.clone(), G, block)
    alive = torch.arange(36).expand(5, -1)
    base = G
    for steps in (4, 3):
        U, removed, _ = removal._panel(state, base, steps, block)
        keep = removal._columns(removal._others(removed, base.shape[-1] // block), block)
        base = removal._folded(base, U, keep, None)
        alive = alive.gather(1, keep)
        state.compact(keep)
    for row in range(5):
        A = alive[row]
        torch.testing.assert_close(base[row], torch.linalg.inv(H[A][:, A]))
        # The weights are those of least squares on A: w_A = inv(H_AA) (H w0)_A.
        torch.testing.assert_close(state.w[row], torch.linalg.solve(H[A][:, A], (H @ weight[row])[A]))
        torch.testing.assert_close(
            state.g[row] if isinstance(state, removal._Columns) else state.D[row].diagonal(dim1=1, dim2=2).flatten(),
            base[row].diagonal(),
        )


def test_the_cache_that_is_folded_within_changes_nothing(layer: Layers, monkeypatch: pytest.MonkeyPatch) -> None:
    weight, H = layer(1, 7, 40)
    G = torch.linalg.inv(H)
    order, scores = removal.removal_order(weight, G)
    for cache in (1, 20_000):
        monkeypatch.setattr(removal, "_CACHE", cache)
        again, scores_again = removal.removal_order(weight, G)
        assert again.equal(order)
        torch.testing.assert_close(scores_again, scores)


def test_a_base_for_each_row_gives_what_a_shared_one_gives(layer: Layers) -> None:
    weight, H = layer(2, 4, 30)
    G = torch.linalg.inv(H)
    order, scores = removal.removal_order(weight, G)
    again, scores_again = removal.removal_order(weight, G.repeat(4, 1, 1))
    assert again.equal(order)
    torch.testing.assert_close(scores_again, scores)


def test_weights_and_base_are_left_alone(layer: Layers) -> None:
    weight, H = layer(3, 4, 30)
    G = torch.linalg.inv(H).repeat(4, 1, 1)
    before = weight.clone(), G.clone()
    removal.removal_order(weight, G)
    assert weight.equal(before[0])
    assert G.equal(before[1])


def test_no_columns_is_an_empty_order() -> None:
    order, scores = removal.removal_order(torch.ones(3, 0), torch.ones(0, 0))
    assert order.shape == scores.shape == (3, 0)
