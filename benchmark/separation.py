"""The line between samples that something was tuned on and samples it is judged on."""

import hashlib
from collections.abc import Iterable

from spade.errors import InputError

from .models.laboratory import Sample
from .scale import Scale


def refuse_overlap(tuned_on: Iterable[Sample], judged_on: Iterable[Sample]) -> None:
    """Refuse samples that stand on both sides, by name or by their very pixels.

    Raises:
        InputError: at least one does; the sentence names the first and says how many there are.
    """
    names, pixels = set(), set()
    for sample in tuned_on:
        names.add(sample.id)
        pixels.add(_pixels(sample))
    both = [sample.id for sample in judged_on if sample.id in names or _pixels(sample) in pixels]
    if both:
        raise InputError(
            f"{len(both)} sample{'s are' if len(both) > 1 else ' is'} on both sides, tuned on and judged on "
            f"('{both[0]}'{' and others' if len(both) > 1 else ''}): a score on what was tuned on says nothing. "
            "Draw them apart."
        )


def refuse_tuned_seed(recipe: Scale, seed: int) -> None:
    """Refuse to judge a scale's ratios on a network they were searched on.

    Raises:
        InputError: the ratios of the scale were searched on this seed.
    """
    seeds = tuple(recipe.ratios_origin.get("seeds", ()))
    if seed in seeds:
        raise InputError(
            f"The ratios of scale '{recipe.name}' were searched on the networks of seeds {', '.join(map(str, seeds))}, "
            f"so seed {seed} cannot judge them; take another one."
        )


def _pixels(sample: Sample) -> str:
    return hashlib.sha256(sample.image.contiguous().numpy().tobytes()).hexdigest()
