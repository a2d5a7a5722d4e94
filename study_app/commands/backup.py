"""`backup` and `restore`: the whole server in one file, and back."""

import os
from pathlib import Path

import click

from .. import backup as archive
from .. import migration, settings
from ..clock import utc_now
from ..database import Database
from ..pictures import PictureStore


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write the database and every picture into FILE, while the study goes on.

    SQLite by its online backup, PostgreSQL by pg_dump. FILE is personal data and readable by you alone.
    """
    chosen = settings.from_environment(os.environ)
    with Database(chosen.database_url) as database:
        store = PictureStore(chosen.pictures)
        made = archive.back_up(database, store, file, actor="command line", now=utc_now())
    click.echo(f"{file} holds the database at revision {made.revision} and {made.pictures} pictures.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def restore(file: Path) -> None:
    """Fill the empty database of SPADE_STUDY_DATABASE_URL, and the folder of pictures, from FILE.

    Who withdrew after FILE was made is in it again: erase them again before anything else.
    """
    chosen = settings.from_environment(os.environ)
    with Database(chosen.database_url) as database:
        store = PictureStore(chosen.pictures)
        made = archive.restore(file, database, store, actor="command line", now=utc_now())
    click.echo(f"Restored what {file} held at {made.made_at}: revision {made.revision}, {made.pictures} pictures.")
    if made.revision != migration.head():
        click.echo("It is of an earlier version. Next: spade-study migrate")
