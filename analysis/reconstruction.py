"""Which counts a published table of shares can come from: all of them, or which printed cell stands in the way.

A share printed to one decimal of a total near 400 allows one count or none (the idea of the GRIM test: Brown and
Heathers, Soc. Psychol. Personal. Sci. 8, 2017), and several shares of one column must agree on it. Everything here is
exact arithmetic on fractions.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from scipy import stats

from .errors import AnalysisError
from .share_table import Rounding, ShareCell, ShareTable

LARGEST = 10_000
"""The largest column that is searched where no total is printed."""
MOST_TABLES = 10_000
"""More tables than this say that the print pins nothing down; they are counted no further."""
MOST_STEPS = 20_000_000
"""Counts tried before a search is given up with a sentence."""
IMPLAUSIBLE = 1e-3
"""A split of the total that fair assignment gives less often is possible arithmetic and an implausible study."""

Counts = tuple[int, ...]


@dataclass(frozen=True)
class CountTable:
    """One table of counts: a tuple a column, each in the order of the table's categories."""

    counts: tuple[Counts, ...]
    balance_p: float
    """How often fair assignment to columns splits the total at least this unevenly; NaN where columns are given."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many were counted in each column."""
        return tuple(sum(column) for column in self.counts)

    @property
    def plausible(self) -> bool:
        """Whether fair assignment gives such a split often enough, or nothing is known of it."""
        return not self.balance_p < IMPLAUSIBLE


@dataclass(frozen=True)
class Reading:
    """The tables that remain when some printed cells are not believed, and what those cells should have read."""

    dropped: tuple[ShareCell, ...]
    tables: tuple[CountTable, ...]
    should_read: tuple[tuple[str, ...], ...]
    """For each dropped cell, every print that one of the tables gives it."""


@dataclass(frozen=True)
class Reconstruction:
    """What a published table of shares can and cannot come from."""

    table: ShareTable
    rounding: Rounding
    as_printed: tuple[CountTable, ...]
    possible_sizes: tuple[tuple[int, ...], ...]
    """For each column, the totals that fit all its own cells."""
    sums: tuple[str, ...]
    """Sentences on columns whose printed shares cannot add up, whatever the total."""
    readings: tuple[Reading, ...]
    """Where nothing fits as printed: each smallest set of cells (one, else two) without which something does."""
    nearest: tuple[CountTable, float] | None
    """Where nothing fits: the table that is least wrong in its worst cell, and how far off that is (share of 1)."""

    @property
    def plausible(self) -> tuple[CountTable, ...]:
        """The tables to analyse: those as printed, or those of the one reading, that fair assignment can give."""
        tables = self.as_printed or (self.readings[0].tables if len(self.readings) == 1 else ())
        return tuple(table for table in tables if table.plausible)


def reconstruct(table: ShareTable, *, rounding: Rounding = "half") -> Reconstruction:
    """Every table of counts that prints as `table` does; where there is none, which cells stand in the way.

    Raises:
        AnalysisError: the cells pin so little down that there is nothing to search in.
    """
    columns = _columns(table, rounding)
    found = _tables(table, columns)
    sizes = tuple(tuple(column) for column in columns)
    sums = tuple(sentence for name in table.columns if (sentence := _sum_sentence(table, name, rounding)))
    if found:
        return Reconstruction(table, rounding, found, sizes, sums, readings=(), nearest=None)
    return Reconstruction(
        table, rounding, (), sizes, sums, readings=_readings(table, rounding), nearest=_nearest(table)
    )


def column_counts(table: ShareTable, column: str, size: int, *, rounding: Rounding = "half") -> tuple[Counts, ...]:
    """Every way to split `size` into the categories that prints as the cells of the column do."""
    return _counts_by_size(_bounds(table, column, rounding), len(table.categories), (size,)).get(size, ())


@dataclass(frozen=True)
class _Bound:
    """What one cell allows, in whole numbers: low <= sum of `of` / sum of `among` <= high."""

    of: tuple[int, ...]
    among: tuple[int, ...]
    low: tuple[int, int]
    high: tuple[int, int]

    def holds(self, counts: Counts) -> bool:
        part, base = sum(counts[place] for place in self.of), sum(counts[place] for place in self.among)
        # A share of nothing cannot be printed.
        return base > 0 and self.low[0] * base <= part * self.low[1] and part * self.high[1] <= self.high[0] * base


