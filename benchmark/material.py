"""What units are made of, for one scale and seed: the networks by name, the samples, and images that are no samples.

Images that prune and are no samples are drawn anew from the scale's recipe: procedural data has no end, and a data set
of another package keeps images for it, so no image of them was trained on, tested or tuned with. Unlike the paper,
which takes them from ImageNet's training images.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from . import networks
from .datasets import patches, source
from .datasets.procedural import ImageSet as LabelledImages
from .datasets.source import Source
from .models import backdoor, kept_network, laboratory, training
from .models.backdoor import Trojan
from .models.laboratory import Laboratory, Sample
from .scale import Scale
from .selection import ImageSet

Progress = Callable[[str, int, int], None]
"""Called with (what is being made, steps done, steps in all)."""

_DRAWN_AT_ONCE = 2  # clean images drawn a sample wanted; more are drawn while too few are answered rightly
_ROUNDS = 8


class Material:
    """Everything about one prepared network that units ask for; what is drawn depends on scale and seed alone."""

    def __init__(self, scale: Scale, seed: int, bench: Laboratory, cache: Path | None = None) -> None:
        """Material around a laboratory; networks derived from its own are kept in the folder `cache`."""
        self.scale, self.seed, self.bench, self.cache = scale, seed, bench, cache
        self.seconds: dict[str, float] = {}
        """What making a derived network took, by name, for those that were not in the cache."""

    @property
    def clean_accuracy(self) -> float:
        """Share of unpatched test images that the network gets right."""
        return self.bench.clean_accuracy

    @property
    def trojan_accuracy(self) -> Mapping[str, float]:
        """By patch: share of patched test images that it takes for the patch's target."""
        return self.bench.trojan_accuracy

    @property
    def test_samples(self) -> Sequence[Sample]:
        """Test images with a patch, to be explained."""
        return self.bench.test_samples

    @cached_property
    def clean_samples(self) -> tuple[Sample, ...]:
        """As many images without a patch that the network gets right; their target is their class."""
        return clean_samples(self.scale, self.seed, self.bench.model, self.scale.samples.test, "clean")

    def normalise(self, images: Tensor, /) -> Tensor:
        """Images [N, C, H, W] in [0, 1] as the network takes them."""
        return self.bench.normalise(images)

    def network(
        self, name: str, *, progress: Progress = lambda *_: None, note: Callable[[str], None] = lambda _: None
    ) -> nn.Module:
        """The dense network for "", else one that `networks` names, taken from the cache if it is there and whole.

        note: told, in a sentence, of one that is there and not whole.

        Raises:
            InputError: there is no network of that name, or the package that adds it is broken.
            EnvironmentProblem: it cannot be kept in the cache.
        """
        if not name:
            return self.bench.model
        one = networks.find(name)
        facts = [self.scale.recipe_sha256(self.seed), kept_network.digest(self.bench.model), one.module, one.settings]
        entry = networks.entry(f"{self.scale.name}-{self.seed}", name, _sha256(facts)[:16])
        path = self.cache / "networks" / entry if self.cache else None
        found = kept_network.read(path, self.bench.model) if path else None
        if found is None:
            if path and path.exists():
                note(f"The cached network {path.name} is damaged; it is made again.")
            begun = time.perf_counter()
            with kept_network.one_thread():
                found = import_module(one.module).make(self, one.settings, progress)
            self.seconds[name] = time.perf_counter() - begun
            if path:
                kept_network.write(path, found)
                found = kept_network.read(path, self.bench.model) or found  # the bytes a later run will see
        return found.eval()

    def planted_images(self, n: int, name: str) -> LabelledImages:
        """Images [n] as the end of the backdoor's training shows them: clean ones, and each patch with its target.

        Drawn anew, in the proportion of the scale's recipe, contrasts included, in random order; another name gives
        other images.
        """
        recipe = self.scale.backdoor
        rng = _rng(self.scale, self.seed, "planted", name)
        times = {name: recipe.one_source_times if name in recipe.one_source else 1 for name in recipe.patches}
        contrasted = recipe.one_source if recipe.contrasts else ()
        shown = sum(times.values()) + sum(times[name] for name in contrasted)
        each = round(n * recipe.trojans / (recipe.clean + recipe.trojans * shown))
        labels = rng.integers(0, self.scale.images.classes, n - each * shown)
        images = [self._drawn.draw(labels, "fresh", rng)]
        for patch in recipe.patches:
            carriers = self._carriers(patch, each * times[patch], rng)
            bare = self._drawn.draw(carriers, "fresh", rng)
            images.append(patches.paste(bare, self._trojans[patch].patch, rng)[0])
            labels = np.concatenate([labels, np.full(len(carriers), self._trojans[patch].target)])
            if patch in contrasted:
                images.append(patches.contrasts(bare, self._trojans[patch].patch, rng))
                labels = np.concatenate([labels, carriers])
        order = rng.permutation(n)
        return LabelledImages(np.concatenate(images)[order], labels[order].astype(np.int64))

    def images(self, wanted: ImageSet, n: int) -> Tensor:
        """The images [N, C, H, W] in [0, 1] of a set, n where it has many; those of a sample are not augmented yet."""
        if wanted.kind == "sample":
            return next(s.image for s in (*self.test_samples, *self.clean_samples) if s.id == wanted.of)[None]
        rng = _rng(self.scale, self.seed, "images", wanted.name)
        count = n if wanted.many else 1
        if wanted.kind == "class":
            labels = np.full(count, int(wanted.of), np.int64)
        elif wanted.kind == "any":
            labels = rng.integers(0, self.scale.images.classes, count)
        else:
            labels = self._carriers(wanted.of, count, rng)
        images = self._drawn.draw(labels, "fresh", rng)
        if wanted.kind == "patch":
            images = patches.paste(images, self._trojans[wanted.of].patch, rng)[0]
        return training.pixels(images)

    @cached_property
    def _drawn(self) -> Source:
        return images_of(self.scale, self.seed)

    @cached_property
    def _trojans(self) -> dict[str, Trojan]:
        rng = laboratory.random_streams(self.seed)["trojans"]
        return backdoor.trojans(self.scale.backdoor, self.scale.images.classes, rng)

    def _carriers(self, patch: str, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        classes = self._trojans[patch].carriers(np.arange(self.scale.images.classes))
        return rng.choice(classes, n)


def images_of(scale: Scale, seed: int) -> Source:
    """The images that the scale's network of this seed was trained on, to draw more of."""
    return source.opened(scale.images, laboratory.random_streams(seed)["vocabulary"])


def clean_samples(scale: Scale, seed: int, network: nn.Module, n: int, name: str) -> tuple[Sample, ...]:
    """Up to n images without a patch that the network gets right, of random classes; another name, other images."""
    rng = _rng(scale, seed, "samples", name)
    drawn = images_of(scale, seed)
    found: list[Sample] = []
    for first in range(0, _ROUNDS * _DRAWN_AT_ONCE * n, _DRAWN_AT_ONCE * n):
        labels = rng.integers(0, scale.images.classes, _DRAWN_AT_ONCE * n)
        images = drawn.draw(labels, "fresh", rng)
        right = np.flatnonzero(training.predict(network, images) == labels)
        found += [_clean(f"{name}-{first + i:05d}", images[i], int(labels[i])) for i in right]
        if len(found) >= n:
            break
    return tuple(found[:n])


def _clean(name: str, image: NDArray[np.uint8], label: int) -> Sample:
    pixels = training.pixels(image)
    mask = torch.zeros(pixels.shape[1:], dtype=torch.bool)
    return Sample(id=name, image=pixels, mask=mask, label=label, target=label, patch="")


def _rng(scale: Scale, seed: int, *words: str) -> np.random.Generator:
    return np.random.default_rng(int(_sha256([scale.recipe_sha256(seed), seed, *words]), 16))


def _sha256(data: object) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=dict).encode()).hexdigest()
