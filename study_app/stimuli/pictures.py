"""Pictures of a set: PNG files of one size, named by their content, that carry nothing but pixels."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from spade.errors import EnvironmentProblem

FOLDER = "pictures"
_NAME = 24
"""Digits of the hash in a file's name, 96 bits; the whole hash is in the manifest."""


def pixels(image: Tensor) -> NDArray[np.uint8]:
    """Bytes [H, W, 3] of an image [3, H, W] in [0, 1]."""
    found: NDArray[np.uint8] = (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
    return found


@dataclass(frozen=True)
class PictureFolder:
    """Where the pictures of a set lie."""

    folder: Path

    def add(self, image: NDArray[np.uint8]) -> dict[str, str]:
        """Keeps an image [H, W, 3]; its `file`, relative to the set, and `sha256`.

        Raises:
            EnvironmentProblem: the disk does not take it.
        """
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, format="PNG", optimize=True)
        content = buffer.getvalue()
        sha256 = hashlib.sha256(content).hexdigest()
        name = f"{FOLDER}/{sha256[:_NAME]}.png"
        path = self.folder / name
        if not path.is_file() or path.read_bytes() != content:
            partial = path.with_suffix(".part")
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                partial.write_bytes(content)
                partial.replace(path)
            except OSError as problem:
                partial.unlink(missing_ok=True)
                raise EnvironmentProblem(
                    f"{path} cannot be written: {problem.strerror}. What was finished is kept; make room, and the same "
                    "command goes on."
                ) from problem
        return {"file": name, "sha256": sha256}

    def holds(self, entry: dict[str, str]) -> bool:
        """Whether a picture is there, unaltered."""
        path = self.folder / entry["file"]
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]
