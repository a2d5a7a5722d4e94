"""What a stimulus set is made of and how: the options of `spade-study stimuli`, also as a TOML file."""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from spade import pruners
from spade.errors import InputError, nearest
from spade.protocol import protocol as named_protocol
from spade.visualisation import Ascent

from .regions import RegionRule

_PATHS = ("weights", "images", "classes")


@dataclass(frozen=True)
class Recipe:
    """Everything a set depends on; the same recipe gives the same set on the same machine.

    Attributes:
        model: a torchvision classifier, or `file.py:function` (see `spade.architecture`).
        weights: its state dict.
        images: a folder with one folder of pictures a class.
        classes: class names in the order of the network's outputs, .txt or .json; None where the folders say enough.
        samples: misclassified images wanted; the paper takes 100.
        seed: of the order of images, the augmentations and the visualisations.
        resize: shorter side an image is resized to [pixels].
        crop: square cut from its centre [pixels]; also the size of every picture of the set.
        mean: subtracted, one number or one a channel.
        std: divided by, after that.
        cam_layer: whose output Score-CAM masks with; empty for the last that gives a map.
        block: layers or modules that are pruned; empty for the network's last block.
        sparsity: share of their weights that goes (paper: 0.99).
        solver: obc (paper) or sparsegpt.
        protocol: of `spade.protocol`.
        augmentations: variants of the image the pruning sees; 0 for the protocol's number.
        regions: what counts as a region.
        ascent: how visualisations are made, see `spade.visualisation.Ascent`.
    """

    model: str
    weights: Path
    images: Path
    classes: Path | None = None
    samples: int = 100
    seed: int = 0
    resize: int = 256
    crop: int = 224
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    cam_layer: str = ""
    block: tuple[str, ...] = ()
    sparsity: float = 0.99
    solver: str = "obc"
    protocol: str = "ours"
    augmentations: int = 0
    regions: RegionRule = field(default_factory=RegionRule)
    ascent: Ascent = field(default_factory=Ascent)

    def __post_init__(self) -> None:
        """Refuse numbers that make no set."""
        if self.samples < 1 or self.seed < 0 or self.augmentations < 0:
            raise InputError("samples is 1 or more, seed and augmentations are 0 or more.")
        if not 0 < self.crop <= self.resize:
            raise InputError(f"crop ({self.crop}) is positive and fits into resize ({self.resize}).")
        if not 0 <= self.sparsity < 1:
            raise InputError(
                f"sparsity is the share of weights to remove, at least 0 and below 1; got {self.sparsity}."
            )
        pruners.check(self.solver)
        named_protocol(self.protocol)
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in {1, 3}:
                raise InputError(f"{name} is one number or three; got {len(values)}.")
        if min(self.std) <= 0:
            raise InputError(f"std holds {min(self.std)}; standard deviations are above 0.")

    def parameters(self) -> dict[str, Any]:
        """The recipe as JSON data, without the paths, which say nothing about what lies there."""
        found = asdict(self)
        for name in (*_PATHS, "model"):
            del found[name]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def gather(config: Path | None, options: Mapping[str, Any]) -> Recipe:
    """The recipe of a TOML file, where there is one, with `options` (those that are not None) instead of its keys.

    Paths in the file are relative to the file, as is the file of a `model = "file.py:function"`.

    Raises:
        InputError: The file cannot be read, or a key is unknown, missing, or of another type.
    """
    document = _document(config) if config is not None else {}
    document |= {name: value for name, value in options.items() if value is not None}
    where = str(config) if config is not None else "The command line"
    missing = [name for name in ("model", "weights", "images") if name not in document]
    if missing:
        told = ", ".join(f"--{name}" for name in missing)
        raise InputError(f"{where} does not say {told}; give it, or a --config that has it.")
    recipe: Recipe = _frozen(Recipe, document, where)
    return recipe


def with_steps(recipe: Recipe, steps: int) -> Recipe:
    """The same recipe with visualisations of that many steps."""
    return replace(recipe, ascent=replace(recipe.ascent, steps=steps))


def _document(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise InputError(f"{path} cannot be read as TOML: {problem}.") from problem
    for name in _PATHS:
        if isinstance(document.get(name), str):
            document[name] = path.parent / document[name]
    file, colon, function = str(document.get("model", "")).rpartition(":")
    if colon and file.endswith(".py"):
        document["model"] = f"{path.parent / file}:{function}"
    return document


def _frozen(kind: type[Any], document: Mapping[str, Any], where: str) -> Any:  # noqa: ANN401 - Recipe or a part of it
    known = {one.name: one for one in fields(kind)}
    for key in document:
        if key not in known:
            raise InputError(f"{where}: unknown key '{key}'. {nearest(key, known)}")
    missing = [
        key
        for key, one in known.items()
        if key not in document and one.default is MISSING and one.default_factory is MISSING
    ]
    if missing:
        raise InputError(f"{where}: missing {', '.join(missing)}.")
    hints = get_type_hints(kind)
    return kind(**{key: _value(hints[key], value, f"{where}: {key}") for key, value in document.items()})


def _value(expected: Any, value: Any, where: str) -> Any:  # noqa: ANN401 - any type a recipe may hold
    if is_dataclass(expected) and isinstance(expected, type):
        if isinstance(value, expected):
            return value
        if not isinstance(value, Mapping):
            raise InputError(f"{where} is {value!r}; a table belongs there.")
        return _frozen(expected, value, where)
    if get_origin(expected) is tuple:
        return _values(expected, value, where)
    if expected in {int, float, str}:
        allowed = (int, float) if expected is float else expected
        if not isinstance(value, allowed) or isinstance(value, bool):
            raise InputError(f"{where} is {value!r}; {expected.__name__} belongs there.")
        return expected(value)
    if expected in {Path, Path | None}:
        if not isinstance(value, str | Path):
            raise InputError(f"{where} is {value!r}; a path belongs there.")
        return Path(value)
    return value


def _values(expected: Any, value: Any, where: str) -> tuple[Any, ...]:  # noqa: ANN401 - numbers or names
    kind = expected.__args__[0]
    if isinstance(value, int | float | str):
        value = [value]
    if not isinstance(value, list | tuple):
        raise InputError(f"{where} is {value!r}; a list belongs there.")
    return tuple(_value(kind, one, where) for one in value)
