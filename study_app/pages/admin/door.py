"""In and out of the researcher's pages; nothing behind the door is shown to anybody else."""

import logging
from dataclasses import dataclass

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import admins
from ...cookies import ADMIN
from ...language import LANGUAGES
from ...logs import LOGGER
from ...resources import resources
from ..home import inside

pages = Blueprint("admin", __name__, url_prefix=ADMIN)

_OPEN = {"admin.login", "admin.log_in", "admin.language"}


@dataclass(frozen=True)
class Caller:
    """Who is logged in."""

    name: str

    @property
    def actor(self) -> str:
        """As the audit log names them."""
        return admins.actor_of(self.name)


def caller() -> Caller:
    """Who asks for the current page; only pages behind the door may ask."""
    found: Caller = g.admin
    return found


@pages.before_request
def _guard() -> ResponseReturnValue | None:
    """Send whoever is not logged in to the door, whatever they asked for."""
    if request.endpoint in _OPEN:
        return None
    parts, token = resources(), session.get("admin")
    if token:
        with parts.database.reading() as db:
            admin = admins.of_session(db, token, now=parts.clock())
        if admin:
            g.admin = Caller(admin.name)
            return None
    return redirect(url_for("admin.login"), code=303)


@pages.context_processor
def _common() -> dict[str, object]:
    return {"admin": g.get("admin"), "language_page": "admin.language"}


@pages.get("/login")
def login() -> ResponseReturnValue:
    """The form to log in with."""
    return render_template("admin/login.html")


@pages.post("/login")
def log_in() -> ResponseReturnValue:
    """Open a session, new from the ground up; one sentence for every failure."""
    parts, name = resources(), request.form.get("username", "").strip()
    with parts.database.reading() as db:
        found = admins.matching(db, name, request.form.get("password", ""))
    if found is None:
        logging.getLogger(LOGGER).warning("admin login refused")
        message = gettext("That does not match. Please check what you typed.")
        return render_template("admin/login.html", message=message, username=name), 400
    with parts.database.writing() as db:
        token = admins.open_session(db, found, now=parts.clock())
    _rotate()
    session["admin"] = token
    return redirect(url_for("admin.overview"), code=303)


@pages.post("/logout")
def logout() -> ResponseReturnValue:
    """End the session, here and wherever its cookie was copied to."""
    with resources().database.writing() as db:
        admins.close_session(db, session["admin"])
    _rotate()
    return redirect(url_for("admin.login"), code=303)


@pages.post("/language")
def language() -> ResponseReturnValue:
    """Remember a language for these pages, and go back to where it was chosen."""
    chosen = request.form.get("locale", "")
    if chosen in LANGUAGES:
        session["locale"] = chosen
    return redirect(inside(request.form.get("back", ""), url_for("admin.overview")), code=303)


def _rotate() -> None:
    """Drop everything of the session before, its form token too, but the language."""
    locale = session.get("locale")
    session.clear()
    if locale:
        session["locale"] = locale
