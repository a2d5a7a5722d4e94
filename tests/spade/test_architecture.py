import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from spade import architecture, checkpoint
from spade.errors import InputError

CODE = """
from dataclasses import dataclass
from torch import nn

@dataclass(frozen=True)
class Shape:
    width: "int" = 4

def build():
    return nn.Sequential(nn.Conv2d(3, Shape().width, 3), nn.Flatten(), nn.Linear(16, 2))

def number():
    return 3

def failing():
    return 1 / 0
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "network.py"
    path.write_text(CODE)
    return path


def test_a_function_in_a_file_builds_the_network_and_weights_are_loaded_into_it(file: Path, tmp_path: Path) -> None:
    model = architecture.build(f"{file}:build")
    assert not model.training
    save_file(model.state_dict(), tmp_path / "w.safetensors")
    loaded = checkpoint.load(f"{file}:build", tmp_path / "w.safetensors")
    assert all(torch.equal(value, model.state_dict()[key]) for key, value in loaded.state_dict().items())


def test_a_function_of_an_installed_module_builds_the_network() -> None:
    assert type(architecture.build("torchvision.models:squeezenet1_1")).__name__ == "SqueezeNet"


def test_weights_of_another_network_are_told_for_functions_too(file: Path, tmp_path: Path) -> None:
    save_file({"0.weight": torch.zeros(4, 3, 5, 5)}, tmp_path / "w.safetensors")
    with pytest.raises(InputError, match=r"another network than .*network.py:build: 3 of 4 tensors are missing"):
        checkpoint.load(f"{file}:build", tmp_path / "w.safetensors")


def test_a_torchvision_network_has_the_classes_asked_for() -> None:
    with torch.no_grad():
        assert architecture.build("squeezenet1_1", classes=7)(torch.zeros(1, 3, 64, 64)).shape == (1, 7)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("mobilnet_v2", r"no classifier 'mobilnet_v2': did you mean 'mobilenet_v2'"),
        ("{}:bild", r"has no function 'bild' that builds a network. did you mean 'build'"),
        ("{}:number", r"returned int; a torch.nn.Module is wanted"),
        ("{}:failing", r"failed to build the network: ZeroDivisionError"),
        ("nowhere.py:build", r"There is no file nowhere.py"),
        ("no_such_package:build", r"no_such_package cannot be imported .* ModuleNotFoundError"),
    ],
)
def test_what_cannot_be_built_is_told(file: Path, name: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        architecture.build(name.format(file))


def test_a_file_that_does_not_run_leaves_no_module_behind(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("import nothing_of_that_name\n")
    before = set(sys.modules)
    with pytest.raises(InputError, match="nothing_of_that_name"):
        architecture.build(f"{path}:build")
    assert {name for name in set(sys.modules) - before if name.startswith("_network_")} == set()
