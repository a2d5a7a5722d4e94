"""A layer's sparse weights by a pruner that another package adds; whatever it does wrong is a sentence."""

import torch
from torch import Tensor

from . import plugins, pruners
from .plugins import PluginError
from .solver.solution import Solution, solution


def solve(name: str, weight: Tensor, hessian: Tensor, ratio: float) -> Solution:
    """The Solution of one layer, or of one group of it: `weight` [R, d] pruned under its Hessian [d, d].

    A weight of exactly 0 counts as removed. The pruner works on copies, so it cannot change what others share.

    Raises:
        PluginError: it raised, or what it gave cannot be a layer's weights; the sentence names it and its package.
    """
    pruner = pruners.find(name)
    try:
        found = pruner.prune(weight.clone(), hessian.clone(), ratio)
    except Exception as problem:
        told = " ".join(str(problem).split())
        raise _wrong(name, f"raised {type(problem).__name__}: {told}") from problem
    if not isinstance(found, Tensor):
        raise _wrong(name, f"gave a {type(found).__name__}; a tensor of weights belongs there")
    if found.shape != weight.shape or found.dtype != weight.dtype:
        raise _wrong(
            name,
            f"gave {_said(found)} for weights {_said(weight)}; shape and dtype must be those of the weights",
        )
    if not bool(torch.isfinite(found).all()):
        raise _wrong(name, "gave weights that are NaN or infinite")
    found = found.detach().to(weight.device)
    dead = tuple(torch.nonzero(hessian.diagonal() == 0).flatten().tolist())
    return solution(found.clone(), found != 0, dead=dead, fallbacks=())


def _wrong(name: str, what: str) -> PluginError:
    title = next((one.title for one in plugins.installed() if (one.kind, one.name) == ("pruner", name)), name)
    return PluginError(f"The {title} {what}. `spade-bench check-plugin {name}` tells what else it breaks.")


def _said(tensor: Tensor) -> str:
    return f"{list(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"
