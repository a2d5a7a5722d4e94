from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from spade.saliency import Settings, explain


def _gradient(model: nn.Module, x: torch.Tensor, target: int) -> torch.Tensor:
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model(x)[0, target], x)
    return gradient[0]


def test_integrated_gradients_equals_a_loop_over_gauss_legendre_points(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator
) -> None:
    model = network("gelu")
    points, weights = np.polynomial.legendre.leggauss(6)
    mean = torch.zeros_like(image[0])
    for point, weight in zip(points, weights, strict=True):
        mean += weight / 2 * _gradient(model, (point + 1) / 2 * image, 3)  # from [-1, 1] to [0, 1]
    values = explain(
        "IntegratedGradients", model, image, 3, generator=generator, settings=Settings(integration_steps=6)
    ).values
    torch.testing.assert_close(values, (image[0] * mean).float())


def test_integrated_gradients_completes_better_with_more_points(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator
) -> None:
    model = network("bottlenecks")
    few, many = (
        abs(explain("IntegratedGradients", model, image, 1, generator=generator, settings=settings).delta)
        for settings in (Settings(integration_steps=2), Settings(integration_steps=200))
    )
    assert many < few / 3


@pytest.mark.parametrize("name", ["gelu", "basic_blocks"])
def test_integrated_gradients_does_not_depend_on_the_batch_size(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator, name: str
) -> None:
    model = network(name)
    whole = explain("IntegratedGradients", model, image, 1, generator=generator).values
    single = explain(
        "IntegratedGradients", model, image, 1, generator=generator, settings=Settings(batch_pixels=1)
    ).values
    torch.testing.assert_close(single, whole)


def test_gradient_shap_of_a_linear_network_is_weight_times_input(generator: torch.Generator) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 2)).double().eval()
    x = torch.arange(12, dtype=torch.float64).reshape(1, 3, 2, 2)
    settings = Settings(shap_noise=0.0, shap_samples=3)
    attribution = explain("GradientShap", model, x, 1, generator=generator, settings=settings)
    torch.testing.assert_close(attribution.values, (model[1].weight[1].reshape(3, 2, 2) * x[0]).detach().float())
    assert attribution.delta == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("batch_pixels", [16 * 16 * 7, 2**20])
def test_gradient_shap_without_noise_tends_to_integrated_gradients(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator, batch_pixels: int
) -> None:
    model = network("gelu")
    settings = Settings(shap_noise=0.0, shap_samples=600, integration_steps=50, batch_pixels=batch_pixels)
    shap = explain("GradientShap", model, image, 1, generator=generator, settings=settings)
    integrated = explain("IntegratedGradients", model, image, 1, generator=generator, settings=settings)
    # 600 uniform points: a standard error of 4 % of the gradient's spread along the path.
    spread = float(integrated.values.abs().max())
    assert float((shap.values - integrated.values).abs().max()) < 0.1 * spread
    assert shap.expected == integrated.expected


def test_the_noise_of_gradient_shap_follows_its_setting(
    network: Callable[[str], nn.Module], image: torch.Tensor
) -> None:
    model = network("gelu")
    maps = [
        explain(
            "GradientShap",
            model,
            image,
            1,
            generator=torch.Generator().manual_seed(0),
            settings=replace(Settings(shap_samples=400), shap_noise=noise),
        ).delta
        for noise in (0.0, 1.0)
    ]
    assert abs(maps[0]) < abs(maps[1])
