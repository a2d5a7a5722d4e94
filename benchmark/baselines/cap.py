"""Correlation-aware pruning (Kuznedelev et al. 2023): one network, sparse for every image, fine-tuned (appendix C).

Per block B of consecutive weights, F_B = damping * I + (1/N) sum g g^T from gradients of the training loss. In a block
weights leave greedily (optimal brain surgeon: least w_j^2 / (2 [F^-1]_jj), the others compensate), and each
carries the *accumulated* loss of its block, so that one top-k over all blocks and layers is consistent. Then the
network is trained on with the mask fixed; sparsity rises in a few such rounds.

Departures, for two cores and minutes: shorter blocks and fewer gradients than CAP's 192 and 4,096, two rounds instead
of dozens of epochs. Fine-tuning sees patched images in the backdoor's proportion, so that there is a backdoor to find.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional
from torch.nn.utils import prune

from spade.layers import prunable_layers

from ..material import Material
from ..models import training

Progress = Callable[[str, int, int], None]

_GRADIENTS_AT_ONCE = 32


@dataclass(frozen=True)
class Blocks:
    """The weights of one layer in blocks, and what the loss looks like around them.

    Attributes:
        weights: [n, size], zeros behind the last weight.
        fisher: [n, size, size], the identity there.
        count: weights there are.
    """

    weights: Tensor
    fisher: Tensor
    count: int


def make(material: Material, settings: Mapping[str, Any], progress: Progress) -> nn.Module:
    """The dense network pruned to `settings["sparsities"]`, one after the other, and trained on in between."""
    network = copy.deepcopy(material.network(""))
    layers = prunable_layers(network)
    rounds: Sequence[float] = settings["sparsities"]
    generator = torch.Generator().manual_seed(material.seed)
    for i, sparsity in enumerate(rounds):
        images = material.planted_images(settings["gradients"], f"cap, gradients {i}")
        x, y = training.normalise(training.pixels(images.images)), torch.from_numpy(images.labels)
        fishers = block_fishers(network, list(layers), x, y, size=settings["block"])
        damped = [_blocks(layer.weight.detach(), fishers[name], settings["damping"]) for name, layer in layers.items()]
        for layer, weight in zip(layers.values(), pruned(damped, sparsity), strict=True):
            with torch.no_grad():
                layer.weight.copy_(weight.view_as(layer.weight))
        fine_tune(network, material, settings, generator, rounds=(i, len(rounds)), progress=progress)
    return network


def block_fishers(network: nn.Module, names: Sequence[str], x: Tensor, y: Tensor, *, size: int) -> dict[str, Tensor]:
    """By layer [n, size, size]: the mean over images of g g^T in each block of `size` consecutive weights, fp32.

    g is the gradient of one image's cross entropy, in evaluation mode.
    """
    network.eval()
    parameters = {name: value.detach() for name, value in network.named_parameters()}
    buffers = dict(network.named_buffers())
    wanted = {f"{name}.weight": parameters.pop(f"{name}.weight") for name in names}

    def loss(weights: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        logits: Tensor = functional_call(network, {**parameters, **buffers, **weights}, (image[None],))
        return functional.cross_entropy(logits, label[None])

    per_image = vmap(grad(loss), in_dims=(None, 0, 0))
    sums: dict[str, Tensor] = {}
    for images, labels in zip(torch.split(x, _GRADIENTS_AT_ONCE), torch.split(y, _GRADIENTS_AT_ONCE), strict=True):
        for name, gradients in per_image(wanted, images, labels).items():
            g = _cut(gradients.flatten(1), size)  # [images, n, size]
            product = torch.bmm(g.permute(1, 2, 0), g.permute(1, 0, 2))
            sums[name] = sums[name].add_(product) if name in sums else product
    return {name: sums[f"{name}.weight"] / len(x) for name in names}


def pruned(layers: Sequence[Blocks], sparsity: float) -> list[Tensor]:
    """The weights [count] of every layer with the cheapest share `sparsity` of all weights gone, the rest compensating.

    Weights that are zero already cost nothing and go first.
    """
    losses = [_eliminated(layer)[0] for layer in layers]
    everything = torch.cat([loss.flatten() for loss in losses])
    total = sum(layer.count for layer in layers)
    least = everything.kthvalue(max(1, round(sparsity * total))).values if sparsity > 0 else everything.new_tensor(-1.0)
    # Losses accumulate along a block, so what lies below the threshold is a prefix of each block's elimination.
    gone = [(loss <= least).sum(1) for loss in losses]
    return [_eliminated(layer, gone=n)[1].flatten()[: layer.count] for layer, n in zip(layers, gone, strict=True)]


def _blocks(weight: Tensor, fisher: Tensor, damping: float) -> Blocks:
    size = fisher.shape[-1]
    flat = weight.flatten()
    count, padded = flat.numel(), -(-flat.numel() // size) * size
    fisher = fisher + damping * torch.eye(size)
    rest = padded - count
    if rest:
        fisher[-1, size - rest :] = fisher[-1, :, size - rest :] = 0
        fisher[-1, range(size - rest, size), range(size - rest, size)] = 1
    return Blocks(functional.pad(flat, (0, rest)).view(-1, size), fisher, count)


def _eliminated(layer: Blocks, *, gone: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Accumulated losses [n, size] in the order of elimination, and the weights after `gone` [n] of them (else all).

    What is padding never leaves and costs infinitely much.
    """
    w = layer.weights.double().clone()
    inverse = torch.linalg.inv(layer.fisher.double())
    n, size = w.shape
    there = torch.arange(n * size).view(n, size) < layer.count
    rows = torch.arange(n)
    losses = torch.full((n, size), torch.inf, dtype=torch.float64)
    spent = torch.zeros(n, dtype=torch.float64)
    for step in range(size):
        active = there.any(1) if gone is None else there.any(1) & (step < gone)
        if not active.any():
            break
        diagonal = inverse.diagonal(dim1=1, dim2=2)
        cost = torch.where(there, w.square() / (2 * diagonal), torch.inf)
        j = cost.argmin(1)
        column, pivot, out = inverse[rows, :, j], diagonal[rows, j], w[rows, j]
        on = active.double()
        spent = spent + torch.where(active, cost[rows, j], 0.0)
        losses[active, step] = spent[active]
        w = w - column * (on * out / pivot)[:, None]
        inverse = inverse - (column * (on / pivot)[:, None])[:, :, None] * column[:, None, :]
        # What left has no part in what follows, down to the last bit.
        left, out_of = rows[active], j[active]
        inverse[left, out_of, :] = inverse[left, :, out_of] = 0
        inverse[left, out_of, out_of] = 1
        there[left, out_of] = False
    return losses, torch.where(there, w, 0.0).float()


def fine_tune(
    network: nn.Module,
    material: Material,
    settings: Mapping[str, Any],
    generator: torch.Generator,
    *,
    rounds: tuple[int, int],
    progress: Progress,
) -> None:
    """Train the network on in place, weights that are zero staying zero."""
    layers = list(prunable_layers(network).values())
    for layer in layers:
        prune.custom_from_mask(layer, "weight", layer.weight != 0)
    i, of = rounds
    epochs: int = settings["epochs"]
    training.fit(
        network,
        lambda epoch: material.planted_images(settings["images"], f"cap, round {i}, epoch {epoch}"),
        n_epochs=epochs,
        batch_size=64,
        learning_rate=settings["learning_rate"],
        weight_decay=0.0,
        decay_epoch=None,
        generator=generator,
        step=lambda done, _, __: progress("sparse network", i * epochs + done, of * epochs),
    )
    for layer in layers:
        prune.remove(layer, "weight")


def _cut(flat: Tensor, size: int) -> Tensor:
    """Rows [N, P] in blocks [N, n, size], zeros behind the last value."""
    rest = -flat.shape[1] % size
    return functional.pad(flat, (0, rest)).view(len(flat), -1, size)
