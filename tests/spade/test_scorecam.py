import numpy as np
import pytest
import torch
from pytorch_grad_cam.score_cam import ScoreCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet

from spade.errors import InputError
from spade.scorecam import map_layers, score_cam


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    model = ResNet(BasicBlock, [1, 1, 1, 1], num_classes=5).eval()
    nn.init.normal_(model.fc.weight, std=0.3)  # scores that differ, or the softmax over channels would be flat
    return model


@pytest.fixture(scope="module")
def image() -> torch.Tensor:
    return torch.randn(1, 3, 40, 40, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("layer", ["layer4", "layer3", "layer2.0.conv1"])
def test_the_maps_are_those_of_grad_cam(network: nn.Module, image: torch.Tensor, layer: str) -> None:
    ours = score_cam(network, image, [3, 0], layer=layer, batch_size=50)
    with ScoreCAM(network, [network.get_submodule(layer)]) as theirs:
        reference = np.concatenate([theirs(image, [ClassifierOutputTarget(target)]) for target in (3, 0)])
    assert ours.shape == (2, 40, 40)
    assert float(ours.amax()) > 0.99  # the maps are not flat, so that equality means something
    np.testing.assert_allclose(ours.numpy(), reference, atol=5e-6)


def test_the_maps_are_the_definition_worked_out_channel_by_channel(network: nn.Module, image: torch.Tensor) -> None:
    model, x = network.double(), image.double()
    try:
        kept: list[torch.Tensor] = []
        handle = model.layer3.register_forward_hook(lambda _m, _i, output: kept.append(output.detach().clone()))
        with torch.no_grad():
            model(x)
        handle.remove()
        scores = []
        for channel in kept[0][0]:
            grown = nn.functional.interpolate(channel[None, None], size=(40, 40), mode="bilinear", align_corners=True)
            mask = (grown - grown.min()) / (grown.max() - grown.min() + 1e-8)
            with torch.no_grad():
                scores.append(model(x * mask)[0, 2])
        cam = (torch.stack(scores).softmax(0)[:, None, None] * kept[0][0]).sum(0).relu()
        cam = (cam - cam.min()) / (cam.max() - cam.min() + 1e-7)
        expected = nn.functional.interpolate(cam[None, None], size=(40, 40), mode="bilinear", align_corners=False)[0, 0]
        expected = (expected - expected.min()) / (expected.max() - expected.min() + 1e-7)
        torch.testing.assert_close(score_cam(model, x, [2], layer="layer3")[0], expected, atol=1e-9, rtol=0)
    finally:
        network.float()


def test_the_batch_size_changes_nothing_but_rounding(network: nn.Module, image: torch.Tensor) -> None:
    one, all_at_once = (score_cam(network, image, [1], layer="layer2", batch_size=size) for size in (1, 1000))
    torch.testing.assert_close(one, all_at_once, atol=1e-5, rtol=0)


def test_progress_counts_the_masks(network: nn.Module, image: torch.Tensor) -> None:
    told: list[tuple[int, int]] = []
    score_cam(network, image, [1], layer="layer1", batch_size=30, watch=lambda done, of: told.append((done, of)))
    assert told == [(30, 64), (60, 64), (64, 64)]


def test_the_default_layer_is_the_last_that_gives_a_map(network: nn.Module, image: torch.Tensor) -> None:
    assert list(map_layers(network, image))[-1] == "layer4"
    assert torch.equal(score_cam(network, image, [1]), score_cam(network, image, [1], layer="layer4"))


def test_the_network_keeps_its_hooks_flags_and_gradients(network: nn.Module, image: torch.Tensor) -> None:
    network.train()
    score_cam(network, image, [1], layer="layer4")
    assert network.training
    assert [module for module in network.modules() if module._forward_hooks or module._forward_pre_hooks] == []
    assert all(parameter.grad is None for parameter in network.parameters())
    network.eval()


def test_hooks_are_gone_after_a_failure_too(network: nn.Module, image: torch.Tensor) -> None:
    with pytest.raises(InputError, match="no layer 'layer5' gives maps"):
        score_cam(network, image, [1], layer="layer5")
    assert [module for module in network.modules() if module._forward_hooks] == []


@pytest.mark.parametrize("target", [-1, 5])
def test_a_class_the_network_does_not_know_is_refused(network: nn.Module, image: torch.Tensor, target: int) -> None:
    with pytest.raises(InputError, match="knows classes 0 to 4"):
        score_cam(network, image, [target])


def test_two_images_are_refused(network: nn.Module, image: torch.Tensor) -> None:
    with pytest.raises(InputError, match="takes one image"):
        score_cam(network, image.expand(2, -1, -1, -1), [0])


def test_a_network_without_maps_is_refused() -> None:
    with pytest.raises(InputError, match="no module with a convolution"):
        score_cam(nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), torch.zeros(1, 3, 2, 2), [0])


def test_scores_that_are_no_numbers_are_refused(image: torch.Tensor) -> None:
    class Dividing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv(x).mean(dim=(2, 3)) / 0.0

    with pytest.raises(InputError, match="NaN or infinite"):
        score_cam(Dividing(), image, [0])
