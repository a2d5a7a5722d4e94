from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from spade.errors import InputError
from spade.solver.hessian import check_layer, positive_definite

Layers = Callable[..., tuple[Tensor, Tensor]]


def test_damping_is_a_share_of_the_mean_over_live_inputs(layer: Layers) -> None:
    _, H = layer(0, 1, 6, dead=2)
    live = H.diagonal() > 0
    ready = positive_definite(H, damping=0.1)
    expected = H[live][:, live] + 0.1 * H.diagonal()[live].mean() * torch.eye(4)
    torch.testing.assert_close(ready.matrix[live][:, live], expected)
    assert ready.dead.equal(~live)
    assert ready.fallbacks == ()


def test_published_damping_counts_a_dead_input_as_one(layer: Layers) -> None:
    _, H = layer(0, 1, 6, dead=2)
    with_ones = H.diagonal().clone().masked_fill(H.diagonal() == 0, 1)
    ready = positive_definite(H, damping=0.1, dead_inputs="zeroed")
    torch.testing.assert_close(ready.matrix.diagonal(), with_ones + 0.1 * with_ones.mean())


def test_the_inverse_is_the_inverse(layer: Layers) -> None:
    _, H = layer(1, 1, 20, dead=1)
    ready = positive_definite(H, damping=0.01)
    torch.testing.assert_close(ready.inverse() @ ready.matrix, torch.eye(20, dtype=torch.float64))
    assert ready.inverse().equal(ready.inverse().T)


def test_a_singular_hessian_is_damped_more_and_says_so(layer: Layers) -> None:
    _, H = layer(2, 1, 8, samples=3)
    ready = positive_definite(H, damping=0.0)
    assert torch.linalg.eigvalsh(ready.matrix).min() > 0
    assert ready.fallbacks == ("singular Hessian: damping raised from 0 to 1e-08 of its mean diagonal",)


def test_a_singular_hessian_gets_the_absolute_damping_where_one_is_given(layer: Layers) -> None:
    _, H = layer(2, 1, 8, samples=3)
    ready = positive_definite(H, damping=0.0, absolute_damping_on_failure=1.0)
    torch.testing.assert_close(ready.matrix, H + torch.eye(8))
    assert ready.fallbacks == ("singular Hessian: added 1 to its diagonal",)


def test_a_singular_hessian_becomes_the_identity_only_where_asked_and_says_so(layer: Layers) -> None:
    _, H = layer(2, 1, 8, samples=3)
    ready = positive_definite(H, damping=0.0, identity_on_failure=True)
    assert ready.matrix.equal(torch.eye(8, dtype=torch.float64))
    assert ready.fallbacks == ("singular Hessian: replaced by the identity",)


def test_an_indefinite_matrix_is_refused() -> None:
    with pytest.raises(InputError, match="not positive semidefinite"):
        positive_definite(torch.tensor([[1.0, 5.0], [5.0, 1.0]]), damping=0.01)


def test_rounding_below_zero_on_a_dead_input_is_not_an_error() -> None:
    H = torch.diag(torch.tensor([4.0, -1e-12, 1.0], dtype=torch.float64))
    check_layer(torch.ones(1, 3), H)
    assert positive_definite(H, damping=0.01).dead.tolist() == [False, True, False]


def test_only_dead_inputs_are_a_hessian_too() -> None:
    ready = positive_definite(torch.zeros(3, 3), damping=0.01)
    assert ready.dead.all()
    assert ready.inverse().isfinite().all()


def test_the_given_hessian_is_left_alone(layer: Layers) -> None:
    _, H = layer(3, 1, 5, dead=1)
    before = H.clone()
    positive_definite(H, damping=0.1)
    assert H.equal(before)


NAN, INF = float("nan"), float("inf")
W, H = torch.ones(2, 3), torch.eye(3)


@pytest.mark.parametrize(
    ("weight", "hessian", "sentence"),
    [
        (torch.ones(2, 3, 1, 1), H, "Flatten a convolution"),
        (torch.ones(3), H, "one non-empty"),
        (torch.ones(0, 3), H, "one non-empty"),
        (torch.ones(2, 3, dtype=torch.int64), H, r"got int64 \[2, 3\]"),
        (W, torch.eye(4), r"Hessian 3 x 3; got float32 \[4, 4\]"),
        (W, torch.ones(3), "Hessian 3 x 3"),
        (torch.full((2, 3), NAN), H, "weights hold NaN"),
        (torch.full((2, 3), INF), H, "weights hold NaN or infinity"),
        (W, torch.eye(3, device="meta"), "Weights are on cpu and their Hessian is on meta"),
    ],
)
def test_what_is_no_layer_is_refused_in_a_sentence(weight: Tensor, hessian: Tensor, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        check_layer(weight, hessian)


@pytest.mark.parametrize(
    ("hessian", "sentence"),
    [
        (torch.full((3, 3), NAN), "Hessian holds NaN"),
        (torch.full((3, 3), INF), "Hessian holds NaN or infinity"),
        (torch.tensor([[1.0, 0.5, 0], [0, 1, 0], [0, 0, 1]]), "not symmetric"),
        (torch.tensor([[0.0, 1e-3], [-1e-3, 0.0]]), "not symmetric"),
        (torch.diag(torch.tensor([1.0, -1.0, 1.0])), "negative diagonal"),
        (-torch.eye(3), "negative diagonal"),
        (torch.ones(3, 2), r"square matrix \[d, d\]; got float32 \[3, 2\]"),
        (torch.eye(3)[None], r"one floating-point square matrix"),
        (torch.ones(3, 3, dtype=torch.int64), "got int64"),
    ],
)
def test_what_is_no_hessian_is_refused_in_a_sentence(hessian: Tensor, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        positive_definite(hessian, damping=0.01)


def test_two_triangles_that_differ_by_rounding_are_averaged(layer: Layers) -> None:
    _, H = layer(4, 1, 8)
    uneven = H.clone()
    uneven[0, 1] *= 1 + 1e-6
    ready = positive_definite(uneven, damping=0)
    torch.testing.assert_close(ready.matrix, (uneven + uneven.T) / 2)


@pytest.mark.parametrize("damping", [-0.1, NAN, INF])
def test_damping_that_is_no_share_is_refused(damping: float) -> None:
    with pytest.raises(InputError, match="share of the mean diagonal"):
        positive_definite(torch.eye(2), damping=damping)


def test_an_unknown_treatment_of_dead_inputs_is_answered_with_near_names() -> None:
    with pytest.raises(InputError, match="did you mean 'zeroed'"):
        positive_definite(torch.eye(2), damping=0.1, dead_inputs="zero")  # type: ignore[arg-type]


def test_weights_whose_sum_overflows_are_still_finite() -> None:
    check_layer(torch.full((2, 3), 3e38), H)
