import io
import json
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from rater import Rater
from sqlalchemy import inspect, select, text
from study_world import MakeWorld, World

from study_app import audit, backup, migration
from study_app.database import Database
from study_app.errors import EnvironmentProblem, InputError
from study_app.export import export_of
from study_app.models import Audit, Run
from study_app.pictures import PictureStore


@pytest.fixture
def other(database: Database, tmp_path: Path) -> Iterator[Database]:
    """A second, empty database of the same kind."""
    if database.is_sqlite:
        made = Database(f"sqlite:///{tmp_path / 'second.sqlite'}")
    else:
        name = f"study_{uuid4().hex}"
        with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        made = Database(database.url.set(database=name).render_as_string(hide_password=False))
    yield made
    made.dispose()


@pytest.fixture
def sqlite_backup(world: World, tmp_path: Path) -> Path:
    """A backup of a small study on SQLite."""
    file = tmp_path / "study.backup"
    backup.back_up(world.database, world.store, file, actor="test", now=world.clock())
    return file


def exported(database: Database) -> dict[str, bytes]:
    with database.reading() as session:
        return dict(export_of(session, session.scalars(select(Run)).one()).files)


def test_a_study_restored_into_an_empty_database_exports_the_same_bytes_and_goes_on(
    database: Database, other: Database, make_world: MakeWorld, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    world = make_world(database)
    app = make_app(world)
    rater = Rater(app)
    rater.begin()
    for choice in ("left", "both", "right"):
        rater.answer(choice)
    file = tmp_path / "study.backup"
    made = backup.back_up(database, world.store, file, actor="test", now=world.clock())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("study.backup*")] == ["study.backup"]
    before = exported(database)
    rater.answer("neither")  # after the backup, and not in it
    store = PictureStore(tmp_path / "restored")
    assert backup.restore(file, other, store, actor="test", now=world.clock()) == made
    assert exported(other) == before
    assert migration.differences(other) == []
    assert {path.name: path.read_bytes() for path in store.folder.glob("*/*.png")} == {
        path.name: path.read_bytes() for path in world.store.folder.glob("*/*.png")
    }
    with other.reading() as session:
        assert [one.action for one in session.scalars(select(Audit).order_by(Audit.id))] == ["backup", "restore"]
        assert audit.first_broken(session) is None
    second = make_app(World(other, world.design, store, world.run_id, world.clock))
    again = Rater(second)
    again.begin()
    assert again.answer("left").status_code == 200
    assert b",left," in exported(other)["responses.csv"]
    for one in (app, second):
        one.extensions["spade_study"].database.dispose()


def test_a_database_with_tables_is_never_overwritten(sqlite_backup: Path, world: World) -> None:
    with pytest.raises(InputError, match="not empty"):
        backup.restore(sqlite_backup, world.database, world.store, actor="x", now=world.clock())
    with pytest.raises(InputError, match="is there already"):
        backup.back_up(world.database, world.store, sqlite_backup, actor="x", now=world.clock())


def altered(file: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """A copy of the backup with members changed or, by None, left out."""
    made = file.with_name("altered")
    with tarfile.open(file) as source, tarfile.open(made, "w") as target:
        for member in source.getmembers():
            opened = source.extractfile(member)
            assert opened
            data = change(member.name, opened.read())
            if data is not None:
                member.size = len(data)
                target.addfile(member, io.BytesIO(data))
    return made


def said(**changed: object) -> Callable[[str, bytes], bytes]:
    return lambda name, data: json.dumps({**json.loads(data), **changed}).encode() if name == backup.ABOUT else data


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda name, data: data[:-1] + b"x" if name == "database.sqlite" else data, "The database in .* is damaged"),
        (lambda name, data: data[:-1] + b"x" if name.startswith("pictures/") else data, "The picture .* is damaged"),
        (lambda name, data: None if name.startswith("pictures/") else data, "pictures, and about.json in it says"),
        (lambda name, data: None if name == "about.json" else data, "is no backup of a study"),
        (lambda name, data: b"{" if name == "about.json" else data, "no about.json that can be read"),
        (said(kind="postgresql"), "names another kind"),
        (said(revision="9999"), "which this version does not know"),
        (said(format=2), "another format"),
    ],
)
def test_a_backup_that_is_not_whole_leaves_the_database_empty(
    sqlite_backup: Path, world: World, tmp_path: Path, change: Callable[[str, bytes], bytes | None], words: str
) -> None:
    with Database(f"sqlite:///{tmp_path / 'second.sqlite'}") as empty:
        store = PictureStore(tmp_path / "restored")
        with pytest.raises(InputError, match=words):
            backup.restore(altered(sqlite_backup, change), empty, store, actor="x", now=world.clock())
        assert inspect(empty.engine).get_table_names() == []
    assert not store.folder.exists()


def test_any_other_file_is_no_backup(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a tar file")
    with (
        Database(f"sqlite:///{tmp_path / 'second.sqlite'}") as empty,
        pytest.raises(InputError, match="is no backup of a study"),
    ):
        backup.restore(tmp_path / "file", empty, world.store, actor="x", now=world.clock())


def test_without_the_programs_of_postgresql_one_sentence_says_what_to_install(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with Database(postgres_url) as database, pytest.raises(EnvironmentProblem, match="pg_dump is not on the path"):
        backup._dump(database, tmp_path / "dump")
