"""The pictures of a rater's own open tasks, by token and place; their true names never leave the server."""

import logging
from datetime import timedelta

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from .. import answering, visitor
from ..assignment import OPEN
from ..journey import design_of
from ..logs import LOGGER
from ..models import Assignment, Participant
from ..pictures import PictureAltered, padded
from ..resources import resources
from ..shown import SLOTS, pictures_of

pages = Blueprint("pictures", __name__)


@pages.get("/s/<token>/<slot>")
def picture(token: str, slot: str) -> ResponseReturnValue:
    """One picture, the same number of bytes whichever it is; 404 unless the task is the caller's and open."""
    if slot not in SLOTS:
        abort(404)
    parts = resources()
    with parts.database.reading() as db:
        participant = visitor.participant(db)
        found = _own(db.scalar(select(Assignment).where(Assignment.token == token)), participant)
        if found is None or participant is None:
            abort(404)
        name, length = pictures_of(found)[slot], participant.run.study.picture_bytes
    try:
        return Response(padded(parts.pictures.read(name), length), mimetype="image/png")
    except PictureAltered as problem:
        logging.getLogger(LOGGER).error("picture", extra={"fields": {"problem": str(problem)}})  # noqa: TRY400 - the sentence says all
        _withdraw(token)
        abort(404)


def _own(found: Assignment | None, participant: Participant | None) -> Assignment | None:
    """The assignment, where it is the participant's and waits for an answer or may still be changed."""
    if found is None or participant is None or found.participant_id != participant.id:
        return None
    if found.state in OPEN:
        return found
    undo = timedelta(seconds=design_of(participant.run.study).tasks.undo_seconds)
    response = found.response
    return found if undo and response and resources().clock() - response.at <= undo else None


def _withdraw(token: str) -> None:
    """Void the assignment and hand its task out no more."""
    parts = resources()
    with parts.database.writing() as db:
        participant = visitor.participant(db)
        found = answering.find(db, participant, token) if participant else None
        if found:
            answering.void(found, "picture missing or altered")
            answering.withdraw_task(found.task, "picture missing or altered", parts.clock())
