"""What a scale's units are about, from its recipe alone: their protocol, numerics and ratios; no method is loaded."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from spade.augmentation import PRESETS
from spade.protocol import protocol
from spade.saliency_settings import SETTINGS

from . import provenance
from .plan import Subject
from .records import SampleNote
from .scale import Scale


def unexplained(
    recipe: Scale,
    seed: int,
    *,
    weights_sha256: str = "",
    samples: tuple[SampleNote, ...] = (),
    clean: tuple[SampleNote, ...] = (),
) -> Subject:
    """The subject of a scale, with whatever samples are known; without any, its plans are checked but empty."""
    rules = replace(
        protocol(recipe.pruning.protocol),
        augmentation=recipe.pruning.augmentation,
        n_augmentations=recipe.pruning.n_augmentations,
    )
    return Subject(
        scale=recipe.name,
        seed=seed,
        recipe_sha256=recipe.recipe_sha256(seed),
        weights_sha256=weights_sha256,
        protocol=as_json(
            {
                "pruning": rules.as_dict(),
                "saliency": SETTINGS[rules.name].as_dict(),
                "augmentation": asdict(PRESETS[rules.augmentation]),
            }
        ),
        numerics=provenance.numerics(),
        n_augmentations=rules.n_augmentations,
        ratios=as_json(recipe.ratios),
        samples=samples,
        patches=recipe.backdoor.patches,
        clean=clean,
        like=recipe.like,
    )


def as_json(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data as a manifest gives it back, so that the two compare equal; it pickles, too."""
    back: dict[str, Any] = json.loads(json.dumps(data, default=dict))
    return back
