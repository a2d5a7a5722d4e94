"""How many images it takes to settle each cell and each effect of a table, judged from the spread of one run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from analysis.replication import samples_needed
from analysis.seeds import detectable_mean, power_of_mean, seeds_needed
from data_manifests import published
from data_manifests.errors import UnknownNameError

from .cells import AVERAGE, Cell, cells, point
from .comparison import paper_effect
from .definition import TableDefinition
from .policy import Policy
from .records import RunRecords

SIZES = (8, 16, 32, 64, 111, 140, 256, 512, 1024)
"""Numbers of images a curve is told for; 111 and 140 are the paper's."""


@dataclass(frozen=True)
class CellPower:
    """What it takes to know one cell.

    Attributes:
        sd: of the samples, in the table's unit.
        half_width: of this run's interval (Student's t at the policy's level).
        needed: images for a half width as small as the policy's margin of the metric.
        beside_print: images with which the interval of the difference to the paper's cell, were the data the paper's,
            is no wider than the paper's effect; infinite where the paper's n is too small, NaN where it prints none.
    """

    row: str
    column: str
    n: int
    sd: float
    half_width: float
    margin: float
    needed: float
    beside_print: float


@dataclass(frozen=True)
class EffectPower:
    """What it takes to resolve one paired effect of this run.

    Attributes:
        sd: of the paired differences over images.
        detectable: smallest effect this run's images resolve with the policy's chance.
        needed: images that resolve an effect as large as the one observed, at the level that Holm asks of the most
            extreme of the column's methods.
        needed_for_paper: images for an effect as large as the paper's, on this spread; NaN where it prints none.
        curve: the chance of resolving the observed effect, one for each of SIZES.
    """

    row: str
    column: str
    baseline: str
    n: int
    mean: float
    sd: float
    detectable: float
    needed: float
    paper: float
    needed_for_paper: float
    curve: tuple[float, ...]


@dataclass(frozen=True)
class TablePower:
    """The power of one table of one run."""

    table: str
    cells: tuple[CellPower, ...]
    effects: tuple[EffectPower, ...]
    power: float


def table_power(table: TableDefinition, run: RunRecords, policy: Policy) -> TablePower:
    """What each cell and each effect of a table would take; cells with fewer than two samples are left out."""
    found = [cell for cell in cells(table, run) if cell.kind in {"value", "average"} and cell.n >= 2]
    by_name = {(cell.row, cell.column): cell for cell in found}
    effects = []
    for cell in found:
        baseline = table.baseline(cell.column)
        other = by_name.get((cell.row, baseline or ""))
        if other is not None and cell.column != baseline:
            methods = sum(one.column == cell.column and one.row != AVERAGE for one in found)
            effects.append(_effect(table, cell, other, 1 if cell.row == AVERAGE else methods, policy))
    return TablePower(
        table.id,
        tuple(_cell(table, cell, table.baseline(cell.column) or "", policy) for cell in found),
        tuple(one for one in effects if one is not None),
        policy.directions.power,
    )


def _cell(table: TableDefinition, cell: Cell, baseline: str, policy: Policy) -> CellPower:
    sd, level = float(cell.array.std(ddof=1)), policy.intervals.level
    margin = policy.paper.margins.get(table.metric_of(cell.column), math.nan) * point(table.unit)
    # A printed mean of infinitely many samples leaves our own error alone.
    own = math.inf if math.isnan(margin) else samples_needed(sd, 10**12, half_width=margin, level=level)
    effect, n_paper = _paper(table, cell, baseline)
    beside = math.nan
    if math.isfinite(effect) and effect and n_paper:
        beside = samples_needed(sd, n_paper, half_width=abs(effect) / 2, level=1 - 2 * policy.paper.alpha)
    return CellPower(cell.row, cell.column, cell.n, sd, _half(sd, cell.n, level), margin, own, beside)


def _half(sd: float, n: int, level: float) -> float:
    return float(stats.t.ppf((1 + level) / 2, n - 1)) * sd / math.sqrt(n)


def _effect(table: TableDefinition, cell: Cell, other: Cell, tests: int, policy: Policy) -> EffectPower | None:
    before = dict(zip(other.samples, other.values, strict=True))
    gains = [value - before[s] for s, value in zip(cell.samples, cell.values, strict=True) if s in before]
    if len(gains) < 2:
        return None
    mean, sd = math.fsum(gains) / len(gains), _sd(gains)
    # Holm asks alpha / m of the smallest of m p-values, so this is what certainly suffices.
    level, power = 1 - policy.intervals.alpha / tests, policy.directions.power
    paper, _ = _paper(table, cell, other.column)
    return EffectPower(
        cell.row,
        cell.column,
        other.column,
        len(gains),
        mean,
        sd,
        detectable=detectable_mean(sd, len(gains), level=level, power=power),
        needed=seeds_needed(mean, sd, level=level, power=power),
        paper=paper,
        needed_for_paper=math.nan if math.isnan(paper) else seeds_needed(paper, sd, level=level, power=power),
        curve=tuple(power_of_mean(mean, sd, size, level=level) for size in SIZES),
    )


def _paper(table: TableDefinition, cell: Cell, baseline: str) -> tuple[float, int]:
    """The paper's effect in this row, and the samples behind the printed cell; NaN and 0 where it prints none."""
    try:
        found = published.load(table.id.upper())
    except UnknownNameError:
        return math.nan, 0
    row = {one.column: one for one in found.cells if one.row == cell.row}
    printed = row.get(cell.column)
    return paper_effect(row, cell.column, baseline), (printed.n if printed and printed.n else table.n_paper)


def _sd(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
