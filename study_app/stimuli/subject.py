"""The network a set is made from, with everything that depends on it alone."""

import hashlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from spade import checkpoint, photograph
from spade.architecture import is_entry
from spade.errors import InputError
from spade.layers import check_takes, evaluating, prunable_layers
from spade.scorecam import map_layers
from spade.sparsity import Ratios, by_group

from . import class_names, image_folder
from .class_names import ClassNames
from .image_folder import ImageFolder, LabelledImage
from .last_block import last_block
from .recipe import Recipe

_BATCH = 32


@dataclass(frozen=True, eq=False)
class Subject:
    """A network ready to be asked.

    Attributes:
        block: the modules that are pruned.
        cam_layer: whose output Score-CAM masks with.
        masks: how many that gives.
        identity: hashes of what it was made from.
    """

    model: nn.Module
    mean: Tensor
    std: Tensor
    names: ClassNames
    images: ImageFolder
    block: tuple[str, ...]
    ratios: Ratios
    cam_layer: str
    masks: int
    identity: dict[str, str]

    def normalise(self, images: Tensor) -> Tensor:
        """Images [N, 3, H, W] in [0, 1] as the network takes them."""
        return (images - self.mean.to(images)) / self.std.to(images)

    def scores(self, images: Tensor) -> Tensor:
        """Probabilities [N, classes] of images [N, 3, H, W] in [0, 1]."""
        with evaluating(self.model):
            found: Tensor = self.model(self.normalise(images)).softmax(dim=1)
        return found


@dataclass(frozen=True, eq=False)
class Candidate:
    """An image that was looked at.

    Attributes:
        position: its place in the order of looking, from 0.
        image: [3, H, W] in [0, 1]; None where the file cannot be read.
        predicted: class index, -1 where there is no image.
        reason: why there is no image, else empty.
    """

    source: LabelledImage
    position: int
    image: Tensor | None
    predicted: int
    true_probability: float
    predicted_probability: float
    reason: str = ""

    @property
    def misclassified(self) -> bool:
        """Whether the network says another class than the image's."""
        return self.image is not None and self.predicted != self.source.label


def load(recipe: Recipe) -> Subject:
    """The network of a recipe, checked against its images and class names.

    Raises:
        InputError: Weights, classes, images, block or layer do not fit, each told with what would.
    """
    model = checkpoint.load(recipe.model, recipe.weights)
    mean, std = (torch.tensor(values).reshape(-1, 1, 1) for values in (recipe.mean, recipe.std))
    blank = (torch.full((1, 3, recipe.crop, recipe.crop), 0.5) - mean) / std
    check_takes(model, blank)
    with evaluating(model):
        answer = model(blank)
    if not isinstance(answer, Tensor) or answer.ndim != 2:
        raise InputError(f"{recipe.model} is no classifier: one row of scores is wanted for an image.")
    outputs = int(answer.shape[1])
    names = _names(recipe, outputs)
    layers = prunable_layers(model)
    block = recipe.block or last_block(model)
    ratios = {name: ratio for name, ratio in by_group(layers, dict.fromkeys(block, recipe.sparsity)).items() if ratio}
    maps = map_layers(model, blank)
    cam_layer = recipe.cam_layer or next(reversed(maps), "")
    if cam_layer not in maps:
        raise InputError(f"cam_layer '{cam_layer}' gives no map of several positions; these do: {', '.join(maps)}.")
    return Subject(
        model=model,
        mean=mean,
        std=std,
        names=names,
        images=image_folder.read(recipe.images, names),
        block=block,
        ratios=ratios,
        cam_layer=cam_layer,
        masks=maps[cam_layer][1],
        identity=_identity(recipe, names),
    )


def look(subject: Subject, recipe: Recipe, *, start: int = 0) -> Iterator[Candidate]:
    """Every image in the recipe's order from place `start` on, with what the network says."""
    order = subject.images.shuffled(recipe.seed)
    for first in range(start, len(order), _BATCH):
        read: list[tuple[int, LabelledImage, Tensor | None, str]] = []
        for position, source in enumerate(order[first : first + _BATCH], first):
            try:
                image = photograph.read(source.path, resize=recipe.resize, crop=recipe.crop).image
                read.append((position, source, image, ""))
            except InputError as problem:
                read.append((position, source, None, str(problem)))
        whole = [found for _, _, found, _ in read if found is not None]
        rows = iter(subject.scores(torch.stack(whole)) if whole else ())
        for position, source, found, reason in read:
            if found is None:
                yield Candidate(source, position, None, -1, 0.0, 0.0, reason)
                continue
            row = next(rows)
            top = int(row.argmax())
            yield Candidate(source, position, found, top, float(row[source.label]), float(row[top]))


def _names(recipe: Recipe, outputs: int) -> ClassNames:
    if recipe.classes is not None:
        return class_names.read(recipe.classes, outputs)
    shipped = class_names.of_torchvision(recipe.model, outputs)
    return shipped or class_names.from_folders(image_folder.class_folders(recipe.images), outputs)


def _identity(recipe: Recipe, names: ClassNames) -> dict[str, str]:
    found = {
        "weights_sha256": _file_sha256(recipe.weights),
        "classes_sha256": hashlib.sha256("\n".join(names.names).encode()).hexdigest(),
    }
    if not is_entry(recipe.model):
        return {"model": recipe.model} | found
    where, _, function = recipe.model.rpartition(":")
    file = Path(where) if where.endswith(".py") else Path(str(importlib.import_module(where).__file__))
    return {"model": f"{file.name}:{function}", "code_sha256": _file_sha256(file)} | found


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
