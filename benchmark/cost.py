"""What is left of a plan, and the processor time it should take, from what was measured here or elsewhere."""

import math
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from .plan import Plan
from .records import UnitRecord
from .reference_times import OF_STORED, Kind, medians


@dataclass(frozen=True)
class Cost:
    """What is left of a plan: units without a record, the processor seconds they should take, and on what that rests.

    Attributes:
        seconds: of the units whose arm and method were timed; `unmeasured` counts the others.
        borrowed: units of those that were timed on another machine only.
    """

    units: int
    seconds: float
    unmeasured: int
    borrowed: int = 0


def cost(
    plan: Plan,
    records: Mapping[str, UnitRecord],
    measured: Iterable[UnitRecord] = (),
    known: Container[str] = (),
    elsewhere: Mapping[Kind, float] | None = None,
) -> Cost:
    """The work left, from the median seconds of recorded units of the same arm and method, else of the same arm.

    A record's seconds hold its part of pruning, which all tables of its run shared. A plan of fewer tables shares it
    among fewer units, so its estimate is low: for Tables 2, A16 and A20 from times of every table, by a factor of 2.5
    of the units' time. `plan --calibrate` measures the plan itself.

    known: units whose maps are stored; they take as long as other scores of stored maps did.
    elsewhere: seconds of each kind of unit, for kinds that no record has.
    """
    here = medians([*records.values(), *measured])
    left = [unit for unit in plan.units if unit.key not in records]
    total, unmeasured, borrowed = [], 0, 0
    for unit in left:
        kinds = [OF_STORED] if unit.key in known else [(unit.arm, unit.method), (unit.arm, "")]
        guess, there = _first(here, kinds), _first(elsewhere or {}, kinds)
        if guess is None and there is not None:
            borrowed += 1
            guess = there
        if guess is None:
            unmeasured += 1
        else:
            total.append(guess)
    return Cost(units=len(left), seconds=math.fsum(total), unmeasured=unmeasured, borrowed=borrowed)


def _first(times: Mapping[Kind, float], kinds: Iterable[Kind]) -> float | None:
    return next((times[kind] for kind in kinds if kind in times), None)
