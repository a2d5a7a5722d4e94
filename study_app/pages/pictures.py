"""The pictures of a rater's own open tasks, by token and place; their true names never leave the server."""

import logging
from datetime import timedelta

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue
from sqlalchemy import bindparam, select

from .. import answering, visitor
from ..assignment import OPEN
from ..database import lock_run
from ..journey import design_of
from ..logs import LOGGER
from ..models import Assignment, Participant, Run, Study
from ..pictures import PictureAltered, padded
from ..resources import resources
from ..shown import SLOTS, pictures_of

pages = Blueprint("pictures", __name__)

# The caller's assignment and its study. Made once: two of three requests are for pictures.
_OWN = (
    select(Assignment, Study)
    .join(Assignment.participant)
    .join(Participant.run)
    .join(Run.study)
    .where(Assignment.token == bindparam("token"), Participant.token == bindparam("caller"))
)


@pages.get("/s/<token>/<slot>")
def picture(token: str, slot: str) -> ResponseReturnValue:
    """One picture, the same number of bytes whichever it is; 404 unless the task is the caller's and open.

    503 where all pictures are away.
    """
    if slot not in SLOTS:
        abort(404)
    parts = resources()
    with parts.database.reading() as db:
        row = db.execute(_OWN, {"token": token, "caller": visitor.participant_token()}).one_or_none()
        if row is None:
            abort(404)
        found, study = row
        if not _may_see(found, study):
            abort(404)
        name, length = pictures_of(db, found)[slot], study.picture_bytes
    try:
        return Response(padded(parts.pictures.read(name), length), mimetype="image/png")
    except PictureAltered as problem:
        if not parts.pictures.is_there():
            abort(503)
        logging.getLogger(LOGGER).error("picture", extra={"fields": {"problem": str(problem)}})  # noqa: TRY400 - the sentence says all
        _withdraw(token)
        abort(404)


def _may_see(found: Assignment, study: Study) -> bool:
    """Whether the assignment waits for an answer, or its answer may still be changed."""
    if found.state in OPEN:
        return True
    undo = timedelta(seconds=design_of(study).tasks.undo_seconds)
    response = found.response
    return bool(undo and response and timedelta(0) <= resources().clock() - response.at <= undo)


def _withdraw(token: str) -> None:
    """Void the assignment and hand its task out no more."""
    parts = resources()
    with parts.database.writing() as db:
        participant = visitor.participant(db)
        if participant:
            lock_run(db, participant.run_id)
        found = answering.find(db, participant, token) if participant else None
        if found:
            answering.void(found, "picture missing or altered")
            answering.withdraw_task(found.task, "picture missing or altered", parts.clock())
