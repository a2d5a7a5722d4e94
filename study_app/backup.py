"""A whole study server in one file: the database as it stood at one moment, and every picture.

The file is a tar archive of `about.json`, the database (an SQLite file, or what pg_dump writes in its custom format)
and `pictures/SHA256.png`. It is personal data: whoever has it has every answer, and the names of accounts.
"""

import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from sqlalchemy import inspect

from . import audit, migration
from .database import Database
from .errors import EnvironmentProblem, InputError
from .pictures import PictureStore

FORMAT = 1
ABOUT = "about.json"
_FILES = {"sqlite": "database.sqlite", "postgresql": "database.dump"}
_PICTURE = re.compile(r"pictures/([0-9a-f]{64})\.png")


@dataclass(frozen=True)
class Backup:
    """What is in a backup."""

    kind: str
    """sqlite or postgresql; one is not restored into the other."""
    revision: str
    """Of the migrations."""
    made_at: str
    database_sha256: str
    pictures: int
    format: int = FORMAT


def back_up(database: Database, store: PictureStore, file: Path, *, actor: str, now: datetime) -> Backup:
    """Write `file`, while the study goes on. That it was made stands in the audit log, and in the backup itself.

    Raises:
        InputError: `file` is there already, or the database has no tables.
        EnvironmentProblem: pg_dump is missing or fails, or the file cannot be written.
    """
    if file.exists():
        raise InputError(f"{file} is there already; a backup overwrites nothing.")
    revision = migration.current(database)
    if revision is None:
        raise InputError("The database is empty; there is nothing to back up.")
    kind, part = _kind(database), file.with_name(file.name + ".part")
    try:
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            with database.writing() as session:
                audit.append(session, actor=actor, action="backup", target=file.name, detail={}, now=now)
            copy = Path(folder) / _FILES[kind]
            (_copy_sqlite if database.is_sqlite else _dump)(database, copy)
            # The database first: pictures are only ever added, so those of a later moment are all that it names.
            pictures = sorted(store.folder.glob("*/*.png"))
            made = Backup(kind, revision, now.isoformat(), _sha256(copy), len(pictures))
            with _private(part) as written, tarfile.open(fileobj=written, mode="w") as archive:
                text = json.dumps(asdict(made), indent=2).encode()
                entry = tarfile.TarInfo(ABOUT)
                entry.size = len(text)
                archive.addfile(entry, io.BytesIO(text))
                archive.add(copy, copy.name)
                for picture in pictures:
                    archive.add(picture, f"pictures/{picture.name}")
        part.replace(file)
    except OSError as problem:
        raise EnvironmentProblem(f"The backup cannot be written to {file}: {problem.strerror}.") from problem
    finally:
        part.unlink(missing_ok=True)
    return made


def restore(file: Path, database: Database, store: PictureStore, *, actor: str, now: datetime) -> Backup:
    """Fill an empty database, and the folder of pictures, from `file`; each is held against its hash first.

    The database then stands at the revision of the backup. That it was restored stands in its audit log.

    Raises:
        InputError: `file` is no whole backup, is of the other kind of database or of a newer version of this app; or
            the database is not empty.
        EnvironmentProblem: pg_restore is missing or fails, or the pictures cannot be written.
    """
    if inspect(database.engine).get_table_names():
        raise InputError("The database is not empty, and a backup is restored into an empty one alone; make a new one.")
    try:
        with tarfile.open(file) as archive, tempfile.TemporaryDirectory() as folder:
            made = _about(archive, file)
            if made.kind != _kind(database):
                raise InputError(f"{file} is a backup of {made.kind}, and SPADE_STUDY_DATABASE_URL names another kind.")
            if not migration.knows(made.revision):
                raise InputError(
                    f"{file} stands at revision {made.revision}, which this version does not know; upgrade."
                )
            copy = Path(folder) / _FILES[made.kind]
            with _member(archive, copy.name) as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target)
            if _sha256(copy) != made.database_sha256:
                raise InputError(f"The database in {file} is damaged: its sha256 is not the one in {ABOUT}.")
            pictures = _pictures(archive, file, made)
            (_fill_sqlite if database.is_sqlite else _load)(database, copy)
            for read in pictures:
                store.add(read())
    except (tarfile.TarError, KeyError, EOFError) as problem:
        raise InputError(f"{file} is no backup of a study, or is cut off.") from problem
    except OSError as problem:
        raise EnvironmentProblem(f"{file} cannot be restored: {problem.strerror or problem}.") from problem
    with database.writing() as session:
        detail = {"made_at": made.made_at, "database_sha256": made.database_sha256}
        audit.append(session, actor=actor, action="restore", target=file.name, detail=detail, now=now)
    return made


