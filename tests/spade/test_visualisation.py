import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet

from spade.errors import InputError
from spade.visualisation import Ascent, visualise

BRIEF = Ascent(steps=12)


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return ResNet(BasicBlock, [1, 1, 1, 1], num_classes=5)


class Red(nn.Module):
    """Class 0 is how red a picture is, class 1 how blue, class 2 their negative sum; the head is defined first."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 3, bias=False)
        self.head.weight.data = torch.tensor([[1.0, -0.5, -0.5], [-0.5, -0.5, 1.0], [-1.0, 0.0, -1.0]])
        self.unused = nn.Linear(3, 3)
        self.stem = nn.Conv2d(3, 3, 1, bias=False)
        self.stem.weight.data = torch.eye(3)[:, :, None, None]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.stem(x).mean(dim=(2, 3)))


@pytest.mark.parametrize(("target", "brightest"), [(0, 0), (1, 2)])
def test_the_picture_shows_what_the_class_neuron_answers_to(target: int, brightest: int) -> None:
    found = visualise(Red(), target, size=16, ascent=Ascent(steps=60, decorrelate=False))
    assert found.image.shape == (3, 16, 16)
    assert found.image.min() >= 0
    assert found.image.max() <= 1
    # The middle: at the border moves bring in grey. A start is grey all over, .5 in each channel.
    assert int(found.image[:, 4:12, 4:12].mean(dim=(1, 2)).argmax()) == brightest
    with torch.no_grad():
        grey, picture = (float(Red()(x)[0, target]) for x in (torch.full((1, 3, 16, 16), 0.5), found.image[None]))
    assert found.score > grey + 0.2
    # Its own score, not that of the child defined last.
    assert found.score == pytest.approx(picture, abs=1e-5)


def test_the_network_keeps_its_hooks_flags_weights_and_gradients(network: nn.Module) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.train()
    visualise(network, 1, size=32, ascent=BRIEF)
    assert all(module.training for module in network.modules())
    assert [module for module in network.modules() if module._forward_hooks or module._backward_hooks] == []
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_the_same_seed_gives_the_same_picture_and_another_another(network: nn.Module) -> None:
    first, again, other = (visualise(network, 1, size=32, ascent=BRIEF, seed=seed).image for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=0.05)


def test_random_generators_go_on_as_if_nothing_had_been_drawn(network: nn.Module) -> None:
    def drawn() -> tuple[float, float]:
        return float(torch.rand(())), float(np.random.rand())  # noqa: NPY002 - the generator under test

    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002 - as above
    undisturbed = drawn()
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002 - as above
    visualise(network, 1, size=32, ascent=BRIEF)
    assert drawn() == undisturbed


def test_the_network_sees_pictures_of_the_size_and_normalisation_it_was_given() -> None:
    seen: list[tuple[tuple[int, ...], float]] = []

    class Noting(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append((tuple(x.shape), float(x.min())))
            return x.mean(dim=(2, 3))

    visualise(Noting(), 0, size=24, normalise=lambda images: images + 10, ascent=BRIEF)
    assert {shape for shape, _ in seen} == {(1, 3, 24, 24)}
    # Moved in from outside the picture comes grey, not the normalised network's idea of nothing.
    assert min(low for _, low in seen) >= 10


def test_progress_ends_at_the_whole(network: nn.Module) -> None:
    told: list[float] = []
    visualise(network, 0, size=32, ascent=Ascent(steps=20), watch=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.parametrize("step", [2, 12])
def test_a_stop_gives_no_unfinished_picture(network: nn.Module, step: int) -> None:
    calls = 0

    def interrupted(images: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == step + 2:  # twice before the first step, to see what the network takes
            raise KeyboardInterrupt
        return images

    with pytest.raises(KeyboardInterrupt):
        visualise(network, 0, size=32, normalise=interrupted, ascent=BRIEF)
    assert calls == step + 2


@pytest.mark.parametrize("target", [-1, 5])
def test_a_class_the_network_does_not_know_is_refused(network: nn.Module, target: int) -> None:
    with pytest.raises(InputError, match="knows classes 0 to 4"):
        visualise(network, target, size=32, ascent=BRIEF)


def test_a_network_that_does_not_take_the_size_is_refused() -> None:
    with pytest.raises(InputError, match="does not take a batch"):
        visualise(nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), 0, size=32, ascent=BRIEF)


def test_an_ascent_that_leaves_the_numbers_is_told(network: nn.Module) -> None:
    with pytest.raises(InputError, match="left the finite numbers"):
        visualise(network, 0, size=32, ascent=Ascent(steps=5, learning_rate=float("inf")))


@pytest.mark.parametrize("options", [{"steps": 0}, {"learning_rate": 0.0}, {"jitter": 0.7}, {"rotate": -1.0}])
def test_an_ascent_that_cannot_be_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Ascent(**options)  # type: ignore[arg-type] # that is the point
