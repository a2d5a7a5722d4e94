"""The counts behind the paper's table: which there can be, and which print cannot be."""

from ..reconstruction import CountTable, Reconstruction
from . import wording as say
from .document import Block, Paragraph, Row, Table


def counts(found: Reconstruction) -> list[Block]:
    """Which counts can print as the table does, and what the cell that cannot be should read."""
    blocks: list[Block] = [Paragraph(sentence) for sentence in found.sums]
    fits = (
        f"{say.count(len(found.as_printed), 'table')} of counts fit" if found.as_printed else "no table of counts fits"
    )
    possible = "; ".join(
        f"{name} from {say.count(len(sizes), 'total')}"
        for name, sizes in zip(found.table.columns, found.possible_sizes, strict=True)
    )
    blocks.append(
        Paragraph(
            f"Each column was tried with every total up to 745, its cells within half a unit of their last digit: "
            f"{possible} "
            f"can print as it does. With {found.table.total} ratings in all, "
            f"{fits}."
        )
    )
    for reading in found.readings:
        names = say.listed([f"“{cell.row} {cell.printed} %” ({cell.column})" for cell in reading.dropped])
        should = say.listed([" or ".join(texts) for texts in reading.should_read])
        blocks.append(
            Table(
                "table-counts",
                f"Without {names}, these tables fit; it should read {should}",
                (
                    "dense: agree, disagree, undecided",
                    "SPADE: agree, disagree, undecided",
                    "fair assignment, *p*",
                    "used",
                ),
                tuple(_count_row(one) for one in reading.tables),
                "*p*: how often assigning each rating to an arm by a fair coin splits 746 at least this unevenly. "
                "Leaving "
                "any other single cell unread leaves no table.",
                ("analysis.reconstruction.reconstruct",),
            )
        )
    if found.nearest:
        table, off = found.nearest
        blocks.append(
            Paragraph(
                f"No table of {found.table.total} is nearer to all printed cells than "
                f"{say.points(off, 3).removeprefix('+')} "
                f"points in its worst cell ({' and '.join(map(str, table.sizes))} ratings), where rounding explains "
                "at most "
                "0.05: this is one wrong digit, not many small ones."
            )
        )
    blocks.append(
        Paragraph(
            "This assumes that 746 counts both columns and that shares are of ratings. Had shares been averaged over "
            "raters first, no such arithmetic would apply; the paper does not say so.",
            "caveat",
        )
    )
    return blocks


def _count_row(one: CountTable) -> Row:
    cells = [f"{sum(column)} ({', '.join(map(str, column))})" for column in one.counts]
    chance = say.p(one.balance_p)
    return Row((*cells, chance, "yes" if one.plausible else "no: too uneven"), strong=one.plausible)
