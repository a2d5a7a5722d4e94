"""`create-study`, `create-run`, `close-run` and `invite`: from a folder of pictures to links people can open."""

import hashlib
import os
from pathlib import Path

import click
from sqlalchemy import select

from .. import design, enrolment, loading, settings, stimulus_set, unblinding
from ..clock import utc_now
from ..database import Database
from ..errors import InputError, nearest
from ..models import RunKind, Study
from ..pictures import PictureStore
from ..tokens import seed
from .chosen import database, find_run


@click.command("create-study")
@click.argument("rules", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("stimuli", type=click.Path(path_type=Path, exists=True, file_okay=False))
def create_study(rules: Path, stimuli: Path) -> None:
    """Store a study: its RULES (a TOML file) and a folder of STIMULI, as `spade-study stimuli` writes it."""
    chosen = settings.from_environment(os.environ)
    wanted, found = design.parse(rules.read_text(encoding="utf-8")), stimulus_set.read(stimuli)
    with Database(chosen.database_url) as database, database.writing() as session:
        loading.create_study(session, wanted, found, PictureStore(chosen.pictures), utc_now())
    count = len(found.images)
    click.echo(f"Study '{wanted.slug}' holds {count} images and {4 * count} tasks. Next: create-run {wanted.slug}")
    tasks = wanted.tasks
    most = count if tasks.one_view_per_image else 2 * count if tasks.classes == "one" else 4 * count
    if tasks.per_rater > most:
        click.echo(f"tasks.per_rater is {tasks.per_rater}, but there are {most} for a rater: each gets {most}.")


@click.command("create-run")
@click.argument("slug")
@click.option("--kind", type=click.Choice(["main", "pilot", "bot"]), default="main", show_default=True)
@click.option("--seed", "chosen_seed", type=click.IntRange(0, 2**31 - 1), help="Of every draw.  [default: drawn]")
@click.option(
    "--prereg",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The preregistration (TOML) that the run is opened with; its hash goes into every export.",
)
def create_run(slug: str, kind: RunKind, chosen_seed: int | None, prereg: Path | None) -> None:
    """Open a run of the study SLUG and print the path people enter by."""
    with database() as opened, opened.writing() as session:
        study = session.scalar(select(Study).where(Study.slug == slug))
        if study is None:
            raise InputError(f"There is no study '{slug}'. {nearest(slug, session.scalars(select(Study.slug)))}")
        drawn = seed() % 2**31 if chosen_seed is None else chosen_seed
        run = loading.create_run(session, study, kind=kind, seed=drawn, opened_at=utc_now())
        if prereg:
            # As the analysis hashes it: a checkout on another system must not change the hash.
            run.prereg_sha256 = hashlib.sha256(prereg.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
        click.echo(f"Run {run.token} ({kind}, seed {run.seed}) is open at /?run={run.token}")


@click.command("close-run")
@click.argument("run")
def close_run(run: str) -> None:
    """Close a RUN: nobody enters or answers any more; everybody can still see, download and delete their data."""
    with database() as opened, opened.writing() as session:
        found = find_run(session, run)
        unblinding.close(session, found, actor="command line", now=utc_now())
        click.echo(f"Run {run} is closed since {found.closed_at:%Y-%m-%d %H:%M} UTC.")


@click.command()
@click.argument("run")
@click.option("--count", type=click.IntRange(1, 10_000), default=1, show_default=True)
def invite(run: str, count: int) -> None:
    """Print personal entry paths that lead into RUN and no other, one a line.

    Only hashes are kept: they cannot be printed again.
    """
    with database() as opened, opened.writing() as session:
        found = find_run(session, run)
        if not found.is_open or found.kind == "bot":
            state = "takes simulated raters alone" if found.kind == "bot" else "is not open"
            raise InputError(f"Run {run} {state}; nobody could enter it by an invitation.")
        ways = design.Design.from_json(found.study.config_json).entry.ways
        if "invitation" not in ways:
            raise InputError(
                f"The study's entry.ways has no 'invitation' ({', '.join(ways)}), so links would be refused."
            )
        for _ in range(count):
            click.echo(f"/enter?code={enrolment.invite(session, found, utc_now())}")
