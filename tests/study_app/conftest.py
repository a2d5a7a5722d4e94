"""Databases of both kinds, a clock that is wound by hand, and a small study."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import drawn_stimuli
import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from postgres_server import postgres_url
from rater import Rater
from sqlalchemy import create_engine, text
from study_world import Clock, MakeWorld, World

from study_app import loading, migration, stimulus_set
from study_app.application import create_app
from study_app.database import Database
from study_app.design import parse
from study_app.models import Study
from study_app.pictures import PictureStore
from study_app.settings import Settings

__all__ = ["postgres_url"]


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


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the tables in it: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("migrated") / "study.sqlite"
    database = Database(f"sqlite:///{path}")
    migration.upgrade(database)
    database.dispose()
    return path


@pytest.fixture
def sqlite_database(sqlite_url: str, migrated_file: Path, tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite database of the test's own."""
    shutil.copy(migrated_file, tmp_path / "study.sqlite")
    database = Database(sqlite_url)
    yield database
    database.dispose()


@pytest.fixture
def world(sqlite_database: Database, make_world: MakeWorld) -> World:
    """The paper's rules on four images, in SQLite."""
    return make_world(sqlite_database)


@pytest.fixture(scope="session")
def compiled_pages(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates compiled once for all applications."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("compiled")))


@pytest.fixture
def make_app(clock: Clock, compiled_pages: FileSystemBytecodeCache) -> Callable[..., Flask]:
    """An application over a world's database; settings may be changed by name."""

    def make(world: World, **changed: object) -> Flask:
        settings = Settings(
            secret_key="a secret of the tests, long enough to be one",
            database_url=world.database.url.render_as_string(hide_password=False),
            pictures=world.store.folder,
            insecure_http=True,
            rate_limits=False,
        )
        app = create_app(replace(settings, **changed), clock=clock)  # type: ignore[arg-type]
        app.testing = True
        app.jinja_env.bytecode_cache = compiled_pages
        return app

    return make


@pytest.fixture
def app(world: World, make_app: Callable[..., Flask]) -> Iterator[Flask]:
    made = make_app(world)
    yield made
    made.extensions["spade_study"].database.dispose()


@pytest.fixture
def rater(app: Flask) -> Rater:
    return Rater(app)
