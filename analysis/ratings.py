"""The answers as arrays: what was said, under which arm, by whom, on what."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .errors import AnalysisError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Ratings:
    """n answers to main tasks.

    Attributes:
        outcome: 0 agree, 1 disagree, 2 undecided [n].
        spade: whether the visualisation was made with SPADE [n].
        rater: number of the rater, 0 to raters - 1 [n].
        image: number of the image, 0 to images - 1 [n].
        item: number of the item (an image and a role: one question under two arms), 0 to items - 1 [n].
        rater_names: a name for each rater.
        image_names: a name for each image.
    """

    outcome: Integers
    spade: Booleans
    rater: Integers
    image: Integers
    item: Integers
    rater_names: tuple[str, ...]
    image_names: tuple[str, ...]

    @property
    def n(self) -> int:
        """How many answers."""
        return int(self.outcome.size)

    @property
    def raters(self) -> int:
        """How many raters."""
        return len(self.rater_names)

    @property
    def images(self) -> int:
        """How many images."""
        return len(self.image_names)

    @property
    def items(self) -> int:
        """How many items."""
        return int(self.item.max()) + 1 if self.n else 0

    def where(self, kept: Booleans) -> "Ratings":
        """The answers that `kept` [n] marks; raters and images without any left are no longer counted."""
        (raters, rater), (images, image), (_, item) = (
            np.unique(codes[kept], return_inverse=True) for codes in (self.rater, self.image, self.item)
        )
        return Ratings(
            self.outcome[kept],
            self.spade[kept],
            rater.astype(np.int64),
            image.astype(np.int64),
            item.astype(np.int64),
            tuple(self.rater_names[one] for one in raters),
            tuple(self.image_names[one] for one in images),
        )


def of_labels(outcome: ArrayLike, spade: ArrayLike, rater: ArrayLike, image: ArrayLike, item: ArrayLike) -> Ratings:
    """Answers from labels of any kind for raters, images and items [n]; outcomes are 0, 1 and 2 as in `Ratings`.

    Raises:
        AnalysisError: the arrays differ in length, or an outcome is none of the three.
    """
    said = np.asarray(outcome, dtype=np.int64)
    arms = np.asarray(spade, dtype=bool)
    labels = [np.asarray(one) for one in (rater, image, item)]
    lengths = {said.size, arms.size, *(one.size for one in labels)}
    if len(lengths) > 1:
        raise AnalysisError(f"The columns of the answers have different lengths: {sorted(lengths)}.")
    if said.size and not np.isin(said, (0, 1, 2)).all():
        raise AnalysisError("An outcome is none of 0 (agree), 1 (disagree) and 2 (undecided).")
    (raters, rater_names), (images, image_names), (items, _) = (pd.factorize(one, sort=True) for one in labels)
    return Ratings(
        said,
        arms,
        raters.astype(np.int64),
        images.astype(np.int64),
        items.astype(np.int64),
        tuple(str(name) for name in rater_names),
        tuple(str(name) for name in image_names),
    )


def of_frame(frame: pd.DataFrame) -> Ratings:
    """The answers to main tasks in a frame as `Responses.frame` is; catch and repeated tasks are left out."""
    kept = frame[(frame["kind"] == "main").to_numpy()]
    return of_labels(
        kept["outcome"].cat.codes.to_numpy(),
        (kept["arm"] == "spade").to_numpy(),
        kept["rater"].to_numpy(dtype=object),
        kept["image"].to_numpy(dtype=object),
        kept["item"].to_numpy(dtype=object),
    )
