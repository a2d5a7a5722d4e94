"""Labelled images on disk: one folder a class."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spade.errors import InputError

from .class_names import ClassNames

ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})


@dataclass(frozen=True)
class LabelledImage:
    """One file and its class.

    Attributes:
        ref: its path within the folder, with slashes.
        label: class index.
    """

    path: Path
    ref: str
    label: int


@dataclass(frozen=True)
class ImageFolder:
    """All labelled images of a folder, in the order of their names."""

    folder: Path
    images: tuple[LabelledImage, ...]

    def shuffled(self, seed: int) -> tuple[LabelledImage, ...]:
        """The images in an order that depends on the seed and the names only."""
        order = np.random.default_rng(seed).permutation(len(self.images))
        return tuple(self.images[index] for index in order)

    def sha256(self) -> str:
        """Of the names and sizes of all images: another selection has another."""
        text = "".join(f"{image.ref}\0{image.path.stat().st_size}\n" for image in self.images)
        return hashlib.sha256(text.encode()).hexdigest()


def class_folders(folder: Path) -> tuple[str, ...]:
    """Names of the folders that hold images, sorted.

    Raises:
        InputError: there is no such folder, or none with an image in it.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder of images at {folder}.")
    found = sorted(one.name for one in folder.iterdir() if one.is_dir() and any(_pictures(one)))
    if not found:
        raise InputError(
            f"{folder} holds no class folders with images: the layout is {folder.name}/CLASS/IMAGE.png (or .jpg, ...)."
        )
    return tuple(found)


def read(folder: Path, names: ClassNames) -> ImageFolder:
    """The images of a folder with their classes.

    Raises:
        InputError: as `class_folders`, and if a folder is no class of the network.
    """
    found = [
        LabelledImage(path, f"{name}/{path.name}", names.of_folder(name))
        for name in class_folders(folder)
        for path in _pictures(folder / name)
    ]
    return ImageFolder(folder, tuple(found))


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and not path.name.startswith("."))
