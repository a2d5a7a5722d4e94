"""A classifier, of torchvision or of your own, with the weights of a file."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
import torchvision
from safetensors.torch import load_file
from torch import nn

from . import architecture
from .errors import InputError

_WRAPPERS = ("state_dict", "model", "model_state_dict")


def load(name: str, path: Path) -> nn.Module:
    """The network of that name (see `spade.architecture`), in eval mode, with the weights of a file.

    A torchvision network has as many classes as the file. Files: .safetensors, or what torch.save wrote of a state
    dict (read with weights_only, so that no code in it runs).

    Raises:
        InputError: Unknown model, unreadable file, weights of another network, or weights that are not finite.
    """
    if not architecture.is_entry(name):
        architecture.check_name(name)
    state = _state(path)
    bad = [key for key, value in state.items() if value.is_floating_point() and not torch.isfinite(value).all()]
    if bad:
        raise InputError(f"The weights in {path} hold NaN or infinities, first in '{bad[0]}'.")
    model = architecture.build(name, classes=_classes(name, state))
    _check_fit(model, state, name, path)
    model.load_state_dict(state)
    return model.eval()


def _classes(name: str, state: Mapping[str, torch.Tensor]) -> int | None:
    """The length of the file's last layer, if the network is torchvision's and the file has such a layer."""
    if architecture.is_entry(name):
        return None
    with torch.device("meta"):
        head = list(torchvision.models.get_model(name, weights=None).state_dict())[-1]
    return len(state[head]) if head in state and state[head].ndim else None


def _state(path: Path) -> dict[str, torch.Tensor]:
    try:
        content: object = (
            load_file(path)
            if path.suffix == ".safetensors"
            else torch.load(path, map_location="cpu", weights_only=True)
        )
    except FileNotFoundError as problem:
        raise InputError(f"There is no weights file at {path}.") from problem
    except Exception as problem:  # an unpickler on whatever bytes came raises whatever it likes
        told = next(iter(str(problem).splitlines()), type(problem).__name__)
        if isinstance(problem, pickle.UnpicklingError):
            # torch advises to load it anyway, which would run whatever code the file holds.
            told = "it is damaged, or holds something else than tensors"
        raise InputError(
            f"{path} cannot be read as weights ({told}); a .safetensors file or a state dict written by torch.save "
            "is wanted."
        ) from problem
    while isinstance(content, Mapping) and (wrapper := next((key for key in _WRAPPERS if key in content), None)):
        content = content[wrapper]
    if not isinstance(content, Mapping) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise InputError(f"{path} holds no state dict, a mapping from parameter names to tensors.")
    return {str(key).removeprefix("module."): value for key, value in content.items()}


def _check_fit(model: nn.Module, state: Mapping[str, torch.Tensor], name: str, path: Path) -> None:
    own = model.state_dict()
    missing = [key for key in own if key not in state]
    foreign = [key for key in state if key not in own]
    misfits = [key for key in own if key in state and own[key].shape != state[key].shape]
    if not missing and not foreign and not misfits:
        return
    found = []
    if missing:
        found.append(f"{len(missing)} of {len(own)} tensors are missing, such as '{missing[0]}'")
    if foreign:
        found.append(f"{len(foreign)} belong to no part of it, such as '{foreign[0]}'")
    if misfits:
        key = misfits[0]
        found.append(
            f"{len(misfits)} have another shape, such as '{key}' {list(state[key].shape)}, not {list(own[key].shape)}"
        )
    raise InputError(f"{path} holds the weights of another network than {name}: {'; '.join(found)}.")
