"""`spade-stats replicate`: the paper's own Table 4, from the counts behind it."""

from pathlib import Path

import click

from . import options

DESIGNS = ("none", "moderate", "strong")


@click.command()
@click.option(
    "--studies",
    default=1000,
    show_default=True,
    type=click.IntRange(0),
    help="Studies of the paper's design simulated for each row of its power; 0 for none.",
)
@options.level
@options.seed
@options.out("paper-report")
def replicate(studies: int, level: float, seed: int, folder: Path) -> None:
    """What the paper's own numbers do and do not support: the counts behind Table 4, with tests it does not print."""
    from .. import report as pages
    from ..power import grid, truth_with
    from ..reconstruction import reconstruct
    from ..report import paper
    from ..share_table import table_4
    from ..simulation import PAPER, PAPER_DESIGN

    options.progress("counts behind the table")
    found = reconstruct(table_4())
    decided, right = PAPER
    base = decided[0] * right[0]
    gain = decided[1] * right[1] - base
    designs = {}
    for heterogeneity in DESIGNS if studies else ():
        options.progress(f"{2 * studies} simulated studies, raters and images differing: {heterogeneity}")
        designs[heterogeneity] = grid(
            raters=[PAPER_DESIGN.raters],
            ratings=[PAPER_DESIGN.ratings],
            images=PAPER_DESIGN.images,
            truths=[
                # No effect at all means no difference in deciding either.
                truth_with(base=base, difference=0, decided=(decided[0], decided[0]), heterogeneity=heterogeneity),
                truth_with(base=base, difference=gain, decided=decided, heterogeneity=heterogeneity),
            ],
            studies=studies,
            alpha=1 - level,
            seed=seed,
        )
    facts = {
        "input": f"{found.table.place}, and its {found.table.total} ratings",
        "seed": f"{seed}",
        "simulated": f"{studies} studies a row",
        **options.versions(),
    }
    document = paper.build(found, level=level, designs=designs, facts=facts)
    written = pages.write(document, folder)
    for block in document.lead:
        click.echo(block.text.replace("*", ""))
    click.echo(f"The report is {written}.")
