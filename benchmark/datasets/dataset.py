"""A data set that another package adds, and the images that a scale draws from it.

Nothing here imports torch.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spade import plugins
from spade.errors import InputError, nearest
from spade.plugins import PluginError

Part = Literal["train", "test", "calibration", "fresh"]
"""What images are for; images of different parts have none in common. "fresh": what is drawn once a network stands."""

Draw = Callable[[NDArray[np.int64], Part, np.random.Generator], NDArray[np.uint8]]
"""From the classes [N] that are wanted, what they are for and a generator to images [N, 3, side, side] uint8."""


@dataclass(frozen=True)
class DataSet:
    """Images with classes, from another package; a scale names it as `images = { dataset = "..." }`.

    Attributes:
        title: in words.
        classes: how many there are; labels are 0 to `classes` - 1.
        side: height and width of every image [pixels].
        make: `make(settings, generator)` decides what the world of one seed looks like, and gives what draws from it.
            Images on a disk are found here; a set that has an end keeps the parts apart.
        settings: what a scale may choose besides, with the values it has otherwise; plain data.
    """

    title: str
    classes: int
    side: int
    make: Callable[[Mapping[str, Any], np.random.Generator], Draw]
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class AddedImages:
    """What a scale says of its images where another package draws them; part of the trained network's identity.

    Attributes:
        identity: that package, its release and the beginning of its source's sha256.
    """

    dataset: str
    classes: int
    side: int
    settings: Mapping[str, Any]
    identity: str


_BUILTIN: Mapping[str, DataSet] = MappingProxyType({})


def find(name: str) -> DataSet:
    """The data set of that name.

    Raises:
        InputError: there is none of that name; answered with the nearest.
        PluginError: the package that adds it is broken.
    """
    return plugins.part("dataset", name, _BUILTIN, DataSet)


def chosen(document: Mapping[str, Any], where: str) -> AddedImages:
    """The images of a scale whose `[images]` names a data set; `where` names the place in errors.

    Raises:
        InputError: there is no such data set, or it has no such setting, or a setting of another type.
    """
    name = document["dataset"]
    found = find(str(name))
    settings = dict(found.settings)
    for key, value in document.items():
        if key == "dataset":
            continue
        if key not in settings:
            raise InputError(f"{where}: the data set '{name}' has no setting '{key}'. {nearest(key, settings)}")
        if type(value) is not type(settings[key]):
            raise InputError(f"{where}: {key} is {value!r}; a {type(settings[key]).__name__} belongs there.")
        settings[key] = value
    identity = plugins.identities({"dataset": str(name)}, {"dataset": _BUILTIN})[f"dataset {name}"]
    plain: dict[str, Any] = json.loads(json.dumps(settings, default=dict))
    return AddedImages(str(name), found.classes, found.side, plain, identity)


def opened(images: AddedImages, rng: np.random.Generator) -> Draw:
    """What draws a data set's images for one seed; what it draws is checked each time.

    Raises:
        PluginError: it raises, or what it gives are no such images; the sentence names it and its package.
    """
    found = find(images.dataset)
    try:
        draw = found.make(images.settings, rng)
    except Exception as problem:
        raise wrong(images.dataset, f"raised {_told(problem)} when it was opened") from problem

    def checked(labels: NDArray[np.int64], part: Part, rng: np.random.Generator) -> NDArray[np.uint8]:
        try:
            pictures = draw(labels.copy(), part, rng)
        except Exception as problem:
            raise wrong(images.dataset, f"raised {_told(problem)} when {len(labels)} images were drawn") from problem
        if reason := fault(pictures, len(labels), images.side):
            raise wrong(images.dataset, reason)
        return np.ascontiguousarray(pictures)

    return checked


def fault(pictures: object, n: int, side: int) -> str:
    """Why something is not n images [n, 3, side, side] uint8; "" if it is."""
    if not isinstance(pictures, np.ndarray):
        return f"gave a {type(pictures).__name__}; an array of images belongs there"
    if pictures.shape != (n, 3, side, side) or pictures.dtype != np.uint8:
        return (
            f"gave {list(pictures.shape)} {pictures.dtype} for {n} labels; [{n}, 3, {side}, {side}] uint8 belongs there"
        )
    return ""


def wrong(name: str, what: str) -> PluginError:
    """The sentence on a data set that did something it must not."""
    title = next((one.title for one in plugins.installed() if (one.kind, one.name) == ("dataset", name)), name)
    return PluginError(f"The {title} {what}. `spade-bench check-plugin {name}` tells what else it breaks.")


def _told(problem: Exception) -> str:
    return f"{type(problem).__name__}: {' '.join(str(problem).split())}"
