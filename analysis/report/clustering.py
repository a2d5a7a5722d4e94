"""How much clustering the paper's results would survive, and what its design could have found."""

from collections.abc import Mapping, Sequence

from ..power import PowerCell
from ..three_outcomes import p_at, survives
from . import wording as say
from .document import Block, Paragraph, Row, Table
from .split import ROWS, Split

DESIGN_EFFECTS = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5)
"""By how much clustering could inflate the variance: from not at all to more than any simulated study shows."""


def clustering(main: Split, designs: Mapping[str, Sequence[PowerCell]]) -> list[Block]:
    """Each result at design effects from 1 on, and what simulated studies without an effect show."""
    tested = [(row.title, row.difference.statistic) for row in (main.table.row(name) for name in ROWS)]
    tested.append(("Half credit for the undecided", main.outcomes.half_z))
    rows = []
    for title, z in tested:
        limit = survives(z)
        kept = "does not, even at 1" if limit < 1 else f"up to {say.number(limit)}"
        rows.append(Row((title, kept, *(say.p(p_at(z, effect)) for effect in DESIGN_EFFECTS)), strong=limit >= 1))
    blocks: list[Block] = [
        Paragraph(
            "Ratings of one rater or of one image resemble each other. How much that matters for a difference between "
            "arms "
            "depends on whether raters and images differ in the *difference*: every rater sees both arms, so what "
            "they have "
            "in common cancels. The design effect is by how much the variance exceeds that of independent ratings."
        ),
        Table(
            "table-clustering",
            "*p* at each design effect",
            ("result", "stays below .05", *(f"at {say.number(effect, 1)}" for effect in DESIGN_EFFECTS)),
            tuple(rows),
            "From the pooled *z* of the counts.",
            ("analysis.three_outcomes.survives", "analysis.three_outcomes.p_at"),
        ),
    ]
    null = [(name, cell) for name, cells in designs.items() for cell in cells if cell.difference == 0]
    if null:
        said = say.listed([f"{say.percent(cell.naive_found / cell.studies)} ({name})" for name, cell in null])
        held = say.listed([f"{say.percent(cell.power)} ({name})" for name, cell in null])
        blocks.append(
            Paragraph(
                f"In simulated studies of this design without any effect, a test of independent ratings rejects in "
                f"{said} of "
                f"{null[0][1].studies:,} studies, by how much raters and images differ; the test over raters and "
                "images that "
                f"this project's report uses, in {held}. Both should be 5 %."
            )
        )
    return blocks


def simulated_design(designs: Mapping[str, Sequence[PowerCell]]) -> list[Block]:
    """What studies of the paper's design find, with its own effect and without one."""
    rows = [
        Row(
            (
                name,
                f"{say.points(cell.difference)} points" if cell.difference else "none",
                f"{say.proper(cell.power)} {say.proper_interval(cell.low, cell.high)}",
                f"\N{PLUS-MINUS SIGN}{say.points(cell.half_width).removeprefix('+')}",
            )
        )
        for name, cells in designs.items()
        for cell in cells
    ]
    if not rows:
        return [Paragraph("No studies were simulated in this run.")]
    some = next(iter(designs.values()))[0]
    return [
        Table(
            "table-design",
            f"{some.design.raters} raters, {some.design.images} images, {some.design.ratings} ratings, simulated",
            (
                "raters and images differ",
                "true difference in agreement",
                "significant, share",
                "interval, points",
            ),
            tuple(rows),
            f"{some.studies:,} studies a row, tasks drawn at random, analysed over raters and images; in brackets the "
            "95 % "
            "interval over simulations. The last column is the mean half width of the interval such a study reports. "
            "`spade-stats power` plans others.",
            ("analysis.power.power",),
        )
    ]
