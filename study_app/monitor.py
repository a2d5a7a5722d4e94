"""How a run is going, without a word about arms or about who was right.

A cell is a class with an arm. Until the run is closed and its arms were looked at on record, cells have numbers, in an
order drawn for the run, and the tasks in them have no names.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from .assignment import OPEN, Candidate, eligible
from .design import Design
from .models import (
    Arm,
    Assignment,
    Consent,
    Erasure,
    Participant,
    Response,
    Role,
    Run,
    Status,
    Task,
    TrainingAttempt,
)
from .tokens import draw

UNDER_WAY: tuple[Status, ...] = ("consented", "training", "active")


@dataclass(frozen=True)
class People:
    """How many came how far."""

    declined: int
    entered: int
    trained: int
    """Passed the training."""
    answered: int
    """Gave a main answer."""
    finished: int
    screened_out: int
    withdrawn: int
    """Erased themselves, in whichever way the study declared; with "delete" they are in none of the other counts."""
    quiet: int
    """Neither done nor seen for as long as a lease lasts: gone, or having a break."""
    here: int
    """Neither done nor quiet."""


@dataclass(frozen=True)
class Cell:
    """The tasks of one class and arm: how many have how many answers."""

    number: int
    role: Role | None
    arm: Arm | None
    """None, as the role, while nobody may know."""
    tasks: int
    answers: int
    leases: int
    filled: tuple[int, ...]
    """Tasks with 0, 1, 2, ... answers; as long in every cell of a run."""


@dataclass(frozen=True)
class Pace:
    """Answers of all kinds by hour, or by day where the run took longer than three."""

    by_day: bool
    counts: tuple[tuple[datetime, int], ...]


@dataclass(frozen=True)
class Monitor:
    """A run at one moment."""

    people: People
    answers: dict[str, int]
    """By kind of task."""
    last_at: datetime | None
    leases: int
    """Tasks lent out and not answered, whose time has not run out."""
    overdue: int
    """Shown tasks whose time ran out; their raters may still answer."""
    void: dict[str, int]
    """Tasks left out by one rater, by reason."""
    withdrawn_tasks: int
    """Main tasks handed out no more, because a picture is missing or altered."""
    cells: tuple[Cell, ...]
    pace: Pace


def monitor(session: Session, run: Run, design: Design, now: datetime, *, named: bool) -> Monitor:
    """The state of `run` at `now`; `named`: cells say which class and arm they are."""
    answers = session.execute(
        select(Task.kind, Response.at)
        .join(Assignment, Assignment.task_id == Task.id)
        .join(Response, Response.assignment_id == Assignment.id)
        .join(Participant, Participant.id == Assignment.participant_id)
        .where(Participant.run_id == run.id)
    ).all()
    held = session.execute(
        select(Assignment.state, Assignment.expires_at, Assignment.shown_at)
        .join(Participant, Participant.id == Assignment.participant_id)
        .where(Participant.run_id == run.id, Participant.status.in_(UNDER_WAY), Assignment.state.in_(OPEN))
    ).all()
    live = [at for state, at, _ in held if state != "expired" and at > now]
    shown = [at for state, at, first in held if first is not None and (state == "expired" or at <= now)]
    void = session.execute(
        select(Assignment.void_reason, func.count())
        .join(Participant, Participant.id == Assignment.participant_id)
        .where(Participant.run_id == run.id, Assignment.state == "void")
        .group_by(Assignment.void_reason)
    )
    withdrawn = select(func.count()).where(
        Task.study_id == run.study_id, Task.kind == "main", Task.withdrawn_at.is_not(None)
    )
    return Monitor(
        people=people(session, run, design, now),
        answers=dict(Counter(kind for kind, _ in answers)),
        last_at=max((at for _, at in answers), default=None),
        leases=len(live),
        overdue=len(shown),
        void={reason or "": count for reason, count in void},
        withdrawn_tasks=session.scalar(withdrawn) or 0,
        cells=cells(session, run, design, now, named=named),
        pace=pace(at for _, at in answers),
    )


def people(session: Session, run: Run, design: Design, now: datetime) -> People:
    """Who entered `run`, and how far they came by `now`."""
    seen = last_seen(session, run)
    mine = select(Participant.id).where(Participant.run_id == run.id)
    answered = (
        select(func.count(func.distinct(Assignment.participant_id)))
        .join(Response, Response.assignment_id == Assignment.id)
        .join(Task, Task.id == Assignment.task_id)
        .where(Assignment.participant_id.in_(mine), Task.kind == "main")
    )
    everybody = session.execute(select(Participant).where(Participant.run_id == run.id)).scalars().all()
    status = Counter(one.status for one in everybody)
    under_way = [one.id for one in everybody if one.status in UNDER_WAY]
    quiet = sum(now - seen[one] > timedelta(minutes=design.tasks.lease_minutes) for one in under_way)
    declined = select(func.count()).where(Consent.run_id == run.id, Consent.decision == "declined")
    erased = select(func.count()).where(Erasure.run_id == run.id)
    return People(
        declined=session.scalar(declined) or 0,
        entered=len(everybody),
        trained=sum(one.training_step >= len(design.training.pages) for one in everybody),
        answered=session.scalar(answered) or 0,
        finished=status["finished"],
        screened_out=status["screened_out"],
        withdrawn=session.scalar(erased) or 0,
        quiet=quiet,
        here=len(under_way) - quiet,
    )


def last_seen(session: Session, run: Run) -> dict[int, datetime]:
    """When each participant of `run` last asked for a task, answered, tried the training or entered, by id."""
    found = {
        row.id: row.created_at
        for row in session.execute(
            select(Participant.id, Participant.created_at).where(Participant.run_id == run.id)
        ).all()
    }
    for table, moment in ((Assignment, Assignment.leased_at), (TrainingAttempt, TrainingAttempt.at)):
        rows = session.execute(
            select(table.participant_id, func.max(moment))
            .where(table.participant_id.in_(found))
            .group_by(table.participant_id)
        )
        for person, at in rows:
            found[person] = max(found[person], at)
    return found


def cells(session: Session, run: Run, design: Design, now: datetime, *, named: bool) -> tuple[Cell, ...]:
    """Each cell with the answers its tasks have, in an order that tells nothing unless `named`."""
    live = and_(Assignment.state.in_(("leased", "shown")), Assignment.expires_at > now)
    counted = (
        select(
            Assignment.task_id,
            func.sum(case((Assignment.state == "answered", 1), else_=0)).label("answered"),
            func.sum(case((live, 1), else_=0)).label("leased"),
        )
        .join(Participant, Participant.id == Assignment.participant_id)
        .where(Participant.run_id == run.id)
        .group_by(Assignment.task_id)
        .subquery()
    )
    rows = session.execute(
        select(Task.id, Task.image_id, Task.role, Task.arm, counted.c.answered, counted.c.leased)
        .outerjoin(counted, counted.c.task_id == Task.id)
        .where(Task.study_id == run.study_id, Task.kind == "main", Task.withdrawn_at.is_(None))
    ).all()
    leases = {row[0]: row[5] or 0 for row in rows}
    tasks = eligible(
        [Candidate(one, image, role, arm, count or 0) for one, image, role, arm, count, _ in rows],
        design,
        run_seed=run.seed,
    )
    most = max((task.fill for task in tasks), default=0)

    def key(cell: tuple[Role, Arm | None]) -> object:
        # The roles and arms in their own order would be names after all.
        return (cell[0], cell[1] or "") if named else draw(run.token, run.seed, "cell", *cell)

    found = []
    order = sorted({(task.role, task.arm) for task in tasks}, key=key)  # type: ignore[arg-type]
    for number, (role, arm) in enumerate(order, start=1):
        own = [task for task in tasks if (task.role, task.arm) == (role, arm)]
        filled = Counter(task.fill for task in own)
        found.append(
            Cell(
                number,
                role if named else None,
                arm if named else None,
                tasks=len(own),
                answers=sum(task.fill for task in own),
                leases=sum(leases[task.id] for task in own),
                filled=tuple(filled[count] for count in range(most + 1)),
            )
        )
    return tuple(found)


def pace(moments: Iterable[datetime], *, most: int = 96) -> Pace:
    """Answers by hour from the first to the last, hours without any included; the latest `most` of them."""
    at = sorted(moments)
    by_day = bool(at) and at[-1] - at[0] > timedelta(days=3)
    step = timedelta(days=1) if by_day else timedelta(hours=1)

    def beginning(moment: datetime) -> datetime:
        whole = moment.replace(minute=0, second=0, microsecond=0)
        return whole.replace(hour=0) if by_day else whole

    counts = Counter(map(beginning, at))
    slots = []
    if at:
        slot = beginning(at[0])
        while slot <= at[-1]:
            slots.append((slot, counts[slot]))
            slot += step
    return Pace(by_day, tuple(slots[-most:]))
