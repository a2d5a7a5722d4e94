"""A participant's own page: what is held, to take along or to erase."""

from flask import Blueprint, Response, abort, json, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select

from .. import visitor, withdrawal
from ..journey import design_of, send
from ..models import Assignment, Consent, Identity, Participant, TrainingAttempt
from ..models import Response as Answer
from ..progress import progress_of
from ..resources import resources
from ..tokens import code_hash, derived_code

pages = Blueprint("me", __name__)


@pages.get("/me")
def me() -> ResponseReturnValue:
    """What is held in short, the return code, and the two buttons."""
    with resources().database.reading() as db:
        participant = visitor.participant(db)
        if participant is None:
            return send(None)
        design = design_of(participant.run.study)
        return render_template(
            "me.html",
            participant=participant,
            design=design,
            progress=progress_of(db, participant, design),
            code=_return_code(participant.identity),
            next_place=None,
        )


@pages.get("/me/data.json")
def data() -> ResponseReturnValue:
    """Everything held about the caller. Which side was right stays out: it belongs to the study."""
    with resources().database.reading() as db:
        participant = visitor.participant(db)
        if participant is None:
            return send(None)
        rows = db.execute(
            select(Assignment, Answer)
            .outerjoin(Answer, Answer.assignment_id == Assignment.id)
            .where(Assignment.participant_id == participant.id)
            .order_by(Assignment.position)
        ).all()
        tries = db.scalars(select(TrainingAttempt).where(TrainingAttempt.participant_id == participant.id))
        consents = db.scalars(select(Consent).where(Consent.participant_id == participant.id))
        content = {
            "study": participant.run.study.title,
            "you": _person(participant),
            "consent": [
                {"decision": one.decision, "version": one.version, "text_sha256": one.document_sha256, "at": one.at}
                for one in consents
            ],
            "training": [{"page": one.step, "choice": one.choice, "ms": one.rt_ms, "at": one.at} for one in tries],
            "tasks": [_task(assignment, answer) for assignment, answer in rows],
        }
    body = json.dumps(content, indent=2, ensure_ascii=False)
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"'}
    return Response(body, mimetype="application/json", headers=headers)


@pages.post("/me/withdraw")
def withdraw() -> ResponseReturnValue:
    """Erase, once it is confirmed; 400 where it is not."""
    parts = resources()
    if request.form.get("sure") != "yes":
        abort(400, description=gettext("Please tick the box to confirm. Nothing was deleted."))
    with parts.database.writing() as db:
        participant = visitor.participant(db)
        if participant is None:
            return send(None)
        design = design_of(participant.run.study)
        came_from_platform = participant.identity is not None and participant.identity.external_pid is not None
        policy = design.privacy.withdrawal
        erasure = withdrawal.withdraw(db, participant, policy=policy, actor="participant", now=parts.clock())
        receipt = erasure.participant_token_hash[:16]
    visitor.sign_out()
    way_back = design.entry.withdrawn_url if came_from_platform else ""
    return render_template("withdrawn.html", policy=policy, receipt=receipt, way_back=way_back)


def _return_code(identity: Identity | None) -> str | None:
    """The code to come back with, made again from the secret; None where the person holds one of another origin."""
    settings = resources().settings
    for secret in (settings.secret_key, *settings.secret_key_fallbacks):
        code = derived_code(secret, "return", identity.token) if identity else ""
        if identity and identity.code_sha256 == code_hash(code):
            return code
    return None


def _person(participant: Participant) -> dict[str, object]:
    identity = participant.identity
    return {
        "random_name": participant.token,
        "came_by": participant.source,
        "user_name": identity.username if identity else None,
        "platform_id": identity.external_pid if identity else None,
        "platform_session": identity.external_session if identity else None,
        "language": participant.locale,
        "device": participant.device_class,
        "since": participant.created_at,
        "status": participant.status,
        "finished": participant.finished_at,
        "completion_code": participant.completion_code,
    }


def _task(assignment: Assignment, answer: Answer | None) -> dict[str, object]:
    row: dict[str, object] = {"position": assignment.position, "shown": assignment.shown_at, "state": assignment.state}
    if answer:
        row |= {
            "choice": answer.choice,
            "input": answer.input,
            "ms_in_browser": answer.client_rt_ms,
            "ms_on_server": answer.server_rt_ms,
            "window": answer.viewport,
            "left_the_page": answer.n_blur,
            "language": answer.locale,
            "answered": answer.at,
        }
    return row
