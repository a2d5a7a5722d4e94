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


class _RescaleEverywhere(DeepLift):
    """DeepLift with the rescale rule on every elementwise activation, not on Captum's list alone."""

    def _is_non_linear(self, module: nn.Module) -> bool:
        return type(module) in SUPPORTED_NON_LINEAR or type(module) in ACTIVATIONS

    def _backward_hook(self, module: Any, grad_input: torch.Tensor, grad_output: torch.Tensor) -> torch.Tensor:  # noqa: ANN401 - Captum hangs input and output on the module
        if type(module) in SUPPORTED_NON_LINEAR:
            multipliers: torch.Tensor = super()._backward_hook(module, grad_input, grad_output)
            return multipliers
        inputs, outputs = module.input, module.output
        del module.input, module.output
        rescaled: torch.Tensor = nonlinear(module, inputs, outputs, grad_input, grad_output, eps=self.eps)
        return rescaled


class _GuardEverywhere(GuidedBackprop):
    """Guided Backprop that guards every activation; Captum's guards `nn.ReLU` modules only."""

    def _register_hooks(self, module: nn.Module) -> None:
        if type(module) in ACTIVATIONS:
            self.backward_hooks.extend(_register_backward_hook(module, self._backward_hook, self))


def deep_lift(query: Query) -> Answer:
    """DeepLift with the rescale rule against the blank image (Shrikumar et al., 2017).

    Unlike Captum, and unlike appendix D.1 which reports DeepLift equal to InputXGradient on MobileNet-V2
    and ConvNeXt, ReLU6, GELU and their like are rescaled too (`deep_lift_activations`).

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
