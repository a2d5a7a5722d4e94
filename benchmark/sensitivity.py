"""How every cell of a table moves when the open choices of the paper are read otherwise, on the same samples."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from spade.errors import EnvironmentProblem

from .cells import AVERAGE, cells
from .difference import CellDifference, difference
from .effect import Effect, effects
from .policy import Policy
from .records import RunRecords
from .store import Store

FOLDER = "sensitivity"


@dataclass(frozen=True)
class Shift:
    """One cell under every protocol.

    Attributes:
        unit: of the table, "%" or, for shares, "".
        means: by protocol, in that unit; NaN where it has no value there.
        against: by protocol other than the reference, protocol - reference on the same samples; p-values are after
            Holm over the cells of the table.
    """

    table: str
    row: str
    column: str
    unit: str
    means: Mapping[str, float]
    against: Mapping[str, CellDifference]


@dataclass(frozen=True)
class Gain:
    """What a column gains over the dense network on average over the methods, under every protocol.

    `under` has no entry for a protocol without a sample that both columns have a value for.
    """

    table: str
    column: str
    baseline: str
    unit: str
    under: Mapping[str, Effect]


def variant(store: Store, protocol: str) -> Store:
    """The folder of the runs under another protocol than the scale's; trained networks are shared.

    Raises:
        EnvironmentProblem: it cannot be made.
    """
    found = Store(store.folder / FOLDER / protocol)
    try:
        store.cache.mkdir(parents=True, exist_ok=True)
        found.folder.mkdir(parents=True, exist_ok=True)
        if not found.cache.exists():
            found.cache.symlink_to(store.cache.resolve(), target_is_directory=True)
    except OSError as problem:
        raise EnvironmentProblem(f"{found.folder} cannot be made: {problem.strerror}.") from problem
    return found


def shifts(runs: Mapping[str, RunRecords], policy: Policy) -> tuple[Shift, ...]:
    """How each cell moves from the first run, the reference, to every other.

    Controls are left out: no protocol changes a map that no network made.
    """
    reference, *others = runs
    against = {
        name: {
            (one.table, one.row, one.column): one
            for one in difference(runs[reference], runs[name], policy, controls=False).cells
        }
        for name in others
    }
    found = {
        name: {(c.table, c.row, c.column): c for table in run.tables for c in cells(table, run) if not c.not_run}
        for name, run in runs.items()
    }
    means = {name: {key: cell.mean for key, cell in of.items()} for name, of in found.items()}
    return tuple(
        Shift(
            *name,
            unit=cell.unit,
            means={protocol: of.get(name, math.nan) for protocol, of in means.items()},
            against={protocol: of[name] for protocol, of in against.items() if name in of},
        )
        for name, cell in found[reference].items()
        if cell.kind != "control" and any(math.isfinite(of.get(name, math.nan)) for of in means.values())
    )


def gains(runs: Mapping[str, RunRecords], policy: Policy) -> tuple[Gain, ...]:
    """What each column gains over the dense network under each protocol; none for a table without averages."""
    by_protocol = {
        name: {
            (one.table, one.column): one
            for table in run.tables
            for one in effects(table, cells(table, run), policy)
            if one.row == AVERAGE and one.difference is not None
        }
        for name, run in runs.items()
    }
    reference = next(iter(runs.values()))
    units = {table.id: table.unit for table in reference.tables}
    every = dict.fromkeys((key, one.baseline) for of in by_protocol.values() for key, one in of.items())
    return tuple(
        Gain(
            table,
            column,
            baseline,
            units[table],
            under={name: of[table, column] for name, of in by_protocol.items() if (table, column) in of},
        )
        for (table, column), baseline in every
    )


def moved(found: tuple[Shift, ...], protocol: str, alpha: float) -> tuple[int, int]:
    """How many cells a protocol is shown to move from the reference, of how many that both have."""
    pairs = [one.against[protocol] for one in found if protocol in one.against]
    return sum(one.adjusted_p < alpha for one in pairs), len(pairs)


def too_few(images: int, cells: int, alpha: float) -> bool:
    """Whether Holm over so many cells could show none of them, whatever they do.

    Of all flips of the signs of n differences two are as extreme as can be, so no p-value is below 2 / 2^n.
    """
    return cells * 2.0 ** (1 - images) >= alpha
