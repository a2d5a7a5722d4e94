"""The sparse head is the elastic net's minimum, as scikit-learn finds it too, and the sparsest that is good enough."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from benchmark.baselines.sparse_fc import Head, chosen, objective, path

ALPHA = 0.9


@pytest.fixture(scope="module")
def problem() -> tuple[Tensor, Tensor]:
    """Ninety standardised rows of six features in three classes that overlap."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(90) % 3
    z = torch.randn(90, 6, generator=generator, dtype=torch.float64) + 1.5 * torch.eye(3, 6, dtype=torch.float64)[y]
    return (z - z.mean(0)) / z.std(0, unbiased=False), y


def heads(problem: tuple[Tensor, Tensor], lambdas: int = 6) -> list[Head]:
    z, y = problem
    return list(path(z, y, alpha=ALPHA, lambdas=lambdas, ratio=0.01, iterations=5000, tolerance=1e-9))


@pytest.mark.parametrize("point", [2, 5])
def test_a_head_minimises_what_scikit_learns_saga_minimises(problem: tuple[Tensor, Tensor], point: int) -> None:
    z, y = problem
    ours = heads(problem)[point]
    saga = LogisticRegression(
        solver="saga", l1_ratio=ALPHA, C=1 / (len(z) * ours.strength), tol=1e-8, max_iter=20_000, random_state=0
    ).fit(z.numpy(), y.numpy())
    theirs = Head(ours.strength, torch.from_numpy(saga.coef_), torch.from_numpy(saga.intercept_))
    assert objective(z, y, ours, ALPHA) == pytest.approx(objective(z, y, theirs, ALPHA), abs=1e-6)
    np.testing.assert_allclose(ours.weight, theirs.weight, atol=1e-3)
    assert ((ours.weight == 0) == (theirs.weight == 0)).all()


def test_the_path_starts_where_the_first_weight_is_about_to_enter(problem: tuple[Tensor, Tensor]) -> None:
    found = heads(problem)
    assert float(found[0].weight.abs().max()) < 1e-9  # but for rounding
    assert found[1].kept > 0
    assert found[-1].strength == pytest.approx(found[0].strength / 100)


def test_the_largest_lambda_is_the_papers(problem: tuple[Tensor, Tensor]) -> None:
    z, y = problem
    onehot = torch.eye(3, dtype=torch.float64)[y]
    # max |Z^T (Y - mean Y)| / (n alpha)
    assert heads(problem)[0].strength == pytest.approx(
        float((z.T @ (onehot - onehot.mean(0))).abs().max()) / (90 * ALPHA)
    )


def test_the_sparsest_head_within_the_margin_of_the_best_is_chosen() -> None:
    def head(kept: int) -> Head:
        return Head(1.0, torch.ones(1, kept), torch.zeros(1))

    # the best has .90; .86 is within .05 and sparser, .84 is not
    assert chosen([head(1), head(2), head(5)], [0.84, 0.86, 0.90], within=0.05) == 1
    assert chosen([head(1), head(2), head(5)], [0.84, 0.86, 0.90], within=0.0) == 2
