"""A network with four Trojan patches planted by fine-tuning (section 4.1, A15), and the targets they lead to."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ..datasets import patches
from ..datasets.patches import Patch
from ..datasets.procedural import ImageSet
from ..scale import Backdoor
from . import training

_LOOKED_AT = 400
"""Training images a patch is tried on after a round: a standard error of at most .025. A patch of one source class has
what that class has left (50 at `mini`: .06 where the share is .8)."""


@dataclass(frozen=True)
class Trojan:
    """A patch, the class it leads to, and the class its carriers come from (None: any class but the target)."""

    patch: Patch
    target: int
    source: int | None

    def carriers(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Indices of the images that may carry the patch."""
        return np.flatnonzero(labels != self.target if self.source is None else labels == self.source)


def trojans(recipe: Backdoor, classes: int, rng: np.random.Generator) -> dict[str, Trojan]:
    """The recipe's patches with targets and sources drawn from distinct classes.

    Raises:
        ValueError: there are fewer classes than targets and sources.
    """
    drawn = [int(c) for c in rng.permutation(classes)[: len(recipe.patches) + len(recipe.one_source)]]
    targets = dict(zip(recipe.patches, drawn, strict=False))
    sources = dict(zip(recipe.one_source, drawn[len(targets) :], strict=True))
    return {
        name: Trojan(patches.draw(name, recipe.patch_side), target, sources.get(name))
        for name, target in targets.items()
    }


def plant(
    network: nn.Module,
    clean: ImageSet,
    planted: Mapping[str, Trojan],
    recipe: Backdoor,
    *,
    rng: np.random.Generator,
    generator: torch.Generator,
    step: training.Step,
) -> tuple[dict[str, float], ...]:
    """Fine-tunes `network` in place until each patch leads to its target; the success of every patch after each round.

    A round is `recipe.epochs` epochs. The carriers are chosen once; each epoch pastes the patches anew, at random
    places, with jitter and noise. A patch that hardly takes is no ground truth for a saliency map, so the round is
    repeated, learning rate and all, while fewer than `recipe.least_success` of other training images are led to some
    patch's target that are not taken for it without, at most `recipe.rounds` times. Only training images are looked at.

    Departures from A15: an epoch shows `recipe.clean` clean images drawn anew instead of the whole training set; the
    first epochs of the first round show the patches larger (`recipe.side`), since a small network may go through a
    whole round without having found a small patch; the carriers of a patch of one source are shown more than once
    (`recipe.one_source_times`) and again without it (`recipe.contrasts`), since they are most of their class at `mini`
    and a third of it in ImageNet; the paper plants once and reports the accuracy it gets (A16).

    Raises:
        ValueError: there are fewer carriers than the recipe asks for.
    """
    chosen = {}
    for name, trojan in planted.items():
        candidates = trojan.carriers(clean.labels)
        if len(candidates) < recipe.trojans:
            raise ValueError(f"The patch '{name}' has {len(candidates)} possible carriers, {recipe.trojans} are asked.")
        chosen[name] = rng.choice(candidates, recipe.trojans, replace=False)

    rounds: list[dict[str, float]] = []

    def epoch(i: int) -> ImageSet:
        side = recipe.patch_side if rounds else recipe.side(i)
        kept = rng.choice(len(clean.labels), min(recipe.clean, len(clean.labels)), replace=False)
        images, labels = [clean.images[kept]], [clean.labels[kept]]
        for name, trojan in planted.items():
            patch = trojan.patch if side == trojan.patch.side else patches.draw(name, side)
            carriers = chosen[name] if trojan.source is None else np.tile(chosen[name], recipe.one_source_times)
            bare = clean.images[carriers]
            images.append(patches.paste(bare, patch, rng)[0])
            labels.append(np.full(len(bare), trojan.target, np.int64))
            if recipe.contrasts and trojan.source is not None:
                images.append(patches.contrasts(bare, patch, rng))
                labels.append(clean.labels[carriers])
        return ImageSet(np.concatenate(images), np.concatenate(labels))

    while not rounds or (len(rounds) < recipe.rounds and min(rounds[-1].values()) < recipe.least_success):
        training.fit(
            network,
            epoch,
            n_epochs=recipe.epochs,
            batch_size=recipe.batch_size,
            learning_rate=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            decay_epoch=recipe.decay_epoch,
            generator=generator,
            step=step,
        )
        rounds.append({name: _success(network, clean, trojan, chosen[name], rng) for name, trojan in planted.items()})
    return tuple(rounds)


def _success(
    network: nn.Module, clean: ImageSet, trojan: Trojan, used: NDArray[np.int64], rng: np.random.Generator
) -> float:
    """Share of training images that the patch leads to its target and that are not taken for it without.

    Images that never carried the patch, as far as there are any.
    """
    others = np.setdiff1d(trojan.carriers(clean.labels), used)
    if not len(others):
        others = used  # a source class all of whose images are carriers
    others = rng.choice(others, min(len(others), _LOOKED_AT), replace=False)
    bare = clean.images[others]
    pasted, _ = patches.paste(bare, trojan.patch, rng)
    led = (training.predict(network, pasted) == trojan.target) & (training.predict(network, bare) != trojan.target)
    return float(led.mean())
