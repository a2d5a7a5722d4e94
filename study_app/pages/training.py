"""The training pages of appendix K, and the trial that only the right choice passes."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .. import enrolment, visitor
from ..design import Design, Page
from ..journey import design_of, send
from ..models import CHOICES, Participant, TrainingAttempt
from ..numbers import whole
from ..resources import resources

pages = Blueprint("training", __name__)

ANSWER = "right"
"""The matching side of the trial: the paper has its raters choose "the sample on the right"."""


@pages.get("/training/<int:number>")
def page(number: int) -> ResponseReturnValue:
    """Page `number`, for somebody who passed the ones before; everybody else is sent where they belong."""
    with resources().database.reading() as db:
        participant = visitor.participant(db)
        if participant is None or not _may_see(participant, number):
            return send(participant)
        return _render(participant, number, None)


@pages.post("/training/<int:number>")
def go_on(number: int) -> ResponseReturnValue:
    """On to the next page; in the trial, with the right choice only. Every choice is kept as an attempt."""
    parts = resources()
    # Where the power takes a step back, the page is shown again; a choice is data, and may end in a code.
    with parts.database.writing(durable="choice" in request.form) as db:
        participant = visitor.participant(db)
        if participant is None or not _may_see(participant, number):
            return send(participant)
        design = design_of(participant.run.study)
        kind = design.training.pages[number - 1]
        if kind == "trial" and participant.training_step < number:
            message = _try(db, participant, number)
            if participant.status == "screened_out":
                return send(participant)
            if message:
                return _render(participant, number, message)
        participant.training_step = max(participant.training_step, number)
        if number == len(design.training.pages):
            participant.status = "active"
        elif participant.status == "consented":
            participant.status = "training"
        if participant.status == "active":
            return send(participant)
        return redirect(url_for("training.page", number=number + 1), code=303)


def _may_see(participant: Participant, number: int) -> bool:
    """Whether page `number` is the next one, or one gone through before. Training can be read again during tasks."""
    count = len(design_of(participant.run.study).training.pages)
    return 1 <= number <= min(count, participant.training_step + 1) and participant.status in {
        "consented",
        "training",
        "active",
    }


def _try(db: Session, participant: Participant, number: int) -> str | None:
    """Store a choice in the trial; the sentence to show when it was not the right one."""
    choice = request.form.get("choice")
    if choice not in CHOICES:
        abort(400, description=gettext("Please choose one of the two parts."))
    now, correct = resources().clock(), choice == ANSWER
    time = whole(request.form.get("client_rt_ms"))
    db.add(
        TrainingAttempt(participant_id=participant.id, step=number, choice=choice, correct=correct, rt_ms=time, at=now)
    )
    db.flush()
    if correct:
        return None
    allowed = design_of(participant.run.study).entry.training_tries
    wrong = db.scalar(
        select(func.count()).where(TrainingAttempt.participant_id == participant.id, TrainingAttempt.correct.is_(False))
    )
    if allowed and (wrong or 0) >= allowed:
        enrolment.screen_out(participant)
    return gettext("Not quite. The pattern has petals around a centre, as the flower does. Please try again.")


def _own_text(design: Design, kind: Page) -> tuple[str, ...] | None:
    return design.training.text.get(str(get_locale()), {}).get(kind)


def _render(participant: Participant, number: int, message: str | None) -> ResponseReturnValue:
    design = design_of(participant.run.study)
    kind = design.training.pages[number - 1]
    return render_template(
        f"training/{kind}.html",
        participant=participant,
        design=design,
        number=number,
        count=len(design.training.pages),
        own_text=_own_text(design, kind),
        message=message,
    ), 200
