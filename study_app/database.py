"""A database with two doors: reading, and writing with the lock taken at once."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from .errors import InputError

BUSY_SECONDS = 15
"""How long a writer waits for a lock before it gives up: SQLite's one, or on PostgreSQL a row or a run."""
CONNECTIONS = 16
"""Kept open, one for each thread of a server: opening costs SQLite three statements, and PostgreSQL a process."""

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


class Database:
    """SQLite or PostgreSQL behind one interface.

    On SQLite a writing session begins with BEGIN IMMEDIATE. A transaction that reads first and upgrades later
    fails at once when another writer came between, whatever the busy timeout; and the driver's implicit BEGIN
    reads outside the transaction and loses the race without an error. Threads of this process wait for
    one another before that: SQLite has who waits sleep up to a tenth of a second and look again.
    """

    def __init__(self, url: str, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.url = _parsed(url)
        sqlite = self.url.get_backend_name() == "sqlite"
        if sqlite and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        arguments: dict[str, object] = {"options": _options(self.url, busy_seconds)}
        if sqlite:
            arguments = {"timeout": busy_seconds, "check_same_thread": False}
        self.engine: Engine = create_engine(
            self.url, pool_pre_ping=not sqlite, pool_size=CONNECTIONS, connect_args=arguments
        )
        self.is_sqlite = sqlite
        self._busy_seconds = busy_seconds
        self._turn = threading.Lock()
        if sqlite:
            event.listen(self.engine, "connect", _set_up_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._writing = self.engine.execution_options(takes_lock=True)
        self._noting = self.engine.execution_options(takes_lock=True, waits_for_disk=False)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that is never committed."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Session]:
        """A session committed at the end of the block, rolled back after an error.

        Without `durable` the commit does not wait for the disk: a power cut may take it back, with nothing after it
        kept either. What a person was told is stored must be durable; that a page was shown need not be. The end of
        the process, by whatever signal, takes neither back.

        Raises:
            OperationalError: the lock was not free in time.
        """
        engine = self._writing if durable else self._noting
        with self._queued(), Session(engine, expire_on_commit=False) as session, session.begin():
            if not durable and not self.is_sqlite:
                session.execute(text("SET LOCAL synchronous_commit TO OFF"))
            yield session

    @contextmanager
    def _queued(self) -> Iterator[None]:
        if not self.is_sqlite:
            yield
            return
        if not self._turn.acquire(timeout=self._busy_seconds):
            raise OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked"))
        try:
            yield
        finally:
            self._turn.release()

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


def _options(url: URL, busy_seconds: float) -> str:
    """The server options of a PostgreSQL URL, and how long to wait for a lock."""
    given = url.query.get("options", ())
    own = f"-c lock_timeout={1000 * busy_seconds:.0f}"
    return " ".join((*((given,) if isinstance(given, str) else given), own))


def _set_up_sqlite(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver opens no transactions of its own
    for pragma in ("journal_mode=WAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("takes_lock"):
        connection.exec_driver_sql("BEGIN")
        return
    # With a write-ahead log NORMAL leaves out the wait for the disk; a later commit with FULL waits for both.
    connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if options.get('waits_for_disk', True) else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
