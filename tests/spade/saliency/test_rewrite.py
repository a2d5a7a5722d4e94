import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.resnet import BasicBlock

from spade.errors import InputError
from spade.saliency import Prepared, explain, prepare
from spade.saliency.rewrite import ACTIVATIONS


def _calls(network: nn.Module, x: torch.Tensor) -> dict[str, int]:
    """How often each activation module runs in one pass."""
    calls: dict[str, int] = {}
    for name, module in network.named_modules():
        if type(module) in ACTIVATIONS:

            def count(_m: object, _i: object, _o: object, name: str = name) -> None:
                calls[name] = calls.get(name, 0) + 1

            module.register_forward_hook(count)
    with torch.no_grad():
        network(x)
    return calls


@pytest.mark.parametrize("name", ["resnet18", "densenet", "mobilenet_v2", "convnext", "squeezenet"])
def test_the_rewrite_leaves_outputs_and_names_of_torchvision_networks_as_they_were(
    torchvision_network: Callable[[str], nn.Module], name: str
) -> None:
    model = torchvision_network(name)
    x = torch.randn(1, 3, 64, 64)
    prepared = prepare(model)
    with torch.no_grad():
        assert torch.equal(prepared.network(x), model(x))
    assert prepared.anatomy(x).faithful
    assert list(prepared.network.state_dict()) == list(model.state_dict())
    theirs = dict(model.named_parameters())
    assert all(parameter is theirs[key] for key, parameter in prepared.network.named_parameters())
    assert set(dict(model.named_modules())) <= set(dict(prepared.network.named_modules()))
    assert set(_calls(prepared.network, x).values()) == {1}


def test_a_rewritten_block_is_still_a_block_of_its_class() -> None:
    prepared = prepare(torchvision.models.resnet18(weights=None))
    assert isinstance(prepared.network.layer1[0], BasicBlock)
    assert "layer1.0" in prepared.rewritten


@pytest.mark.parametrize("name", ["functional", "pre_activation", "pooling", "basic_blocks", "bottlenecks"])
def test_every_activation_runs_once_after_the_rewrite(
    network: Callable[[str], nn.Module], image: torch.Tensor, name: str
) -> None:
    prepared = prepare(network(name))
    assert set(_calls(prepared.network, image).values()) == {1}
    assert prepared.anatomy(image).repeated == ()


def test_one_activation_held_in_two_places_becomes_two() -> None:
    relu = nn.ReLU(inplace=True)
    model = nn.Sequential(nn.Conv2d(3, 3, 1), relu, nn.Conv2d(3, 3, 1), relu, nn.Flatten(), nn.Linear(768, 2)).double()
    prepared = prepare(model)
    assert prepared.network[1] is not prepared.network[3]
    assert model[1] is model[3]
    assert relu.inplace


def test_a_forward_that_cannot_be_read_is_left_alone_and_noticed(
    network: Callable[[str], nn.Module], image: torch.Tensor
) -> None:
    prepared = prepare(network("looping"))
    assert prepared.rewritten == ()
    assert prepared.anatomy(image).repeated == ("relu",)


class _Unruly(nn.Module):
    """Computes something else once its activation is a module: fx sees only the branch taken on stand-ins."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(768, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(x)
        return self.fc(x.flatten(1)) * (1.0 if isinstance(x, torch.Tensor) else 2.0)


@pytest.mark.parametrize("method", ["DeepLift", "GuidedBackprop", "GuidedGradCam"])
def test_a_rewrite_that_changes_the_output_is_refused(
    image: torch.Tensor, generator: torch.Generator, method: str
) -> None:
    with pytest.raises(InputError, match="cannot take this network"):
        explain(method, _Unruly().double(), image, 0, generator=generator)


def test_a_preparation_taken_over_by_other_weights_equals_a_fresh_one(
    network: Callable[[str], nn.Module], image: torch.Tensor
) -> None:
    first = network("bottlenecks")
    second = copy.deepcopy(first)
    with torch.no_grad():
        for parameter in second.parameters():
            parameter.mul_(0.9).add_(0.01)
    taken = prepare(second, like=prepare(first))

    def maps(model: nn.Module | Prepared) -> list[torch.Tensor]:
        methods = ("Saliency", "DeepLift", "LRP", "GuidedBackprop", "LIME")
        return [explain(m, model, image, 1, generator=torch.Generator().manual_seed(1)).values for m in methods]

    before = [parameter.clone() for parameter in first.parameters()]
    for ours, fresh in zip(maps(taken), maps(prepare(second)), strict=True):
        assert torch.equal(ours, fresh)
    for parameter, kept in zip(first.parameters(), before, strict=True):
        assert torch.equal(parameter, kept)


@pytest.mark.parametrize("method", ["Saliency", "LRP"])
def test_weights_changed_in_place_are_seen(
    network: Callable[[str], nn.Module], image: torch.Tensor, generator: torch.Generator, method: str
) -> None:
    model = network("basic_blocks")
    prepared = prepare(model)
    explain(method, prepared, image, 1, generator=generator)
    with torch.no_grad():
        model.layer4[0].conv2.weight.mul_(0.5)
    after = explain(method, prepared, image, 1, generator=generator).values
    assert torch.equal(after, explain(method, model, image, 1, generator=generator).values)


def test_a_preparation_of_another_architecture_is_refused(network: Callable[[str], nn.Module]) -> None:
    with pytest.raises(InputError, match="their parameters differ"):
        prepare(network("relu"), like=prepare(network("bottlenecks")))


def test_a_model_that_cannot_be_copied_is_refused() -> None:
    model: Any = nn.Linear(2, 2)
    model.generator = (number for number in range(3))  # generators cannot be copied
    with pytest.raises(InputError, match="cannot be copied"):
        prepare(model)
