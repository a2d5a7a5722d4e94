from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from spade.saliency import SETTINGS, MethodUnavailable, explain


class _Guided(torch.autograd.Function):
    """ReLU whose backward keeps what is positive, on both sides, written out."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x.clamp_min(0)

    @staticmethod
    def backward(ctx: Any, *above: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return above[0].clamp_min(0) * (x > 0)


class _GuidedSmooth(torch.autograd.Function):
    """Any elementwise activation whose backward keeps positive gradients at its input."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, activation: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        ctx.save_for_backward(x)
        ctx.activation = activation
        return activation(x)

    @staticmethod
    def backward(ctx: Any, *above: torch.Tensor) -> tuple[torch.Tensor, None]:
        x = ctx.saved_tensors[0].detach().requires_grad_()
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(ctx.activation(x).sum(), x)
        return (above[0] * slope).clamp_min(0), None


def _guide(x: torch.Tensor) -> torch.Tensor:
    return _Guided.apply(x)


def _guided_gradient(score: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(score(x), x)
    return gradient[0].float()


def test_guided_backprop_equals_an_autograd_function_on_relu_modules(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator
) -> None:
    model = network("relu")
    conv1, conv2, fc = model[0], model[2], model[6]
    expected = _guided_gradient(lambda x: fc(_guide(conv2(_guide(conv1(x)))).mean(dim=(2, 3)))[0, 1], image)
    torch.testing.assert_close(explain("GuidedBackprop", model, image, 1, generator=generator).values, expected)


def test_guided_backprop_sees_functional_activations(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator
) -> None:
    model = network("functional")

    def score(x: torch.Tensor) -> torch.Tensor:
        x = _guide(_guide(model.conv2(_guide(model.conv1(x)))))
        return model.fc(x.mean(dim=(2, 3)))[0, 1]

    expected = _guided_gradient(score, image)
    torch.testing.assert_close(explain("GuidedBackprop", model, image, 1, generator=generator).values, expected)


def test_guided_backprop_leaves_the_skip_of_a_pre_activation_block_alone(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator
) -> None:
    model = network("pre_activation")

    def score(x: torch.Tensor) -> torch.Tensor:
        x = model.conv1(x)
        x = _guide(x + model.conv2(_guide(x)))
        return model.fc(x.mean(dim=(2, 3)))[0, 1]

    expected = _guided_gradient(score, image)
    torch.testing.assert_close(explain("GuidedBackprop", model, image, 1, generator=generator).values, expected)


@pytest.mark.parametrize(("name", "activation"), [("relu6", functional.relu6), ("gelu", functional.gelu)])
def test_guided_backprop_guards_activations_that_are_not_relu(
    network: Callable[[str], nn.Module],
    image: torch.Tensor,
    generator: torch.Generator,
    name: str,
    activation: Callable[[torch.Tensor], torch.Tensor],
) -> None:
    model = network(name)
    conv1, conv2, fc = model[0], model[2], model[6]

    def guide(x: torch.Tensor) -> torch.Tensor:
        return _GuidedSmooth.apply(x, activation)

    expected = _guided_gradient(lambda x: fc(guide(conv2(guide(conv1(x)))).mean(dim=(2, 3)))[0, 1], image)
    torch.testing.assert_close(explain("GuidedBackprop", model, image, 1, generator=generator).values, expected)


@pytest.mark.parametrize("name", ["relu6", "gelu"])
def test_official_guided_backprop_is_saliency_where_there_is_no_relu_module(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator, name: str
) -> None:
    model = network(name)
    official = explain("GuidedBackprop", model, image, 1, generator=generator, settings=SETTINGS["official"]).values
    ours = explain("GuidedBackprop", model, image, 1, generator=generator).values
    torch.testing.assert_close(official, explain("Saliency", model, image, 1, generator=generator).values)
    assert not torch.allclose(official, ours)


@pytest.mark.parametrize("name", ["mobilenet_v2", "convnext"])
@pytest.mark.parametrize("protocol", ["paper", "official"])
def test_guided_backprop_is_saliency_on_mobilenet_and_convnext_in_the_papers_protocols_alone(
    torchvision_network: Callable[[str], nn.Module], generator: torch.Generator, name: str, protocol: str
) -> None:
    # As tables A7 and A8 print them: 88.90 and 88.91; 85.19 and 85.19.
    model, x = torchvision_network(name), torch.randn(1, 3, 32, 32, generator=generator)
    for key, parameter in model.named_parameters():
        if key.endswith("layer_scale"):  # starts at 1e-6, which hides what the blocks of a ConvNeXt do
            nn.init.ones_(parameter)
    theirs = explain("GuidedBackprop", model, x, 1, generator=generator, settings=SETTINGS[protocol]).values
    torch.testing.assert_close(theirs, explain("Saliency", model, x, 1, generator=generator).values)
    assert not torch.allclose(theirs, explain("GuidedBackprop", model, x, 1, generator=generator).values)


def test_deep_lift_equals_the_rescale_rule_written_out(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator
) -> None:
    model = network("relu")
    conv1, conv2, fc = model[0], model[2], model[6]
    blank = torch.zeros_like(image)
    # Multipliers from the top: m = dy/dx between image and reference, chained through transposed convolutions.
    below1, below1_ref = conv1(image), conv1(blank)
    below2, below2_ref = conv2(below1.relu()), conv2(below1_ref.relu())
    positions = below2.shape[2] * below2.shape[3]
    m = (fc.weight[1] / positions)[None, :, None, None].expand_as(below2)
    m = m * (below2.relu() - below2_ref.relu()) / (below2 - below2_ref)
    m = functional.conv_transpose2d(m, conv2.weight, stride=2, padding=1, output_padding=1)
    m = m * (below1.relu() - below1_ref.relu()) / (below1 - below1_ref)
    m = functional.conv_transpose2d(m, conv1.weight, padding=1)
    expected = (m * image)[0].detach().float()
    torch.testing.assert_close(explain("DeepLift", model, image, 1, generator=generator).values, expected)


@pytest.mark.parametrize(
    "name", ["relu", "relu6", "gelu", "functional", "pre_activation", "pooling", "basic_blocks", "bottlenecks"]
)
def test_deep_lift_is_complete(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator, name: str
) -> None:
    model = network(name)
    attribution = explain("DeepLift", model, image, 1, generator=generator)
    with torch.no_grad():
        rise = float((model(image) - model(torch.zeros_like(image)))[0, 1])
    assert attribution.expected == pytest.approx(rise, abs=1e-12)
    assert abs(attribution.delta) < 1e-5 * max(1.0, abs(rise))


def test_deep_lift_shares_overlapping_pools_by_hand(generator: torch.Generator) -> None:
    # Windows {a, b, c} and {c, d, e} over 1, 0, 9, 0, 2: c wins both and rises by 9 in each, so the head's
    # weights 1 and 10 give it (9 * 1 + 9 * 10) / 9 = 11 a unit. Captum's own rule keeps one of the two.
    model = nn.Sequential(nn.MaxPool2d((1, 3), stride=(1, 2)), nn.Flatten(), nn.Linear(2, 1, bias=False)).double()
    with torch.no_grad():
        model[2].weight.copy_(torch.tensor([[1.0, 10.0]]))
    x = torch.tensor([1.0, 0.0, 9.0, 0.0, 2.0], dtype=torch.float64).reshape(1, 1, 1, 5)
    values = explain("DeepLift", model, x, 0, generator=generator).values
    torch.testing.assert_close(values.flatten(), torch.tensor([0.0, 0.0, 99.0, 0.0, 0.0]))
    captum = explain("DeepLift", model, x, 0, generator=generator, settings=SETTINGS["official"])
    assert captum.delta < -5


def test_official_deep_lift_is_input_x_gradient_where_captum_knows_no_activation(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator
) -> None:
    model = network("relu6")
    official = explain("DeepLift", model, image, 1, generator=generator, settings=SETTINGS["official"])
    product = explain("InputXGradient", model, image, 1, generator=generator)
    torch.testing.assert_close(official.values, product.values)


def test_deep_lift_says_which_activation_runs_twice(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator
) -> None:
    with pytest.raises(MethodUnavailable, match="activation relu runs more than once"):
        explain("DeepLift", network("looping"), image, 1, generator=generator)
