"""Maps no network made, scored like any other: what a saliency method must beat (after Casper et al. 2023)."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

Map = NDArray[np.float64]


class Sample(Protocol):
    """What a control may look at."""

    @property
    def image(self) -> Tensor:
        """[C, H, W] in [0, 1]."""

    @property
    def mask(self) -> Tensor:
        """[H, W] bool."""


Control = Callable[[Sample, torch.Generator], Map]


def random(sample: Sample, generator: torch.Generator) -> Map:
    """Uniform noise [H, W]: 50 by construction."""
    return torch.rand(sample.image.shape[1:], generator=generator, dtype=torch.float64).numpy()


def centre(sample: Sample, generator: torch.Generator) -> Map:  # noqa: ARG001 - a control is called with a generator
    """Closeness to the middle of the image [H, W]: what a photographer's habit alone gives."""
    height, width = sample.image.shape[1:]
    y, x = np.mgrid[:height, :width]
    return np.asarray(-np.hypot((y - (height - 1) / 2) / height, (x - (width - 1) / 2) / width), dtype=np.float64)


def edges(sample: Sample, generator: torch.Generator) -> Map:  # noqa: ARG001 - as above
    """Magnitude of the Sobel gradient of the grey image [H, W]."""
    grey = sample.image.double().mean(0).numpy()
    return np.asarray(np.hypot(ndimage.sobel(grey, 0), ndimage.sobel(grey, 1)), dtype=np.float64)


def input_magnitude(sample: Sample, generator: torch.Generator) -> Map:  # noqa: ARG001 - as above
    """Distance of each pixel from mid-grey, the value a network sees as zero [H, W]."""
    return (sample.image.double() - 0.5).abs().sum(0).numpy()


def patch_oracle(sample: Sample, generator: torch.Generator) -> Map:  # noqa: ARG001 - as above
    """The mask itself [H, W]: 100 by construction, the ceiling."""
    return sample.mask.double().numpy()


CONTROLS: dict[str, Control] = {
    "random": random,
    "centre": centre,
    "edges": edges,
    "input magnitude": input_magnitude,
    "patch oracle": patch_oracle,
}
