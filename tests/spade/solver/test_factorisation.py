import pytest
import torch
from torch import Tensor

from spade.solver import sparsegpt
from spade.solver.factorisation import mixed_factor, upper_factor
from spade.solver.hessian import positive_definite

_D = 720  # above the size from which both precisions are mixed


def _damped(seed: int, *, common: float, damping: float = 0.01) -> Tensor:
    """A damped Hessian of inputs that share a mean and are correlated, as behind a ReLU."""
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.rand(_D, 60, generator=generator, dtype=torch.float64)
    inputs = mixing @ torch.rand(60, 3000, generator=generator, dtype=torch.float64) + common
    inputs += torch.rand(_D, 3000, generator=generator, dtype=torch.float64)
    hessian = inputs @ inputs.mT
    return hessian + damping * hessian.diagonal().mean() * torch.eye(_D, dtype=torch.float64)


def test_the_factor_is_upper_triangular_and_its_square_is_the_matrix() -> None:
    H = _damped(0, common=1.0)
    R = upper_factor(H)
    assert R is not None
    assert R.equal(R.triu())
    torch.testing.assert_close(R @ R.mT, H, rtol=1e-12, atol=1e-9)


def test_two_precisions_give_what_float64_gives_where_float32_alone_is_a_hundred_times_worse() -> None:
    H = _damped(1, common=20.0, damping=1e-4)
    exact, mixed, single = upper_factor(H), mixed_factor(H), upper_factor(H.float())
    assert exact is not None
    assert mixed is not None
    assert single is not None
    assert mixed.dtype == torch.float32
    assert mixed.equal(mixed.triu())
    error = float(((mixed - exact).abs() / exact.diagonal()).max())
    assert error < 1e-5
    assert float(((single - exact).abs() / exact.diagonal()).max()) > 100 * error


def test_inputs_that_are_nearly_the_same_as_others_are_left_to_float64() -> None:
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(_D, 3000, generator=generator, dtype=torch.float64)
    inputs[1] = inputs[0] + 1e-3 * inputs[1]
    assert mixed_factor(inputs @ inputs.mT) is None


def test_a_matrix_that_is_not_positive_definite_has_no_factor() -> None:
    H = _damped(3, common=0.0)
    H[5, 5] = -1
    assert upper_factor(H) is None
    assert mixed_factor(H) is None


@pytest.mark.parametrize(("group", "block_size"), [("layer", 1), ("column", 1), ("column", 9)])
def test_masks_in_float32_are_those_of_float64_on_a_wide_layer(group: sparsegpt.Group, block_size: int) -> None:
    H = _damped(4, common=3.0)
    weight = torch.randn(8, _D, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    assert mixed_factor(positive_definite(H, damping=0.01).matrix) is not None
    for sparsity in (0.5, 0.9):
        exact = sparsegpt.prune(weight, H, sparsity=sparsity, group=group, block_size=block_size, dtype=torch.float64)
        fast = sparsegpt.prune(weight.float(), H, sparsity=sparsity, group=group, block_size=block_size)
        assert fast.kept.equal(exact.kept)
        torch.testing.assert_close(fast.weight.double(), exact.weight, rtol=1e-3, atol=1e-4)
