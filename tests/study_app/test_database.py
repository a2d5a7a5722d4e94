import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from study_app.database import Database


def waits_for_disk(session: Session) -> bool:
    if session.get_bind().dialect.name == "sqlite":
        return session.scalar(text("PRAGMA synchronous")) == 2  # FULL; 1 is NORMAL
    return session.scalar(text("SHOW synchronous_commit")) == "on"


def test_a_commit_waits_for_the_disk_unless_it_may_be_lost(database: Database) -> None:
    found = []
    for durable in (True, False, True):  # the same connection again: nothing is left behind
        with database.writing(durable=durable) as session:
            found.append(waits_for_disk(session))
    assert found == [True, False, True]


def test_a_writer_waits_its_time_for_another_thread_and_then_gives_up(sqlite_url: str) -> None:
    with Database(sqlite_url, busy_seconds=0.1) as database:
        writing, done = threading.Event(), threading.Event()

        def other() -> None:
            with database.writing() as session:
                session.execute(text("CREATE TABLE t (x INTEGER)"))
                writing.set()
                done.wait(30)

        with ThreadPoolExecutor(1) as pool:
            held = pool.submit(other)
            assert writing.wait(30)
            with pytest.raises(OperationalError, match="locked"), database.writing():
                pytest.fail("two threads write at once")
            done.set()
            held.result()
        with database.writing() as session:  # and is free again
            session.execute(text("INSERT INTO t VALUES (1)"))


def test_an_error_gives_the_turn_back_and_stores_nothing(sqlite_url: str) -> None:
    with Database(sqlite_url, busy_seconds=0.1) as database:
        with database.writing() as session:
            session.execute(text("CREATE TABLE t (x INTEGER)"))

        def fail() -> None:
            with database.writing() as session:
                session.execute(text("INSERT INTO t VALUES (1)"))
                raise ValueError("on the way")

        with pytest.raises(ValueError, match="on the way"):
            fail()
        with database.writing() as session:
            assert session.scalar(text("SELECT count(*) FROM t")) == 0
