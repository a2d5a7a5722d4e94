"""What Alembic runs before it migrates: connection and tables come from the caller."""

from alembic import context
from sqlalchemy import Connection


def migrate(connection: Connection) -> None:
    """Take the steps asked for, on a connection whose transaction the caller ends."""
    # SQLite changes a table by copying it, which `render_as_batch` writes out.
    tables = context.config.attributes["metadata"]
    context.configure(connection=connection, target_metadata=tables, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


# Alembic loads this file under that name; whoever else imports it runs nothing.
if __name__ == "env_py":
    migrate(context.config.attributes["connection"])
