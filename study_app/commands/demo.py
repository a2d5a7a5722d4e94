"""`demo`: a study to click through, on this machine, from the pictures that come with the package."""

import secrets
from pathlib import Path

import click
from sqlalchemy import select

from .. import design, loading, logs, migration, stimulus_set
from ..application import create_app
from ..clock import utc_now
from ..database import Database
from ..errors import EnvironmentProblem, InputError
from ..models import Run, Study
from ..pictures import PictureStore
from ..settings import Settings
from .serve import listen

DEMO = Path(__file__).parents[1] / "demo"
"""The rules of the demo study, and where they ship, a stimulus set in a folder below."""


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("spade-study-demo"),
    show_default=True,
    help="Where answers are kept; the next demo goes on there.",
)
@click.option(
    "--stimuli",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Another stimulus set.  [default: the one in the package]",
)
def demo(port: int, folder: Path, stimuli: Path | None) -> None:
    """Start a demo study on this machine and print its address."""
    chosen = _settings(folder)
    with Database(chosen.database_url) as database:
        migration.upgrade(database)
        _prepare(database, PictureStore(chosen.pictures), stimuli or _shipped())
    logs.set_up("WARNING")
    click.echo(f"The demo study is at http://localhost:{port}/  (Ctrl-C stops it; answers stay in {folder})")
    listen(create_app(chosen), host="127.0.0.1", port=port, threads=8)


def _settings(folder: Path) -> Settings:
    """Settings for plain HTTP on this machine, with a secret of the folder's own."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        key = folder / "secret_key"
        if not key.exists():
            key.touch(mode=0o600)
            key.write_text(secrets.token_urlsafe(48), encoding="utf-8")
        secret = key.read_text(encoding="utf-8")
    except OSError as problem:
        raise EnvironmentProblem(f"The demo cannot be kept in {folder}: {problem.strerror}.") from problem
    database = f"sqlite:///{(folder / 'study.sqlite').resolve()}"
    return Settings(secret, database, folder / "pictures", insecure_http=True)


def _shipped() -> Path | None:
    """The stimulus set in the package, None where there is none."""
    return next((path.parent for path in sorted(DEMO.rglob(stimulus_set.MANIFEST))), None)


def _prepare(database: Database, store: PictureStore, stimuli: Path | None) -> None:
    """The demo study with an open run, made unless it is there."""
    rules = design.parse((DEMO / "study.toml").read_text(encoding="utf-8"))
    with database.writing() as session:
        study = session.scalar(select(Study).where(Study.slug == rules.slug))
        if study is None:
            if stimuli is None:
                raise InputError("This package has no pictures in it; give a folder with --stimuli.")
            study = loading.create_study(session, rules, stimulus_set.read(stimuli), store, utc_now())
        if session.scalar(select(Run).where(Run.study_id == study.id, Run.closed_at.is_(None))) is None:
            loading.create_run(session, study, kind="main", seed=1, opened_at=utc_now())
