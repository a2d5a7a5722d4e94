"""The home page, the two pages about the study, and the choice of language."""

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from .. import enrolment, visitor
from ..journey import design_of, place
from ..language import LANGUAGES
from ..resources import resources

pages = Blueprint("home", __name__)


@pages.get("/")
def home() -> ResponseReturnValue:
    """What the study is, and the ways in; the way on, for who is in it."""
    with resources().database.reading() as db:
        participant = visitor.participant(db)
        run = participant.run if participant else enrolment.open_run(db, request.args.get("run"))
        design = design_of(run.study) if run else None
        return render_template(
            "home.html", run=run, design=design, participant=participant, next_place=place(participant)
        )


@pages.post("/language")
def language() -> ResponseReturnValue:
    """Remember a language, and go back to the page it was chosen on. An unknown one changes nothing."""
    chosen = request.form.get("locale", "")
    if chosen in LANGUAGES:
        session["locale"] = chosen
        with resources().database.writing() as db:
            participant = visitor.participant(db)
            if participant:
                participant.locale = chosen
    return redirect(inside(request.form.get("back", ""), url_for("home.home")), code=303)


@pages.get("/privacy")
def privacy() -> ResponseReturnValue:
    """What is stored and for whom."""
    with resources().database.reading() as db:
        participant = visitor.participant(db)
        run = participant.run if participant else enrolment.open_run(db)
        return render_template("privacy.html", design=design_of(run.study) if run else None, participant=participant)


@pages.get("/accessibility")
def accessibility() -> ResponseReturnValue:
    """What works with which aids, and what does not."""
    with resources().database.reading() as db:
        return render_template("accessibility.html", participant=visitor.participant(db))


def inside(back: str, otherwise: str) -> str:
    """`back` where it is a path of ours, else `otherwise`."""
    # "//host" and "/\\host" would lead elsewhere.
    return back if back.startswith("/") and not back.startswith(("//", "/\\")) else otherwise
