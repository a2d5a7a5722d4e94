"""`audit`: what was done to a study, and whether the log of it is whole."""

import click
from sqlalchemy import select

from .. import audit as chain
from ..errors import StudyError
from ..models import Audit
from .chosen import database, find_run


@click.group()
def audit() -> None:
    """The audit log: who opened, closed, excluded, exported and looked at arms."""


@audit.command()
@click.argument("run", required=False)
@click.option(
    "--contains", metavar="SHA256", help="A last hash you noted before; without its row, the end was cut off."
)
def verify(run: str | None, *, contains: str | None) -> None:
    """Hold every row against its hash and the row before it, and count those about RUN.

    One chain holds the rows of all runs. Exit code 1 names the first link that does not hold. Note the hash it prints
    somewhere else: rows removed from the end leave a whole chain that no longer contains it.
    """
    with database() as opened, opened.reading() as session:
        found = find_run(session, run) if run else None
        state = chain.verify(session)
        if state.broken:
            row = state.broken.row
            why = "it is not what was written then" if state.broken.changed else "a row before it was removed or put in"
            raise StudyError(
                f"The audit log is broken at row {row.id} ({row.action} of {row.object} by {row.actor}, "
                f"{row.at:%Y-%m-%d %H:%M} UTC): {why}."
            )
        if contains and contains != chain.START:
            kept = session.scalar(select(Audit.id).where(Audit.sha256 == contains.lower()))
            if kept is None:
                raise StudyError(
                    f"The audit log holds together, but no row has the hash {contains}: its end was cut off."
                )
        rows = session.scalars(select(Audit)).all()
    if found:
        click.echo(f"{sum(chain.about(row, found.token) for row in rows)} rows are about run {found.token}.")
    click.echo(f"{state.rows} rows, and every link holds. Last hash: {state.last_sha256}")


@audit.command("list")
@click.argument("run", required=False)
def list_(run: str | None) -> None:
    """Print the rows, or those about RUN, one a line: moment, who, what, of what, and details as JSON."""
    with database() as opened, opened.reading() as session:
        found = find_run(session, run) if run else None
        for row in session.scalars(select(Audit).order_by(Audit.id)):
            if found is None or chain.about(row, found.token):
                click.echo(
                    "\t".join((f"{row.at:%Y-%m-%dT%H:%M:%SZ}", row.actor, row.action, row.object, row.detail_json))
                )
