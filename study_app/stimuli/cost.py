"""What a set will take, from a few timed steps: told before hours are spent."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from spade.explanation import estimated_seconds, layer_costs
from spade.protocol import protocol as named_protocol
from spade.visualisation import visualise

from .recipe import Recipe
from .subject import Subject

_TRIED_STEPS = 4
_FORWARD = 8


@dataclass(frozen=True)
class Cost:
    """Rough seconds on this machine as busy as it is now.

    Attributes:
        look: of asking the network about one image.
        regions: of Score-CAM, for each misclassified image that is tried.
        trace: of pruning, for each that is taken.
        visualisation: of one picture; each sample taken needs two to four, as dense ones are shared by class.
    """

    look: float
    regions: float
    trace: float
    visualisation: float

    @property
    def sample(self) -> float:
        """Of a sample that is taken, all four visualisations made."""
        return self.regions + self.trace + 4 * self.visualisation


def estimate(recipe: Recipe, subject: Subject) -> Cost:
    """The cost of a recipe, by running each kind of step a few times and counting how often it comes."""
    images = torch.full((_FORWARD, 3, recipe.crop, recipe.crop), 0.5)
    subject.scores(images[:1])
    look = _timed(lambda: subject.scores(images)) / _FORWARD
    ascent = replace(recipe.ascent, steps=_TRIED_STEPS)
    visualise(subject.model, 0, size=recipe.crop, normalise=subject.normalise, ascent=ascent)  # imports, first kernels
    tried = _timed(lambda: visualise(subject.model, 0, size=recipe.crop, normalise=subject.normalise, ascent=ascent))
    costs = layer_costs(subject.model, subject.ratios, recipe.solver)
    variants = recipe.augmentations or named_protocol(recipe.protocol).n_augmentations
    return Cost(
        look=look,
        regions=look * subject.masks,
        trace=look * variants + estimated_seconds(costs, torch.get_num_threads()),
        visualisation=tried / _TRIED_STEPS * recipe.ascent.steps,
    )


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
