"""What a report says of a run's units: what happened by arm, and what has no value and why."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ..policy import Policy
from ..records import RunRecords, UnitRecord
from ..timing import time_ratios


@dataclass(frozen=True)
class ArmEntry:
    """What happened to the units of one arm: outcomes, predictions kept, time, and what the solver fell back to."""

    arm: str
    units: int
    without_value: int
    kept: float
    seconds: float
    fallbacks: int
    dead_columns: int
    time_ratio: str
    """Time over the dense network's, by image and method, with its interval; "" where there is nothing to pair."""


@dataclass(frozen=True)
class ProblemEntry:
    """Units of one arm and method without a value for one reason, and the samples they are of."""

    status: str
    arm: str
    method: str
    reason: str
    units: int
    samples: tuple[str, ...]


def arms(run: RunRecords, policy: Policy) -> tuple[ArmEntry, ...]:
    """What happened to the units of each arm."""
    by_arm: dict[str, list[UnitRecord]] = {}
    for record in _in_order(run):
        by_arm.setdefault(record.arm, []).append(record)
    ratios = {one.arm: f"x {one.ratio:.2g} [{one.low:.2g}, {one.high:.2g}]" for one in time_ratios(run, policy)}
    return tuple(_arm(arm, records, ratios.get(arm, "")) for arm, records in by_arm.items())


def _arm(arm: str, records: Sequence[UnitRecord], time_ratio: str) -> ArmEntry:
    kept = [record.kept for record in records if record.kept is not None]
    return ArmEntry(
        arm=arm,
        units=len(records),
        without_value=sum(record.status != "ok" for record in records),
        kept=statistics.mean(map(float, kept)) if kept else math.nan,
        seconds=math.fsum(record.seconds for record in records),
        fallbacks=sum(bool(record.fallbacks) for record in records),
        dead_columns=sum(bool(record.dead_columns) for record in records),
        time_ratio=time_ratio,
    )


def problems(run: RunRecords) -> tuple[ProblemEntry, ...]:
    """Every unit without a value, in groups of one reason."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for record in _in_order(run):
        if record.status != "ok":
            found.setdefault((record.status, record.arm, record.method, record.reason), []).append(record.sample)
    return tuple(
        ProblemEntry(*names, units=len(samples), samples=tuple(dict.fromkeys(filter(None, samples))))
        for names, samples in found.items()
    )


def _in_order(run: RunRecords) -> list[UnitRecord]:
    """Every record once, in the order the tables ask for it."""
    keys = dict.fromkeys(key for cell in run.asked for _, key in cell.units)
    return [run.records[key] for key in keys if key in run.records]
