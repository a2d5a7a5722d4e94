"""An embedded scale as a frozen recipe (images, network, backdoor, samples, pruning); unknown keys are refused."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from spade import plugins
from spade.errors import InputError, nearest
from spade.protocol import protocol

from .datasets import dataset, patches
from .datasets.dataset import AddedImages
from .datasets.procedural import Recipe
from .datasets.source import Images
from .from_mapping import Readers, instance
from .models.shape import Shape

RATIOS = "ratios"
"""Folder beside the scales with the ratios that `benchmark.search` found; they replace those of the scale."""

TRAINING_VERSION = 2
"""Raise it when the code that draws images or trains changes its results: cached networks are then trained again."""


@dataclass(frozen=True)
class Data:
    """How many images are drawn: accuracies and test samples come from `test`, tuning sees only `calibration`."""

    train: int
    test: int
    calibration: int


@dataclass(frozen=True)
class Training:
    """Clean training: SGD with Nesterov momentum 0.9 and a one-cycle learning rate."""

    epochs: int
    batch_size: int = 128
    learning_rate: float = 0.1
    weight_decay: float = 5e-4


@dataclass(frozen=True)
class Backdoor:
    """Planting after A15: fine-tuning with patches pasted anew into preselected images in every epoch.

    Attributes:
        patch_side: height and width of a pasted patch [pixels].
        any_source: patches whose carriers come from any class.
        one_source: patches whose carriers come from one class (two of each in A11).
        trojans: preselected images a patch.
        clean: clean images an epoch, drawn anew each epoch. The paper shows the whole training set each time; the
            embedded network needs only a few thousand to stay accurate.
        decay_epoch: the learning rate falls tenfold there.
        one_source_times: how often an epoch shows the carriers of a one-source patch, each time at other places; shown
            once, such a patch may take too weakly.
        contrasts: show those carriers as often again, half of them as they are and half with a blob of the patch's
            outline, labelled as they are. Else the network learns their class, not the patch.
        first_scale: side of the patches in the very first epoch, in sides of the patch.
        shrunk_epoch: their side falls linearly until here, where it is `patch_side`.
        least_success: planting is repeated while a patch alone (the image is not taken for the target without it) leads
            a smaller share of training images to its target; a patch that is below it after the last round gives no
            samples.
        rounds: how often planting is done at most.
    """

    patch_side: int
    any_source: tuple[str, ...]
    one_source: tuple[str, ...]
    trojans: int
    clean: int
    epochs: int
    decay_epoch: int
    batch_size: int = 64
    learning_rate: float = 0.05
    weight_decay: float = 1e-4
    one_source_times: int = 1
    contrasts: bool = False
    first_scale: float = 1.0
    shrunk_epoch: int = 0
    least_success: float = 0.8
    rounds: int = 3

    @property
    def patches(self) -> tuple[str, ...]:
        """All patch names, those of any source first."""
        return self.any_source + self.one_source

    def side(self, epoch: int) -> int:
        """Height and width of the patches in that epoch of the first round, counted from 0 [pixels]."""
        left = max(0.0, 1 - epoch / self.shrunk_epoch) if self.shrunk_epoch else 0.0
        return round(self.patch_side * (1 + (self.first_scale - 1) * left))


@dataclass(frozen=True)
class Samples:
    """How many eligible samples are explained, balanced over the patches as far as there are enough."""

    test: int
    calibration: int


@dataclass(frozen=True)
class Pruning:
    """What the pruning sees: a preset of `spade.protocol`, and how many augmentations of which preset."""

    protocol: str
    augmentation: str
    n_augmentations: int


@dataclass(frozen=True)
class Scale:
    """One embedded scale.

    `ratios` has, by name, either a sparsity by group of layers, or such a mapping by saliency method; `ratios_origin`
    says how they were found, empty if they were chosen. A scale that another package adds is `like` one of ours: it has
    from it what it does not say, and runs the tables that one runs.
    """

    name: str
    title: str
    images: Images
    data: Data
    network: Shape
    training: Training
    backdoor: Backdoor
    samples: Samples
    pruning: Pruning
    ratios: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    ratios_origin: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    like: str = ""

    @property
    def plugins(self) -> dict[str, str]:
        """The parts of other packages that it is made of: package, release and source by kind and name."""
        of_images = {"dataset": self.images.dataset} if isinstance(self.images, AddedImages) else {}
        return plugins.identities({"scale": self.name, **of_images}, {"scale": _in_release(), "dataset": ()})

    def recipe(self, seed: int) -> dict[str, Any]:
        """Everything the trained network depends on, as JSON data."""
        parts = (self.images, self.data, self.network, self.training, self.backdoor)
        return {
            "version": TRAINING_VERSION,
            "seed": seed,
            **{type(part).__name__: asdict(part) for part in parts},
        }

    def recipe_sha256(self, seed: int) -> str:
        """Identity of the trained network: sha256 of its recipe as canonical JSON."""
        text = json.dumps(self.recipe(seed), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def names() -> tuple[str, ...]:
    """Scales of this release, smallest first by the number of training images."""
    found = [Path(entry.name).stem for entry in files("benchmark.scales").iterdir() if entry.name.endswith(".toml")]
    return tuple(sorted(found, key=lambda name: load(name).data.train))


def all_names() -> tuple[str, ...]:
    """Every scale: those of this release, then those that other installed packages add."""
    return (*names(), *plugins.offered("scale", _in_release()))


def _in_release() -> list[str]:
    return [Path(entry.name).stem for entry in files("benchmark.scales").iterdir() if entry.name.endswith(".toml")]


@cache
def load(name: str) -> Scale:
    """The scale called `name`.

    Raises:
        InputError: there is no such scale (answered with the nearest), or what defines it has an unknown, missing or
            ill-typed key, or the package that adds it is broken.
    """
    if name not in _in_release():
        return _added(name)
    return parse(_document(name), f"benchmark/scales/{name}.toml")


def _document(name: str) -> dict[str, Any]:
    path = files("benchmark.scales") / f"{name}.toml"
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    tuned = files("benchmark.scales") / RATIOS / f"{name}.toml"
    if tuned.is_file():
        found = tomllib.loads(tuned.read_text(encoding="utf-8"))
        document |= {"ratios": document.get("ratios", {}) | found["ratios"], "ratios_origin": found["origin"]}
    return document


_BUILT_IN: Mapping[str, Any] = MappingProxyType({})


def _added(name: str) -> Scale:
    """The scale of that name that another package adds: a mapping, with what it does not say from the one it is like.

    A section changes the keys it has; images from a data set, and ratios, replace what was there.
    """
    ours, there = _in_release(), plugins.offered("scale", _in_release())
    if name not in there and not any((one.kind, one.name) == ("scale", name) for one in plugins.installed()):
        raise InputError(f"There is no scale '{name}'. {nearest(name, all_names())}")
    literal = MappingProxyType(dict.fromkeys(ours, _BUILT_IN))
    given = plugins.part("scale", name, literal, Mapping)  # type: ignore[type-abstract] # only asked with isinstance
    where = f"scale '{name}' of {there[name].distribution} {there[name].version}"
    like = given.get("like")
    if like not in ours:
        raise InputError(f"{where}: like is {like!r}; it must name a scale of this release. {nearest(str(like), ours)}")
    document = _document(like) | {"name": name}
    for key, value in given.items():
        merged = isinstance(value, Mapping) and isinstance(document.get(key), Mapping)
        replaced = key == "ratios" or (key == "images" and isinstance(value, Mapping) and "dataset" in value)
        document[key] = document[key] | value if merged and not replaced else value
    if "ratios" in given:
        document.pop("ratios_origin", None)  # they were found elsewhere
    found = parse(document, where)
    if found.name != name:
        raise InputError(f"{where} gives its name as '{found.name}'; it must be the entry point's name, '{name}'.")
    return found


def under(recipe: Scale, name: str) -> Scale:
    """The scale with its pruning and maps as another protocol reads the paper, augmentations as often as before.

    Raises:
        InputError: there is no such protocol.
    """
    pruning = replace(recipe.pruning, protocol=name, augmentation=protocol(name).augmentation)
    return replace(recipe, pruning=pruning)


def parse(document: Mapping[str, Any], where: str) -> Scale:
    """A scale from parsed TOML; `where` names the file in error sentences.

    Raises:
        InputError: an unknown, missing or ill-typed key.
    """
    scale: Scale = instance(Scale, document, where, _READERS)
    if scale.backdoor.patch_side > scale.images.side:
        raise InputError(
            f"{where}: backdoor: patch_side is {scale.backdoor.patch_side}; the images have {scale.images.side} pixels."
        )
    largest = scale.backdoor.side(0)
    if not scale.backdoor.patch_side <= largest <= scale.images.side:
        raise InputError(
            f"{where}: backdoor: first_scale is {scale.backdoor.first_scale}, which makes the first patches {largest} "
            f"pixels wide; allowed are {scale.backdoor.patch_side} (patch_side) to {scale.images.side} (the images)."
        )
    shrinking = scale.backdoor.first_scale > 1
    if not (0 < scale.backdoor.shrunk_epoch < scale.backdoor.epochs if shrinking else not scale.backdoor.shrunk_epoch):
        raise InputError(
            f"{where}: backdoor: shrunk_epoch is {scale.backdoor.shrunk_epoch} and first_scale "
            f"{scale.backdoor.first_scale}; patches that are larger at first reach their side after the first of the "
            f"{scale.backdoor.epochs} epochs and before the last, and patches that are not have no such epoch (0)."
        )
    if scale.backdoor.one_source_times < 1:
        raise InputError(
            f"{where}: backdoor: one_source_times is {scale.backdoor.one_source_times}; at least 1 is needed."
        )
    needed = len(scale.backdoor.patches) + len(scale.backdoor.one_source)
    if scale.images.classes < needed:
        raise InputError(
            f"{where}: its {len(scale.backdoor.patches)} patches lead from and to {needed} classes, and the images "
            f"have {scale.images.classes}; name fewer patches in backdoor.any_source and backdoor.one_source."
        )
    _check_patches(scale, where)
    return scale


def _check_patches(scale: Scale, where: str) -> None:
    """Every patch can be drawn, and has the carriers asked for: known now, and not after minutes of training."""
    recipe = scale.backdoor
    for name in recipe.patches:
        if name not in patches.NAMES:
            raise InputError(f"{where}: backdoor: there is no patch '{name}'. {nearest(name, patches.NAMES)}")
        if recipe.patches.count(name) > 1:
            raise InputError(f"{where}: backdoor: the patch '{name}' is named twice; each has one target.")
    of_a_class = scale.data.train // scale.images.classes  # labels are balanced
    carriers = of_a_class if recipe.one_source else scale.data.train - of_a_class - 1
    if recipe.trojans > carriers:
        raise InputError(
            f"{where}: backdoor: trojans is {recipe.trojans}; of {scale.data.train} training images of "
            f"{scale.images.classes} classes {carriers} can carry a patch of "
            f"{'one source' if recipe.one_source else 'any source'}."
        )


def _images(value: object, where: str) -> Images:
    if isinstance(value, Mapping) and "dataset" in value:
        return dataset.chosen(value, where)
    recipe: Recipe = instance(Recipe, value, where)
    return recipe


_READERS: Readers = MappingProxyType({Images: _images})
