"""How far a rater is."""

from dataclasses import dataclass

from sqlalchemy import func, select
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
        of=schedule.length(quota, design.tasks, seed=participant.seed) if quota else None,
        last=_last(session, participant) if design.tasks.undo_seconds else None,
        break_now=bool(every and answered and answered % every == 0),
    )


def _last(session: Session, participant: Participant) -> str | None:
    return session.scalar(
        select(Assignment.token)
        .join(Response)
        .where(Assignment.participant_id == participant.id)
        .order_by(Assignment.position.desc())
        .limit(1)
    )
