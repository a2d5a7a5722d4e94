"""The ten methods, and the door through which they are asked."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from .. import plugins
from ..errors import InputError
from ..saliency_settings import Settings
from .attribution import Attribution
from .backprop import deep_lift, guided_backprop
from .gradcam import guided_grad_cam
from .gradient import input_x_gradient, saliency
from .path import gradient_shap, integrated_gradients
from .perturbation import lime, occlusion
from .prepared import MapNotFinite, Prepared, prepare
from .query import Answer, Query
from .relevance import lrp


@dataclass(frozen=True)
class Method:
    """A saliency method: how it is computed, the paper's group for it, and whether it draws random numbers."""

    compute: Callable[[Query], Answer]
    group: Literal["gradient", "perturbation", "mixed"]
    random: bool = False


# In the order of table 2 of appendix A; groups as in section 4.1.
METHODS: dict[str, Method] = {
    "Saliency": Method(saliency, "gradient"),
    "InputXGradient": Method(input_x_gradient, "gradient"),
    "DeepLift": Method(deep_lift, "gradient"),
    "LRP": Method(lrp, "gradient"),
    "GuidedBackprop": Method(guided_backprop, "gradient"),
    "GuidedGradCam": Method(guided_grad_cam, "gradient"),
    "LIME": Method(lime, "perturbation", random=True),
    "Occlusion": Method(occlusion, "perturbation"),
    "IntegratedGradients": Method(integrated_gradients, "mixed"),
    "GradientShap": Method(gradient_shap, "mixed", random=True),
}


def available() -> tuple[str, ...]:
    """Names of every method: the ten, then those that other installed packages add."""
    return (*METHODS, *plugins.offered("saliency", METHODS))


def find(name: str) -> Method:
    """The method of that name.

    Raises:
        InputError: there is none (answered with the nearest), or the package that adds it is broken.
    """
    return plugins.part("saliency", name, METHODS, Method)


def explain(
    method: str,
    model: nn.Module | Prepared,
    x: torch.Tensor,
    target: int,
    *,
    generator: torch.Generator,
    settings: Settings | None = None,
) -> Attribution:
    """How much each input value speaks for the target's score, by one method.

    Args:
        method: A name of METHODS, or one that another package adds.
        model: The network, or `prepare(network)` where it is asked more than once.
        x: Normalised image [1, C, H, W], floating point, on the network's device; not touched.
        target: Class index.
        generator: Source of randomness; LIME and GradientShap draw one number from it, the others none.
        settings: The knobs; `SETTINGS["ours"]` where not given.

    Raises:
        InputError: Unknown method, wrong image shape, a class index out of range, values that are not finite.
        MethodUnavailable: The method cannot take this network; the sentence says why.
        MapNotFinite: The map holds NaN or infinite values.
    """
    chosen = find(method)
    if x.ndim != 4 or x.shape[0] != 1 or not x.is_floating_point():
        raise InputError(
            f"A saliency map needs one image, a floating-point tensor [1, C, H, W]; got {list(x.shape)} {x.dtype}."
        )
    if not torch.isfinite(x).all():
        raise InputError("The image holds NaN or infinite values; a saliency map of it would mean nothing.")
    prepared = model if isinstance(model, Prepared) else prepare(model)
    x = x.detach()
    query = Query(prepared, x, target, _score(prepared, x, target), settings or Settings(), generator)
    start = time.perf_counter()
    answer = chosen.compute(query)
    seconds = time.perf_counter() - start
    return _attribution(method, answer, seconds)


def _score(prepared: Prepared, x: torch.Tensor, target: int) -> float:
    n_outputs = prepared.anatomy(x).n_outputs
    if not 0 <= target < n_outputs:
        raise InputError(f"The class index {target} is out of range: the network knows classes 0 to {n_outputs - 1}.")
    with torch.no_grad():
        score = float(prepared.network(x)[0, target])
    if not math.isfinite(score):
        raise InputError(
            f"The network's score for class {target} is {score}: its weights, or the activations they lead to, hold "
            "NaN or infinities, and no method can explain it."
        )
    return score


def _attribution(method: str, answer: Answer, seconds: float) -> Attribution:
    values = answer.values.detach()[0]
    if not torch.isfinite(values).all():
        raise MapNotFinite(
            f"{method} gave values that are not finite on this network: its weights, or the activations they lead to, "
            "hold NaN or infinities."
        )
    expected = float("nan") if answer.expected is None else answer.expected
    delta = float(values.double().sum()) - expected
    return Attribution(method, values.to(torch.float32), expected, delta, seconds)
