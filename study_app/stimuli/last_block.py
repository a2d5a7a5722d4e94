"""The last block of a network: what the study prunes where nobody names it."""

from collections.abc import Sequence

from torch import nn

from spade.errors import InputError
from spade.layers import prunable_layers


def last_block(model: nn.Module) -> tuple[str, ...]:
    """Names of the modules that make the last block: layer4 of a ResNet, the paper's "fourth part".

    Modules that hold convolutions are taken apart while one of them has more than half of all prunable layers; then the
    last of them that has two or more is the block, with what comes after it. In a plain chain of convolutions it is the
    last one. The head is no part of it.

    Raises:
        InputError: no convolution can be pruned.
    """
    body = _body(model)
    if not body:
        raise InputError(
            f"{type(model).__name__} has no last block: no prunable layer lies in a module with a convolution. Name "
            "layers with --block."
        )
    units = _units(body, "")
    while large := next((unit for unit in units if _splits(body, unit)), None):
        place = units.index(large)
        units[place : place + 1] = _units(body, large)
    for start in range(len(units) - 1, -1, -1):
        if len(_within(body, units[start])) > 1:
            return tuple(units[start:])
    return (units[-1],)


def _body(model: nn.Module) -> list[str]:
    """Prunable layers in children of the model that hold a convolution: not those of a head of linear layers."""
    with_maps = {name for name, part in model.named_children() if any(isinstance(m, nn.Conv2d) for m in part.modules())}
    return [name for name in prunable_layers(model) if name.partition(".")[0] in with_maps]


def _units(layers: Sequence[str], prefix: str) -> list[str]:
    """The next longer names below `prefix`, in order."""
    depth = prefix.count(".") + 2 if prefix else 1
    return list(dict.fromkeys(".".join(name.split(".")[:depth]) for name in _within(layers, prefix)))


def _within(layers: Sequence[str], unit: str) -> list[str]:
    return [name for name in layers if not unit or name == unit or name.startswith(f"{unit}.")]


def _splits(layers: Sequence[str], unit: str) -> bool:
    inside = _within(layers, unit)
    return 2 * len(inside) > len(layers) and inside != [unit]
