from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional
from torchvision.models.resnet import BasicBlock

from spade import photograph
from spade.saliency import MethodUnavailable, explain


def test_lrp_equals_z_box_and_z_plus_written_out_neuron_by_neuron(generator: torch.Generator) -> None:
    # A convolution with 2x2 kernels and stride 2 on a 4x4 image is four independent linear maps of 12 inputs.
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 5, 2, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(20, 3)).double().eval()
    x = torch.randn(1, 3, 4, 4, dtype=torch.float64, generator=generator)
    conv, fc = model[0], model[3]
    activations = model[:3](x)[0].detach()
    score = float(model(x)[0, 1].detach())

    # z+ at the top: each hidden unit gets its share of the positive products, activations being positive.
    share = activations * fc.weight[1].clamp_min(0)
    hidden = (score * share / share.sum()).reshape(5, 2, 2).detach()

    expected = torch.zeros(3, 4, 4, dtype=torch.float64)
    low, high = x.min(), x.max()
    for row in range(2):
        for column in range(2):
            patch = x[0, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            for unit in range(5):
                w = conv.weight[unit].detach()
                z = patch * w - low * w.clamp_min(0) - high * w.clamp_max(0)  # z-box, eq. 6 of Montavon et al., 2017
                expected[:, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2] += (
                    z / z.sum() * hidden[unit, row, column]
                )
    attribution = explain("LRP", model, x, 1, generator=generator)
    torch.testing.assert_close(attribution.values, expected.float(), atol=1e-5, rtol=1e-4)
    assert attribution.expected == pytest.approx(score)


def test_z_plus_counts_negative_inputs_with_negative_weights(generator: torch.Generator) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False)).double().eval()
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([[1.0, 1.0, 1.0, 1.0], [2.0, -1.0, -3.0, 1.0]]))
    x = torch.tensor([[[[1.0, 2.0], [-1.0, -1.0]]]], dtype=torch.float64)
    # Products with class 1: 2, -2, 3, -1; score 2; the positive ones share it 2 : 3.
    values = explain("LRP", model, x, 1, generator=generator).values
    torch.testing.assert_close(values[0], torch.tensor([[0.8, 0.0], [1.2, 0.0]]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["basic_blocks", "bottlenecks"])
def test_relevance_is_conserved_through_residual_additions(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator, name: str
) -> None:
    # Left to the plain gradient, each of the four additions would double it.
    # Narrow networks lose some at neurons without a positive product, or at sums of two signs.
    attribution = explain("LRP", network(name), image, 1, generator=generator)
    kept = (attribution.delta + attribution.expected) / attribution.expected
    assert 0.6 < kept < 1.4


def test_relevance_is_conserved_on_resnet18(
    torchvision_network: Callable[[str], nn.Module], generator: torch.Generator
) -> None:
    model = torchvision_network("resnet18")
    attribution = explain("LRP", model, torch.randn(1, 3, 64, 64, generator=generator), 7, generator=generator)
    assert abs(attribution.delta) < 0.01 * abs(attribution.expected)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("mobilenet_v2", "is a ReLU6, and the rules are defined for ReLU"), ("convnext", "is a LayerNorm")],
)
def test_networks_without_relu_are_refused_with_the_reason(
    torchvision_network: Callable[[str], nn.Module], name: str, reason: str, generator: torch.Generator
) -> None:
    with pytest.raises(MethodUnavailable, match=reason):
        explain("LRP", torchvision_network(name), torch.zeros(1, 3, 64, 64), 0, generator=generator)


def test_mobilenet_v2_loses_its_relevance_in_depthwise_convolutions_and_not_in_relu6(
    shared_data: Path, generator: torch.Generator
) -> None:
    """Why MobileNet-V2 is refused, see docs/decisions/lrp-and-depthwise.md: the top of the trained network as a plain
    chain with ReLU: no residual addition in it, and one unit in a thousand or fewer of its depthwise layer above 6."""
    data = shared_data / "imagenet_like"
    model = torchvision.models.get_model("mobilenet_v2", weights=None)
    model.load_state_dict(load_file(data / "mobilenet_v2.safetensors"))
    features, head = model.eval().get_submodule("features"), model.get_submodule("classifier")
    (expand, depthwise, project, norm), top = features[17].conv, features[18]
    photo = photograph.read(min((data / "images" / "0001").glob("*.jpg")), resize=256, crop=224)
    with torch.no_grad():
        below = features[:17]((photo.image[None] - 0.5) / 0.5)
        units = expand(below)
        assert float((depthwise(units) >= 6).float().mean()) < 1e-3
        products = functional.conv2d(units, depthwise[0].weight.clamp_min(0), padding=1, groups=960)
        target = int(head(features[17:](below).mean(dim=(2, 3))).argmax())
    # Inputs are 0 or positive: where all those with a positive weight are 0, only the bias lights the neuron.
    assert 0.7 < float((products == 0).float().mean()) < 0.9

    def kept(*layers: nn.Module, x: torch.Tensor) -> float:
        chain = nn.Sequential(*layers, *list(top)[:2], nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
        answer = explain("LRP", chain, x, target, generator=generator)
        return 1 + answer.delta / answer.expected

    with torch.no_grad():
        above = depthwise(units)
    assert kept(project, norm, x=above) == pytest.approx(1, abs=0.02)
    assert kept(*list(expand)[:2], nn.ReLU(), *list(depthwise)[:2], nn.ReLU(), project, norm, x=below) < 0.25


def test_an_addition_nobody_knows_is_refused(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator
) -> None:
    with pytest.raises(MethodUnavailable, match="PreActivation calls 'add'"):
        explain("LRP", network("pre_activation"), image, 1, generator=generator)


class _OwnForward(BasicBlock):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * 2


def test_a_block_with_a_forward_of_its_own_is_not_taken_for_torchvisions(generator: torch.Generator) -> None:
    model = torchvision.models.ResNet(_OwnForward, [1, 1, 1, 1], num_classes=3)
    with pytest.raises(MethodUnavailable, match="_OwnForward"):
        explain("LRP", model, torch.zeros(1, 3, 32, 32), 0, generator=generator)


class _Misordered(nn.Module):
    """Defines its batch norm after a convolution it does not follow."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(4)
        self.relu = nn.ReLU()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(4, 3)
        nn.init.uniform_(self.norm1.weight, 2, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.norm1(self.conv1(x)))
        return self.fc(torch.flatten(self.pool(self.relu(self.conv2(x))), 1))


def test_a_batch_norm_folded_into_the_wrong_convolution_is_noticed(
    image: torch.Tensor, generator: torch.Generator
) -> None:
    torch.manual_seed(0)
    with pytest.raises(MethodUnavailable, match="define modules in the order in which they run"):
        explain("LRP", _Misordered().double(), image, 1, generator=generator)
