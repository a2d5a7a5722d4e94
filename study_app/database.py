"""A database with two doors: reading, and writing with the lock taken at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from .errors import InputError

BUSY_SECONDS = 15
"""How long a writer waits for SQLite's one lock before it gives up."""

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


class Database:
    """SQLite or PostgreSQL behind one interface.

    On SQLite a writing session begins with BEGIN IMMEDIATE. A transaction that reads first and upgrades later
    fails at once when another writer came between, whatever the busy timeout; and the driver's implicit BEGIN
    reads outside the transaction and loses the race without an error.
    """

    def __init__(self, url: str, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.url = _parsed(url)
        sqlite = self.url.get_backend_name() == "sqlite"
        if sqlite and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        arguments = {"timeout": busy_seconds, "check_same_thread": False} if sqlite else {}
        self.engine: Engine = create_engine(self.url, pool_pre_ping=not sqlite, connect_args=arguments)
        self.is_sqlite = sqlite
        if sqlite:
            event.listen(self.engine, "connect", _set_up_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._writing = self.engine.execution_options(takes_lock=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that is never committed."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session committed at the end of the block, rolled back after an error."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.dispose()

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def lock_run(session: Session, run_id: int) -> None:
    """Hold the assignments of a run until the transaction ends; SQLite's writer holds everything already."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:space, :run)"), {"space": 0x5BADE, "run": run_id})


def _parsed(url: str) -> URL:
    """The URL with the driver this project uses.

    Raises:
        InputError: it is no database URL, or of a database other than SQLite and PostgreSQL.
    """
    example = "Use sqlite:////absolute/path/study.sqlite or postgresql://user:password@host/name."
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError) as problem:
        raise InputError(f"The database URL cannot be read. {example}") from problem
    if backend not in _DRIVERS:
        raise InputError(f"The database '{backend}' is not supported. {example}")
    return parsed.set(drivername=_DRIVERS[backend])


def _set_up_sqlite(connection: SqliteConnection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver opens no transactions of its own
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    locked = connection.get_execution_options().get("takes_lock")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if locked else "BEGIN")
