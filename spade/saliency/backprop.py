"""Methods that change the backward pass through the activations: DeepLift and Guided Backprop."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from captum._utils.common import _register_backward_hook
from captum.attr import DeepLift, GuidedBackprop
from captum.attr._core.deep_lift import SUPPORTED_NON_LINEAR, nonlinear
from torch import nn

from .prepared import MethodUnavailable
from .query import Answer, Query
from .rewrite import ACTIVATIONS

_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)


class _RescaleEverywhere(DeepLift):
    """DeepLift with the rescale rule on every elementwise activation, not on Captum's list alone.

    Max pooling has Captum's rule without its two errors (captum issue 1276): where windows overlap, as in
    ResNet's stem, Captum drops all but one of the shares of an input that wins several windows.
    """

    def _is_non_linear(self, module: nn.Module) -> bool:
        return type(module) in SUPPORTED_NON_LINEAR or type(module) in ACTIVATIONS

    def _backward_hook(self, module: Any, grad_input: torch.Tensor, grad_output: torch.Tensor) -> torch.Tensor:  # noqa: ANN401 - Captum hangs input and output on the module
        if type(module) in SUPPORTED_NON_LINEAR and type(module) not in _POOLS:
            multipliers: torch.Tensor = super()._backward_hook(module, grad_input, grad_output)
            return multipliers
        inputs, outputs = module.input, module.output
        del module.input, module.output
        if type(module) in _POOLS:
            return _pooling_multipliers(module, inputs, outputs, grad_input, grad_output)
        rescaled: torch.Tensor = nonlinear(module, inputs, outputs, grad_input, grad_output, eps=self.eps)
        return rescaled


def _pooling_multipliers(  # noqa: PLR0917 - the tensors of one layer, and a tolerance
    module: nn.Module,
    inputs: torch.Tensor,
    outputs: torch.Tensor,
    grad_input: torch.Tensor,
    grad_output: torch.Tensor,
    eps: float = 1e-10,
) -> torch.Tensor:
    """Multipliers of max pooling [2, ...], image and reference alike.

    The rise from the reference's maximum to the larger of both goes to the winner in the image, the rise
    from there to the image's maximum to the winner in the reference; an input's multiplier is what it
    received divided by its own rise.
    """
    output, reference = outputs.chunk(2)
    peak = torch.maximum(output, reference)
    rises = torch.cat([peak - reference, output - peak])
    leaf = inputs.detach().requires_grad_()
    with torch.enable_grad():
        pooled = type(module).forward(module, leaf)  # the module's own call would run Captum's hooks again
        (routed,) = torch.autograd.grad(pooled, leaf, grad_output * rises)
    received = sum(routed.chunk(2))
    image, blank = inputs.chunk(2)
    rise = image - blank
    # An input that did not change passes on any multiplier, as long as both halves of the batch share it.
    unchanged = sum(grad_input.chunk(2)) / 2
    multipliers = torch.where(rise.abs() < eps, unchanged, received / rise)
    return torch.cat([multipliers, multipliers])


class _GuardEverywhere(GuidedBackprop):
    """Guided Backprop that guards every activation; Captum's guards `nn.ReLU` modules only."""

    def _register_hooks(self, module: nn.Module) -> None:
        if type(module) in ACTIVATIONS:
            self.backward_hooks.extend(_register_backward_hook(module, self._backward_hook, self))


def deep_lift(query: Query) -> Answer:
    """DeepLift with the rescale rule against the blank image (Shrikumar et al., 2017).

    Captum's rule for max pooling is corrected. Unlike Captum, and unlike appendix D.1 which reports DeepLift equal to
    InputXGradient on MobileNet-V2 and ConvNeXt, ReLU6, GELU and their like are rescaled too
    (`deep_lift_activations`).

    Raises:
        MethodUnavailable: An activation runs more than once in a pass, so that its two inputs (image and
            reference) cannot be told apart, or the rewritten network does not compute what the original does.
    """
    anatomy = query.prepared.anatomy(query.x)
    if anatomy.repeated:
        raise MethodUnavailable(
            f"DeepLift cannot take this network: the activation {anatomy.repeated[0]} runs more than once in a forward "
            "pass, and its block's forward could not be rewritten; give each call an activation module of its own."
        )
    _refuse_unfaithful(query, "DeepLift")
    everywhere = query.settings.deep_lift_activations == "all"
    method: Any = (_RescaleEverywhere if everywhere else DeepLift)(query.network)
    with _quiet():
        values = method.attribute(query.leaf, query.blank, target=query.target)
    return Answer(values.detach(), query.rise())


def guided_backprop(query: Query) -> Answer:
    """The gradient with negative parts cut at every activation (Springenberg et al., 2014).

    The cut is on the gradient at the activation's input, which for ReLU is the published rule; smooth
    activations keep their own derivative.

    Raises:
        MethodUnavailable: The rewritten network does not compute what the original does.
    """
    _refuse_unfaithful(query, "GuidedBackprop")
    with _quiet():
        return Answer(_guided_backprop(query).attribute(query.leaf, target=query.target))


def _guided_backprop(query: Query) -> Any:  # noqa: ANN401 - mypy cannot resolve the decorated `attribute`
    """Captum's object for the guard the settings ask for."""
    return (_GuardEverywhere if query.settings.guided_activations == "all" else GuidedBackprop)(query.network)


def _refuse_unfaithful(query: Query, method: str) -> None:
    if not query.prepared.anatomy(query.x).faithful:
        raise MethodUnavailable(
            f"{method} cannot take this network: with one activation module a call, its output changed "
            f"(blocks rewritten: {', '.join(query.prepared.rewritten)}); use nn.ReLU modules in those blocks."
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Captum announces each time that it sets hooks; it removes them, and a test holds it to that."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Setting (forward, )?backward hooks", category=UserWarning)
        yield
