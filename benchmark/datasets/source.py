"""Where a scale's images come from: drawn by code, or by a data set of another package; the same questions for both."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import dataset, procedural
from .dataset import AddedImages, Draw, Part
from .procedural import ImageSet, Recipe, Vocabulary

Images = Recipe | AddedImages
"""What a scale says of its images; either has `classes` and `side`."""


@dataclass(frozen=True)
class Source:
    """The images of one scale and seed."""

    classes: int
    draw: Draw

    def balanced(self, n: int, part: Part, rng: np.random.Generator) -> ImageSet:
        """`n` images with balanced labels in random order."""
        labels = rng.permutation(np.arange(n) % self.classes).astype(np.int64)
        return ImageSet(self.draw(labels, part, rng), labels)


def opened(images: Images, rng: np.random.Generator) -> Source:
    """The images of a scale; `rng` decides what its classes look like.

    Raises:
        PluginError: the package that draws them is broken.
    """
    if isinstance(images, AddedImages):
        return Source(images.classes, dataset.opened(images, rng))
    looks, recipe = Vocabulary.draw(images, rng), images

    def draw(labels: NDArray[np.int64], _: Part, rng: np.random.Generator) -> NDArray[np.uint8]:
        return procedural.draw_labelled(recipe, looks, labels, rng)  # no end of images, so no part meets another

    return Source(images.classes, draw)
