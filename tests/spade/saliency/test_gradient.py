from collections.abc import Callable

import torch
from torch import nn

from spade.saliency import explain


def _gradient(model: nn.Module, x: torch.Tensor, target: int) -> torch.Tensor:
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model(x)[0, target], x)
    return gradient[0]


def test_saliency_is_the_signed_gradient(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator
) -> None:
    model = network("basic_blocks")
    values = explain("Saliency", model, image, 2, generator=generator).values
    torch.testing.assert_close(values, _gradient(model, image, 2).float())
    assert (values < 0).any()


def test_input_x_gradient_is_the_gradient_times_the_input(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator
) -> None:
    model = network("bottlenecks")
    values = explain("InputXGradient", model, image, 0, generator=generator).values
    torch.testing.assert_close(values, (image[0] * _gradient(model, image, 0)).float())
