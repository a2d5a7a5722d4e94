# mypy: disable-error-code="no-untyped-call"
# zennit ships no types.
"""The form of a network that layer-wise relevance propagation can be attached to."""

import operator

import torch
from torch import nn
from torch.nn import functional
from torchvision.models.resnet import BasicBlock, Bottleneck
from zennit.torchvision import ResNetCanonizer
from zennit.types import AvgPool, BatchNorm, Linear, MaxPool

from .rewrite import has_own_forward, shallow_graph, twin_of

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
# Dropout and Identity do nothing in eval mode; Flatten only moves values.
_SILENT = (nn.Identity, nn.Flatten, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
_RULED = (Linear, BatchNorm, AvgPool, MaxPool, nn.ReLU)
# Calls whose plain gradient is the relevance rule: they move, select or drop values.
_CALLS = {
    functional.relu,
    functional.dropout,
    functional.max_pool2d,
    torch.relu,
    torch.flatten,
    torch.cat,
    torch.max_pool2d,
    operator.getitem,
    getattr,
    "relu",
    "flatten",
    "view",
    "reshape",
    "contiguous",
    "size",
}


def obstacle(model: nn.Module) -> str:
    """Why relevance cannot be propagated through this network, as a clause; empty where it can.

    The rules hold for ReLU networks (appendix D.1 leaves MobileNet-V2 out as well; its depthwise layers would lose
    nearly all relevance, see docs/decisions/lrp-and-depthwise.md), and each residual addition must be known: an
    addition left to the plain gradient doubles relevance, silently. Known are those of torchvision's BasicBlock and
    Bottleneck.
    """
    rest = [
        (name, module)
        for name, module in model.named_modules()
        if not isinstance(module, (*_CONTAINERS, *_SILENT, *_RULED)) and not _is_residual_block(module)
    ]
    for name, module in rest:
        if not has_own_forward(module):
            return f"its module '{name}' is a {type(module).__name__}, and the rules are defined for ReLU networks"
    for name, module in rest:
        clause = _foreign_call(module)
        if clause:
            where = f"its module '{name}' ({type(module).__name__})" if name else f"its class {type(module).__name__}"
            return f"{where} {clause}"
    return ""


def canonical(model: nn.Module) -> nn.Module:
    """A twin with each batch norm folded into the convolution before it and each addition a module.

    The canonizer sets `.data` of parameters and of batch-norm buffers, so the twin's tensors are its own
    objects and the model's memory is only read.
    """
    twin = twin_of(model, share=False)
    ResNetCanonizer().apply(twin)
    return twin


def _is_residual_block(module: nn.Module) -> bool:
    return type(module).forward in {BasicBlock.forward, Bottleneck.forward}


def _foreign_call(module: nn.Module) -> str:
    graph = shallow_graph(module)
    if graph is None:
        return "has a forward that torch.fx cannot read"
    for node in graph.nodes:
        if node.op in {"call_function", "call_method"} and node.target not in _CALLS:
            called = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
            return f"calls '{called}', for which no relevance rule is known"
    return ""
