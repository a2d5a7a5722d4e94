"""The audit log, and whether it is whole."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from ... import audit
from ...models import Audit
from ...numbers import whole
from ...resources import resources
from .door import pages
from .monitor import run_of

PAGE = 100


@pages.get("/audit")
def log() -> ResponseReturnValue:
    """The rows, or those about one run, the newest first, with the chain held against its hashes."""
    with resources().database.reading() as db:
        asked = request.args.get("run")
        run = run_of(db, asked) if asked else None
        rows = db.scalars(select(Audit).order_by(Audit.id.desc())).all()
        shown = [row for row in rows if run is None or audit.about(row, run.token)]
        number = max(1, whole(request.args.get("page")) or 1)
        return render_template(
            "admin/audit.html",
            run=run,
            chain=audit.verify(db),
            rows=shown[PAGE * (number - 1) : PAGE * number],
            number=number,
            more=len(shown) > PAGE * number,
        )
