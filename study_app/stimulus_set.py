"""A stimulus set on disk, checked: a folder of PNG files of one size, and manifest.json, which names each by sha256.

The manifest is `{"format": 1, "made": {...}, "images": [...]}`. `made` says how (model, seeds, versions) and is kept
as it is. An image has `ref`, `true_class`, `pred_class`, `picture`, `regions` (`true` and `pred`) and `visualisations`
(`true` and `pred`, each with `dense` and `spade`). Every picture has `file` and `sha256`. A region may add `bbox`,
`mask_sha256`, `area_frac`, `method` and `params`; a visualisation `seed`, `steps`, `sparsity` and `generator_version`.
An image with `vetoed`, the reason in words, is left out.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import InputError
from .models import Arm, Role
from .pictures import Size, inspect

MANIFEST = "manifest.json"
ROLES: tuple[Role, ...] = ("true", "pred")
ARMS: tuple[Arm, ...] = ("dense", "spade")


@dataclass(frozen=True)
class Picture:
    """The bytes of one PNG, and what the manifest says about it besides."""

    data: bytes
    sha256: str
    about: Mapping[str, Any]


@dataclass(frozen=True)
class StimulusImage:
    """Everything made of one misclassified sample."""

    ref: str
    true_class: str
    pred_class: str
    picture: Picture
    regions: Mapping[Role, Picture]
    visualisations: Mapping[tuple[Role, Arm], Picture]


@dataclass(frozen=True)
class StimulusSet:
    """A whole set; four tasks an image."""

    sha256: str
    """Of the manifest."""
    size: Size
    images: tuple[StimulusImage, ...]


def read(folder: Path) -> StimulusSet:
    """The stimulus set in `folder`, vetoed images left out.

    Raises:
        InputError: the manifest or a picture is missing, altered, of another size, or carries metadata.
    """
    path = folder / MANIFEST
    try:
        raw = path.read_bytes()
        content = json.loads(raw)
    except (OSError, ValueError) as problem:
        raise InputError(f"{path} cannot be read as a stimulus manifest: {problem}.") from problem
    if not isinstance(content, dict) or content.get("format") != 1:
        raise InputError(f"{path} is no stimulus manifest of format 1.")
    reader = _Reader(folder)
    try:
        images = tuple(reader.image(entry) for entry in content["images"] if not entry.get("vetoed"))
    except (KeyError, TypeError, AttributeError) as problem:
        raise InputError(f"{path} lacks something: {problem!r}.") from problem
    if not images:
        raise InputError(f"{path} has no images left.")
    if len({image.ref for image in images}) < len(images):
        raise InputError(f"{path} names an image twice.")
    if len(reader.sizes) > 1:
        found = ", ".join(sorted(f"{size.width}x{size.height}" for size in reader.sizes))
        raise InputError(f"The pictures in {folder} are not of one size ({found}); their size would tell them apart.")
    return StimulusSet(hashlib.sha256(raw).hexdigest(), next(iter(reader.sizes)), images)


def pictures(images: tuple[StimulusImage, ...]) -> Iterator[Picture]:
    """Every picture of these images."""
    for image in images:
        yield image.picture
        yield from image.regions.values()
        yield from image.visualisations.values()


class _Reader:
    """Reads entries of one manifest and gathers the sizes it meets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.sizes: set[Size] = set()

    def image(self, entry: Mapping[str, Any]) -> StimulusImage:
        regions, patterns = entry["regions"], entry["visualisations"]
        return StimulusImage(
            ref=str(entry["ref"]),
            true_class=str(entry["true_class"]),
            pred_class=str(entry["pred_class"]),
            picture=self._picture(entry["picture"]),
            regions={role: self._picture(regions[role]) for role in ROLES},
            visualisations={(role, arm): self._picture(patterns[role][arm]) for role in ROLES for arm in ARMS},
        )

    def _picture(self, entry: Mapping[str, Any]) -> Picture:
        name, sha256 = str(entry["file"]), str(entry["sha256"])
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder):
            raise InputError(f"The manifest names {name}, which lies outside {self.folder}.")
        try:
            data = path.read_bytes()
        except OSError as problem:
            raise InputError(f"The manifest names {name}, which is not in {self.folder}.") from problem
        if hashlib.sha256(data).hexdigest() != sha256:
            raise InputError(f"{name} in {self.folder} is not the file the manifest describes (its sha256 differs).")
        self.sizes.add(inspect(data, name))
        return Picture(data, sha256, {key: value for key, value in entry.items() if key not in {"file", "sha256"}})
