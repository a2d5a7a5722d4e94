from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from benchmark.controls import CONTROLS
from benchmark.metrics.trojan_auc import trojan_auc


@dataclass(frozen=True)
class Pictured:
    image: Tensor
    mask: Tensor


@pytest.fixture
def sample() -> Pictured:
    """A white square on grey, away from the middle."""
    image, mask = torch.full((3, 24, 24), 0.5), torch.zeros(24, 24, dtype=torch.bool)
    mask[2:8, 2:8] = True
    image[:, mask] = 1.0
    return Pictured(image, mask)


def score(name: str, sample: Pictured, seed: int = 0) -> float:
    return trojan_auc(CONTROLS[name](sample, torch.Generator().manual_seed(seed)), sample.mask)


def test_the_oracle_is_perfect_and_so_is_brightness_on_a_white_square(sample: Pictured) -> None:
    assert score("patch oracle", sample) == 1
    assert score("input magnitude", sample) == 1


def test_the_centre_is_worse_than_chance_for_a_corner(sample: Pictured) -> None:
    assert score("centre", sample) < 0.5


def test_edges_see_the_outline_and_not_the_flat_inside(sample: Pictured) -> None:
    edges = CONTROLS["edges"](sample, torch.Generator())
    assert edges[2, 5] > 0
    assert edges[5, 5] == 0
    assert edges[20, 20] == 0


def test_noise_is_chance_on_average_and_seeded(sample: Pictured) -> None:
    scores = [score("random", sample, seed) for seed in range(200)]
    # The AUC of noise has SD sqrt((N+1)/(12 n m)) = sqrt(577/(12*36*540)) = .050, so the mean of 200 has .0035.
    assert abs(sum(scores) / len(scores) - 0.5) < 0.0035 * 4
    assert score("random", sample, 5) == score("random", sample, 5)


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_does_not_change_the_sample(name: str, sample: Pictured) -> None:
    image, mask = sample.image.clone(), sample.mask.clone()
    CONTROLS[name](sample, torch.Generator())
    assert torch.equal(sample.image, image)
    assert torch.equal(sample.mask, mask)
