"""A stimulus set from a recipe: samples are looked at in a seeded order until enough of them have two regions."""

import json
import platform
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from spade.errors import InputError

from . import item, journal, manifest, subject, veto
from .pictures import PictureFolder
from .recipe import Recipe
from .regions import Rejected
from .subject import Subject

_GENERATORS = ("spade-bench", "torch", "torchvision", "torch-lucent", "kornia", "numpy", "pillow", "scikit-image")


@dataclass(frozen=True)
class Standing:
    """How far a set is.

    Attributes:
        found: samples with two regions.
        rejected: misclassified or unreadable ones without.
        looked_at: images the network was asked about, in this call.
        images: images there are.
    """

    found: int
    wanted: int
    rejected: int
    looked_at: int
    images: int


@dataclass(frozen=True)
class Produced:
    """A finished set: where it is, and how many misclassified samples were rejected for which reason."""

    manifest: Path
    samples: int
    rejected: Mapping[str, int]


def produce(
    recipe: Recipe,
    of: Subject,
    folder: Path,
    *,
    allow_fewer: bool = False,
    standing: Callable[[Standing], None] = lambda _: None,
    watch: item.Watch = lambda *_: None,
) -> Produced:
    """Writes the set of a recipe into `folder`; one that was stopped goes on with the next sample.

    Raises:
        InputError: the folder holds another set, or there are too few samples with two regions.
        EnvironmentProblem: the folder cannot be written.
    """
    made_from = _made_from(recipe, of)
    finished = _finished(folder, made_from, recipe)
    if finished is not None:
        return finished
    kept = journal.opened(folder, made_from, earlier=_earlier(folder))
    pictures = PictureFolder(folder)
    looked_at = 0

    def tell() -> None:
        standing(Standing(len(kept.accepted), recipe.samples, len(kept.rejected), looked_at, len(of.images.images)))

    tell()
    if len(kept.accepted) < recipe.samples:
        for candidate in subject.look(of, recipe, start=kept.next_position):
            looked_at += 1
            if candidate.image is not None and not candidate.misclassified:
                continue
            found = item.regions_of(candidate, of, recipe, watch)
            place = {"ref": candidate.source.ref, "position": candidate.position}
            if isinstance(found, Rejected):
                kept.add({"rejected": place | {"reason": found.reason}})
            else:
                entry = item.made(candidate, found, of, recipe, pictures=pictures, earlier=kept.accepted, watch=watch)
                kept.add({"image": place | entry})
            tell()
            if len(kept.accepted) >= recipe.samples:
                break
    if len(kept.accepted) < recipe.samples and not (allow_fewer and kept.accepted):
        raise InputError(_too_few(recipe, of, kept))
    return _write(folder, made_from, kept, recipe)


def _made_from(recipe: Recipe, of: Subject) -> dict[str, Any]:
    """All that decides which pictures come out, but for how many."""
    parameters = recipe.parameters() | {"cam_layer": of.cam_layer, "block": list(of.block)}
    del parameters["samples"]
    return {**parameters, **of.identity, "images_sha256": of.images.sha256()}


def _earlier(folder: Path) -> list[dict[str, Any]]:
    """The samples of a finished set that is to grow, as journal entries."""
    if not (folder / manifest.NAME).is_file():
        return []
    content = manifest.read(folder)
    images = [{name: value for name, value in entry.items() if name != "vetoed"} for entry in content["images"]]
    return [*({"image": entry} for entry in images), *({"rejected": one} for one in content["made"]["rejected"])]


def _finished(folder: Path, made_from: Mapping[str, Any], recipe: Recipe) -> Produced | None:
    """The set that lies in the folder already, if it is this one and whole."""
    path = folder / manifest.NAME
    if not path.is_file():
        return None
    content = manifest.read(folder)
    if content["made"]["from"] != json.loads(json.dumps(made_from)):
        raise InputError(f"{folder} holds a finished set made from something else; choose another folder.")
    if len(content["images"]) < recipe.samples:
        return None
    return Produced(path, len(content["images"]), Counter(_kind(one) for one in content["made"]["rejected"]))


def _too_few(recipe: Recipe, of: Subject, kept: journal.Journal) -> str:
    reasons = Counter(_kind(one) for one in kept.rejected)
    told = "; ".join(f"{count} times {reason}" for reason, count in reasons.most_common())
    return (
        f"Only {len(kept.accepted)} of {recipe.samples} samples were found: of {len(of.images.images)} images "
        f"{len(kept.entries)} are misclassified or unreadable, and {len(kept.rejected)} of those gave no stimulus"
        f"{f' ({told})' if told else ''}. Take what there is with --allow-fewer, or choose a new folder and add images "
        "or raise the threshold in [regions]. What was made is kept."
    )


def _kind(rejected: Mapping[str, str]) -> str:
    return rejected["reason"].partition(":")[0]


def _write(folder: Path, made_from: Mapping[str, Any], kept: journal.Journal, recipe: Recipe) -> Produced:
    path = folder / manifest.NAME
    vetoes = manifest.read(folder).get("vetoes", []) if path.is_file() else []
    content = {
        "format": manifest.FORMAT,
        "made": {
            "from": made_from,
            "samples": recipe.samples,
            "with": {name: _version(name) for name in _GENERATORS} | {"python": platform.python_version()},
            "rejected": kept.rejected,
        },
        "vetoes": vetoes,
        "images": kept.accepted,
    }
    # A set that grows keeps what was said against its samples.
    manifest.write(folder, veto.applied(content))
    kept.path.unlink(missing_ok=True)  # all it says stands in the manifest now
    return Produced(path, len(kept.accepted), Counter(_kind(one) for one in kept.rejected))


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:  # this project, run from a checkout
        return "not installed"
