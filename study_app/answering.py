"""An assignment is shown, answered once, taken back where the design allows it, or void."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from .errors import StudyError
from .models import Assignment, Choice, InputMode, Participant, Response, ResponseRevision, Task

Refusal = Literal["void", "unseen", "form"]
"""Why: a picture could not be shown; the task was not shown yet; the form belongs to another task."""


class NotAnswerable(StudyError):
    """An answer to this assignment cannot be taken; nothing was stored."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Given:
    """What a browser sends for one task."""

    choice: Choice
    input: InputMode
    idempotency_key: str
    locale: str
    client_rt_ms: int | None = None
    n_blur: int = 0
    viewport: str | None = None
    image_error: bool = False


def find(session: Session, participant: Participant, token: str) -> Assignment | None:
    """The rater's own assignment of that token, locked until the transaction ends; None for anybody else's.

    Who goes on to lend tasks or to take one out takes `database.lock_run` first, as `assignment.hold` does, so that
    two writers never wait for each other.
    """
    # Without its answer, which is asked for afterwards: a statement that waited for the row does not see what was
    # committed to other tables meanwhile.
    return session.scalar(
        select(Assignment)
        .where(Assignment.token == token, Assignment.participant_id == participant.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def show(assignment: Assignment, now: datetime) -> None:
    """Note the first time the rater sees it; later loads change nothing."""
    if assignment.shown_at is None:
        assignment.shown_at = now
    if assignment.state in {"leased", "expired"}:
        assignment.state = "shown"


def answer(session: Session, assignment: Assignment, given: Given, now: datetime) -> Response:
    """The stored answer: this one, or the first, where the assignment has one already.

    A lease that ran out does not matter here: what a rater answered is kept.

    Raises:
        NotAnswerable: it was never shown, is void, or the form belongs to another task.
    """
    if assignment.response is not None:
        return assignment.response
    if assignment.state == "void":
        raise NotAnswerable("void")
    if assignment.shown_at is None:
        raise NotAnswerable("unseen")
    if session.scalar(select(Response.id).where(Response.idempotency_key == given.idempotency_key)):
        raise NotAnswerable("form")
    response = Response(
        assignment_id=assignment.id,
        choice=given.choice,
        input=given.input,
        client_rt_ms=given.client_rt_ms,
        # A clock that was set back must not cost an answer.
        server_rt_ms=max(0, int((now - assignment.shown_at) / timedelta(milliseconds=1))),
        idempotency_key=given.idempotency_key,
        n_blur=given.n_blur,
        viewport=given.viewport,
        image_error=given.image_error,
        locale=given.locale,
        at=now,
    )
    assignment.state = "answered"
    session.add(response)
    session.flush()
    return response


def revise(session: Session, response: Response, choice: Choice, now: datetime) -> None:
    """Change an answer, keeping what it was."""
    if response.choice != choice:
        session.add(ResponseRevision(response_id=response.id, choice=response.choice, at=now, reason="undo"))
        response.choice = choice


def void(assignment: Assignment, reason: str) -> None:
    """Take an unanswered assignment out: a picture of it was not seen as it should have been."""
    if assignment.state != "answered":
        assignment.state, assignment.void_reason = "void", reason


def withdraw_task(task: Task, reason: str, now: datetime) -> None:
    """Hand a task out no more, to anybody."""
    if task.withdrawn_at is None:
        task.withdrawn_at, task.withdrawn_reason = now, reason
