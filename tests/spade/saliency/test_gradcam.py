from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from spade.saliency import SETTINGS, MethodUnavailable, Settings, explain, prepare


def test_guided_grad_cam_equals_its_two_factors_written_out(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator
) -> None:
    model: Any = network("basic_blocks")
    guided = explain("GuidedBackprop", model, image, 1, generator=generator).values
    stem = nn.Sequential(model.conv1, model.bn1, model.relu, model.maxpool, model.layer1, model.layer2)
    features = stem(image).detach().requires_grad_()
    score = model.fc(model.avgpool(model.layer4(model.layer3(features))).flatten(1))[0, 1]
    (gradient,) = torch.autograd.grad(score, features)
    cam = (gradient.mean(dim=(2, 3), keepdim=True) * features).sum(dim=1, keepdim=True).relu().detach()
    settings = Settings(cam_layer="layer2")
    for how, chosen in (("bilinear", settings), ("nearest", SETTINGS["official"])):
        options = {"align_corners": False} if how == "bilinear" else {}
        grown = functional.interpolate(cam, size=(16, 16), mode=how, **options)[0].float()
        layered = chosen if how == "bilinear" else Settings(cam_layer="layer2", cam_interpolation="nearest")
        values = explain("GuidedGradCam", model, image, 1, generator=generator, settings=layered).values
        torch.testing.assert_close(values, guided * grown)


@pytest.mark.parametrize(
    ("name", "layer"), [("resnet18", "layer4"), ("mobilenet_v2", "features"), ("convnext", "features")]
)
def test_the_last_map_of_torchvision_networks_is_found(
    torchvision_network: Callable[[str], nn.Module], name: str, layer: str
) -> None:
    assert prepare(torchvision_network(name)).anatomy(torch.zeros(1, 3, 64, 64)).last_map == layer


def test_the_last_map_of_a_plain_stack_is_its_last_convolution(
    network: Callable[[str], nn.Module], image: torch.Tensor
) -> None:
    assert prepare(network("relu")).anatomy(image).last_map == "2"


def test_guided_grad_cam_needs_a_map(image: torch.Tensor, generator: torch.Generator) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 256, 4)).double()
    with pytest.raises(MethodUnavailable, match="no module with a convolution"):
        explain("GuidedGradCam", model, image, 1, generator=generator)


def test_an_unknown_layer_is_answered_with_near_names(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator
) -> None:
    with pytest.raises(MethodUnavailable, match=r"no layer 'layer_4'.*did you mean 'layer4"):
        explain(
            "GuidedGradCam",
            network("basic_blocks"),
            image,
            1,
            generator=generator,
            settings=Settings(cam_layer="layer_4"),
        )


def test_a_layer_without_positions_is_refused(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator
) -> None:
    with pytest.raises(MethodUnavailable, match="'fc' does not"):
        explain(
            "GuidedGradCam", network("basic_blocks"), image, 1, generator=generator, settings=Settings(cam_layer="fc")
        )
