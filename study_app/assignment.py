"""Who gets which task next: balanced over cells and tasks, seeded, one transaction at a time.

Only answers and live leases count. A cell is a role with an arm; the least filled cell is served first and the least
filled task in it, ties by a draw from the seeds of run and rater. Call everything here in a writing session: on
SQLite that holds the one write lock, on PostgreSQL `lock_run` takes an advisory lock for the run.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, func, select, update
from sqlalchemy.orm import Session, aliased

from .database import lock_run
from .design import Design
from .models import Arm, Assignment, Participant, Role, Run, State, Task, TaskKind
from .schedule import kind_at, side_at
from .tokens import draw, token

AHEAD = 2
"""Assignments a rater holds: the one on screen, and the next, whose pictures the browser may fetch meanwhile."""

OPEN: tuple[State, ...] = ("leased", "shown", "expired")
"""States in which a rater's own assignment still waits for an answer."""
COUNTED: tuple[State, ...] = ("leased", "shown", "answered")


@dataclass(frozen=True)
class Candidate:
    """A task with the number of answers and live leases it has in the run."""

    id: int
    image_id: int
    role: Role
    arm: Arm | None
    fill: int


def hold(
    session: Session, participant: Participant, design: Design, now: datetime, *, wanted: int = AHEAD
) -> list[Assignment]:
    """The rater's open assignments in order, up to `wanted` of them, leased anew until the lease time from `now`.

    What a rater already holds stays as it is, however often a page is loaded and even when its lease ran out. Empty
    when there is nothing left to ask: quota reached, stop rule met, or every task done.
    """
    lock_run(session, participant.run_id)
    held = list(session.scalars(_open(participant)))
    until = now + timedelta(minutes=design.tasks.lease_minutes)
    for assignment in held:
        assignment.leased_at, assignment.expires_at = now, until
        assignment.state = "shown" if assignment.shown_at else "leased"
    if len(held) < wanted:
        _expire(session, participant.run_id, now)
    while len(held) < wanted and (chosen := _choose(session, participant, design)):
        task, position = chosen
        assignment = Assignment(
            token=token(),
            participant_id=participant.id,
            task_id=task,
            position=position,
            key_side=side_at(position, design.tasks, seed=participant.seed),
            leased_at=now,
            expires_at=until,
            state="leased",
        )
        session.add(assignment)
        session.flush()
        held.append(assignment)
    return held


def waiting(session: Session, participant: Participant) -> Assignment | None:
    """The rater's open assignment that comes next, where one is held already; nothing is lent or leased anew."""
    return session.scalar(_open(participant).limit(1))


def release(session: Session, participant: Participant) -> None:
    """Give back what the rater holds unanswered, so that others get it."""
    session.execute(
        update(Assignment)
        .where(Assignment.participant_id == participant.id, Assignment.state.in_(("leased", "shown")))
        .values(state="expired")
    )


def fills(session: Session, run: Run, kind: TaskKind = "main") -> list[Candidate]:
    """Every task of a kind that is still handed out, with its answers and live leases in `run`."""
    taken = aliased(Assignment)
    counted = (
        select(taken.task_id, func.count().label("fill"))
        .join(Participant, Participant.id == taken.participant_id)
        .where(Participant.run_id == run.id, taken.state.in_(COUNTED))
        .group_by(taken.task_id)
        .subquery()
    )
    rows = session.execute(
        select(Task.id, Task.image_id, Task.role, Task.arm, func.coalesce(counted.c.fill, 0))
        .outerjoin(counted, counted.c.task_id == Task.id)
        .where(Task.study_id == run.study_id, Task.kind == kind, Task.withdrawn_at.is_(None))
        .order_by(Task.id)
    )
    return [Candidate(*row) for row in rows]


def eligible(tasks: Iterable[Candidate], design: Design, *, run_seed: int) -> list[Candidate]:
    """The tasks of this run: all of them, or those of the class drawn for each image."""
    if design.tasks.classes == "both":
        return list(tasks)
    return [task for task in tasks if task.role == _class_of(task.image_id, run_seed)]


