"""`prize`: who wins, by pseudonym."""

import click

from .. import audit
from ..clock import utc_now
from ..design import Design
from ..errors import InputError
from ..prize import standings
from .chosen import database, find_run


@click.command()
@click.argument("run")
@click.option("--show", type=click.IntRange(1), default=10, show_default=True, help="How many places to print.")
def prize(run: str, show: int) -> None:
    """Rank the raters of a closed RUN: agreeing less disagreeing main answers, ties by a draw from the run's seed.

    Who gave fewer answers than the study's prize.minimum, was excluded, or withdrew is left out. The result is recorded
    in the audit log.
    """
    with database() as opened, opened.writing() as session:
        found = find_run(session, run)
        if found.closed_at is None:
            raise InputError(f"Run {run} still collects answers. Close it first: spade-study close-run {run}")
        design = Design.from_json(found.study.config_json)
        places = standings(session, found, design)
        if not places:
            raise InputError(f"Nobody in run {run} gave {design.prize.minimum} main answers, as prize.minimum asks.")
        detail = {"winner": places[0].rater, "score": places[0].score, "taking_part": len(places)}
        audit.append(session, actor="command line", action="prize", target=run, detail=detail, now=utc_now())
    click.echo(f"{len(places)} raters with at least {design.prize.minimum} main answers; the first wins.")
    click.echo("place  score  agree  disagree  undecided  rater")
    for place, one in enumerate(places[:show], start=1):
        counts = f"{one.score:5d}  {one.agree:5d}  {one.disagree:8d}  {one.undecided:9d}"
        click.echo(f"{place:5d}  {counts}  {one.rater}")
