from datetime import UTC, datetime

from sqlalchemy import delete, update

from study_app import audit
from study_app.database import Database
from study_app.models import Audit

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def written(database: Database) -> None:
    for number in range(4):
        with database.writing() as session:
            audit.append(session, actor="a", action="b", target=str(number), detail={"n": number}, now=NOW)


def test_a_chain_that_nobody_touched_is_whole(database: Database) -> None:
    written(database)
    with database.reading() as session:
        assert audit.first_broken(session) is None


def test_a_changed_row_breaks_the_chain_there(database: Database) -> None:
    written(database)
    with database.writing() as session:
        session.execute(update(Audit).where(Audit.object == "2").values(actor="somebody else"))
    with database.reading() as session:
        assert audit.first_broken(session) == 3


def test_a_removed_row_breaks_the_chain_at_the_next(database: Database) -> None:
    written(database)
    with database.writing() as session:
        session.execute(delete(Audit).where(Audit.object == "1"))
    with database.reading() as session:
        assert audit.first_broken(session) == 3
