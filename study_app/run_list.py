"""Every run on the server, with how many people and answers it has."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from .models import Assignment, Participant, Response, Run, RunKind, Study, Task


@dataclass(frozen=True)
class RunLine:
    """One run, in a line."""

    token: str
    study: str
    title: str
    kind: RunKind
    opened_at: datetime | None
    closed_at: datetime | None
    people: int
    finished: int
    answers: int
    """Main answers: those the analysis counts."""


def run_list(session: Session) -> list[RunLine]:
    """Every run of every study, the newest first."""
    people = _counts(session, Participant.id.is_not(None))
    finished = _counts(session, Participant.status == "finished")
    given = session.execute(
        select(Participant.run_id, func.count())
        .join(Assignment, Assignment.participant_id == Participant.id)
        .join(Response, Response.assignment_id == Assignment.id)
        .join(Task, Task.id == Assignment.task_id)
        .where(Task.kind == "main")
        .group_by(Participant.run_id)
    )
    answers = {run: count for run, count in given}  # noqa: C416 - rows are not pairs to a type checker
    rows = session.execute(select(Run, Study).join(Study, Study.id == Run.study_id).order_by(Run.id.desc()))
    return [
        RunLine(
            run.token,
            study.slug,
            study.title,
            run.kind,
            run.opened_at,
            run.closed_at,
            people.get(run.id, 0),
            finished.get(run.id, 0),
            answers.get(run.id, 0),
        )
        for run, study in rows
    ]


def _counts(session: Session, which: ColumnElement[bool]) -> dict[int, int]:
    rows = session.execute(select(Participant.run_id, func.count()).where(which).group_by(Participant.run_id))
    return {run: count for run, count in rows}  # noqa: C416 - as above
