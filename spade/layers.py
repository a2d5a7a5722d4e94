"""Which layers of a network can be pruned, and the Hessians of their inputs from one pass over a batch."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from .errors import InputError, nearest
from .gram import GramAccumulator, PrunableLayer

Excluded = dict[str, str]


def prunable_layers(model: nn.Module, *, depthwise: bool = False) -> dict[str, PrunableLayer]:
    """The convolutions and linear layers that can be pruned, by name, in the order in which the model defines them.

    Depthwise convolutions stay out unless asked for, as in the paper (appendix D). `excluded_layers` says why any
    other layer is missing. A layer that appears under several names has the first of them.

    Raises:
        InputError: If no layer is left.
    """
    kept, excluded = _sorted_out(model, depthwise=depthwise)
    if not kept:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in excluded.items())
        raise InputError(
            f"{type(model).__name__} has no layer to prune: nn.Conv2d and nn.Linear are. "
            + (f"Left out: {reasons}." if reasons else "It contains neither.")
        )
    return kept


def excluded_layers(model: nn.Module, *, depthwise: bool = False) -> Excluded:
    """The layers with a weight matrix that cannot be pruned, by name, each with its reason."""
    return _sorted_out(model, depthwise=depthwise)[1]


def named_layers(model: nn.Module, names: Iterable[str], *, depthwise: bool = True) -> dict[str, PrunableLayer]:
    """The layers of these names, in the model's order.

    Raises:
        InputError: If a name is unknown or its layer cannot be pruned.
    """
    kept, excluded = _sorted_out(model, depthwise=depthwise)
    wanted = set(names)
    for name in sorted(wanted - kept.keys()):
        if name in excluded:
            raise InputError(f"Layer '{name}' cannot be pruned: {excluded[name]}.")
        raise InputError(f"{type(model).__name__} has no layer '{name}'. {nearest(name, kept)}")
    return {name: layer for name, layer in kept.items() if name in wanted}


def layer_grams(
    model: nn.Module,
    images: Tensor | Iterable[Tensor],
    *,
    layers: Iterable[str] | None = None,
    batch_size: int = 64,
    watch: Callable[[int], None] = lambda _: None,
) -> dict[str, Tensor]:
    """The Hessian [groups, d, d], fp64, of every layer that ran, by name, in the order of first execution.

    One forward pass in evaluation mode without gradients. A layer that runs several times has one Hessian over all
    its runs; a layer that never runs is missing. Whatever happens, the hooks are removed and every module gets its
    training flag back.

    Args:
        model: any module that takes one batch.
        images: normalised [N, C, H, W], cut into batches of `batch_size`; or batches, for a set too large to hold.
        layers: names; all prunable layers by default.
        batch_size: images a forward pass. The result depends on it only by rounding.
        watch: told after each batch how many images were run.

    Raises:
        InputError: If nothing can be pruned, a name is unknown, or a layer's inputs hold NaN or infinity.
    """
    wanted = prunable_layers(model) if layers is None else named_layers(model, layers)
    sums: dict[str, GramAccumulator] = {}

    def add(name: str, layer: PrunableLayer, x: Tensor) -> None:
        sums.setdefault(name, GramAccumulator(layer)).add(x)

    batches = iter(_batches(images, batch_size))
    first = next(batches, None)
    if first is None:
        raise InputError("There are no images to take layer inputs from; give one or more.")
    # One image by itself, before the hooks: what goes wrong in them later is not the image's fault.
    check_takes(model, first[:1])
    n_images = 0
    with watched(wanted, add), evaluating(model):
        for batch in chain([first], batches):
            model(batch.clone())  # a network may work in place on what it is given
            n_images += len(batch)
            watch(n_images)
    return {name: finite(total.hessian(n_images), name) for name, total in sums.items()}


@contextmanager
def watched(layers: Mapping[str, PrunableLayer], see: Callable[[str, PrunableLayer, Tensor], None]) -> Iterator[None]:
    """While it lasts, `see(name, layer, input)` is called before every run of these layers; the hooks are removed.

    The input is what the layer is given: [N, C, H, W] of a convolution, [..., d] of a linear layer; it is not copied.
    """

    def hook(name: str) -> Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], None]:
        def before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            see(name, module, args[0] if args else kwargs["input"])  # type: ignore[arg-type] # a layer of `layers`

        return before

    with ExitStack() as stack:
        for name, layer in layers.items():
            stack.callback(layer.register_forward_pre_hook(hook(name), with_kwargs=True).remove)
        yield


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """While it lasts, the model is in evaluation mode and records no gradients; then each module is as it was."""
    flags = [(module, module.training) for module in model.modules()]
    try:
        with torch.no_grad():
            model.eval()
            yield
    finally:
        for module, training in flags:
            module.training = training


def check_takes(model: nn.Module, image: Tensor) -> None:
    """Nothing, if the model takes this batch of one [1, C, H, W].

    Raises:
        InputError: If it does not; running out of memory is no such answer, and passes through.
    """
    try:
        with evaluating(model):
            model(image.clone())
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise InputError(f"{type(model).__name__} does not take a batch {list(image.shape)}: {reason}.") from error


def finite(hessian: Tensor, name: str) -> Tensor:
    """The Hessian [..., d, d] of layer `name`, as it came.

    Raises:
        InputError: If it holds NaN or infinity.
    """
    # A diagonal is a sum of squares: any input that is not finite, and any overflow, shows there.
    if not hessian.diagonal(dim1=-2, dim2=-1).isfinite().all():
        raise InputError(
            f"The inputs of layer '{name}' hold NaN, infinity or values too large to square; look at the layers "
            "before it and at the normalisation of the image."
        )
    return hessian


def _batches(images: Tensor | Iterable[Tensor], batch_size: int) -> Iterable[Tensor]:
    if isinstance(images, Tensor):
        return torch.split(images, batch_size) if len(images) else ()
    return images


def _sorted_out(model: nn.Module, *, depthwise: bool) -> tuple[dict[str, PrunableLayer], Excluded]:
    """Prunable layers, and reasons for the rest."""
    kept: dict[str, PrunableLayer] = {}
    excluded: Excluded = {}
    owners = _owners(model)
    for name, module in model.named_modules():
        if not isinstance(module, _WEIGHTED):
            continue
        reason = _reason(module, depthwise=depthwise, owners=owners)
        if reason is None and isinstance(module, nn.Conv2d | nn.Linear):
            kept[name] = module
        else:
            excluded[name] = reason or "it is neither nn.Conv2d nor nn.Linear"
    return kept, excluded


# What people expect to be pruned; anything else with weights (norms, embeddings) goes without saying.
_WEIGHTED = (nn.Linear, nn.Bilinear, nn.modules.conv._ConvNd)  # noqa: SLF001 # the one common base of convolutions


def _reason(module: nn.Module, *, depthwise: bool, owners: Mapping[int, Sequence[str]]) -> str | None:
    """Why a module with weights cannot be pruned; None if it can."""
    base = next((kind for kind in (nn.Conv2d, nn.Linear) if isinstance(module, kind)), None)
    if base is None:
        return "it is neither nn.Conv2d nor nn.Linear"
    weight = module._parameters.get("weight")  # noqa: SLF001 # module.weight may be computed by a hook
    sharers = owners.get(id(weight), ())
    reasons = {
        "its weight is parametrized; call torch.nn.utils.parametrize.remove_parametrizations first": (
            parametrize.is_parametrized(module, "weight")
        ),
        "its weight is computed from others (weight norm, spectral norm, pruning mask); remove that first": (
            weight is None
        ),
        "its weight is not initialised; run the model once first": (
            isinstance(weight, nn.parameter.UninitializedParameter)
        ),
        f"{type(module).__name__} computes something else than {base.__name__}": (
            any(getattr(type(module), method) is not getattr(base, method) for method in _FORWARD[base])
        ),
        f"its weight is shared by {' and '.join(sharers)}": len(sharers) > 1,
        "depthwise convolutions are not pruned": (
            not depthwise and isinstance(module, nn.Conv2d) and module.groups == module.in_channels > 1
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


_FORWARD: dict[type, tuple[str, ...]] = {nn.Conv2d: ("forward", "_conv_forward"), nn.Linear: ("forward",)}


def _owners(model: nn.Module) -> dict[int, list[str]]:
    """The parameter names, by identity: more than one where modules share a tensor."""
    owners: dict[int, list[str]] = {}
    for prefix, module in model.named_modules():
        for name, parameter in module.named_parameters(prefix=prefix, recurse=False, remove_duplicate=False):
            owners.setdefault(id(parameter), []).append(name)
    return owners
