"""Small networks in float64 that show one trap each, and what every saliency test needs."""

from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional
from torchvision.models.convnext import CNBlockConfig
from torchvision.models.resnet import BasicBlock, Bottleneck


class Functional(nn.Module):
    """An activation that is only ever a function call."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1)
        self.fc = nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.conv1(x), inplace=True)
        x = torch.relu(self.conv2(x)).relu()
        return self.fc(x.mean(dim=(2, 3)))


class PreActivation(nn.Module):
    """A skip connection that reads the same tensor as the activation."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.relu = nn.ReLU(inplace=False)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1)
        self.fc = nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv1(x)
        x = x + self.conv2(self.relu(x))
        x = self.relu(x)
        return self.fc(x.mean(dim=(2, 3)))


class Looping(nn.Module):
    """One activation module run as often as the data asks: no rewrite can split it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(3, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(2 if float(x.detach().sum()) > -1e9 else 1):
            x = self.relu(self.conv(x))
        return self.fc(x.mean(dim=(2, 3)))


class Pooling(nn.Module):
    """One pooling module and one activation module, each called twice, and a pooling function."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.relu(self.conv1(x)))
        x = self.pool(self.relu(self.conv2(x)))
        x = functional.max_pool2d(x, 2, stride=2)
        return self.fc(torch.sigmoid(x).mean(dim=(2, 3)))


def plain(activation: Callable[[], nn.Module]) -> nn.Module:
    """Two convolutions and a head, with the given activation."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        activation(),
        nn.Conv2d(6, 8, 3, stride=2, padding=1),
        activation(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 4),
    )


class Residual(nn.Module):
    """A narrow ResNet of torchvision's blocks, under torchvision's names."""

    def __init__(self, block: type[BasicBlock] | type[Bottleneck]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        width = 8
        for stage, planes in enumerate((4, 4, 8, 8), 1):
            out = planes * block.expansion
            shortcut = nn.Sequential(nn.Conv2d(width, out, 1, stride=1 + stage % 2, bias=False), nn.BatchNorm2d(out))
            self.add_module(f"layer{stage}", nn.Sequential(block(width, planes, 1 + stage % 2, shortcut)))
            width = out
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(width, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def residual(block: type[BasicBlock] | type[Bottleneck]) -> nn.Module:
    """A residual network with batch norms that do something."""
    network = Residual(block)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = torch.empty(module.num_features).uniform_(-0.2, 0.2)
            module.running_var = torch.empty(module.num_features).uniform_(0.5, 2.0)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    return network


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "relu": lambda: plain(nn.ReLU),
    "relu6": lambda: plain(nn.ReLU6),
    "gelu": lambda: plain(nn.GELU),
    "functional": Functional,
    "pre_activation": PreActivation,
    "pooling": Pooling,
    "looping": Looping,
    "basic_blocks": lambda: residual(BasicBlock),
    "bottlenecks": lambda: residual(Bottleneck),
}


# torchvision's own classes, made narrow: what is tested is their code, not their size.
ARCHITECTURES: dict[str, Callable[[], nn.Module]] = {
    "resnet18": lambda: torchvision.models.resnet18(weights=None),
    "mobilenet_v2": lambda: torchvision.models.get_model("mobilenet_v2", weights=None, width_mult=0.1),
    "convnext": lambda: torchvision.models.ConvNeXt([CNBlockConfig(12, 16, 1), CNBlockConfig(16, None, 1)]),
    "densenet": lambda: torchvision.models.DenseNet(growth_rate=4, block_config=(2, 2, 2, 2), num_init_features=8),
    "squeezenet": lambda: torchvision.models.squeezenet1_1(weights=None),
}


@pytest.fixture
def torchvision_network() -> Callable[[str], nn.Module]:
    """Builds one torchvision architecture, float32, eval, the same weights each time."""

    def build(name: str) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(7)
            return ARCHITECTURES[name]().eval()

    return build


@pytest.fixture
def network() -> Callable[[str], nn.Module]:
    """Builds a named network, float64, eval, the same weights each time."""

    def build(name: str) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(7)
            return NETWORKS[name]().double().eval()

    return build


@pytest.fixture
def image() -> torch.Tensor:
    """A smooth-ish image [1, 3, 16, 16], float64, of both signs."""
    noise = torch.randn(1, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    return functional.interpolate(noise, size=(16, 16), mode="bilinear")


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(11)
