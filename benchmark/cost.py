"""What is left of a plan, and the processor time it should take, from what was measured here."""

import math
import statistics
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from .plan import Plan
from .records import UnitRecord


@dataclass(frozen=True)
class Cost:
    """What is left of a plan: units without a record, the processor seconds they should take, and on what that rests.

    `seconds` covers the units of the arms and methods that were measured; `unmeasured` counts the others.
    """

    units: int
    seconds: float
    unmeasured: int


def cost(
    plan: Plan,
    records: Mapping[str, UnitRecord],
    measured: Iterable[UnitRecord] = (),
    known: Container[str] = (),
) -> Cost:
    """The work left, from the median seconds of recorded units of the same arm and method, else of the same arm.

    known: units whose maps are stored; they take as long as other scores of stored maps did.
    """
    times: dict[tuple[str, str], list[float]] = {}
    for record in [*records.values(), *measured]:
        if record.status == "ok":
            names = [_OF_STORED] if record.scored_from else [(record.arm, record.method), (record.arm, "")]
            for name in names:
                times.setdefault(name, []).append(record.seconds)
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    left = [unit for unit in plan.units if unit.key not in records]
    guesses = [
        medians.get(_OF_STORED)
        if unit.key in known
        else medians.get((unit.arm, unit.method), medians.get((unit.arm, "")))
        for unit in left
    ]
    timed = [guess for guess in guesses if guess is not None]
    return Cost(units=len(left), seconds=math.fsum(timed), unmeasured=len(left) - len(timed))


_OF_STORED = ("", "a score of a stored map")