def _open(participant: Participant) -> Select[Assignment]:
    return (
        select(Assignment)
        .where(Assignment.participant_id == participant.id, Assignment.state.in_(OPEN))
        .order_by(Assignment.position)
    )


def _expire(session: Session, run_id: int, now: datetime) -> None:
    """Mark leases that ran out, so that they no longer count."""
    session.execute(
        update(Assignment)
        .where(
            Assignment.state.in_(("leased", "shown")),
            Assignment.expires_at <= now,
            Assignment.participant_id.in_(select(Participant.id).where(Participant.run_id == run_id)),
        )
        .values(state="expired")
    )


def _choose(session: Session, participant: Participant, design: Design) -> tuple[int, int] | None:
    """Id of the next task for the rater, and the position it comes at; None where there is none."""
    run, tasks = participant.run, design.tasks
    everything = eligible(fills(session, run), design, run_seed=run.seed)
    own = (
        select(Task.id, Task.image_id, Task.kind, Assignment.state, Assignment.position)
        .join(Assignment, Assignment.task_id == Task.id)
        .where(Assignment.participant_id == participant.id)
    )
    mine = session.execute(own).all()
    had = {task_id for task_id, *_ in mine}
    main = [task_id for task_id, _, kind, state, _ in mine if kind == "main" and state != "void"]
    if tasks.per_rater and len(main) >= tasks.per_rater:
        return None
    if design.stop.answers and sum(task.fill for task in everything) >= design.stop.answers:
        return None
    images = {image for _, image, kind, *_ in mine if kind == "main"}
    left = [
        task
        for task in everything
        if task.id not in had
        and not (tasks.one_view_per_image and task.image_id in images)
        and not (design.stop.answers_per_task and task.fill >= design.stop.answers_per_task)
    ]
    if not left:
        return None
    position = max((one.position for one in mine), default=-1) + 1
    kind = kind_at(position, tasks, seed=participant.seed)
    extra: int | None = None
    if kind == "repeat":
        extra = _repeat(session, participant, latest=position - tasks.repeat_gap)
    elif kind == "catch":
        others = [task for task in fills(session, run, "catch") if task.id not in had]
        extra = _least_filled(others, others, participant, position) if others else None
    return extra or _least_filled(left, everything, participant, position), position


def _least_filled(
    choice: Sequence[Candidate], everything: Iterable[Candidate], participant: Participant, position: int
) -> int:
    """Id of the least filled task of `choice` in the least filled cell; cells are compared by answers a task."""
    total: Counter[tuple[Role, Arm | None]] = Counter()
    size: Counter[tuple[Role, Arm | None]] = Counter()
    for task in everything:
        total[task.role, task.arm] += task.fill
        size[task.role, task.arm] += 1

    def filled(task: Candidate) -> tuple[float, int]:
        cell = task.role, task.arm
        return total[cell] / size[cell], task.fill

    least = min(map(filled, choice))
    tied = (task.id for task in choice if filled(task) == least)
    return min(tied, key=lambda one: draw(participant.run.seed, participant.seed, position, one))


def _repeat(session: Session, participant: Participant, *, latest: int) -> int | None:
    """Id of the repeat task of a main task the rater answered at or before position `latest`, drawn."""
    original, again, taken = aliased(Task), aliased(Task), aliased(Assignment)
    same = and_(
        again.study_id == original.study_id,
        again.image_id == original.image_id,
        again.role == original.role,
        again.arm == original.arm,
        again.kind == "repeat",
        again.withdrawn_at.is_(None),
    )
    rows = session.scalars(
        select(again.id)
        .join(original, same)
        .join(Assignment, Assignment.task_id == original.id)
        .outerjoin(taken, and_(taken.task_id == again.id, taken.participant_id == participant.id))
        .where(
            Assignment.participant_id == participant.id,
            Assignment.state == "answered",
            Assignment.position <= latest,
            original.kind == "main",
            taken.id.is_(None),
        )
    )
    return min(rows, key=lambda one: draw(participant.seed, "repeat", one), default=None)


def _class_of(image_id: int, run_seed: int) -> Role:
    return "true" if draw(run_seed, "class", image_id) < 0.5 else "pred"
