"""`exclude`: set a rater's answers aside, or take that back."""

import click
from sqlalchemy import select

from .. import exclusion
from ..clock import utc_now
from ..errors import InputError, nearest
from ..models import REASONS, Participant
from .chosen import database, find_run


@click.command()
@click.argument("run")
@click.argument("rater")
@click.option("--reason", help=f"One of: {', '.join(REASONS)}.")
@click.option("--note", default="", help="In your own words; needed for 'other'. It is exported: no names in it.")
@click.option("--undo", is_flag=True, help="Let the answers count again.")
def exclude(run: str, rater: str, *, reason: str | None, note: str, undo: bool) -> None:
    """Set the answers of RATER (a pseudonym) in RUN aside for a reason. Nothing is deleted, and it can be taken back.

    The export has the reason in every row of theirs, and the analysis leaves them out. Recorded in the audit log.
    """
    with database() as opened, opened.writing() as session:
        found = find_run(session, run)
        person = session.scalar(select(Participant).where(Participant.run_id == found.id, Participant.token == rater))
        if person is None:
            names = session.scalars(select(Participant.token).where(Participant.run_id == found.id)).all()
            raise InputError(f"There is no rater '{rater}' in run {run}. {nearest(rater, names)}")
        if undo:
            exclusion.readmit(session, found, person, note=note, actor="command line", now=utc_now())
            click.echo(f"The answers of {rater} count again.")
        elif reason is None:
            raise InputError(f"Give a reason: --reason with one of {', '.join(REASONS)}.")
        else:
            exclusion.exclude(session, found, person, reason=reason, note=note, actor="command line", now=utc_now())
            click.echo(f"The answers of {rater} do not count any more ({reason}).")
