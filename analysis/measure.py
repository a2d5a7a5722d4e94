"""What is measured of an answer: a share of some answers among others."""

from dataclasses import dataclass

import numpy as np

from data_manifests.errors import allowed_names

from .errors import AnalysisError
from .ratings import Floats, Ratings


@dataclass(frozen=True)
class Measure:
    """The mean of a score over the answers that count.

    Attributes:
        name: its name here.
        row: its row of Table 4, or a title of our own.
        score: worth of agree, disagree and undecided.
        counted: whether agree, disagree and undecided are in the denominator.
        caveat: what the difference between arms does not mean, or "".
    """

    name: str
    row: str
    score: tuple[float, float, float]
    counted: tuple[bool, bool, bool]
    caveat: str = ""

    def scores(self, ratings: Ratings) -> Floats:
        """Worth of each answer [n], 0 where it does not count."""
        return np.asarray(self.score)[ratings.outcome]

    def counts(self, ratings: Ratings) -> Floats:
        """1 for each answer that counts, else 0 [n]."""
        return np.asarray(self.counted, dtype=np.float64)[ratings.outcome]


_SELECTED = (
    "Being decided comes after the arm: the arms decide on different answers, so this difference is a comparison of "
    "two selected sets and no effect of the visualisation on accuracy."
)
_ALL, _DECIDED = (True, True, True), (True, True, False)
MEASURES: dict[str, Measure] = {
    "undecided": Measure("undecided", "Undecided", (0, 0, 1), _ALL),
    "agree": Measure("agree", "Agree with Score-CAM", (1, 0, 0), _ALL),
    "disagree": Measure("disagree", "Disagree with Score-CAM", (0, 1, 0), _ALL),
    "agree_decided": Measure("agree_decided", "Agree when not undecided", (1, 0, 0), _DECIDED, _SELECTED),
    "disagree_decided": Measure("disagree_decided", "Disagree when not undecided", (0, 1, 0), _DECIDED, _SELECTED),
    "overall_success": Measure("overall_success", "Overall success", (1, 0, 0), _ALL),
    "half_credit": Measure(
        "half_credit",
        "Half credit for the undecided",
        (1, 0, 0.5),
        _ALL,
        "Gives an undecided answer what guessing between the two regions would earn.",
    ),
}
TABLE_4 = ("undecided", "agree", "disagree", "agree_decided", "disagree_decided", "overall_success")
"""The paper's rows in its order; overall success is agreement by another name."""


def measure(name: str) -> Measure:
    """The measure of this name.

    Raises:
        AnalysisError: there is none.
    """
    if name not in MEASURES:
        raise AnalysisError(f"There is no measure '{name}'; {allowed_names(name, MEASURES)}")
    return MEASURES[name]
