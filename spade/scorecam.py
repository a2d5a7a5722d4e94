"""Score-CAM (Wang et al., 2019): where in an image the evidence for a class lies, by masking and no gradients."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

from .errors import InputError, nearest
from .layers import check_takes, evaluating

Watch = Callable[[int, int], None]
"""Called with (masks done, masks in all)."""


def score_cam(
    model: nn.Module,
    x: Tensor,
    targets: Sequence[int],
    *,
    layer: str | None = None,
    batch_size: int = 64,
    watch: Watch = lambda *_: None,
) -> Tensor:
    """Maps [len(targets), H, W] of one image, each in [0, 1]: high where the network sees that class.

    Each channel k of a layer's output A [K, h, w] is enlarged to the image, moved to [0, 1] and multiplied with the
    image; with s_k the target's score for that masked image, a map is relu(sum_k softmax(s)_k A_k), enlarged. All
    targets share the K forward passes.

    The scores are logits and nothing is subtracted from them, as in grad-cam's ScoreCAM, whose maps these are; the
    paper's equation 6 takes the increase over a baseline, which the softmax cancels.

    Args:
        model: from [N, C, H, W] to scores [N, classes]. Its hooks, flags and gradients are as before afterwards.
        x: one normalised image [1, C, H, W] or [C, H, W].
        targets: class indices.
        layer: whose output the masks are; by default the last one to finish that holds a convolution and gives more
            than one position.
        batch_size: masked images a forward pass; the maps depend on it by rounding only.
        watch: told about progress.

    Raises:
        InputError: the network does not take the image, there is no such layer or class, or a score is not finite.
    """
    x = x[None] if x.ndim == 3 else x
    if x.ndim != 4 or len(x) != 1:
        raise InputError(f"Score-CAM takes one image [1, C, H, W]; got {list(x.shape)}.")
    check_takes(model, x)
    with evaluating(model):
        maps, scores = _outputs(model, x, layer)
        _check_targets(targets, scores.shape[-1])
        masks = _masks(maps, (int(x.shape[2]), int(x.shape[3])))
        found: list[Tensor] = []
        for first in range(0, len(masks), batch_size):
            found.append(model(x * masks[first : first + batch_size, None])[:, list(targets)])
            watch(min(first + batch_size, len(masks)), len(masks))
        scores = torch.cat(found).T  # [targets, K]
        if not torch.isfinite(scores).all():
            raise InputError(
                "The network gives masked images scores that are NaN or infinite; Score-CAM needs numbers."
            )
        weights = scores.softmax(dim=1)
        cams = torch.einsum("tk,khw->thw", weights, maps).relu()
        cams = F.interpolate(_unit(cams)[:, None], size=x.shape[2:], mode="bilinear", align_corners=False)[:, 0]
    return _unit(cams)


def map_layers(model: nn.Module, x: Tensor) -> dict[str, tuple[int, ...]]:
    """The modules that hold a convolution and give a map of several positions, in the order they finish, with shapes.

    x: [1, C, H, W], as the network takes it. Shapes are (1, channels, height, width).

    Raises:
        InputError: the network does not take the image.
    """
    check_takes(model, x)
    with evaluating(model):
        return {name: tuple(output.shape) for name, output in _finished(model, x)[0].items()}


def _outputs(model: nn.Module, x: Tensor, layer: str | None) -> tuple[Tensor, Tensor]:
    """Output [K, h, w] of the layer, and the scores [1, classes]."""
    maps, scores = _finished(model, x)
    if not isinstance(scores, Tensor) or scores.ndim != 2 or len(scores) != 1:
        raise InputError("Score-CAM needs a classifier: one row of scores, [1, classes], for one image.")
    if layer is not None and layer not in maps:
        raise InputError(f"Score-CAM: no layer '{layer}' gives maps of several positions. {nearest(layer, maps)}")
    if not maps:
        raise InputError("Score-CAM: no module with a convolution gives a map of more than one position.")
    return maps[layer if layer is not None else list(maps)[-1]][0], scores


def _finished(model: nn.Module, x: Tensor) -> tuple[dict[str, Tensor], object]:
    maps: dict[str, Tensor] = {}
    handles = []
    for name, module in model.named_modules():
        if not name or not any(isinstance(part, nn.Conv2d) for part in module.modules()):
            continue

        def note(_module: nn.Module, _inputs: object, output: object, name: str = name) -> None:
            if isinstance(output, Tensor) and output.ndim == 4 and output.shape[2] * output.shape[3] > 1:
                maps.pop(name, None)  # one that runs twice is as late as its last run
                maps[name] = output.clone()  # a ReLU behind it may work in place

        handles.append(module.register_forward_hook(note))
    try:
        return maps, model(x)
    finally:
        for handle in handles:
            handle.remove()


def _masks(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Each channel [K, H, W], enlarged and moved to [0, 1]; one that is flat becomes 0."""
    grown = F.interpolate(maps[None], size=size, mode="bilinear", align_corners=True)[0]
    low, high = grown.amin(dim=(1, 2), keepdim=True), grown.amax(dim=(1, 2), keepdim=True)
    return (grown - low) / (high - low + 1e-8)


def _unit(cams: Tensor) -> Tensor:
    """Maps from 0 to 1; flat ones stay 0."""
    cams = cams - cams.amin(dim=(1, 2), keepdim=True)
    return cams / (cams.amax(dim=(1, 2), keepdim=True) + 1e-7)


def _check_targets(targets: Sequence[int], classes: int) -> None:
    for target in targets:
        if not 0 <= target < classes:
            raise InputError(f"Class {target} is out of range: the network knows classes 0 to {classes - 1}.")
