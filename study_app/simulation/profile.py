"""How simulated raters behave: one profile each, drawn around a population whose effect is planted."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
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

    def choose(self, arm: Arm, key: Side, generator: Random) -> Choice:
        """An answer to a task whose right side is `key`."""
        if generator.random() < self.bias:
            return self.favourite
        if generator.random() < self.undecided[arm]:
            return "both" if generator.random() < 0.5 else "neither"
        other: Side = "right" if key == "left" else "left"
        return key if generator.random() < self.agree[arm] else other

    def milliseconds(self, generator: Random) -> int:
        """How long the next answer takes; never below what a hand needs."""
        return max(300, round(1000 * generator.lognormvariate(math.log(self.seconds), 0.5)))


def draw(population: Population, generator: Random) -> Profile:
    """A rater of that population. Good raters are good in both arms: one shift moves both."""

    def moved(share: float, shift: float) -> float:
        return 1 / (1 + math.exp(-(math.log(share / (1 - share)) + shift)))

    skill, caution = generator.gauss(0, population.spread), generator.gauss(0, population.spread)
    return Profile(
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
