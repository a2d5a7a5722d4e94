# mypy: disable-error-code="no-untyped-call"
# zennit ships no types.
"""Layer-wise relevance propagation, by zennit."""

import torch
from torch import nn
from zennit.attribution import Gradient
from zennit.composites import LayerMapComposite, MixedComposite, NameMapComposite, layer_map_base
from zennit.rules import ZBox, ZPlus
from zennit.types import Convolution, Linear

from .canonical import canonical
from .prepared import MethodUnavailable
from .query import Answer, Query

# Relative to the largest score. Folding a batch norm costs float32 rounding, orders of magnitude less;
# a batch norm folded into the wrong convolution costs orders of magnitude more.
_FOLDING_TOLERANCE = 1e-2


def lrp(query: Query) -> Answer:
    """Relevance of each input value; its sum is the target's score (Bach et al., 2015, eq. 1-2).

    alpha-beta with alpha = 1 (z+) in every layer and z-box in the first convolution, its box the image's own
    lowest and highest value, as in the code the paper cites (Nam et al., 2019); biases carry no relevance. Unlike
    that code, a batch norm is folded into its convolution instead of being a layer of its own. Where all positive
    products of a neuron are zero its relevance is lost; `delta` shows how much.

    Raises:
        MethodUnavailable: The network holds something without a relevance rule, or batch norms cannot be folded.
    """
    if query.prepared.lrp_obstacle:
        raise MethodUnavailable(f"LRP cannot take this network: {query.prepared.lrp_obstacle}.")
    network = canonical(query.prepared.source)
    with torch.no_grad():
        scores = query.network(query.x)
        first = _first_convolution(network, query.x.clone(), scores)
    start = torch.zeros_like(scores)
    start[0, query.target] = query.score
    with Gradient(network, _composite(query.x, first), attr_output=start) as propagate:
        _, relevance = propagate(query.leaf)
    return Answer(relevance.detach(), query.score)


def _composite(x: torch.Tensor, first: str) -> MixedComposite:
    low, high = x.amin(), x.amax()
    rules = [*layer_map_base(), (Linear, ZPlus(zero_params=["bias"]))]
    box = [((first,), ZBox(low=low, high=high, zero_params=["bias"]))] if first else []
    return MixedComposite([NameMapComposite(box), LayerMapComposite(rules)])


def _first_convolution(network: nn.Module, x: torch.Tensor, scores: torch.Tensor) -> str:
    """Name of the convolution that runs first, empty where none reads the image; checks the folding on the way."""
    order: list[str] = []
    handles = [
        module.register_forward_pre_hook(lambda _m, inputs, name=name: order.append(name if inputs[0] is x else ""))
        for name, module in network.named_modules()
        if issubclass(type(module), Convolution)
    ]
    try:
        folded = network(x)
    finally:
        for handle in handles:
            handle.remove()
    error = (folded - scores).abs().max() / scores.abs().max().clamp_min(torch.finfo(scores.dtype).tiny)
    if not error <= _FOLDING_TOLERANCE:
        raise MethodUnavailable(
            "LRP cannot take this network: folding each batch norm into the convolution defined before it changes the "
            f"scores by {float(error):.0%}; define modules in the order in which they run."
        )
    return next((name for name in order if name), "")
