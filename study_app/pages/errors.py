"""What people see when something is refused or fails: one plain sentence, and what to do."""

import logging

from flask import Flask, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException, SecurityError

from ..logs import LOGGER


def register(app: Flask) -> None:
    """Handle every HTTP error, forms of another session, and a database that does not answer."""

    @app.errorhandler(HTTPException)
    def _refused(error: HTTPException) -> ResponseReturnValue:
        code = error.code or 500
        if code < 400:
            return error.get_response()  # a redirect of the router's
        title, words = _sentences(code)
        # A description of our own says more than the general one.
        own = error.description if error.description and type(error).description != error.description else None
        return render_template("error.html", title=title, words=own or words, code=code), code, _kept(error)

    @app.errorhandler(SecurityError)
    def _untrusted(_error: SecurityError) -> ResponseReturnValue:
        # A page of ours would hold links to the host that is not trusted.
        return "This server does not answer under that name.\n", 400, {"Content-Type": "text/plain; charset=utf-8"}

    @app.errorhandler(IntegrityError)
    def _raced(error: IntegrityError) -> ResponseReturnValue:
        logging.getLogger(LOGGER).warning("conflict", exc_info=error)
        words = gettext("The same was sent twice at once, and the first was stored. Please go back to the study.")
        return render_template("error.html", title=gettext("Once is enough"), words=words, code=409), 409

    @app.errorhandler(CSRFError)
    def _forged(_error: CSRFError) -> ResponseReturnValue:
        words = gettext("This form belongs to an earlier visit. Nothing was stored. Please go back to the study.")
        return render_template("error.html", title=gettext("Please try again"), words=words, code=400), 400

    @app.errorhandler(OperationalError)
    def _database(error: OperationalError) -> ResponseReturnValue:
        logging.getLogger(LOGGER).error("database", exc_info=error)
        title, words = _sentences(503)
        return render_template("error.html", title=title, words=words, code=503), 503, {"Retry-After": "5"}


def _kept(error: HTTPException) -> dict[str, str]:
    """Headers that belong to an error: the methods allowed, when to come back."""
    return {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}


def _sentences(code: int) -> tuple[str, str]:
    """Title and sentence for a status."""
    known = {
        404: (gettext("There is nothing here"), gettext("This page does not exist, or is not yours.")),
        405: (gettext("That does not work here"), gettext("This page cannot be used that way. Nothing was stored.")),
        413: (gettext("Too much"), gettext("What was sent is too large. Nothing was stored.")),
        429: (gettext("One moment"), gettext("That was very often in a short time. Please wait a minute.")),
        503: (
            gettext("One moment"),
            gettext("The server is busy. Nothing was stored. Please go back and try again."),
        ),
    }
    if code in known:
        return known[code]
    if code >= 500:
        return gettext("Something went wrong"), gettext("This is our fault. What you answered before is saved.")
    return gettext("That did not work"), gettext("The request makes no sense here. Nothing was stored.")
