"""The tasks: one page each, answered once, until there is nothing left or the rater stops."""

import re
from dataclasses import dataclass, field
from datetime import timedelta

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext
from sqlalchemy.orm import Session

from .. import answering, assignment, enrolment, visitor
from ..answering import Given, NotAnswerable
from ..database import lock_run
from ..design import Design
from ..journey import design_of, send
from ..models import CHOICES, INPUT_MODES, Assignment, Participant
from ..numbers import whole
from ..progress import Progress, progress_of
from ..resources import resources
from ..shown import SLOTS, pictures_of
from ..tokens import token as new_token

pages = Blueprint("tasks", __name__)


@dataclass(frozen=True)
class _Sheet:
    """What the page of a task is filled in with."""

    design: Design
    token: str
    next_token: str | None
    """Of the task after it, whose pictures the browser may fetch meanwhile."""
    progress: Progress
    revising: bool = field(kw_only=True)


@pages.get("/task")
def current() -> ResponseReturnValue:
    """To the rater's open task; when there is none, to the end."""
    parts = resources()
    # A page that leads on is not worth waiting for the disk: where the power takes it back, the next one leads on too.
    with parts.database.writing(durable=False) as db:
        participant = visitor.participant(db)
        if participant is None or participant.status != "active":
            return send(participant)
        if not participant.run.is_open:
            return render_template("closed.html", participant=participant)
        held = assignment.hold(db, participant, design_of(participant.run.study), parts.clock())
        if held:
            return redirect(url_for("tasks.task", token=held[0].token), code=303)
    with parts.database.writing() as db:  # the code that somebody takes along is
        participant = visitor.participant(db)
        if participant and participant.status == "active":
            enrolment.finish(participant, parts.clock())
        return send(participant)


@pages.get("/t/<token>")
def task(token: str) -> ResponseReturnValue:
    """The open task itself; any other token, known or not, leads to the open task."""
    with resources().database.writing(durable=False) as db:
        participant = visitor.participant(db)
        if participant is None or participant.status != "active":
            return send(participant)
        sheet = _sheet(db, participant, token)
        if sheet is None:
            return _on(db, participant)
    # Filled in with the lock given back: everybody else waits for that.
    return render_template("task.html", participant=participant, slots=SLOTS, idem=new_token(), **vars(sheet))


@pages.post("/t/<token>")
def answer(token: str) -> ResponseReturnValue:
    """Store the answer, and on to the next task. A second one changes nothing.

    400 for a form that says nothing known, 404 for a task of somebody else, 409 for one that cannot be answered.
    """
    given = _given()
    parts = resources()
    with parts.database.writing() as db:
        participant = visitor.participant(db)
        found = _own(db, participant, token)
        if found is None or participant is None:
            return send(participant)
        if not participant.run.is_open:
            return _on(db, participant)
        design, now = design_of(participant.run.study), parts.clock()
        if found.response and request.form.get("revise") == "yes" and _can_revise(found, design):
            answering.revise(db, found.response, given.choice, now)
        else:
            try:
                answering.answer(db, found, given, now)
            except NotAnswerable as problem:
                abort(409, description=_said(problem))
        return _on(db, participant)


@pages.post("/t/<token>/void")
def leave_out(token: str) -> ResponseReturnValue:
    """Leave out a task whose pictures did not arrive; it is never answered."""
    with resources().database.writing() as db:
        participant = visitor.participant(db)
        if participant:
            lock_run(db, participant.run_id)
        found = _own(db, participant, token)
        if found is None or participant is None:
            return send(participant)
        if found.state in assignment.OPEN and found.shown_at is not None:
            answering.void(found, "picture did not arrive")
        return _on(db, participant)


@pages.get("/finish")
def stop() -> ResponseReturnValue:
    """Ask whether the rater wants to stop here."""
    with resources().database.reading() as db:
        participant = visitor.participant(db)
        if participant is None or participant.status != "active":
            return send(participant)
        design = design_of(participant.run.study)
        return render_template(
            "finish.html", participant=participant, design=design, progress=progress_of(db, participant, design)
        )


@pages.post("/finish")
def finish() -> ResponseReturnValue:
    """Stop here, where the design allows it and enough is answered; what was held is given back."""
    parts = resources()
    with parts.database.writing() as db:
        participant = visitor.participant(db)
        if participant is None or participant.status != "active":
            return send(participant)
        design = design_of(participant.run.study)
        if not design.tasks.finish_early or progress_of(db, participant, design).main < design.tasks.minimum:
            return _on(db, participant)
        assignment.release(db, participant)
        enrolment.finish(participant, parts.clock())
        return send(participant)


