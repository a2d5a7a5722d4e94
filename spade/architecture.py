"""A network without weights, by name: one of torchvision's, or one that a function of yours builds."""

import hashlib
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import torchvision
from torch import nn

from .errors import InputError, nearest


def is_entry(name: str) -> bool:
    """Whether `name` is `file.py:function` or `package.module:function`, and not a torchvision classifier."""
    return ":" in name


def build(name: str, *, classes: int | None = None) -> nn.Module:
    """A network in evaluation mode whose weights are still to be loaded.

    Args:
        name: a torchvision classifier such as `resnet50`; or `file.py:function` or `package.module:function`, which is
            imported and called without arguments. That runs code: name only files you would run yourself.
        classes: length of a torchvision network's last layer; a function knows its own.

    Raises:
        InputError: there is no such network, or its function fails or returns something else.
    """
    if is_entry(name):
        return _called(name).eval()
    check_name(name)
    options: dict[str, Any] = {} if classes is None else {"num_classes": classes}
    with torch.device("meta"):  # initialising values that are about to be overwritten takes seconds
        model: nn.Module = torchvision.models.get_model(name, weights=None, **options)
    return model.to_empty(device="cpu").eval()


def check_name(name: str) -> None:
    """Nothing, if torchvision has a classifier of that name.

    Raises:
        InputError: if it has not; near names are told.
    """
    names = torchvision.models.list_models(module=torchvision.models)
    if name not in names:
        raise InputError(f"torchvision has no classifier '{name}': {nearest(name, names)}")


def _called(name: str) -> nn.Module:
    where, _, function = name.rpartition(":")
    module = _module(where)
    builder = getattr(module, function, None)
    if not callable(builder):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise InputError(f"{where} has no function '{function}' that builds a network. {nearest(function, known)}")
    try:
        model = builder()
    except Exception as problem:  # code of others raises whatever it likes
        raise InputError(
            f"{name} failed to build the network: {type(problem).__name__}: {problem}. It is called without arguments."
        ) from problem
    if not isinstance(model, nn.Module):
        raise InputError(f"{name} returned {type(model).__name__}; a torch.nn.Module is wanted.")
    return model


def _module(where: str) -> ModuleType:
    path = Path(where)
    try:
        return _from_file(path) if path.suffix == ".py" else importlib.import_module(where)
    except FileNotFoundError as problem:
        raise InputError(f"There is no file {path} to build the network from.") from problem
    except Exception as problem:  # as above
        raise InputError(
            f"{where} cannot be imported to build the network: {type(problem).__name__}: {problem}."
        ) from problem


def _from_file(path: Path) -> ModuleType:
    # The name tells files of equal names apart, and lets a class be found by its module, as dataclasses ask.
    name = f"_network_{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("no loader takes this file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
