"""A whole simulated study: raters arrive, answer side by side at their own speed, leave or finish."""

import heapq
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from flask import Flask
from sqlalchemy import select

from ..database import Database
from ..errors import InputError, StudyError
from ..models import Arm, Assignment, Identity, Participant, Run, Side, Task
from .browser import Browser
from .profile import Population, Profile, draw, shift_of_image

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class SimulatedClock:
    """The study's time: it goes from one rater's step to the next, so an hour of answers takes seconds."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """The moment the simulation has come to."""
        return self.now


@dataclass
class _Person:
    number: int
    profile: Profile
    browser: Browser
    generator: Random
    pseudonym: str = ""
    answers: dict[Arm, int] = field(default_factory=lambda: {"dense": 0, "spade": 0})
    thinking: int = 0
    """Milliseconds until the answer under way."""
    end: str = "active"


@dataclass(frozen=True)
class Course:
    """What was planted and what became of it."""

    population: Population
    seed: int
    people: tuple[dict[str, object], ...]
    expected: dict[str, float]
    """Shares of outcomes, by arm, that these raters' profiles give for the tasks they were lent, on the usual image."""
    answers: int
    requests: int


def run_study(
    app: Flask,
    database: Database,
    clock: SimulatedClock,
    run: Run,
    *,
    raters: int,
    ratings: int,
    population: Population,
    seed: int,
    progress: Callable[[int], None] = lambda _count: None,
) -> Course:
    """Let `raters` answer `ratings` tasks of `run` through the pages of `app`, then stop everybody.

    The same seed gives the same people, tasks and answers; pseudonyms differ, because the app draws them.

    Raises:
        InputError: there are no raters or no ratings.
        StudyError: every rater left or ran out of tasks before; or a page answered otherwise than it should.
    """
    if raters < 1 or ratings < 1:
        raise InputError(f"{raters} raters and {ratings} ratings make no study; give at least 1 of each.")
    people = [_person(app, number, population, seed) for number in range(raters)]
    # Everybody comes within the first minute. Ties in time go by number, so the order never depends on luck.
    arrivals = Random(f"{seed}/arrivals")  # noqa: S311 - a simulation
    queue = [(round(arrivals.uniform(0, 60_000)), one.number) for one in people]
    heapq.heapify(queue)
    given = 0
    while queue and given < ratings:
        at, number = heapq.heappop(queue)
        clock.now = START + timedelta(milliseconds=at)
        person = people[number]
        if not person.pseudonym:
            _enrol(person, run, database, seed)
        else:
            arm, key, image = _asked(database, person.browser.task or "")
            seen = Random(f"{seed}/image/{image}")  # noqa: S311 - a simulation
            shift = shift_of_image(population, arm, seen)
            person.browser.answer(person.profile.choose(arm, key, person.generator, shift=shift), person.thinking)
            person.answers[arm] += 1
            given += 1
            progress(given)
            if person.generator.random() < person.profile.leaves and queue:
                person.end = "left"
                continue
        if person.browser.task is None:
            person.end = "finished"
            continue
        person.browser.look()
        person.thinking = person.profile.milliseconds(person.generator)
        heapq.heappush(queue, (at + person.thinking, number))
    if given < ratings:
        raise StudyError(f"Only {given} of {ratings} ratings were given: every rater left or had no task left.")
    for _, number in sorted(queue):
        if people[number].pseudonym and sum(people[number].answers.values()):
            people[number].browser.stop()
            people[number].end = "finished"
    requests = sum(one.browser.requests for one in people)
    return Course(population, seed, tuple(_about(one) for one in people), _expected(people), given, requests)


def _person(app: Flask, number: int, population: Population, seed: int) -> _Person:
    generator = Random(f"{seed}/rater/{number}")  # noqa: S311 - a simulation
    return _Person(number, draw(population, generator), Browser(app), generator)


def _enrol(person: _Person, run: Run, database: Database, seed: int) -> None:
    name = f"simulated-{person.number}"
    person.browser.agree(run.token, name)
    with database.writing() as session:
        participant = session.scalars(
            select(Participant)
            .join(Identity)
            .where(Participant.run_id == run.id, Identity.source == "bot", Identity.external_pid == name)
        ).one()
        # The app draws the seed of a rater's tasks on consent. The simulation's own goes in before any is lent.
        participant.seed = Random(f"{seed}/tasks/{person.number}").getrandbits(62)  # noqa: S311 - a simulation
        person.pseudonym = participant.token
    person.browser.train()


def _asked(database: Database, token: str) -> tuple[Arm, Side, int]:
    """Arm, right side and image of a task: what the planted behaviour hangs on, and no browser is told."""
    with database.reading() as session:
        row = session.execute(
            select(Task.arm, Assignment.key_side, Task.image_id).join(Assignment.task).where(Assignment.token == token)
        ).one()
    return row[0] or "dense", row[1], row[2]


def _expected(people: list[_Person]) -> dict[str, float]:
    found: dict[str, float] = {}
    arms: tuple[Arm, ...] = ("dense", "spade")
    for arm in arms:
        total = sum(one.answers[arm] for one in people)
        for outcome in ("agree", "disagree", "undecided"):
            share = sum(one.answers[arm] * one.profile.chances(arm)[outcome] for one in people)
            found[f"{outcome}_{arm}"] = share / total if total else float("nan")
    return found


def _about(person: _Person) -> dict[str, object]:
    return {"rater": person.pseudonym, "end": person.end, "answers": person.answers, **asdict(person.profile)}
