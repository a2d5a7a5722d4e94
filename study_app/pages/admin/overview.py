"""The first page behind the door: every run, how far it is."""

from flask import render_template
from flask.typing import ResponseReturnValue

from ...resources import resources
from ...run_list import run_list
from .door import pages


@pages.get("/")
def overview() -> ResponseReturnValue:
    """Every run of every study, the newest first."""
    with resources().database.reading() as db:
        return render_template("admin/overview.html", runs=run_list(db))
