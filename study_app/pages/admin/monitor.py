"""A run while it is under way, and the arms once it is closed and somebody looked at them on record."""

from flask import abort, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from ... import unblinding
from ...journey import design_of
from ...models import Run
from ...monitor import monitor
from ...outcomes import outcomes
from ...rater_quality import rater_quality, signs_of
from ...resources import resources
from .door import caller, pages


@pages.get("/runs/<token>")
def run(token: str) -> ResponseReturnValue:
    """The state of a run; 404 where there is none of that name."""
    parts = resources()
    with parts.database.reading() as db:
        found = run_of(db, token)
        design, now = design_of(found.study), parts.clock()
        seen = unblinding.has_seen(db, found, actor=caller().actor)
        return render_template(
            "admin/run.html",
            run=found,
            design=design,
            now=now,
            state=monitor(db, found, design, now, named=seen),
            seen=seen,
            outcomes=outcomes(db, found) if seen else (),
            signs=signs_of(rater_quality(db, found).values()),
        )


def run_of(db: Session, token: str) -> Run:
    """The run of that name; 404 where there is none."""
    found = db.scalar(select(Run).where(Run.token == token))
    if found is None:
        abort(404, description=gettext("There is no run of that name."))
    return found