def _kind(database: Database) -> str:
    return "sqlite" if database.is_sqlite else "postgresql"


def _about(archive: tarfile.TarFile, file: Path) -> Backup:
    try:
        with _member(archive, ABOUT) as source:
            made = Backup(**json.load(source))
    except (ValueError, TypeError) as problem:
        raise InputError(f"{file} has no {ABOUT} that can be read.") from problem
    if made.format != FORMAT or made.kind not in _FILES:
        raise InputError(f"{file} is a backup of another format ({made.format}); this version reads {FORMAT}.")
    return made


def _pictures(archive: tarfile.TarFile, file: Path, made: Backup) -> list[Callable[[], bytes]]:
    """A reader for each picture, after all of them were found whole."""
    names = {found[1]: member for member in archive.getnames() if (found := _PICTURE.fullmatch(member))}
    if len(names) != made.pictures:
        raise InputError(f"{file} holds {len(names)} pictures, and {ABOUT} in it says {made.pictures}.")

    def reader(member: str) -> Callable[[], bytes]:
        def read() -> bytes:
            with _member(archive, member) as source:
                return source.read()

        return read

    readers = {sha256: reader(member) for sha256, member in names.items()}
    for sha256, read in readers.items():
        if hashlib.sha256(read()).hexdigest() != sha256:
            raise InputError(f"The picture {sha256} in {file} is damaged.")
    return list(readers.values())


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    found = archive.extractfile(name)  # only ever read: nothing in an archive chooses where it is written
    if found is None:
        raise KeyError(name)
    return found


def _copy_sqlite(database: Database, target: Path) -> None:
    """By the online backup API: one moment, whoever is writing."""
    with closing(database.engine.raw_connection()) as source, closing(sqlite3.connect(target)) as copy:
        if not isinstance(source.driver_connection, sqlite3.Connection):
            raise TypeError(source.driver_connection)
        source.driver_connection.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without the two that WAL keeps beside it


def _fill_sqlite(database: Database, copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as source, closing(database.engine.raw_connection()) as target:
        if not isinstance(target.driver_connection, sqlite3.Connection):
            raise TypeError(target.driver_connection)
        source.backup(target.driver_connection)


def _dump(database: Database, target: Path) -> None:
    _postgres(database, "pg_dump", "--format=custom", f"--file={target}")


def _load(database: Database, copy: Path) -> None:
    _postgres(database, "pg_restore", "--single-transaction", "--exit-on-error", str(copy))


def _postgres(database: Database, program: str, *words: str) -> None:
    """Run a client program of PostgreSQL on the database; the password goes by the environment, not by `ps`.

    Raises:
        EnvironmentProblem: it is not installed, or fails.
    """
    path = shutil.which(program)
    if path is None:
        raise EnvironmentProblem(
            f"{program} is not on the path. Install PostgreSQL's client programs (Debian: postgresql-client), or back "
            "the database up where they are: docs/hosting.md."
        )
    url = database.url.set(drivername="postgresql", password=None)
    environment = {**os.environ, **({"PGPASSWORD": str(database.url.password)} if database.url.password else {})}
    where = f"--dbname={url.render_as_string(hide_password=False)}"
    done = subprocess.run(  # noqa: S603 - the installed PostgreSQL's own program
        [path, "--no-owner", "--no-privileges", where, *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise EnvironmentProblem(f"{program} failed: {said}")


def _private(path: Path) -> IO[bytes]:
    """A new file that nobody else on the machine may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
