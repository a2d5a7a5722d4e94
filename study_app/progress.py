"""How far a rater is."""

from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from . import schedule
from .design import Design
from .models import Assignment, Participant, Response, Task


@dataclass(frozen=True)
class Progress:
    """Tasks answered, of how many; `of` is None where the rater goes on for as long as they like."""

    answered: int
    main: int
    of: int | None
    last: str | None
    """Token of the task answered last, where the design lets it be changed."""
    break_now: bool


def progress_of(session: Session, participant: Participant, design: Design) -> Progress:
    """The rater's progress, voided tasks left out."""
    rows = session.execute(
        select(Task.kind, func.count())
        .join(Assignment, Assignment.task_id == Task.id)
        .where(Assignment.participant_id == participant.id, Assignment.state == "answered")
        .group_by(Task.kind)
    ).all()
    counts = {kind: count for kind, count in rows}  # noqa: C416 - rows are not pairs to a type checker
    answered, main = sum(counts.values()), counts.get("main", 0)
    quota, every = design.tasks.per_rater, design.tasks.break_every
    return Progress(
        answered=answered,
        main=main,
        of=_length(session, participant, design) if quota else None,
        last=_last(session, participant) if design.tasks.undo_seconds else None,
        break_now=bool(every and answered and answered % every == 0),
    )


def _length(session: Session, participant: Participant, design: Design) -> int:
    """Tasks of all kinds until the quota is reached, or until none is left, where the study has fewer."""
    tasks, main = design.tasks, case((Task.kind == "main", Task.image_id))
    there, images, catch = session.execute(
        select(func.count(main), func.count(main.distinct()), func.count(case((Task.kind == "catch", 1)))).where(
            Task.study_id == participant.run.study_id, Task.withdrawn_at.is_(None)
        )
    ).one()
    there_still = Task.withdrawn_at.is_(None).label("there")
    mine = session.execute(
        select(Task.kind, Task.image_id, there_still, Assignment.state, Assignment.position)
        .join(Assignment, Assignment.task_id == Task.id)
        .where(Assignment.participant_id == participant.id)
    ).all()
    own = [one for one in mine if one.kind == "main"]
    if tasks.one_view_per_image:
        left = images - len({one.image_id for one in own})
    else:
        left = (there // 2 if tasks.classes == "one" else there) - sum(one.there for one in own)
    quota = tasks.per_rater - sum(one.state != "void" for one in own)
    to_come = schedule.length(
        min(quota, left),
        tasks,
        seed=participant.seed,
        start=max((one.position for one in mine), default=-1) + 1,
        catch=max(0, catch - sum(one.there for one in mine if one.kind == "catch")),
    )
    so_far: int = sum(one.state != "void" for one in mine)
    return so_far + to_come


def _last(session: Session, participant: Participant) -> str | None:
    return session.scalar(
        select(Assignment.token)
        .join(Response)
        .where(Assignment.participant_id == participant.id)
        .order_by(Assignment.position.desc())
        .limit(1)
    )
