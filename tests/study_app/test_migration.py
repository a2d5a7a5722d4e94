import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from study_app import migration
from study_app.database import Database
from study_app.models import RATING, Base

TABLES = set(Base.metadata.tables)


def names(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names()) - {"alembic_version"}


def test_the_steps_up_make_exactly_the_tables_of_the_models(empty_database: Database) -> None:
    assert names(empty_database) == set()
    migration.upgrade(empty_database)
    assert names(empty_database) == TABLES
    assert migration.differences(empty_database) == []
    assert migration.is_current(empty_database)


def test_the_steps_down_leave_nothing_and_can_be_taken_up_again(empty_database: Database) -> None:
    migration.upgrade(empty_database)
    migration.downgrade(empty_database)
    assert names(empty_database) == set()
    assert inspect(empty_database.engine).get_view_names() == []
    assert migration.current(empty_database) is None
    migration.upgrade(empty_database)
    assert names(empty_database) == TABLES


def test_migrating_twice_changes_nothing(database: Database) -> None:
    with database.writing() as session:
        session.execute(
            text("INSERT INTO audit VALUES (1, '2026-01-01 00:00:00', 'a', 'b', 'c', '{}', 'x', 'y')"),
        )
    migration.upgrade(database)
    with database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM audit")).scalar_one() == 1


def test_the_view_has_the_columns_that_its_table_names(database: Database) -> None:
    columns = [column["name"] for column in inspect(database.engine).get_columns("rating")]
    assert columns == [column.name for column in RATING.columns]


def test_a_value_outside_an_enumeration_is_refused_by_the_database(database: Database) -> None:
    with database.writing() as session:
        session.execute(text("INSERT INTO study VALUES (1, 's', 't', '{}', 'x', 'y', 9, '2026-01-01 00:00:00')"))
        run = text("INSERT INTO run (id, token, study_id, kind, seed) VALUES (1, 'x', 1, 'other', 1)")
        with pytest.raises(IntegrityError, match="ck_run_kind"):
            session.execute(run)
        session.rollback()


def test_every_constraint_has_a_name(database: Database) -> None:
    found = inspect(database.engine)
    for table in names(database):
        constraints = [
            *found.get_check_constraints(table),
            *found.get_unique_constraints(table),
            *found.get_foreign_keys(table),
            found.get_pk_constraint(table),
        ]
        assert [one for one in constraints if not one["name"]] == []