@pages.get("/done")
def done() -> ResponseReturnValue:
    """Thanks, the completion code, and the way back to the platform."""
    with resources().database.reading() as db:
        participant = visitor.participant(db)
        if participant is None or participant.status not in {"finished", "screened_out"}:
            return send(participant)
        design = design_of(participant.run.study)
        return render_template(
            "done.html",
            participant=participant,
            design=design,
            progress=progress_of(db, participant, design),
            way_back=_way_back(participant, design),
        )


def _on(db: Session, participant: Participant) -> ResponseReturnValue:
    """To the task the rater holds already; where there is none, or the run is closed, to the page that sees further.

    Lending the next one is left to the page that shows this: an answer waits for the disk, and nobody should wait for
    that with it.
    """
    if participant.status != "active":
        return send(participant)
    held = assignment.waiting(db, participant) if participant.run.is_open else None
    if held is None:
        return redirect(url_for("tasks.current"), code=303)
    return redirect(url_for("tasks.task", token=held.token), code=303)


def _sheet(db: Session, participant: Participant, token: str) -> _Sheet | None:
    """What the page of that token shows, None where it is not the rater's open task, or no longer.

    A picture that is missing or altered takes its task out. Where all pictures are away, as when a disk was not
    mounted, no task is to blame: 503.
    """
    parts = resources()
    design, now = design_of(participant.run.study), parts.clock()
    if design.tasks.undo_seconds:
        lock_run(db, participant.run_id)
        asked = answering.find(db, participant, token)
        if asked and _can_revise(asked, design):
            return _Sheet(design, token, None, progress_of(db, participant, design), revising=True)
    held = assignment.hold(db, participant, design, now) if participant.run.is_open else []
    if not held or held[0].token != token:
        return None
    if not all(parts.pictures.seems_whole(one) for one in pictures_of(db, held[0]).values()):
        if not parts.pictures.is_there():
            abort(503)
        answering.void(held[0], "picture missing or altered")
        answering.withdraw_task(held[0].task, "picture missing or altered", now)
        return None
    answering.show(held[0], now)
    following = held[1].token if len(held) > 1 else None
    return _Sheet(design, token, following, progress_of(db, participant, design), revising=False)


def _own(db: Session, participant: Participant | None, token: str) -> Assignment | None:
    """The rater's assignment of that token; 404 where it is not theirs, None for who has none to answer."""
    if participant is None or participant.status not in {"active", "finished"}:
        return None
    found = answering.find(db, participant, token)
    if found is None:
        abort(404, description=gettext("This task is not yours, or does not exist."))
    return found


def _given() -> Given:
    """What the form says; 400 where it says nothing known."""
    form = request.form
    choice, mode, key = form.get("choice"), form.get("input"), form.get("idem", "")
    if choice not in CHOICES or mode not in INPUT_MODES or not re.fullmatch(r"[A-Za-z0-9_-]{16,64}", key):
        abort(400, description=gettext("Please choose one of the four answers."))
    viewport = form.get("viewport", "")
    return Given(
        choice=choice,
        input=mode,
        idempotency_key=key,
        locale=str(get_locale()),
        client_rt_ms=whole(form.get("client_rt_ms")),
        n_blur=whole(form.get("n_blur")) or 0,
        viewport=viewport if re.fullmatch(r"\d{1,5}x\d{1,5}", viewport) else None,
    )


def _can_revise(found: Assignment, design: Design) -> bool:
    if found.response is None or not design.tasks.undo_seconds:
        return False
    # A clock that was set back does not open old answers again.
    return timedelta(0) <= resources().clock() - found.response.at <= timedelta(seconds=design.tasks.undo_seconds)


def _way_back(participant: Participant, design: Design) -> str | None:
    entry = design.entry
    url = entry.screened_out_url if participant.status == "screened_out" else entry.complete_url
    identity = participant.identity
    if not url or identity is None or not identity.external_pid:
        return None
    return url.replace("{pid}", identity.external_pid).replace("{code}", participant.completion_code or "")


def _said(problem: NotAnswerable) -> str:
    return {
        "void": gettext("This task was taken out, because a picture of it could not be shown. Nothing was stored."),
        "unseen": gettext("This task has not been shown yet. Nothing was stored."),
        "form": gettext("This form belongs to another task. Nothing was stored."),
    }[problem.why]
