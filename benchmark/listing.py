"""What commands print of ranges, differences and power, one table each."""

import math
from collections.abc import Iterable, Sequence

from .blessing import Change
from .difference import Changed, Moved, RunDifference
from .golden import GoldenRange
from .grid import Grid
from .power import SIZES, TablePower
from .sensitivity import Shift

CURVE = (16, 64, 256)
"""Numbers of images, of those a power curve has, that a terminal has room for."""


def changes(found: Iterable[Change]) -> Grid:
    """Golden ranges before and after, one a line."""
    table = Grid(
        (
            "table",
            "row",
            "column",
            "old",
            "new",
            "width",
        )
    )
    for one in found:
        wider = f"x {one.widening:.2f}" if math.isfinite(one.widening) else ""
        table.add_row(*one.name, _span(one.old), _span(one.new), wider)
    return table


def _span(one: GoldenRange | None) -> str:
    return "none" if one is None else f"{one.low:.2f} to {one.high:.2f}"


def changed(found: Iterable[Changed]) -> Grid | str:
    """What was changed between two runs."""
    rows = list(found)
    if not rows:
        return "Nothing that decides a number was changed between the runs."
    table = Grid(
        (
            "changed",
            "before",
            "after",
        )
    )
    for one in rows:
        table.add_row(one.what, one.before, one.after)
    return table


def cell_differences(found: RunDifference) -> Grid:
    """Every cell in both runs, with the paired difference where there is one."""
    table = Grid(
        (
            "table",
            "row",
            "column",
            "before",
            "after",
            "after - before",
            "interval",
            "p (Holm)",
            "equal samples",
        )
    )
    for one in found.cells:
        between = one.difference
        table.add_row(
            *(one.table, one.row, one.column, f"{one.before:.2f}", f"{one.after:.2f}"),
            f"{one.after - one.before if between is None else between.mean:+.3f}",
            "" if between is None else interval(between.low, between.high),
            "" if math.isnan(one.adjusted_p) else f"{one.adjusted_p:.3f}",
            f"{one.equal} of {one.shared}" if one.shared else "other images",
        )
    return table


def moved(found: Sequence[Moved], total: int) -> Grid | str:
    """The samples that moved furthest."""
    if not total:
        return "Every sample has the same value in both runs, to the last bit."
    table = Grid(
        (
            "table",
            "row",
            "column",
            "sample",
            "before",
            "after",
            "moved",
        ),
        title=f"{total} samples moved",
    )
    for one in found:
        row = (one.table, one.row, one.column, one.sample, f"{one.before:.2f}", f"{one.after:.2f}", f"{one.by:+.3f}")
        table.add_row(*row)
    return table


def cell_powers(found: TablePower) -> Grid:
    """What it takes to know each cell of a table."""
    table = Grid(
        (
            "row",
            "column",
            "n",
            "SD",
            "+-",
            "margin",
            "n for +-margin",
            "n beside print",
        ),
        title="Cells",
    )
    for one in found.cells:
        numbers = (str(one.n), f"{one.sd:.2f}", f"{one.half_width:.2f}", f"{one.margin:.2f}")
        table.add_row(one.row, one.column, *numbers, count(one.needed), count(one.beside_print))
    return table


def effect_powers(found: TablePower) -> Grid:
    """What it takes to resolve each effect of a table, and the chance at some numbers of images."""
    shown = [i for i, size in enumerate(SIZES) if size in CURVE]
    chance = f"{100 * found.power:.0f} %"
    header = ("row", "effect", "n", "seen", "detectable", f"n for {chance}", "paper's", f"n for {chance}, paper's")
    table = Grid(
        (*header, *(f"at {SIZES[i]}" for i in shown)),
        title="Effects, and the chance to resolve what was seen with so many images",
    )
    for one in found.effects:
        numbers = (str(one.n), f"{one.mean:+.2f}", f"{one.detectable:.2f}", count(one.needed))
        paper = "" if math.isnan(one.paper) else f"{one.paper:+.2f}"
        chances = (f"{one.curve[i]:.2f}" for i in shown)
        table.add_row(one.row, f"{one.column} - {one.baseline}", *numbers, paper, count(one.needed_for_paper), *chances)
    return table


def count(needed: float) -> str:
    """A number of images in words: none where there is no question, "no n" where no number would do."""
    if math.isnan(needed):
        return ""
    return "no n" if math.isinf(needed) else f"{needed:.0f}"


def interval(low: float, high: float) -> str:
    """An interval, or nothing where there is none."""
    return f"[{low:+.3f}, {high:+.3f}]" if math.isfinite(low) else ""


def shifts(found: Iterable[Shift], protocols: Sequence[str]) -> Grid:
    """Each cell under every protocol, and how far it moves from the first."""
    reference, *others = protocols
    header = ["table", "row", "column", reference]
    for name in others:
        header += [name, f"{name} - {reference}", "interval", "p (Holm)"]
    table = Grid(tuple(header))
    for one in found:
        row = [one.table, one.row, one.column, _value(one.means[reference])]
        for name in others:
            moved = one.against.get(name)
            between = moved.difference if moved is not None else None
            row += [
                _value(one.means[name]),
                "" if moved is None else f"{moved.after - moved.before if between is None else between.mean:+.2f}",
                "" if between is None else interval(between.low, between.high),
                "" if moved is None or math.isnan(moved.adjusted_p) else f"{moved.adjusted_p:.3f}",
            ]
        table.add_row(*row)
    return table


def _value(mean: float) -> str:
    return f"{mean:.2f}" if math.isfinite(mean) else "no value"
