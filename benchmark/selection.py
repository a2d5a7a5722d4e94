"""Which images a network is pruned for (appendix G.2), a literal table, and the names of such sets of images.

Nothing here imports torch: a plan is made from names.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True)
class ImageSet:
    """The images behind one set of Hessians.

    Attributes:
        kind: "sample": one of the run's own samples. Otherwise images of the same data that are no samples: "patch"
            with a Trojan patch, "class" of one class, "any".
        of: the sample's id, the patch or the class; "" for any.
        many: as many images as there would be augmentations, and no augmentation; otherwise one image, augmented.
        drawn_for: the sample that one image is drawn for, so that each sample has its own.
    """

    kind: Literal["sample", "patch", "class", "any"]
    of: str = ""
    many: bool = False
    drawn_for: str = ""

    @property
    def name(self) -> str:
        """A name unlike that of any other set."""
        if self.kind == "sample":
            return self.of
        what = {"patch": f"with patch {self.of}", "class": f"of class {self.of}", "any": "of any class"}[self.kind]
        return f"many images {what}" if self.many else f"an image {what} for {self.drawn_for}"


class Noted(Protocol):
    """What is known of a sample before any network is there."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def label(self) -> int:
        """Its true class."""

    @property
    def patch(self) -> str:
        """The patch it carries, "" for none."""


Chooser = Callable[[Noted, Sequence[Noted], int], ImageSet | None]
"""From the explained sample, all samples and the run's seed to the images; None where there are none."""


@dataclass(frozen=True)
class Selection:
    """One way to choose what a network is pruned for.

    Attributes:
        code: as Table A18 calls it.
        title: in words.
        choose: the images for a sample.
    """

    code: str
    title: str
    choose: Chooser


def _same_patch(sample: Noted, samples: Sequence[Noted], seed: int) -> ImageSet | None:
    alike = [note.id for note in samples if note.patch == sample.patch]
    other = other_sample(sample.id, alike, seed)
    return ImageSet("sample", other) if other else None


SELECTIONS: dict[str, Selection] = {
    "own": Selection("1SI", "the explained sample", lambda s, _all, _seed: ImageSet("sample", s.id)),
    "same patch": Selection("1ST", "another sample with the same patch", _same_patch),
    "same class": Selection(
        "1SC",
        "a random image of the sample's class",
        lambda s, _all, _seed: ImageSet("class", str(s.label), drawn_for=s.id),
    ),
    "any": Selection("1SD", "a random image", lambda s, _all, _seed: ImageSet("any", drawn_for=s.id)),
    "many of the patch": Selection(
        "MST", "many images with the same patch", lambda s, _all, _seed: ImageSet("patch", s.patch, many=True)
    ),
    "many of the class": Selection(
        "MSC", "many images of the sample's class", lambda s, _all, _seed: ImageSet("class", str(s.label), many=True)
    ),
    "many": Selection("MSD", "many random images", lambda _s, _all, _seed: ImageSet("any", many=True)),
}


def other_sample(sample: str, among: Iterable[str], seed: int) -> str:
    """A random other of some samples, "" if there is none: the next one on a random circle through them all.

    On a circle every sample prunes for exactly one other, so jobs stay equally long, and each other sample is equally
    likely a priori.
    """
    circle = sorted(among, key=lambda name: _digest(["other sample", seed, name]))
    position = circle.index(sample)
    return circle[(position + 1) % len(circle)] if len(circle) > 1 else ""


def _digest(data: object) -> str:
    return hashlib.sha256(json.dumps(data, separators=(",", ":")).encode()).hexdigest()
