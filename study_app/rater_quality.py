"""What each rater's answers look like: sides, runs, times, catch and repeated tasks. Signs, no reasons.

The figures and their limits are those of the analysis (`analysis/rater_quality.py`), counted here without it, because
a server has neither numpy nor scipy. Nothing here tells whether a main answer was right, or of which arm it was.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import Assignment, Choice, Participant, Response, Role, Run, Side, Task, TaskKind

FAST_MS = 500
"""Answers faster than this [ms] cannot have compared four pictures."""
FAST_SHARE = 0.1
"""Share of such answers above which a rater is called fast."""
UNUSUAL = 0.05
"""Holm-adjusted p below which a rater's sides are called unusual."""
CHANGED_SHARE, CHANGED_LEAST = 0.5, 3
"""Share of repeated tasks answered otherwise above which a rater is called unsteady, and how many it takes to tell."""

Sign = Literal["fast", "side", "run", "undecided", "catch", "repeat"]


@dataclass(frozen=True)
class Given:
    """One answer, as far as it is looked at here."""

    kind: TaskKind
    choice: Choice
    key_side: Side
    task: tuple[int, Role, str | None]
    """Image, class and arm: what a repeated task has in common with its first time."""
    client_rt_ms: int | None


@dataclass(frozen=True)
class Quality:
    """One rater's answers."""

    rater: str
    answers: int
    """Main answers; all shares but those of catch and repeated tasks are of them."""
    undecided: int
    left: int
    decided: int
    side_p: float
    """Exact two-sided, of 'left as often as right', Holm-adjusted over raters; NaN where nothing is decided."""
    longest_run: int
    """Longest run of one side among the decided answers, in the order of tasks."""
    run_p: float
    """How often fair independent sides give a run at least this long, Holm-adjusted over raters."""
    median_ms: float
    fast: int
    timed: int
    catch_missed: int
    catch: int
    repeats_changed: int
    """Repeated tasks whose outcome differs from the first time."""
    repeats: int

    @property
    def signs(self) -> tuple[Sign, ...]:
        """What a reader should look at."""
        found: list[Sign] = []
        if self.timed and self.fast / self.timed > FAST_SHARE:
            found.append("fast")
        if self.side_p < UNUSUAL:
            found.append("side")
        if self.run_p < UNUSUAL:
            found.append("run")
        if self.answers and self.undecided == self.answers:
            found.append("undecided")
        if self.catch_missed:
            found.append("catch")
        if self.repeats >= CHANGED_LEAST and self.repeats_changed / self.repeats > CHANGED_SHARE:
            found.append("repeat")
        return tuple(found)


def rater_quality(session: Session, run: Run) -> dict[str, Quality]:
    """Everybody with a main answer in `run`, by pseudonym."""
    rows = session.execute(
        select(
            Participant.token,
            Task.kind,
            Response.choice,
            Assignment.key_side,
            Task.image_id,
            Task.role,
            Task.arm,
            Response.client_rt_ms,
        )
        .join(Assignment, Assignment.participant_id == Participant.id)
        .join(Response, Response.assignment_id == Assignment.id)
        .join(Task, Task.id == Assignment.task_id)
        .where(Participant.run_id == run.id)
        .order_by(Participant.token, Assignment.position)
    )
    given: dict[str, list[Given]] = {}
    for rater, kind, choice, side, image, role, arm, milliseconds in rows:
        given.setdefault(rater, []).append(Given(kind, choice, side, (image, role, arm), milliseconds))
    return {one.rater: one for one in qualities(given.items())}


def qualities(given: Iterable[tuple[str, Sequence[Given]]]) -> list[Quality]:
    """Each rater with a main answer; chances are adjusted over all of them."""
    found = [quality(rater, answers) for rater, answers in given if any(one.kind == "main" for one in answers)]
    sides, runs = holm([one.side_p for one in found]), holm([one.run_p for one in found])
    return [replace(one, side_p=side, run_p=run) for one, side, run in zip(found, sides, runs, strict=True)]


def quality(rater: str, answers: Sequence[Given]) -> Quality:
    """One rater's answers, in the order of tasks; chances not adjusted yet."""
    main = [one for one in answers if one.kind == "main"]
    sides = [one.choice for one in main if one.choice in {"left", "right"}]
    times = [one.client_rt_ms for one in main if one.client_rt_ms is not None]
    catch = [one for one in answers if one.kind == "catch"]
    first = {one.task: _outcome(one) for one in reversed(main)}
    repeats = [one for one in answers if one.kind == "repeat" and one.task in first]
    run = longest_run(sides)
    return Quality(
        rater,
        len(main),
        undecided=len(main) - len(sides),
        left=sides.count("left"),
        decided=len(sides),
        side_p=side_chance(sides.count("left"), len(sides)),
        longest_run=run,
        run_p=run_chance(run, len(sides)),
        median_ms=float(median(times)) if times else math.nan,
        fast=sum(time < FAST_MS for time in times),
        timed=len(times),
        catch_missed=sum(_outcome(one) != "agree" for one in catch),
        catch=len(catch),
        repeats_changed=sum(_outcome(one) != first[one.task] for one in repeats),
        repeats=len(repeats),
    )


def longest_run(sides: Iterable[object]) -> int:
    """Length of the longest run of equal neighbours; 0 where there is nothing."""
    longest, length, last = 0, 0, object()
    for side in sides:
        length = length + 1 if side == last else 1
        longest, last = max(longest, length), side
    return longest


def side_chance(left: int, n: int) -> float:
    """The chance that n fair sides lie at least as unevenly as `left` to n - left; NaN where n is 0."""
    if n == 0:
        return math.nan
    few = min(left, n - left)
    return min(1.0, 2 * sum(math.comb(n, one) for one in range(few + 1)) / (1 << n))


def run_chance(longest: int, n: int) -> float:
    """The chance that n fair sides hold a run of at least `longest` equal ones; NaN where n is 0.

    A run of L is L - 1 neighbours in a row that agree. `counts[k]` is the number of ways, of 2^(number of neighbours),
    in which no such run came yet and the last k neighbours agree.
    """
    if n == 0:
        return math.nan
    if longest <= 1:
        return 1.0
    counts = [1, *[0] * (longest - 2)]
    for _ in range(n - 1):
        counts = [sum(counts), *counts[:-1]]
    return 1 - sum(counts) / (1 << (n - 1))


def holm(chances: Sequence[float]) -> list[float]:
    """Holm's adjustment over the chances that are known; the others stay NaN."""
    known = sorted((chance, place) for place, chance in enumerate(chances) if not math.isnan(chance))
    adjusted, least = [math.nan] * len(chances), 0.0
    for rank, (chance, place) in enumerate(known):
        least = max(least, min(1.0, (len(known) - rank) * chance))
        adjusted[place] = least
    return adjusted


def _outcome(given: Given) -> str:
    if given.choice in {"both", "neither"}:
        return "undecided"
    return "agree" if given.choice == given.key_side else "disagree"


def signs_of(found: Iterable[Quality]) -> Counter[Sign]:
    """How many raters show each sign."""
    return Counter(sign for one in found for sign in one.signs)
