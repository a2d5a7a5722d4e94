"""`spade-bench check-plugin`: a part of another package held against what every table relies on."""

import sys

import click


@click.command("check-plugin")
@click.argument("name", nargs=-1)
def check_plugin(name: tuple[str, ...]) -> None:
    """Check parts on small inputs: saliency methods, metrics, networks and tables, built-in ones too.

    NAME is a part, or a package whose parts are all checked; without one, every part of every package is. Exits with 1
    if anything fails.
    """
    from .. import conformance
    from ..grid import Grid, show

    asked, failed = conformance.named(name), 0
    if not asked:
        click.echo("No installed package adds a part.")
    for part in asked:
        grid = Grid(("", "what is asked", "what was found"), title=part.title)
        for finding in conformance.check(part):
            grid.add_row("pass" if finding.holds else "FAIL", finding.asked, finding.found)
            failed += not finding.holds
        show(grid)
    if failed:
        click.echo(f"{failed} check{'s' * (failed > 1)} failed.", err=True)
        sys.exit(1)
