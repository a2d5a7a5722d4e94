"""A data set of woven cloths: a class is two colours and the direction of its stripes; place, size and light vary."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.dataset import DataSet, Draw, Part

CLASSES, SIDE = 8, 48


def make(settings: Mapping[str, Any], generator: np.random.Generator) -> Draw:
    """A world: colours and direction of every class, drawn once; `draw` then paints images of it."""
    colours = generator.uniform(0, 1, (CLASSES, 2, 3, 1, 1))
    turns = np.pi / CLASSES * generator.permutation(CLASSES)
    y, x = np.mgrid[:SIDE, :SIDE]

    def draw(labels: NDArray[np.int64], _: Part, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Images [N, 3, SIDE, SIDE] uint8; there is no end of them, so no part (train, test, ...) meets another."""
        images = np.empty((len(labels), 3, SIDE, SIDE), np.uint8)
        for image, label in zip(images, labels, strict=True):
            side = rng.integers(SIDE // 3, SIDE // 2)
            top, left = rng.integers(0, SIDE - side, 2)
            cloth = (y >= top) & (y < top + side) & (x >= left) & (x < left + side)
            along = np.cos(turns[label]) * x + np.sin(turns[label]) * y
            stripes = np.sin(rng.uniform(0.8, 1.2) * along + rng.uniform(0, 2 * np.pi)) > 0
            picture = np.where(cloth, np.where(stripes, *colours[label]), rng.uniform(0, 1, (3, 1, 1)))
            picture = rng.uniform(0.8, 1.2) * picture + settings["noise"] * rng.standard_normal(picture.shape)
            image[:] = (255 * picture.clip(0, 1)).round()
        return images

    return draw


WEAVE = DataSet("woven cloths", CLASSES, SIDE, make, {"noise": 0.05})
