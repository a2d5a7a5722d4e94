"""An embedded scale as files that anyone's tool can read: weights, code of the network, class names, labelled images.

weights.safetensors     state dict
network.py              builds the network without weights: build()
classes.txt             a class name a line, in the order of the network's outputs
images/<class>/*.png    images no network of the scale was trained, planted, tuned or judged on
stimuli.toml            the same as options of `spade-study stimuli`
export.json             what it was made from, and the sha256 of every file but the images
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import nn

from spade.errors import EnvironmentProblem, InputError

from .models import laboratory, training
from .models.laboratory import Progress
from .models.network import SmallResNet
from .scale import TRAINING_VERSION, Scale

ABOUT = "export.json"
_NETWORK = "weights.safetensors"


@dataclass(frozen=True)
class Exported:
    """What lies in the folder.

    Attributes:
        images: how many.
        accuracy: share of them that the network gets right.
        wrong: how many it gets wrong.
        made: whether the network was trained, or taken from a store, and not found in the folder.
    """

    images: int
    accuracy: float
    wrong: int
    made: bool


def export(
    scale: Scale,
    seed: int,
    folder: Path,
    *,
    n_images: int,
    planted: Path | None = None,
    progress: Progress = lambda *_: None,
) -> Exported:
    """Writes a scale's network and `n_images` fresh images into `folder`; one that was stopped goes on.

    The network is the one before planting, as the paper's study was on a clean network, unless a store of networks is
    given as `planted`: then it is the backdoored one, taken from there or trained.

    Raises:
        InputError: the folder holds something else.
        EnvironmentProblem: the folder cannot be written.
    """
    about = _begun(folder, _recipe(scale, seed, n_images, planted=planted is not None))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        network = _kept_network(scale, folder, about)
        made = network is None
        if network is None:
            network = _network(scale, seed, planted, progress)
            _write_network(folder, about, network)
        images = laboratory.fresh_images(scale, seed, n_images)
        names = _class_names(scale.images.classes)
        _write_images(folder / "images", images.images, [names[label] for label in images.labels], progress)
        right = training.predict(network, images.images) == images.labels
        texts = {
            "network.py": _code(scale),
            "classes.txt": "".join(f"{name}\n" for name in names),
            "stimuli.toml": _options(scale),
        }
        for name, text in texts.items():
            _replace(folder / name, text.encode())
            about["sha256"][name] = _sha256(text.encode())
        about |= {"accuracy": float(right.mean()), "torch": torch.__version__, "numpy": np.__version__}
        _write_about(folder, about)
    except OSError as problem:
        raise EnvironmentProblem(
            f"{folder} cannot be written: {problem.strerror}. Make room or choose another folder; the same command "
            "goes on."
        ) from problem
    return Exported(n_images, float(right.mean()), int((~right).sum()), made)


def _recipe(scale: Scale, seed: int, n_images: int, *, planted: bool) -> dict[str, Any]:
    """What the files depend on, as JSON data; nothing of the backdoor where there is none."""
    parts = (scale.images, scale.data, scale.network, scale.training, *((scale.backdoor,) if planted else ()))
    found = {
        "scale": scale.name,
        "seed": seed,
        "planted": planted,
        "images": n_images,
        "version": TRAINING_VERSION,
        **{type(part).__name__: asdict(part) for part in parts},
    }
    as_json: dict[str, Any] = json.loads(json.dumps(found))
    return as_json


def _begun(folder: Path, made_from: dict[str, Any]) -> dict[str, Any]:
    """What the folder says about itself: this export, finished or not, or nothing yet."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; an export needs a folder.")
    if not folder.is_dir() or not any(folder.iterdir()):
        return {"made_from": made_from, "sha256": {}}
    try:
        found: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    if found.get("made_from") != made_from or not isinstance(found.get("sha256"), dict):
        raise InputError(
            f"{folder} holds something else than this export (another scale, seed, number of images or recipe, or "
            "files of yours); choose an empty folder."
        )
    return found


def _kept_network(scale: Scale, folder: Path, about: dict[str, Any]) -> nn.Module | None:
    """The network an earlier call left, if its bytes are those that were written."""
    path = folder / _NETWORK
    if not path.is_file() or _sha256(blob := path.read_bytes()) != about["sha256"].get(_NETWORK):
        return None
    network = SmallResNet(scale.network, scale.images.classes)
    network.load_state_dict(load_tensors(blob))
    return network.to(memory_format=torch.channels_last).eval()


def _network(scale: Scale, seed: int, planted: Path | None, progress: Progress) -> nn.Module:
    if planted is None:
        return laboratory.train_clean(scale, seed, progress=progress).network
    return laboratory.prepare(scale, seed, store=planted, progress=progress).model


def _write_network(folder: Path, about: dict[str, Any], network: nn.Module) -> None:
    """Keeps the network and says so at once, so that an export stopped at its images does not train again."""
    blob = save_tensors({name: value.contiguous() for name, value in network.state_dict().items()})
    _replace(folder / _NETWORK, blob)
    about["sha256"][_NETWORK] = _sha256(blob)
    _write_about(folder, about)


def _write_images(folder: Path, images: NDArray[np.uint8], classes: list[str], progress: Progress) -> None:
    for name in sorted(set(classes)):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, (pixels, name) in enumerate(zip(images, classes, strict=True)):
        path = folder / name / f"{number:05d}.png"
        if not path.is_file():
            partial = path.with_suffix(".part")
            Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(partial, format="PNG")
            partial.replace(path)
        if number % 100 == 0 or number + 1 == len(images):
            progress("writing images", number + 1, len(images))


def _class_names(classes: int) -> list[str]:
    """Names for looks that have none: numbers, as wide as the last."""
    width = len(str(classes - 1))
    return [f"look-{number:0{width}d}" for number in range(classes)]


def _code(scale: Scale) -> str:
    """The source of the network with its numbers filled in: one file that needs torch and torchvision alone."""
    network, shape = (
        files("benchmark.models").joinpath(f"{name}.py").read_text(encoding="utf-8") for name in ("network", "shape")
    )
    _, _, of_shape = shape.partition('"""\n\n')  # what follows its docstring stands where it was imported
    source = network.replace("from .shape import Shape\n", of_shape)
    return (
        f"{source}\n\n"
        "def build() -> nn.Module:\n"
        '    """The network of this export, without weights."""\n'
        f"    return SmallResNet({scale.network!r}, {scale.images.classes})\n"
    )


def _options(scale: Scale) -> str:
    return f"""# Options of `spade-study stimuli`; paths are relative to this file.
model = "network.py:build"
weights = "{_NETWORK}"
classes = "classes.txt"
images = "images"
resize = {scale.images.side}
crop = {scale.images.side}
mean = [{training.MEAN}]
std = [{training.STD}]
block = ["layer4"]
# Maps of the last stage cover most of these images, whatever the class: regions apart are rarer there.
cam_layer = "layer3"

[regions]
threshold = 0.6

# Lucent's own colours are those of photographs; these images have any.
[ascent]
decorrelate = false
# Twice the moves of the default: stripes come out, which small moves leave as noise.
jitter = 0.12
scale = 0.2
rotate = 15.0
steps = 256
"""


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write_about(folder: Path, about: dict[str, Any]) -> None:
    _replace(folder / ABOUT, (json.dumps(about, indent=1) + "\n").encode())


def _replace(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
