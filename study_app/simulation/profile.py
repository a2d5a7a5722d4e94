"""How simulated raters behave: one profile each, drawn around a population whose effect is planted."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from ..models import Arm, Choice, Side


@dataclass(frozen=True)
class Population:
    """What is planted. The shares are the paper's (Table 4); how much raters differ, the paper does not say."""

    undecided_dense: float = 0.229
    undecided_spade: float = 0.126
    agree_dense: float = 0.736
    """Share of agreement among the decided answers."""
    agree_spade: float = 0.799
    spread: float = 0.4
    """Standard deviation between raters, in logits, of every share."""
    images: float = 0.0
    """Standard deviation between images, in logits, of the shares of agreement."""
    effect_over_raters: float = 0.0
    """Standard deviation between raters, in logits, of the arms' difference in agreement."""
    effect_over_images: float = 0.0
    """The same between images."""
    bias: float = 0.05
    """Mean share of answers that are a rater's favourite side, whatever is shown."""
    seconds: float = 9.0
    """Median time of the median rater."""
    leaves: float = 0.003
    """Chance, after each answer, of closing the browser for good."""


@dataclass(frozen=True)
class Profile:
    """One rater."""

    undecided: Mapping[Arm, float]
    agree: Mapping[Arm, float]
    bias: float
    favourite: Side
    seconds: float
    leaves: float

    def chances(self, arm: Arm) -> dict[str, float]:
        """The probability of each outcome; a favourite side is the right one half of the time."""
        looks, decided = 1 - self.bias, 1 - self.undecided[arm]
        return {
            "agree": looks * decided * self.agree[arm] + self.bias / 2,
            "disagree": looks * decided * (1 - self.agree[arm]) + self.bias / 2,
            "undecided": looks * self.undecided[arm],
        }

    def choose(self, arm: Arm, key: Side, generator: Random, *, shift: float = 0.0) -> Choice:
        """An answer to a task whose right side is `key`, on an image that shifts agreement by so many logits."""
        if generator.random() < self.bias:
            return self.favourite
        if generator.random() < self.undecided[arm]:
            return "both" if generator.random() < 0.5 else "neither"
        other: Side = "right" if key == "left" else "left"
        return key if generator.random() < moved(self.agree[arm], shift) else other

    def milliseconds(self, generator: Random) -> int:
        """How long the next answer takes; never below what a hand needs."""
        return max(300, round(1000 * generator.lognormvariate(math.log(self.seconds), 0.5)))


def moved(share: float, shift: float) -> float:
    """A share, shifted by so many logits."""
    return 1 / (1 + math.exp(-(math.log(share / (1 - share)) + shift)))


def draw(population: Population, generator: Random) -> Profile:
    """A rater of that population. Good raters are good in both arms: one shift moves both."""
    skill, caution = generator.gauss(0, population.spread), generator.gauss(0, population.spread)
    drawn = Profile(
        undecided={
            "dense": moved(population.undecided_dense, caution),
            "spade": moved(population.undecided_spade, caution),
        },
        agree={"dense": moved(population.agree_dense, skill), "spade": moved(population.agree_spade, skill)},
        bias=min(1.0, generator.expovariate(1 / population.bias)) if population.bias else 0.0,
        favourite="left" if generator.random() < 0.5 else "right",
        seconds=generator.lognormvariate(math.log(population.seconds), 0.3),
        leaves=population.leaves,
    )
    # Drawn last: a population without it is the same people, seed by seed.
    half = generator.gauss(0, population.effect_over_raters) / 2
    return replace(
        drawn, agree={"dense": moved(drawn.agree["dense"], -half), "spade": moved(drawn.agree["spade"], half)}
    )


def shift_of_image(population: Population, arm: Arm, generator: Random) -> float:
    """By how many logits an image shifts agreement under an arm; the generator is the image's own."""
    level, half = generator.gauss(0, population.images), generator.gauss(0, population.effect_over_images) / 2
    return level + (half if arm == "spade" else -half)
