from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from spade.checkpoint import load
from spade.errors import InputError

State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def state() -> State:
    torch.manual_seed(0)
    weights: State = torchvision.models.squeezenet1_1(weights=None, num_classes=7).state_dict()
    return weights


@pytest.mark.parametrize("name", ["w.safetensors", "w.pt"])
def test_weights_and_their_number_of_classes_come_from_the_file(tmp_path: Path, state: State, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".pt":
        torch.save(state, path)
    else:
        save_file(state, path)
    model = load("squeezenet1_1", path)
    assert not model.training
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    with torch.no_grad():
        assert model(torch.zeros(1, 3, 64, 64)).shape == (1, 7)


def test_training_checkpoints_and_parallel_names_are_unwrapped(tmp_path: Path, state: State) -> None:
    torch.save({"epoch": 3, "state_dict": {f"module.{key}": value for key, value in state.items()}}, tmp_path / "c.pt")
    model = load("squeezenet1_1", tmp_path / "c.pt")
    assert torch.equal(model.state_dict()["features.0.bias"], state["features.0.bias"])


def test_buffers_that_no_file_holds_are_not_left_uninitialised(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = torchvision.models.get_model("mobilenet_v3_small", weights=None, num_classes=4).eval()
    torch.save(model.state_dict(), tmp_path / "w.pt")
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(load("mobilenet_v3_small", tmp_path / "w.pt")(x), model(x))


def test_an_unknown_model_is_answered_with_near_names(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no classifier 'mobilnet_v2': did you mean 'mobilenet_v2'\?"):
        load("mobilnet_v2", tmp_path / "w.pt")


def test_weights_of_another_network_are_told_with_examples(tmp_path: Path, state: State) -> None:
    torch.save(state, tmp_path / "squeeze.pt")
    with pytest.raises(InputError, match=r"another network than resnet18: 122 of 122 tensors are missing"):
        load("resnet18", tmp_path / "squeeze.pt")


def test_weights_of_another_size_are_told_with_shapes(tmp_path: Path, state: State) -> None:
    wider = dict(state) | {"features.0.weight": torch.zeros(64, 1, 3, 3)}
    torch.save(wider, tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"1 have another shape, such as 'features.0.weight' \[64, 1, 3, 3\], not"):
        load("squeezenet1_1", tmp_path / "w.pt")


def test_weights_that_are_not_finite_are_told_by_name(tmp_path: Path, state: State) -> None:
    broken = dict(state) | {"features.0.bias": torch.full((64,), float("nan"))}
    torch.save(broken, tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"NaN or infinities, first in 'features.0.bias'"):
        load("squeezenet1_1", tmp_path / "w.pt")


@pytest.mark.parametrize("name", ["w.safetensors", "w.pt"])
def test_a_file_that_holds_no_weights_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("these are not weights")
    with pytest.raises(InputError, match=rf"{name} cannot be read as weights"):
        load("squeezenet1_1", tmp_path / name)


class _Code:
    """Runs code where it is unpickled without care."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("this ran",)


def test_nobody_is_advised_to_run_the_code_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"weight": _Code()}, tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"\(it is damaged, or holds something else than tensors\)") as refused:
        load("squeezenet1_1", tmp_path / "w.pt")
    assert "weights_only" not in str(refused.value)
    assert "this ran" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["w.safetensors", "w.pt"])
def test_a_truncated_file_is_told(tmp_path: Path, state: State, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".pt":
        torch.save(state, path)
    else:
        save_file(state, path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="cannot be read as weights"):
        load("squeezenet1_1", path)


@pytest.mark.parametrize("name", ["w.safetensors", "w.pt"])
def test_a_missing_file_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="no weights file at"):
        load("squeezenet1_1", tmp_path / name)


def test_something_else_than_a_state_dict_is_refused(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "w.pt")
    with pytest.raises(InputError, match="holds no state dict"):
        load("squeezenet1_1", tmp_path / "w.pt")
