"""`spade-bench verify`: the paper's claims held against our records."""

import json
from pathlib import Path

import click

from spade.errors import InputError

from . import options


@click.command()
@click.argument("claim", nargs=-1)
@options.scale_and_seed
@options.store
@click.option("--all", "everything", is_flag=True, help="Also claims that are not run here or cannot be checked.")
@click.option("--json", "form", flag_value="json", help="As JSON, every claim asked for.")
@click.option("--markdown", "form", flag_value="markdown", help="As Markdown.")
def verify(claim: tuple[str, ...], scale: str, seed: int, folder: Path, form: str | None, *, everything: bool) -> None:
    """Hold the paper's claims (all by default) against the stored records of a scale; nothing is computed.

    An embedded scale is other data than the paper's: it can show a direction or its opposite, never confirm a number.
    A verdict rests on the seeds stored with this release where they have the cells, on the images of the run of --seed
    otherwise. Exits with 0 whatever it finds; a claim that does not hold is a result.
    """
    from data_manifests import claim as claims

    from .. import golden_file, policy
    from ..cells import cells
    from ..claims import said_of_ours as said
    from ..claims.verification import comparable
    from ..claims.verification import verify as hold
    from ..scale import load as load_scale
    from ..store import Store

    load_scale(scale)
    wanted = [claims.load().claim(name).id for name in claim]
    try:
        run = Store(folder).run(scale, seed)
    except InputError:
        run = None
    found = [] if run is None else [cell for table in run.tables for cell in cells(table, run)]
    stored = golden_file.load_seeds(scale)
    seeds = comparable(run, stored)
    verdicts = hold(found, seeds, policy.load())
    shown = tuple(one for one in verdicts if not wanted or one.claim.id in wanted)
    origin = said.origin(scale, seed, run_stored=run is not None, stored=len(stored), used=len(seeds))
    if form == "json":
        click.echo(json.dumps(said.data(shown, origin), indent=1, ensure_ascii=False, allow_nan=False))
    elif form == "markdown":
        click.echo(said.markdown(shown, origin, everything=everything or bool(wanted)), nl=False)
    else:
        click.echo(said.text(shown, origin, everything=everything or bool(wanted)), nl=False)
