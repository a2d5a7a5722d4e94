"""The consent text, and the decision about it."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import enrolment, visitor
from ..consent_text import ConsentText, consent_text
from ..design import Design
from ..journey import design_of, send
from ..models import Identity, Run
from ..resources import resources
from ..tokens import code_hash, derived_code, token

pages = Blueprint("consent", __name__)


@pages.get("/consent")
def page() -> ResponseReturnValue:
    """The text, for somebody who came in; everybody else is sent where they belong."""
    entry = visitor.arrived()
    with resources().database.reading() as db:
        run = enrolment.open_run(db, entry.run) if entry else None
        if entry is None or run is None:
            return send(visitor.participant(db))
        return _render(design_of(run.study), None)


@pages.post("/consent")
def decide() -> ResponseReturnValue:
    """Enrol who agrees; record, without a person, that somebody did not.

    400 for any other decision. The text is shown again where it changed since it was read, or the age is not confirmed.
    """
    decision = request.form.get("decision")
    if decision not in {"accepted", "declined"}:
        abort(400, description=gettext("Please agree or decline."))
    entry, parts = visitor.arrived(), resources()
    with parts.database.writing() as db:
        run = enrolment.open_run(db, entry.run) if entry else None
        if entry is None or run is None:
            return send(visitor.participant(db))
        design = design_of(run.study)
        text = _text(design)
        if request.form.get("document") != text.sha256:
            return _render(design, gettext("The text has changed since you opened it. Please read it again."), 409)
        identity = _known(db, entry)
        if decision == "declined":
            enrolment.decline(db, run, text.agreed, identity, parts.clock())
            visitor.sign_out()
            return render_template("declined.html", design=design, entry=entry)
        if design.consent.minimum_age and request.form.get("age") != "yes":
            return _render(design, gettext("Please confirm your age to take part."), 400)
        return _enrol(db, run, entry, identity, text)


def _enrol(
    db: Session, run: Run, entry: visitor.Entry, identity: Identity | None, text: ConsentText
) -> ResponseReturnValue:
    parts = resources()
    if identity is None:
        identity = Identity(
            token=entry.identity or token(),
            source=entry.source,
            external_pid=entry.pid,
            external_session=entry.session,
            created_at=parts.clock(),
        )
        db.add(identity)
    if identity.code_sha256 is None:
        identity.code_sha256 = code_hash(derived_code(parts.settings.secret_key, "return", identity.token))
    db.flush()
    device = visitor.device(request.user_agent.string)
    participant = enrolment.enrol(db, run, identity, text.agreed, device=device, now=parts.clock())
    visitor.sign_in(participant)
    return redirect(url_for("training.page", number=1), code=303)


def _known(db: Session, entry: visitor.Entry) -> Identity | None:
    """The identity of somebody on the way in: by its token, or made meanwhile in another tab."""
    if entry.identity:
        return db.scalar(select(Identity).where(Identity.token == entry.identity))
    return enrolment.platform_identity(db, entry.source, entry.pid) if entry.pid else None


def _text(design: Design) -> ConsentText:
    return consent_text(design, str(get_locale()))


def _render(design: Design, message: str | None, status: int = 200) -> ResponseReturnValue:
    return render_template("consent.html", design=design, text=_text(design), message=message), status
