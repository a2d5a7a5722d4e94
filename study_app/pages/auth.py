"""The ways in and out: begin, register, log in, a link from a platform, log out."""

import re

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.security import check_password_hash, generate_password_hash

from .. import enrolment, visitor
from ..journey import design_of, send
from ..models import Identity, Participant, Run, Source
from ..resources import resources
from ..tokens import code_hash, token

pages = Blueprint("auth", __name__)

# What a platform puts into its link: the source, and the names of its person and session parameters.
PLATFORMS: dict[str, tuple[Source, str]] = {
    "PROLIFIC_PID": ("prolific", "SESSION_ID"),
    "workerId": ("mturk", "assignmentId"),
    "survey_code": ("sona", "experiment_id"),
    "bot": ("bot", ""),
}
_PID = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
# Compared with when there is no such name, so that a wrong name takes as long as a wrong password.
_NOBODY = generate_password_hash("nobody has this password")
PASSWORD_MIN, PASSWORD_MAX = 8, 200


@pages.post("/begin")
def begin() -> ResponseReturnValue:
    """Enter without an account, where the study is open to anybody."""
    with resources().database.reading() as db:
        run = _way(db, "open", request.form.get("run"))
    visitor.arrive(visitor.Entry(run.token, "open", identity=token()))
    return redirect(url_for("consent.page"), code=303)


@pages.get("/enter")
def enter() -> ResponseReturnValue:
    """Enter by a link; the query is taken out of the address at once.

    400 for ids that no platform gives, 404 for a way in that the study does not have.
    """
    run_token = request.args.get("run")
    if "code" in request.args:
        return _enter_by_code(request.args["code"])
    for name, (source, session_name) in PLATFORMS.items():
        if name in request.args:
            return _enter_from_platform(source, request.args[name], request.args.get(session_name), run_token)
    if request.args.get("assignmentId") == "ASSIGNMENT_ID_NOT_AVAILABLE":
        return render_template("preview.html")  # MTurk shows the task before it is accepted
    return redirect(url_for("home.home", run=run_token), code=303)


@pages.get("/login")
def login() -> ResponseReturnValue:
    """The forms to come back with."""
    return render_template("login.html")


@pages.post("/login")
def log_in() -> ResponseReturnValue:
    """Come back by name and password or by code; one sentence for every failure."""
    with resources().database.reading() as db:
        identity = _by_code(db, request.form["code"]) if request.form.get("code") else _by_password(db, request.form)
        if identity is None:
            message = gettext("That does not match. Please check what you typed.")
            return render_template("login.html", message=message, username=request.form.get("username", "")), 400
        return _arrive_as(db, identity)


@pages.get("/register")
def register() -> ResponseReturnValue:
    """The form for a new account."""
    with resources().database.reading() as db:
        _way(db, "account", request.args.get("run"))
    return render_template("register.html", run=request.args.get("run"))


@pages.post("/register")
def make_account() -> ResponseReturnValue:
    """A new account; nothing is stored when a name is taken or a password short."""
    name, password = request.form.get("username", "").strip(), request.form.get("password", "")
    problem = _refused(name, password)
    parts = resources()
    with parts.database.writing() as db:
        run = _way(db, "account", request.form.get("run"))
        if not problem and db.scalar(select(Identity.id).where(Identity.username == name)):
            problem = gettext("That name is taken. Please choose another.")
        if problem:
            again = render_template("register.html", message=problem, username=name, run=request.form.get("run"))
            return again, 400
        identity = Identity(
            token=token(),
            source="account",
            username=name,
            password_hash=generate_password_hash(password),
            created_at=parts.clock(),
        )
        db.add(identity)
    visitor.arrive(visitor.Entry(run.token, "account", identity=identity.token))
    return redirect(url_for("consent.page"), code=303)


@pages.post("/logout")
def logout() -> ResponseReturnValue:
    """Leave this browser; the place in the study is kept."""
    visitor.sign_out()
    return redirect(url_for("home.home"), code=303)


def _way(db: Session, way: Source, run_token: str | None) -> Run:
    """The open run that may be entered this way; 404 where there is none."""
    run = enrolment.open_run(db, run_token)
    if run is None:
        abort(404, description=gettext("No study is open at the moment."))
    # Bots enter runs of their own, and people never do.
    if (way == "bot") != (run.kind == "bot") or (way != "bot" and way not in design_of(run.study).entry.ways):
        abort(404, description=gettext("This study cannot be entered that way."))
    return run


def _enter_from_platform(
    source: Source, pid: str, session_id: str | None, run_token: str | None
) -> ResponseReturnValue:
    if not _PID.fullmatch(pid) or (session_id and not _PID.fullmatch(session_id)):
        abort(400, description=gettext("The link is not complete. Please open it again from the platform."))
    with resources().database.reading() as db:
        run = _way(db, source, run_token)
        identity = enrolment.platform_identity(db, source, pid)
        known = enrolment.participant_of(db, run, identity) if identity else None
        if known:
            visitor.sign_in(known)
            return send(known)
        found = identity.token if identity else None
        visitor.arrive(visitor.Entry(run.token, source, pid, session_id, found))
    return redirect(url_for("consent.page"), code=303)


def _enter_by_code(text: str) -> ResponseReturnValue:
    with resources().database.reading() as db:
        identity = _by_code(db, text)
        if identity is None:
            abort(404, description=gettext("This code is not known. Please check it."))
        return _arrive_as(db, identity)


def _arrive_as(db: Session, identity: Identity) -> ResponseReturnValue:
    """Send an identity on: to its latest place, else to the consent page of the open run."""
    latest = db.scalar(
        select(Participant).where(Participant.identity_id == identity.id).order_by(Participant.id.desc()).limit(1)
    )
    if latest:
        visitor.sign_in(latest)
        return send(latest)
    invited = enrolment.invited_to(db, identity)
    run = _way(db, identity.source, invited.token if invited else None)
    visitor.arrive(visitor.Entry(run.token, identity.source, identity=identity.token))
    return redirect(url_for("consent.page"), code=303)


def _by_code(db: Session, text: str) -> Identity | None:
    return db.scalar(select(Identity).where(Identity.code_sha256 == code_hash(text)))


def _by_password(db: Session, form: MultiDict[str, str]) -> Identity | None:
    name, password = form.get("username", "").strip(), form.get("password", "")[:PASSWORD_MAX]
    identity = db.scalar(select(Identity).where(Identity.username == name)) if name else None
    stored = identity.password_hash if identity and identity.password_hash else _NOBODY
    return identity if check_password_hash(stored, password) and identity else None


def _refused(name: str, password: str) -> str | None:
    if not re.fullmatch(r"[\w.@ -]{3,64}", name):
        return gettext("Please choose a name of 3 to 64 letters, digits, spaces or . @ - _")
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        return gettext("Please choose a password of at least %(least)s characters.", least=PASSWORD_MIN)
    return None
