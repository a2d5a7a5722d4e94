"""Insertion and deletion (Petsiuk et al. 2018): how fast the class comes and goes with the pixels a map ranks highest.

As section 4.1 words it: pixels are added to a blank image (insertion) or taken from the full one (deletion) in
decreasing order of importance; the score is the area under the softmax of the predicted class, divided by the softmax
on the full image. The paper states neither how many pixels make a step nor what a blank image is: both are arguments.

Departure from section 4.1: it calls the area AUROC; there are no labels to rank, so it is the plain area under the
curve, by trapezoids over the share of pixels [0, 1].
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .evidence import Evidence, Images

Baseline = Literal["blank", "image mean"]
"""blank: zero in the network's units, the mean colour of its training data. image mean: this image's own mean."""


def insertion(heatmap: ArrayLike, evidence: Evidence, *, steps: int, baseline: Baseline) -> float:
    """Area under the normalised softmax as pixels enter a baseline image, the highest of the map [H, W] first.

    steps: parts of nearly equal size into which the pixels are divided; the network answers `steps` + 1 images.

    Raises:
        ValueError: the map has another shape than the image or is not finite, or the full image has no softmax.
    """
    blank = _baseline(evidence.image, baseline)
    return _area(heatmap, evidence, start=blank, end=evidence.image, steps=steps)


def deletion(heatmap: ArrayLike, evidence: Evidence, *, steps: int, baseline: Baseline) -> float:
    """Area under the normalised softmax as pixels of the full image turn to the baseline, the highest first.

    steps: as for `insertion`.

    Raises:
        ValueError: as for `insertion`.
    """
    blank = _baseline(evidence.image, baseline)
    return _area(heatmap, evidence, start=evidence.image, end=blank, steps=steps)


def _area(heatmap: ArrayLike, evidence: Evidence, *, start: Images, end: Images, steps: int) -> float:
    values = np.asarray(heatmap, dtype=np.float64)
    if values.shape != evidence.image.shape[1:]:
        raise ValueError(f"The map is {values.shape}, the image {evidence.image.shape[1:]}; they must have one shape.")
    if not np.isfinite(values).all():
        raise ValueError(f"The map has {int((~np.isfinite(values)).sum())} values that are not finite.")
    counts = _counts(values.size, steps)
    probabilities = evidence.probability(_sequence(_rank(values), counts, start, end))
    full = float(evidence.probability(evidence.image[None])[0])
    if not full > 0:
        raise ValueError(f"The softmax on the full image is {full}; nothing can be divided by it.")
    return float(np.trapezoid(probabilities / full, counts / values.size))


def _counts(pixels: int, steps: int) -> NDArray[np.int64]:
    """How many pixels are changed in each image, from none to all."""
    return np.unique(np.round(np.linspace(0, pixels, min(steps, pixels) + 1)).astype(np.int64))


def _rank(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The place [H, W] of each pixel in decreasing order; of equal pixels the one read first comes first."""
    rank = np.empty(values.size, dtype=np.int64)
    rank[np.argsort(-values.ravel(), kind="stable")] = np.arange(values.size)
    return rank.reshape(values.shape)


def _sequence(rank: NDArray[np.int64], counts: NDArray[np.int64], start: Images, end: Images) -> Images:
    """The images [N, C, H, W] in which the first `counts` pixels of the ranking are those of `end`."""
    changed = rank[None] < counts[:, None, None]
    return np.where(changed[:, None], end[None], start[None]).astype(np.float32)


def _baseline(image: Images, name: Baseline) -> Images:
    if name == "blank":
        return np.zeros_like(image)
    return np.broadcast_to(image.mean(axis=(1, 2), keepdims=True), image.shape)
