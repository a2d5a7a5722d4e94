"""`spade-bench power`: how many images it takes to settle a table."""

from pathlib import Path

import click

from . import options


@click.command()
@click.argument("table")
@options.scale_and_seed
@options.store
@click.option(
    "--curve",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File the curves are drawn to (.svg, .png or .pdf); their numbers are written beside it as .csv.",
)
def power(table: str, scale: str, seed: int, folder: Path, curve: Path | None) -> None:
    """Images needed to settle each cell and each effect of a table, judged from the spread of a stored run."""
    from .. import definition, listing, policy
    from ..grid import show
    from ..power import table_power
    from ..power_curve import draw
    from ..store import Store

    asked = definition.load(table)
    run = Store(folder).run(scale, seed, tables=(asked.id,))
    found = table_power(asked, run, policy.load())
    show(listing.cell_powers(found))
    show(listing.effect_powers(found))
    if curve is not None:
        for path in draw(found, curve):
            click.echo(f"The curves are in {path}.")
