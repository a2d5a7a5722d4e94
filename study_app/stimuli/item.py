"""One misclassified sample as six pictures and the image: two regions, and each class neuron dense and pruned."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from typing import Any

import torch
from torch import nn

from spade.errors import InputError
from spade.scorecam import score_cam
from spade.trace import Trace, traced
from spade.visualisation import visualise

from .pictures import PictureFolder, pixels
from .recipe import Recipe
from .regions import Region, Rejected, revealed, two_regions
from .subject import Candidate, Subject

Watch = Callable[[str, float], None]
"""Called with (what is being done, share of it that is done)."""

STAGES = ("Score-CAM", "pruning", "visualisations")


def regions_of(
    candidate: Candidate, subject: Subject, recipe: Recipe, watch: Watch
) -> tuple[Region, Region] | Rejected:
    """The regions of the true and the predicted class on the dense network, or why the sample is no stimulus."""
    if candidate.image is None:
        return Rejected(f"unreadable: {candidate.reason}")
    try:
        maps = score_cam(
            subject.model,
            subject.normalise(candidate.image[None]),
            (candidate.source.label, candidate.predicted),
            layer=subject.cam_layer,
            watch=lambda done, of: watch(STAGES[0], done / of),
        ).numpy()
    except InputError as problem:
        return Rejected(f"no map: {problem}")
    return two_regions(maps[0], maps[1], recipe.regions)


def made(
    candidate: Candidate,
    regions: tuple[Region, Region],
    subject: Subject,
    recipe: Recipe,
    *,
    pictures: PictureFolder,
    earlier: Iterable[dict[str, Any]],
    watch: Watch,
) -> dict[str, Any]:
    """The manifest entry of a sample, its pictures kept on the way.

    A dense visualisation depends on its class alone: it is taken from `earlier` entries where one has it. Both arms of
    a class start from the same picture and move alike, so that nothing but the pruning differs.
    """
    if candidate.image is None:
        raise ValueError("a sample without an image has no regions")
    source, shown = candidate.source, pixels(candidate.image)
    watch(STAGES[1], 0.0)
    with traced(
        subject.model,
        candidate.image,
        ratios=subject.ratios,
        normalise=subject.normalise,
        solver=recipe.solver,  # checked there, with near names
        protocol=recipe.protocol,
        n_augmentations=recipe.augmentations or None,
        generator=torch.Generator().manual_seed(_seed(recipe.seed, source.ref)),
    ) as trace:
        sparse = trace
    watch(STAGES[1], 1.0)
    classes = {"true": source.label, "pred": candidate.predicted}
    visualisations: dict[str, dict[str, Any]] = {}
    for number, (role, target) in enumerate(classes.items()):
        visualisations[role] = {}
        for arm, model in (("dense", subject.model), ("spade", sparse.model)):
            found = _dense(earlier, target, pictures) if arm == "dense" else None
            share = number / 2 + (0.25 if arm == "spade" else 0.0)
            if found is None:
                found = _visualised(model, target, subject, recipe, pictures, partial(_part, watch, share))
            visualisations[role][arm] = found | {"sparsity": recipe.sparsity if arm == "spade" else 0.0}
    watch(STAGES[2], 1.0)
    return {
        "source_sha256": hashlib.sha256(source.path.read_bytes()).hexdigest(),
        "true_class": subject.names.names[source.label],
        "pred_class": subject.names.names[candidate.predicted],
        "true_index": source.label,
        "pred_index": candidate.predicted,
        "true_probability": candidate.true_probability,
        "pred_probability": candidate.predicted_probability,
        "picture": pictures.add(shown),
        "regions": {
            role: pictures.add(revealed(shown, region)) | _about(region, subject, recipe)
            for role, region in zip(("true", "pred"), regions, strict=True)
        },
        "visualisations": visualisations,
        "trace": _told(sparse, subject, candidate.image),
    }


def _part(watch: Watch, before: float, share: float) -> None:
    watch(STAGES[2], before + share / 4)


def _dense(earlier: Iterable[dict[str, Any]], target: int, pictures: PictureFolder) -> dict[str, Any] | None:
    for entry in earlier:
        for role in ("true", "pred"):
            if entry[f"{role}_index"] == target and pictures.holds(entry["visualisations"][role]["dense"]):
                found: dict[str, Any] = dict(entry["visualisations"][role]["dense"])
                return found
    return None


def _visualised(  # noqa: PLR0917 - what a picture of a class neuron depends on
    model: nn.Module,
    target: int,
    subject: Subject,
    recipe: Recipe,
    pictures: PictureFolder,
    watch: Callable[[float], None],
) -> dict[str, Any]:
    seed = _seed(recipe.seed, f"class {target}")
    found = visualise(
        model, target, size=recipe.crop, normalise=subject.normalise, ascent=recipe.ascent, seed=seed, watch=watch
    )
    return pictures.add(pixels(found.image)) | {
        "seed": seed,
        "steps": recipe.ascent.steps,
        "generator_version": f"torch-lucent {version('torch-lucent')}",
        "score": found.score,
        "probability": found.probability,
    }


def _about(region: Region, subject: Subject, recipe: Recipe) -> dict[str, Any]:
    return {
        "bbox": list(region.box),
        "mask_sha256": region.sha256,
        "area_frac": region.area,
        "method": "scorecam",
        "params": {"layer": subject.cam_layer, **asdict(recipe.regions)},
    }


def _told(trace: Trace, subject: Subject, image: torch.Tensor) -> dict[str, Any]:
    """What happened to the network: a trace that no longer says what the network says is worth knowing about."""
    with torch.no_grad():
        said = int(trace.model(subject.normalise(image[None])).argmax())
    return {
        "sparsity": {name: value for name, value in trace.sparsity.items() if value},
        "fallbacks": {name: list(told) for name, told in trace.fallbacks.items()},
        "says": subject.names.names[said],
        "keeps_prediction": said == int(subject.scores(image[None]).argmax()),
    }


def _seed(seed: int, name: str) -> int:
    """A seed below 2^31 for one thing, from the recipe's."""
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:4], "big") >> 1
