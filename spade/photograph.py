"""A picture file as the tensor a network is asked about."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torchvision.transforms.v2 import functional as transforms

from .errors import InputError

# 16-bit greyscale; Pillow's own conversion to RGB would clip it to white.
_SIXTEEN_BIT = {"I;16", "I;16L", "I;16B", "I;16N"}
_RANGE_UNKNOWN = {"I", "F"}
# What Pillow opens without a warning; in float32, as it is resized, a gigabyte.
_MOST_PIXELS = 89_000_000


@dataclass(frozen=True)
class Photograph:
    """A picture read and cut to the network's size.

    Attributes:
        image: [3, H, W] float32 in [0, 1].
        notes: What had to be done to the file's pixels, each a sentence.
    """

    image: torch.Tensor
    notes: tuple[str, ...]


def read(path: Path, *, resize: int, crop: int) -> Photograph:
    """The picture in a file, its shorter side resized and its centre cut out [3, crop, crop].

    Raises:
        InputError: The file is missing, is no picture, ends early, has pixels whose range is unknown, or is so long
            and narrow that it does not fit into memory once its shorter side has the size asked for.
    """
    if not 0 < crop <= resize:
        raise InputError(f"The crop of {crop} pixels must be positive and fit into the shorter side of {resize}.")
    picture, notes = _decoded(path)
    _check_shape(picture, path, resize)
    pixels = torch.from_numpy(np.array(picture, dtype=np.uint8)).permute(2, 0, 1)
    resized = transforms.resize(pixels, [resize], antialias=True)
    cut = transforms.center_crop(resized, [crop, crop])
    return Photograph(cut.to(torch.float32) / 255, tuple(notes))


def _check_shape(picture: Image.Image, path: Path, resize: int) -> None:
    pixels = max(picture.size) * resize * resize // min(picture.size)
    if pixels > _MOST_PIXELS:
        width, height = picture.size
        raise InputError(
            f"{path} is {width} x {height} pixels; with a shorter side of {resize} it would have {pixels / 1e6:.0f} "
            f"million, and {_MOST_PIXELS // 10**6} million are taken; cut out the part to explain."
        )


def _decoded(path: Path) -> tuple[Image.Image, list[str]]:
    try:
        with Image.open(path) as file:
            file.load()
            mode = file.mode
            upright = ImageOps.exif_transpose(file)
    except FileNotFoundError as problem:
        raise InputError(f"There is no picture at {path}.") from problem
    except IsADirectoryError as problem:
        raise InputError(f"{path} is a folder; name one picture in it.") from problem
    except UnidentifiedImageError as problem:
        raise InputError(
            f"{path} is not a picture that Pillow can read; JPEG, PNG, WebP and the like are."
        ) from problem
    except Image.DecompressionBombError as problem:
        raise InputError(f"{path} has too many pixels to open safely ({problem}); make it smaller first.") from problem
    except (OSError, SyntaxError, ValueError) as problem:  # Pillow raises all three for damaged files
        raise InputError(f"{path} cannot be read to its end ({problem}); is the file whole?") from problem
    return _as_rgb(upright, mode, path)


def _as_rgb(picture: Image.Image, mode: str, path: Path) -> tuple[Image.Image, list[str]]:
    if mode in _RANGE_UNKNOWN:
        raise InputError(
            f"{path} holds {mode}-mode pixels, 32-bit numbers whose range is not written down; save it with "
            "8 bits a channel."
        )
    if mode == "RGB":
        return picture, []
    if mode in _SIXTEEN_BIT:
        eight = (np.asarray(picture, dtype=np.uint32) // 257).astype(np.uint8)
        return Image.fromarray(eight).convert("RGB"), [
            f"{path.name} is 16-bit greyscale; shown to the network as grey RGB."
        ]
    if mode in {"L", "1"}:
        return picture.convert("RGB"), [f"{path.name} is greyscale; shown to the network as grey RGB."]
    if mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in picture.info:
        whole = Image.new("RGBA", picture.size, "white")
        whole.alpha_composite(picture.convert("RGBA"))
        return whole.convert("RGB"), [f"{path.name} is partly transparent; laid on white."]
    if mode == "P":  # a palette of RGB colours
        return picture.convert("RGB"), []
    return picture.convert("RGB"), [f"{path.name} has {len(picture.getbands())} channels ({mode}); converted to RGB."]
