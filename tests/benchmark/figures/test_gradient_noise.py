from itertools import permutations
from statistics import fmean

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark import scale
from benchmark.figures.gradient_noise import STAGES, gradients, mean_cosine, tuned
from benchmark.models.network import SmallResNet
from benchmark.models.shape import Shape


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 6), st.integers(1, 5), st.integers(0, 1000))
def test_the_mean_cosine_is_the_mean_over_all_ordered_pairs(n: int, features: int, seed: int) -> None:
    rows = torch.randn(n, features, generator=torch.Generator().manual_seed(seed)).double()
    cosine = torch.nn.functional.cosine_similarity
    plain = fmean(cosine(rows[i], rows[j], dim=0).item() for i, j in permutations(range(n), 2))
    assert mean_cosine(rows) == pytest.approx(plain, abs=1e-9)


def test_equal_gradients_have_cosine_one_and_zero_rows_are_like_nothing() -> None:
    row, draws = torch.tensor([[3.0, -4.0]]), torch.Generator().manual_seed(0)
    assert mean_cosine(row.repeat(4, 1)) == pytest.approx(1)
    assert max(mean_cosine(torch.rand(1, 7, generator=draws).repeat(n, 1)) for n in range(2, 40)) <= 1
    # Three equal rows and a zero: 3 * 2 ordered pairs of cosine 1 among 4 * 3.
    assert mean_cosine(torch.cat([row.repeat(3, 1), torch.zeros(1, 2)])) == pytest.approx(0.5)


def test_gradients_are_those_of_the_logit_for_every_stage_and_hooks_are_gone() -> None:
    torch.manual_seed(0)
    network = SmallResNet(Shape(widths=(8, 8, 16, 16), stem_width=8), 3).eval()
    x = torch.randn(2, 3, 64, 64)
    found = gradients(network, x, 1)
    assert tuple(found) == STAGES
    leaf = x.clone().requires_grad_()
    network(leaf)[:, 1].sum().backward()
    assert leaf.grad is not None
    assert torch.equal(found["input"], leaf.grad.flatten(1))
    # The head is linear after an average: the gradient of a logit by layer4's output is its weight over the pixels.
    features = network.fc.weight[1].detach()
    pixels = found["layer4"].shape[1] // len(features)
    assert torch.allclose(found["layer4"][0], (features / pixels).repeat_interleave(pixels), atol=1e-7)
    assert not any(module._forward_hooks for module in network.modules())


def test_ratios_are_those_of_the_method_where_a_scale_has_them_by_method() -> None:
    mini, smoke = scale.load("mini"), scale.load("smoke")
    assert tuned(mini, "spade", "LIME") == mini.ratios["spade"]["LIME"]
    assert tuned(smoke, "spade", "LIME") == smoke.ratios["spade"]
