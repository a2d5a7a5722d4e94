import pytest
import torch
from torch import nn
from torchvision.models import get_model

from spade.errors import InputError
from study_app.stimuli.last_block import last_block


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("resnet18", ("layer4",)),
        ("resnet50", ("layer4",)),  # the paper's "fourth part"
        ("mobilenet_v2", ("features.17", "features.18")),
        ("convnext_tiny", ("features.7",)),
        ("densenet121", ("features.denseblock4",)),
        ("squeezenet1_1", ("features.12", "classifier")),
        ("alexnet", ("features.10",)),
        ("vgg11", ("features.18",)),
    ],
)
def test_the_last_block_is_the_one_people_mean(name: str, block: tuple[str, ...]) -> None:
    with torch.device("meta"):
        assert last_block(get_model(name, weights=None)) == block


def test_a_network_without_convolutions_has_no_last_block() -> None:
    with pytest.raises(InputError, match="has no last block"):
        last_block(nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 2)))


def test_a_network_of_depthwise_convolutions_alone_has_none() -> None:
    with pytest.raises(InputError, match="has no last block"):
        last_block(nn.Sequential(nn.Conv2d(3, 3, 3, groups=3), nn.Flatten(), nn.Linear(12, 5)))
