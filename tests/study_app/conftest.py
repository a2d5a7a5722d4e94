"""Databases of both kinds, a clock that is wound by hand, and a small study."""

import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from study_app import loading, migration, stimulus_set
from study_app.database import Database
from study_app.design import parse
from study_app.models import Study
from study_app.pictures import PictureStore

DOUBLES = str(Path(__file__).parent / "doubles")
if DOUBLES not in sys.path:  # at import: test modules import the doubles when they are collected
    sys.path.insert(0, DOUBLES)

import drawn_stimuli  # noqa: E402 - found by the line above
import postgres_server  # noqa: E402 - as above
from study_world import Clock, MakeWorld, World  # noqa: E402 - as above


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A running PostgreSQL; the test skips where none is installed."""
    folder = postgres_server.binaries()
    if folder is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with postgres_server.server(folder) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'study.sqlite'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database without tables, of either kind."""
    if request.param == "sqlite":
        database = Database(request.getfixturevalue("sqlite_url"))
    else:
        url: str = request.getfixturevalue("postgres_url")
        name = f"study_{uuid4().hex}"
        admin = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        admin.dispose()
        database = Database(url.replace("/postgres?", f"/{name}?"))
    yield database
    database.dispose()


@pytest.fixture
def database(empty_database: Database) -> Database:
    """A migrated database of either kind."""
    migration.upgrade(empty_database)
    return empty_database


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_world(clock: Clock, tmp_path: Path) -> MakeWorld:
    """Fill a migrated database with a study of that many images and TOML rules."""

    def make(database: Database, *, images: int = 4, rules: str = "", seed: int = 7) -> World:
        design = parse(f'slug = "test"\ntitle = "A test"\n{rules}')
        store = PictureStore(tmp_path / "pictures")
        found = stimulus_set.read(drawn_stimuli.write(tmp_path / "stimuli", images))
        with database.writing() as session:
            study: Study = loading.create_study(session, design, found, store, clock())
            run = loading.create_run(session, study, kind="main", seed=seed, opened_at=clock())
            run_id = run.id
        return World(database, design, store, run_id, clock)

    return make


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url)
    migration.upgrade(database)
    yield database
    database.dispose()
