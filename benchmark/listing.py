"""What commands print of ranges, differences and power, one table each."""

import math
from collections.abc import Iterable, Sequence

from analysis.paired import PairedDifference
from spade.errors import InputError

from . import definition
from .blessing import Change
from .cells import decimals
from .difference import CellDifference, Changed, Moved, RunDifference
from .golden import GoldenRange
from .grid import Grid
from .power import SIZES, TablePower
from .sensitivity import Gain, Shift

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
        shown = _places(one.name[0])
        table.add_row(*one.name, _span(one.old, shown), _span(one.new, shown), wider)
    return table


def _span(one: GoldenRange | None, shown: int) -> str:
    return "none" if one is None else f"{one.low:.{shown}f} to {one.high:.{shown}f}"


def _places(table: str) -> int:
    """Decimals of a table's cells, by its id; ranges may be older than the tables that are defined now."""
    try:
        return decimals(definition.load(table).unit)
    except InputError:
        return decimals("%")


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
        between, shown = one.difference, _places(one.table)
        table.add_row(
            *(one.table, one.row, one.column, f"{one.before:.{shown}f}", f"{one.after:.{shown}f}"),
            f"{one.after - one.before if between is None else between.mean:+.{shown + 1}f}",
            "" if between is None else interval(between.low, between.high, shown + 1),
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
        shown = _places(one.table)
        values = (f"{one.before:.{shown}f}", f"{one.after:.{shown}f}", f"{one.by:+.{shown + 1}f}")
        table.add_row(one.table, one.row, one.column, one.sample, *values)
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
    shown = _places(found.table)
    for one in found.cells:
        numbers = (str(one.n), f"{one.sd:.{shown}f}", f"{one.half_width:.{shown}f}", f"{one.margin:.{shown}f}")
        table.add_row(one.row, one.column, *numbers, count(one.needed), count(one.beside_print))
    return table


def effect_powers(found: TablePower) -> Grid:
    """What it takes to resolve each effect of a table, and the chance at some numbers of images."""
    shown, places = [i for i, size in enumerate(SIZES) if size in CURVE], _places(found.table)
    chance = f"{100 * found.power:.0f} %"
    header = ("row", "effect", "n", "seen", "detectable", f"n for {chance}", "paper's", f"n for {chance}, paper's")
    table = Grid(
        (*header, *(f"at {SIZES[i]}" for i in shown)),
        title="Effects, and the chance to resolve what was seen with so many images",
    )
    for one in found.effects:
        numbers = (str(one.n), f"{one.mean:+.{places}f}", f"{one.detectable:.{places}f}", count(one.needed))
        paper = "" if math.isnan(one.paper) else f"{one.paper:+.{places}f}"
        chances = (f"{one.curve[i]:.2f}" for i in shown)
        table.add_row(one.row, f"{one.column} - {one.baseline}", *numbers, paper, count(one.needed_for_paper), *chances)
    return table


def count(needed: float) -> str:
    """A number of images in words: none where there is no question, "no n" where no number would do."""
    if math.isnan(needed):
        return ""
    return "no n" if math.isinf(needed) else f"{needed:.0f}"


def interval(low: float, high: float, places: int = 3) -> str:
    """An interval, or nothing where there is none."""
    return f"[{low:+.{places}f}, {high:+.{places}f}]" if math.isfinite(low) else ""


def shifts(found: Iterable[Shift], protocols: Sequence[str]) -> Grid:
    """Each cell under every protocol, and how far it moves from the first: a column for every number."""
    reference, *others = protocols
    header = ["table", "row", "column", reference]
    for name in others:
        header += [name, f"{name} - {reference}", "interval", "p (Holm)"]
    table = Grid(tuple(header))
    for one in found:
        row = [one.table, one.row, one.column, _value(one.means[reference], one.unit)]
        for name in others:
            move = one.against.get(name)
            between = move.difference if move is not None else None
            row += [
                _value(one.means[name], one.unit),
                "" if move is None else _move(move, one.unit),
                "" if between is None else interval(between.low, between.high, decimals(one.unit) + 1),
                "" if move is None or math.isnan(move.adjusted_p) else f"{move.adjusted_p:.3f}",
            ]
        table.add_row(*row)
    return table


def shifts_in_short(found: Iterable[Shift], protocols: Sequence[str], *, alpha: float) -> Grid:
    """The same for a terminal: how far each cell moves from the first protocol, a star where Holm leaves it shown."""
    reference, *others = protocols
    table = Grid(
        ("row", "column", reference, *(f"{name} - {reference}" for name in others)),
        title="How each cell moves (* shown after Holm over the cells)",
    )
    for one in found:
        row = [one.row, one.column, _value(one.means[reference], one.unit)]
        for name in others:
            move = one.against.get(name)
            if move is None:
                row.append("no value")
                continue
            if move.shared and move.equal == move.shared:
                row.append("the same")
                continue
            star = "*" if move.adjusted_p < alpha else ""
            row.append(f"{_move(move, one.unit)}{star}\n{_span_of(move.difference, one.unit)}".strip())
        table.add_row(*row)
    return table


def gains(found: Iterable[Gain], protocols: Sequence[str]) -> Grid:
    """What each column gains over the dense network on average over the methods, under every protocol."""
    table = Grid(("average gain", *protocols), title="What pruning gains on average over the methods")
    for one in found:
        row = [f"{one.column} - {one.baseline}"]
        for name in protocols:
            between = one.under[name].difference if name in one.under else None
            said = f"{between.mean:+.{decimals(one.unit)}f}\n{_span_of(between, one.unit)}" if between else "no value"
            row.append(said.strip())
        table.add_row(*row)
    return table


def _move(moved: CellDifference, unit: str) -> str:
    between = moved.difference
    return f"{moved.after - moved.before if between is None else between.mean:+.{decimals(unit)}f}"


def _span_of(found: PairedDifference | None, unit: str) -> str:
    if found is None or not math.isfinite(found.low):
        return ""
    shown = decimals(unit)
    return f"[{found.low:+.{shown}f}, {found.high:+.{shown}f}]"


def _value(mean: float, unit: str) -> str:
    return f"{mean:.{decimals(unit)}f}" if math.isfinite(mean) else "no value"
