"""What a saliency method returns, and the heatmap drawn from it."""

from dataclasses import dataclass
from typing import Literal

import torch

from ..errors import InputError, nearest

Channels = Literal["abs_sum", "sum_abs", "sum"]


@dataclass(frozen=True)
class Attribution:
    """One method's answer for one image: how much each input value speaks for the target.

    Attributes:
        method: Name in the paper's spelling.
        values: Signed attributions [C, H, W], float32, on the input's device.
        expected: What the values ought to sum to by the method's own axiom (completeness or
            conservation); NaN for a method without such an axiom.
        delta: Sum of the values minus `expected`, or NaN.
        seconds: Wall-clock time of the computation, preparation of the network not included.
    """

    method: str
    values: torch.Tensor
    expected: float
    delta: float
    seconds: float


def _abs_sum(values: torch.Tensor) -> torch.Tensor:
    return values.sum(dim=0).abs()


def _sum_abs(values: torch.Tensor) -> torch.Tensor:
    return values.abs().sum(dim=0)


def _sum(values: torch.Tensor) -> torch.Tensor:
    return values.sum(dim=0)


_CHANNELS = {"abs_sum": _abs_sum, "sum_abs": _sum_abs, "sum": _sum}


def heatmap(attribution: Attribution, channels: Channels = "abs_sum") -> torch.Tensor:
    """A heatmap [H, W] (float32): the channels of an attribution reduced to one number a pixel.

    The paper does not say how it reduces channels, and the choice moves the Trojan AUC by up to five
    points, so it is always named: `abs_sum` is |sum over channels|, `sum_abs` is the sum of |.|, and
    `sum` keeps the sign.

    Raises:
        InputError: `channels` is none of the three.
    """
    if channels not in _CHANNELS:
        raise InputError(f"The channel reduction '{channels}' is unknown: {nearest(channels, _CHANNELS)}")
    return _CHANNELS[channels](attribution.values)
