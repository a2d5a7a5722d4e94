"""Looking at a study before it ends, at a price declared beforehand: alpha spent by a rule, look by look.

Without a declared rule there is one look, at the end. The test statistics of the looks are treated as a Brownian
motion seen at the fractions of information collected (Lan and DeMets, Biometrika 70, 1983); which is what z of a
difference of shares approaches, and `power` shows by simulation what it costs with clustered answers.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from data_manifests.errors import allowed_names

from .errors import AnalysisError

NODES = 400
"""Points of the Gauss-Legendre rule; 100 give the published boundaries to four digits."""


def _obrien_fleming(fraction: float, alpha: float) -> float:
    # The rule for one side at alpha / 2, for both sides, as ldbounds and gsDesign spend a two-sided alpha.
    return float(4 * stats.norm.sf(stats.norm.isf(alpha / 4) / math.sqrt(fraction)))


def _pocock(fraction: float, alpha: float) -> float:
    return alpha * math.log(1 + (math.e - 1) * fraction)


SPENDING: dict[str, Callable[[float, float], float]] = {"obrien-fleming": _obrien_fleming, "pocock": _pocock}
"""Alpha spent up to a fraction of the information, by the name a preregistration declares (Lan and DeMets, 1983)."""


@dataclass(frozen=True)
class Look:
    """One look: stop and reject if |z| reaches `z`, that is if the two-sided p is at most `p`."""

    fraction: float
    spent: float
    """Alpha spent up to and with this look."""
    z: float
    p: float


def looks(fractions: Sequence[float], *, spending: str, alpha: float) -> tuple[Look, ...]:
    """The two-sided boundary of each look, for looks at these fractions of the planned ratings.

    Raises:
        AnalysisError: the fractions do not rise within (0, 1], the rule is unknown, or alpha is no level.
    """
    if spending not in SPENDING:
        raise AnalysisError(f"There is no spending rule '{spending}'; {allowed_names(spending, SPENDING)}")
    if not 0 < alpha < 1:
        raise AnalysisError(f"The level alpha came as {alpha}; expected a number between 0 and 1.")
    times = [float(one) for one in fractions]
    if not times or any(b <= a for a, b in zip([0.0, *times], times, strict=False)) or times[-1] > 1:
        raise AnalysisError(f"Looks came at {times}; expected fractions that rise, above 0 and at most 1.")
    found: list[Look] = []
    spent, before = 0.0, 0.0
    nodes, weights = np.zeros(1), np.ones(1)
    for time in times:
        total = SPENDING[spending](time, alpha)
        step = math.sqrt(time - before)
        edge = _edge(nodes, weights, step, total - spent)
        z = edge / math.sqrt(time)
        found.append(Look(time, total, z, float(2 * stats.norm.sf(z))))
        nodes, weights = _inside(nodes, weights, step, edge)
        spent, before = total, time
    return tuple(found)


def _edge(nodes: np.ndarray, weights: np.ndarray, step: float, spend: float) -> float:
    """Where the path must be so that it first leaves (-edge, edge) at this look with chance `spend`."""

    def leaving(edge: float) -> float:
        out = stats.norm.sf((edge - nodes) / step) + stats.norm.sf((edge + nodes) / step)
        return float(weights @ out) - spend

    # Forty standard errors: where the chance left is below the smallest number a float holds.
    return float(optimize.brentq(leaving, 0.0, 40.0, xtol=1e-10))


def _inside(nodes: np.ndarray, weights: np.ndarray, step: float, edge: float) -> tuple[np.ndarray, np.ndarray]:
    """Points within the boundary, each with the chance that the path is there and has never left."""
    points, rule = np.polynomial.legendre.leggauss(NODES)
    points, rule = points * edge, rule * edge
    density = stats.norm.pdf((points[:, None] - nodes[None, :]) / step) / step @ weights
    return points, rule * density
