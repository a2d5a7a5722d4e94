"""Bring a database to a revision, up or down, one process at a time."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from .database import Database
from .models import Base

FOLDER = Path(__file__).parent / "migrations"


def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate up to `revision`; what stands there already is left alone."""
    _run(database, command.upgrade, revision)


def downgrade(database: Database, revision: str = "base") -> None:
    """Migrate down to `revision`. Tables that the steps made are dropped with their rows."""
    _run(database, command.downgrade, revision)


def current(database: Database) -> str | None:
    """The revision the database is at, None where it is empty."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The newest revision."""
    revision = ScriptDirectory(str(FOLDER)).get_current_head()
    if revision is None:
        raise LookupError(f"No migrations in {FOLDER}.")
    return revision


def knows(revision: str) -> bool:
    """Whether this version has that revision; a newer one's it has not."""
    return any(one.revision == revision for one in ScriptDirectory(str(FOLDER)).walk_revisions())


def is_current(database: Database) -> bool:
    """Whether the database stands at the newest revision."""
    return current(database) == head()


def differences(database: Database) -> list[object]:
    """What autogenerate would change to bring the database to the models; nothing, where they agree."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        return list(compare_metadata(context, Base.metadata))


def _run(database: Database, step: Callable[[Config, str], None], revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with database.engine.execution_options(takes_lock=True).begin() as connection:
        _hold(connection)
        config.attributes.update(connection=connection, metadata=Base.metadata)
        step(config, revision)


def _hold(connection: Connection) -> None:
    """Keep a second starting server out until this one has migrated."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout TO 0"))  # a migration may take its time, and who waits for it
        connection.execute(text("SELECT pg_advisory_xact_lock(378606)"))
