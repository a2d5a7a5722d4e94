"""How much longer one arm takes than another within one run: a ratio, on a log scale, paired by image and method."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from .policy import Policy
from .records import RunRecords, UnitRecord
from .remembered import paired_difference


@dataclass(frozen=True)
class TimeRatio:
    """The geometric mean of seconds over baseline seconds, with its interval over images."""

    arm: str
    baseline: str
    ratio: float
    low: float
    high: float
    n: int
    images: int


def time_ratios(run: RunRecords, policy: Policy, *, baseline: str = "dense") -> tuple[TimeRatio, ...]:
    """Each arm's time over the baseline's, by image and method, in the order of the run's records.

    Seconds of two machines or two runs are never compared: only ratios within one run are.
    """
    asked = dict.fromkeys(key for cell in run.asked for _, key in cell.units)
    timed = [run.records[key] for key in asked if key in run.records]
    by_arm: dict[str, dict[tuple[str, str], float]] = {}
    for record in _with_time(timed):
        by_arm.setdefault(record.arm, {})[record.sample, record.method] = math.log(record.seconds)
    before = by_arm.get(baseline, {})
    found = []
    for arm, after in by_arm.items():
        both = [pair for pair in after if pair in before]
        if arm == baseline or not both:
            continue
        one = paired_difference(
            [after[pair] for pair in both],
            [before[pair] for pair in both],
            [sample for sample, _ in both],
            bootstrap=policy.bootstrap,
            generator=policy.generator("time", arm, baseline),
        )
        ratio, low, high = (math.exp(value) for value in (one.mean, one.low, one.high))
        found.append(TimeRatio(arm, baseline, ratio, low, high, n=one.n, images=one.clusters))
    return tuple(found)


def _with_time(records: Iterable[UnitRecord]) -> Iterable[UnitRecord]:
    # A score of a stored map says nothing about the time its arm takes.
    return (one for one in records if one.status == "ok" and one.seconds > 0 and one.sample and not one.scored_from)