def _bounds(table: ShareTable, column: str, rounding: Rounding) -> tuple[_Bound, ...]:
    places = {name: place for place, name in enumerate(table.categories)}
    return tuple(
        _Bound(
            tuple(places[name] for name in cell.of),
            tuple(places[name] for name in cell.among),
            *(limit.as_integer_ratio() for limit in cell.limits(rounding)),
        )
        for cell in table.column(column)
    )


@lru_cache(maxsize=256)
def _counts_by_size(
    bounds: tuple[_Bound, ...], categories: int, sizes: tuple[int, ...]
) -> Mapping[int, tuple[Counts, ...]]:
    """The splits of each size that fit, for the sizes that have one; kept, as most readings share most columns."""
    found = {size: _fitting(bounds, categories, size) for size in sizes}
    return {size: counts for size, counts in found.items() if counts}


def _fitting(bounds: tuple[_Bound, ...], categories: int, size: int) -> tuple[Counts, ...]:
    ranges = [(0, size)] * categories
    for bound in bounds:
        if len(bound.of) == 1 and len(bound.among) == categories:
            low, high = ranges[bound.of[0]]
            least, most = -(-bound.low[0] * size // bound.low[1]), bound.high[0] * size // bound.high[1]
            ranges[bound.of[0]] = max(low, least), min(high, most)
            if least > most:
                return ()
    if any(low > high for low, high in ranges):
        return ()
    fitting = (counts for counts in _compositions(size, ranges) if all(bound.holds(counts) for bound in bounds))
    return tuple(itertools.islice(fitting, MOST_TABLES))


def _columns(table: ShareTable, rounding: Rounding) -> tuple[Mapping[int, tuple[Counts, ...]], ...]:
    """For each column, the splits of every size that fits its own cells."""
    largest = LARGEST if table.total is None else table.total - len(table.columns) + 1
    return tuple(
        _counts_by_size(
            _bounds(table, name, rounding),
            len(table.categories),
            tuple(range(1, largest + 1)) if size is None else (size,),
        )
        for name, size in zip(table.columns, table.sizes, strict=True)
    )


def _compositions(size: int, ranges: Sequence[tuple[int, int]]) -> Iterator[Counts]:
    """Every tuple of counts within the ranges that adds up to size; the widest range is what is left over."""
    widths = [high - low for low, high in ranges]
    rest = widths.index(max(widths))
    free = [range(low, high + 1) for place, (low, high) in enumerate(ranges) if place != rest]
    if math.prod(map(len, free)) > MOST_STEPS:
        raise AnalysisError(
            f"The printed cells leave more than {MOST_STEPS:,} splits of {size} to try; expected a share of the whole "
            "for all categories but one."
        )
    low, high = ranges[rest]
    for counts in itertools.product(*free):
        left = size - sum(counts)
        if low <= left <= high:
            yield (*counts[:rest], left, *counts[rest:])


def _share(counts: Counts, cell: ShareCell, categories: tuple[str, ...]) -> Fraction | None:
    by_name = dict(zip(categories, counts, strict=True))
    base = sum(by_name[name] for name in cell.among)
    return Fraction(sum(by_name[name] for name in cell.of), base) if base else None


def _tables(table: ShareTable, columns: Sequence[Mapping[int, tuple[Counts, ...]]]) -> tuple[CountTable, ...]:
    """The tables whose columns fit and add up to the total; none where a column or the sum cannot be met."""
    if not all(columns):
        return ()
    if table.total is None and None in table.sizes:
        # Columns do not bind each other, so the smallest of each stands for all; the sizes say what else there is.
        return (CountTable(tuple(column[min(column)][0] for column in columns), math.nan),)
    found = (
        CountTable(counts, _balance(each, table))
        for each in _adding_up([list(column) for column in columns], table.total)
        for counts in itertools.product(*(column[n] for column, n in zip(columns, each, strict=True)))
    )
    return tuple(itertools.islice(found, MOST_TABLES))


def _adding_up(sizes: Sequence[Sequence[int]], total: int | None) -> Iterator[Counts]:
    if total is None:
        yield from itertools.product(*sizes)
        return
    last = set(sizes[-1])
    for each in itertools.product(*sizes[:-1]):
        if total - sum(each) in last:
            yield (*each, total - sum(each))


def _balance(sizes: Counts, table: ShareTable) -> float:
    """Two-sided chance of a split at least this uneven; exact for two columns, Pearson's for more."""
    if len(sizes) < 2 or any(size is not None for size in table.sizes):
        return math.nan
    if len(sizes) == 2:
        return float(stats.binomtest(sizes[0], sum(sizes), 0.5).pvalue)
    return float(stats.chisquare(np.array(sizes)).pvalue)


def _sum_sentence(table: ShareTable, column: str, rounding: Rounding) -> str:
    """Why the shares of a column that divide the whole cannot add up; empty where they can."""
    whole = set(table.categories)
    single = {cell.of[0]: cell for cell in table.column(column) if len(cell.of) == 1 and set(cell.among) == whole}
    if set(single) != whole:
        return ""
    limits = [cell.limits(rounding) for cell in single.values()]
    if sum(low for low, _ in limits) <= 1 <= sum(high for _, high in limits):
        return ""
    cells = [single[name] for name in table.categories]
    scale, digits = cells[0].scale, max(cell.decimals for cell in cells)
    printed = sum((Fraction(cell.printed) for cell in cells), Fraction(0))
    least, most = (
        printed + scale * (1 - sum(ends)) for ends in zip(*((high, low) for low, high in limits), strict=True)
    )
    between = f"{float(least):.{digits + 1}f} and {float(most):.{digits + 1}f}"
    return (
        f"{column}: {' + '.join(str(cell.printed) for cell in cells)} = {float(printed):.{digits}f}, where shares of "
        f"one total, rounded {_how(rounding)}, add up to between {between}."
    )


def _how(rounding: Rounding) -> str:
    return "to the nearest" if rounding == "half" else "by cutting digits off"


def _readings(table: ShareTable, rounding: Rounding) -> tuple[Reading, ...]:
    for how_many in (1, 2):
        found = tuple(
            reading
            for dropped in itertools.combinations(table.cells, how_many)
            if (reading := _reading(table, dropped, rounding)).tables
        )
        if found:
            return found
    return ()


def _reading(table: ShareTable, dropped: tuple[ShareCell, ...], rounding: Rounding) -> Reading:
    rest = table.without(dropped)
    # A column nothing is believed of would fit anything, and a column of unknown total any size.
    tables = _tables(rest, _columns(rest, rounding)) if all(map(rest.column, table.columns)) else ()
    should_read = []
    for cell in dropped:
        place = table.columns.index(cell.column)
        shares = [_share(one.counts[place], cell, table.categories) for one in tables]
        prints = {text for share in shares if share is not None for text in cell.print_of(share)}
        should_read.append(tuple(sorted(prints, key=float)))
    return Reading(dropped, tables, tuple(should_read))


def _nearest(table: ShareTable) -> tuple[CountTable, float] | None:
    """The table with the smallest largest deviation from the print, for two columns that add up to a total."""
    if table.total is None or len(table.columns) != 2 or table.sizes != (None, None):
        return None
    total, (one, other) = table.total, table.columns
    pairs = ((_least_wrong(table, one, n), _least_wrong(table, other, total - n)) for n in range(1, total))
    best = min(pairs, key=lambda pair: max(pair[0][0], pair[1][0]))
    counts = best[0][1], best[1][1]
    return CountTable(counts, _balance((sum(counts[0]), sum(counts[1])), table)), max(best[0][0], best[1][0])


def _least_wrong(table: ShareTable, column: str, size: int) -> tuple[float, Counts]:
    """The split of a column that is least wrong in its worst cell, sought around the printed shares of the whole."""
    whole = set(table.categories)
    printed = {
        cell.of[0]: Fraction(cell.printed) / cell.scale
        for cell in table.column(column)
        if len(cell.of) == 1 and set(cell.among) == whole
    }
    ranges = [
        (max(0, math.floor(printed[name] * size) - 1), math.ceil(printed[name] * size) + 1)
        if name in printed
        else (0, size)
        for name in table.categories
    ]
    best, least = (size, *(0,) * (len(table.categories) - 1)), math.inf
    places = {name: place for place, name in enumerate(table.categories)}
    cells = [
        ([places[name] for name in cell.of], [places[name] for name in cell.among], float(cell.printed) / cell.scale)
        for cell in table.column(column)
    ]
    for counts in _compositions(size, ranges):
        off = 0.0
        for of, among, about in cells:
            base = sum(counts[place] for place in among)
            off = max(off, abs(sum(counts[place] for place in of) / base - about) if base else 1.0)
        if off < least:
            best, least = counts, off
    return least, best
