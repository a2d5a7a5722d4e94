"""`simulate`: a study with raters whose behaviour is known, through the real pages, to try the analysis on."""

import json
import secrets
from dataclasses import asdict
from pathlib import Path

import click

from .. import export, loading, migration, stimulus_set, unblinding
from ..application import create_app
from ..database import Database
from ..design import Design
from ..errors import InputError
from ..pictures import PictureStore
from ..settings import Settings
from ..simulation import placeholders
from ..simulation.course import Course, SimulatedClock, run_study
from ..simulation.profile import Population
from .export import write

TRUTH = "truth.json"
_SPREAD = click.FloatRange(0, 10)
_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)


@click.command()
@click.option("--raters", type=click.IntRange(1, 1000), default=24, show_default=True)
@click.option("--ratings", type=click.IntRange(1, 100_000), default=746, show_default=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new or empty folder.")
@click.option("--images", type=click.IntRange(1, 1000), default=100, show_default=True, help="Of four tasks each.")
@click.option("--stimuli", type=click.Path(path_type=Path, exists=True, file_okay=False), help="A stimulus set.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option(
    "--agree-dense", type=_SHARE, default=Population.agree_dense, show_default=True, help="Of decided answers."
)
@click.option(
    "--agree-spade", type=_SHARE, default=Population.agree_spade, show_default=True, help="Of decided answers."
)
@click.option("--undecided-dense", type=_SHARE, default=Population.undecided_dense, show_default=True)
@click.option("--undecided-spade", type=_SHARE, default=Population.undecided_spade, show_default=True)
@click.option("--spread", type=_SPREAD, default=Population.spread, show_default=True, help="SD over raters, in logits.")
@click.option(
    "--images-spread", "images_spread", type=_SPREAD, default=Population.images, show_default=True, help="Over images."
)
@click.option(
    "--effect-over-raters",
    type=_SPREAD,
    default=Population.effect_over_raters,
    show_default=True,
    help="SD over raters of the arms' difference in agreement, in logits.",
)
@click.option(
    "--effect-over-images",
    type=_SPREAD,
    default=Population.effect_over_images,
    show_default=True,
    help="The same over images.",
)
@click.option(
    "--bias",
    type=click.FloatRange(0, 1),
    default=Population.bias,
    show_default=True,
    help="Answers of a favourite side.",
)
@click.option("--leaves", type=click.FloatRange(0, 1), default=Population.leaves, show_default=True, help="Per answer.")
def simulate(
    *,
    raters: int,
    ratings: int,
    out: Path,
    images: int,
    images_spread: float,
    stimuli: Path | None,
    seed: int,
    **planted: float,
) -> None:
    """Let simulated raters take a study through the app; write the export and what was planted to OUT.

    The planted shares are the paper's (Table 4) unless given. OUT then holds responses.csv and raters.csv, which
    `spade-stats` reads, truth.json, and in `server` the database they came from.
    """
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty; give a new folder with --out.")
    server = out / "server"
    folder = stimuli or placeholders.write(server / "stimuli", images)
    clock = SimulatedClock()
    settings = Settings(
        secrets.token_urlsafe(48),
        f"sqlite:///{(server / 'study.sqlite').resolve()}",
        server / "pictures",
        insecure_http=True,
        rate_limits=False,
    )
    database = Database(settings.database_url)
    migration.upgrade(database)
    with database.writing() as session:
        rules = Design(slug="simulated", title="A simulated study")
        study = loading.create_study(
            session, rules, stimulus_set.read(folder), PictureStore(settings.pictures), clock()
        )
        run = loading.create_run(session, study, kind="bot", seed=seed, opened_at=clock())
    with click.progressbar(length=ratings, label="Ratings") as bar:
        course = run_study(
            create_app(settings, clock=clock),
            database,
            clock,
            run,
            raters=raters,
            ratings=ratings,
            population=Population(images=images_spread, **planted),
            seed=seed,
            progress=lambda _count: bar.update(1),
        )
    with database.writing() as session:
        run = session.merge(run)
        unblinding.close(session, run, actor="simulation", now=clock())
        unblinding.unblind(session, run, actor="simulation", purpose="export", now=clock())
        write(export.export_of(session, run), out)
    database.dispose()
    (out / TRUTH).write_text(_truth(course), encoding="utf-8")
    click.echo(
        f"{course.answers} ratings of {raters} raters ({course.requests} requests) are in {out}, what was planted in "
        f"{out / TRUTH}. Next: spade-stats report {out}"
    )


def _truth(course: Course) -> str:
    return json.dumps(asdict(course), indent=2) + "\n"
