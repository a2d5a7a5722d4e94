"""`spade-stats consistency`: can a printed table of shares be?"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..reconstruction import Reconstruction


@click.command()
@click.argument("table", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--shares", default=None, help="All shares of one column instead of a table: '12.6 69.8 17.8'.")
@click.option("--n", "size", default=None, type=click.IntRange(1), help="How many were counted in that column.")
@click.option(
    "--rounding",
    default="half",
    show_default=True,
    type=click.Choice(["half", "truncate"]),
    help="To the nearest (a tie either way), or by cutting digits off.",
)
def consistency(table: Path | None, shares: str | None, size: int | None, rounding: str) -> None:
    """Which counts TABLE (TOML; the paper's Table 4 if left out) can come from, or which cell stands in the way.

    How to describe a table: docs/decisions/published-shares.md.
    """
    from .. import share_table
    from ..errors import AnalysisError
    from ..reconstruction import reconstruct

    if table is not None and shares is not None:
        raise AnalysisError("Both a table and --shares came; give one of them.")
    if size is not None and shares is None:
        raise AnalysisError("--n goes with --shares; in a table, n stands beside its column.")
    if shares is not None:
        asked = share_table.of_one_column(shares.replace(",", " ").split(), size=size)
    else:
        asked = share_table.table_4() if table is None else share_table.read(table)
    found = reconstruct(asked, rounding="half" if rounding == "half" else "truncate")
    for line in _said(found):
        click.echo(line)


def _said(found: "Reconstruction") -> Iterator[str]:
    from ..reconstruction import MOST_TABLES

    asked = found.table
    yield from found.sums
    for name, sizes in zip(asked.columns, found.possible_sizes, strict=True):
        some = ", ".join(map(str, sizes[:12])) + (", ..." if len(sizes) > 12 else "")
        yield f"{name}: totals that can print so: {len(sizes)}" + (f" ({some})" if sizes else "")
    if found.as_printed:
        more = " or more" if len(found.as_printed) >= MOST_TABLES else ""
        yield f"Consistent: {len(found.as_printed)}{more} tables of counts ({', '.join(asked.categories)}):"
        yield from (f"  {_counts(asked.columns, one.counts)}" for one in found.as_printed[:20])
        return
    yield "Inconsistent: no table of counts prints so."
    for reading in found.readings:
        cells = " and ".join(f"'{cell.row}' {cell.printed} ({cell.column})" for cell in reading.dropped)
        should = " and ".join(" or ".join(prints) for prints in reading.should_read)
        yield f"Without {cells}, which should read {should}: {len(reading.tables)} tables:"
        for one in reading.tables[:20]:
            chance = "" if math.isnan(one.balance_p) else f"  (fair assignment: p = {one.balance_p:.2g})"
            yield f"  {_counts(asked.columns, one.counts)}{chance}"
    if not found.readings:
        yield "No one or two cells left unread make it so: more is wrong, or shares are of something else."


def _counts(columns: tuple[str, ...], counts: tuple[tuple[int, ...], ...]) -> str:
    return "; ".join(
        f"{name} {sum(column)} = {' + '.join(map(str, column))}" for name, column in zip(columns, counts, strict=True)
    )
