"""Layers made by arithmetic: correlated inputs, dead ones, doubled ones, weights that are already zero."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

Layer = tuple[Tensor, Tensor]


def _layer(
    seed: int, rows: int, d: int, *, samples: int | None = None, dead: int = 0, doubled: int = 0, zeros: float = 0.0
) -> Layer:
    """Weights [rows, d] and Hessian [d, d], float64; inputs share half of their variance with their neighbours."""
    generator = torch.Generator().manual_seed(seed)
    n = 3 * d if samples is None else samples
    X = torch.randn(d, n, generator=generator, dtype=torch.float64).abs()
    X = X + X.cumsum(0) / (1 + torch.arange(d))[:, None]
    which = torch.randperm(d, generator=generator)
    X[which[:dead]] = 0
    if doubled:
        X[which[dead : dead + doubled]] = X[which[-1]].clone()
    weight = torch.randn(rows, d, generator=generator, dtype=torch.float64)
    weight[torch.rand(rows, d, generator=generator) < zeros] = 0
    return weight, 2 / n * X @ X.T


@pytest.fixture(scope="session")
def layer() -> Callable[..., Layer]:
    """Weights and Hessian from a seed and a shape."""
    return _layer
