"""Where a participant belongs now: every page asks, and sends whoever is elsewhere there."""

from functools import lru_cache

from flask import redirect, url_for
from werkzeug.wrappers import Response

from .design import Design
from .models import Participant, Study


@lru_cache(maxsize=64)
def _parsed(text: str) -> Design:
    return Design.from_json(text)


def design_of(study: Study) -> Design:
    """The rules of a study, as they were stored with it."""
    return _parsed(study.config_json)


def place(participant: Participant | None) -> str:
    """The address of the page that is next for `participant`; the home page for nobody."""
    if participant is None or participant.status == "withdrawn":
        return url_for("home.home")
    if participant.status in {"consented", "training"}:
        return url_for("training.page", number=participant.training_step + 1)
    if participant.status == "active":
        return url_for("tasks.current")
    return url_for("tasks.done")


def send(participant: Participant | None) -> Response:
    """A redirect to where `participant` belongs, to be fetched with GET."""
    return redirect(place(participant), code=303)
