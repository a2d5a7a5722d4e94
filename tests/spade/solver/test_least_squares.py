from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spade.solver import least_squares, reference
from spade.solver.hessian import positive_definite

Layers = Callable[..., tuple[Tensor, Tensor]]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(1, 24), density=st.floats(0, 1), samples=st.integers(1, 40))
def test_the_batched_solution_is_that_of_each_row(
    layer: Layers, seed: int, d: int, density: float, samples: int
) -> None:
    weight, H = layer(seed, 9, d, samples=samples, dead=min(1, d - 1))
    ready = positive_definite(H, damping=0.01)
    # A different number of weights is kept in each row, none and all among them.
    kept = torch.rand(9, d, generator=torch.Generator().manual_seed(seed)) < torch.linspace(0, 2 * density, 9)[:, None]
    sparse = least_squares.closest(weight, ready.matrix, kept, inverse=ready.inverse)
    torch.testing.assert_close(sparse, reference.least_squares(weight, ready.matrix, kept), rtol=1e-7, atol=1e-9)
    assert (sparse[~kept] == 0).all()
    # Karush-Kuhn-Tucker: no kept weight can be moved to advantage.
    gradient = ((sparse - weight) @ ready.matrix)[kept]
    assert gradient.numel() == 0 or gradient.abs().max() <= 1e-10 * (weight @ ready.matrix).abs().max()


def test_rows_that_keep_everything_come_back_bit_for_bit(layer: Layers) -> None:
    weight, H = layer(0, 3, 10)
    kept = torch.ones(3, 10, dtype=torch.bool)
    kept[1, 4] = False
    ready = positive_definite(H, damping=0.01)
    sparse = least_squares.closest(weight.float(), ready.matrix, kept, inverse=ready.inverse)
    assert sparse[[0, 2]].equal(weight.float()[[0, 2]])
    assert not sparse[1].equal(weight.float()[1])


@pytest.mark.parametrize("bytes_", [1, 3000, 10**9])
def test_the_size_of_groups_changes_nothing(layer: Layers, monkeypatch: pytest.MonkeyPatch, bytes_: int) -> None:
    weight, H = layer(1, 12, 20)
    ready = positive_definite(H, damping=0.01)
    kept = torch.rand(12, 20, generator=torch.Generator().manual_seed(0)) < 0.6
    expected = least_squares.closest(weight, ready.matrix, kept, inverse=ready.inverse)
    monkeypatch.setattr(least_squares, "_BYTES", bytes_)
    torch.testing.assert_close(
        least_squares.closest(weight, ready.matrix, kept, inverse=ready.inverse), expected, rtol=1e-11, atol=1e-12
    )


def test_the_inverse_is_not_asked_for_where_no_row_keeps_more_than_half(layer: Layers) -> None:
    weight, H = layer(2, 3, 10)
    kept = torch.zeros(3, 10, dtype=torch.bool)
    kept[:, :5] = True

    def never() -> Tensor:
        raise AssertionError

    sparse = least_squares.closest(weight, H, kept, inverse=never)
    torch.testing.assert_close(sparse, reference.least_squares(weight, H, kept))
