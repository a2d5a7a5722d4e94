"""Two regions of one image, one for each class, that share no pixel; or the reason why there are none."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.measure import label

from spade.errors import InputError

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class RegionRule:
    """What of a saliency map counts as its region; areas are shares of the image.

    The paper names neither a threshold nor a shape. Here a region is the pixels of at least `threshold` times the map's
    largest value that hang together with the largest: one place, which a rater can look at.

    Attributes:
        threshold: share of the map's largest value.
        least: a smaller region shows nothing, and the sample is rejected.
        most: a larger one is no region, and the sample is rejected.
    """

    threshold: float = 0.7
    least: float = 0.02
    most: float = 0.5

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        if not 0 < self.threshold <= 1 or not 0 <= self.least < self.most <= 1:
            raise InputError(f"threshold is in (0, 1], and 0 <= least < most <= 1; got {self}.")


@dataclass(frozen=True, eq=False)
class Region:
    """Where one class has its evidence.

    Attributes:
        mask: [H, W].
        box: left, top, width, height of the mask [pixels].
        area: share of the image.
    """

    mask: Mask
    box: tuple[int, int, int, int]
    area: float

    @property
    def sha256(self) -> str:
        """Of the mask, one bit a pixel, row by row."""
        return hashlib.sha256(np.packbits(self.mask).tobytes()).hexdigest()


@dataclass(frozen=True)
class Rejected:
    """Why a sample has no two regions."""

    reason: str


def two_regions(
    true_map: NDArray[np.floating], predicted_map: NDArray[np.floating], rule: RegionRule
) -> tuple[Region, Region] | Rejected:
    """The regions of two maps [H, W] of one image, which share no pixel, or why there are none."""
    found = []
    for name, values in (("true", true_map), ("predicted", predicted_map)):
        if not np.isfinite(values).all() or not values.max() > values.min():
            return Rejected(f"the map of the {name} class is flat")
        region = _region(values, rule.threshold)
        if region.area < rule.least:
            return Rejected(f"the region of the {name} class is too small")
        if region.area > rule.most:
            return Rejected(f"the region of the {name} class is too large")
        found.append(region)
    first, second = found
    if (first.mask & second.mask).any():
        return Rejected("the regions overlap")
    return first, second


def revealed(image: NDArray[np.uint8], region: Region, *, grey: int = 128) -> NDArray[np.uint8]:
    """The image [H, W, 3] with everything but the region grey."""
    return np.where(region.mask[..., None], image, np.uint8(grey))


def _region(values: NDArray[np.floating], threshold: float) -> Region:
    parts = label(values >= threshold * values.max(), connectivity=2)
    mask: Mask = parts == parts.flat[int(values.argmax())]
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)
    return Region(mask, box, float(mask.mean()))
