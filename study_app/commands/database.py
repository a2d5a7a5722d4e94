"""`migrate`: bring the database to this version of the app, or back."""

import os

import click

from .. import migration, settings
from ..database import Database


@click.command()
@click.option("--down-to", metavar="REVISION", help="Go back to a revision; 'base' drops every table and its rows.")
@click.option("--yes", is_flag=True, help="Do not ask before going back.")
def migrate(*, down_to: str | None, yes: bool) -> None:
    """Create the tables, or bring them to this version; what is there is kept.

    The database is the one of SPADE_STUDY_DATABASE_URL.
    """
    with Database(settings.from_environment(os.environ).database_url) as database:
        before = migration.current(database)
        if down_to:
            if not yes:
                click.confirm("Going back drops tables and what is in them. Really?", abort=True)
            migration.downgrade(database, down_to)
        else:
            migration.upgrade(database)
        after = migration.current(database)
    click.echo(f"The database was at {before or 'nothing'} and is at {after or 'nothing'}.")
