"""What a report says of one table: its cells, what columns gain, and which can be told apart."""

import math
from dataclasses import dataclass

from ..cells import AVERAGE, decimals
from ..definition import TableDefinition
from ..effect import Effect
from ..ranking import Ranking
from ..replay import Replayed
from ..verdict import CellVerdict, Judgement, Outcome


@dataclass(frozen=True)
class CellEntry:
    """One cell: what the paper prints, what this run has, where a fresh seed falls, and the verdict.

    `mean` is NaN where there is no value; `low` and `high` where there is no interval; `golden_low` and `golden_high`
    where there is no range.
    """

    table: str
    row: str
    column: str
    kind: str
    unit: str
    paper: str
    mean: float
    low: float
    high: float
    n: int
    asked: int
    failed: int
    golden_low: float
    golden_high: float
    outcome: Outcome
    reason: str
    replay: str
    """How the cell stands to the stored run of the same seed, in words; "" where there is none to stand to."""


@dataclass(frozen=True)
class EffectEntry:
    """What a column is above the dense network in one row of this run, on the same samples.

    Where `lower_is_better`, more is a loss; `improved` is the share of images that are better, whichever way that is.
    """

    table: str
    row: str
    column: str
    baseline: str
    mean: float
    low: float
    high: float
    n: int
    improved: float
    p_value: float
    adjusted_p: float
    resolved: bool
    lower_is_better: bool


@dataclass(frozen=True)
class RankingEntry:
    """Mean ranks over images, best first, and the groups that cannot be told apart, as places among the names.

    `groups` are those of Wilcoxon's test after Holm over all pairs, `nemenyi` those of the critical difference.
    """

    what: str
    names: tuple[str, ...]
    ranks: tuple[float, ...]
    images: int
    p_value: float
    critical_difference: float
    groups: tuple[tuple[int, int], ...]
    nemenyi: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class TableEntry:
    """One table with its cells by row, its controls, and its effects by column."""

    id: str
    title: str
    quote: str
    place: str
    setting: str
    note: str
    unit: str
    n_paper: int
    columns: tuple[str, ...]
    rows: tuple[tuple[CellEntry, ...], ...]
    controls: tuple[CellEntry, ...]
    effects: tuple[tuple[EffectEntry, ...], ...]
    counts: tuple[str, ...]
    """How many methods of each column gain, in a sentence each."""
    rankings: tuple[RankingEntry, ...]

    @property
    def baselines(self) -> str:
        """The dense columns that others are compared with, one a metric, in words."""
        return " and ".join(dict.fromkeys(one.baseline for column in self.effects for one in column))


def table(defined: TableDefinition, judgement: Judgement) -> TableEntry:
    """One table of a run with the verdicts on it."""
    entries = [_cell(one) for one in judgement.cells if one.cell.table == defined.id]
    shown = [entry for entry in entries if entry.kind != "control"]
    gains = [entry for one in judgement.effects if one.table == defined.id and (entry := effect(one)) is not None]
    rows = [*(row.name for row in defined.rows), *([AVERAGE] * defined.average)]
    return TableEntry(
        id=defined.id.upper(),
        title=defined.title,
        quote=defined.quote,
        place=defined.place,
        setting=defined.setting,
        note=defined.note,
        unit=defined.unit,
        n_paper=defined.n_paper,
        columns=tuple(dict.fromkeys(entry.column for entry in shown)),
        rows=tuple(tuple(entry for entry in shown if entry.row == row) for row in rows),
        controls=tuple(entry for entry in entries if entry.kind == "control"),
        effects=tuple(
            tuple(entry for entry in gains if entry.column == column)
            for column in dict.fromkeys(entry.column for entry in gains)
        ),
        counts=tuple(f"{one.sentence}." for one in judgement.joints if one.table == defined.id),
        rankings=tuple(_ranking(one) for one in judgement.rankings if one.table == defined.id),
    )


def _ranking(one: Ranking) -> RankingEntry:
    ranks = one.ranks
    return RankingEntry(
        what=one.what,
        names=ranks.names,
        ranks=ranks.ranks,
        images=ranks.blocks,
        p_value=ranks.p_value,
        critical_difference=ranks.critical_difference,
        groups=ranks.wilcoxon,
        nemenyi=ranks.nemenyi,
    )


def _cell(verdict: CellVerdict) -> CellEntry:
    cell, interval, golden = verdict.cell, verdict.interval, verdict.golden
    return CellEntry(
        table=cell.table.upper(),
        row=cell.row,
        column=cell.column,
        kind=cell.kind,
        unit=cell.unit,
        paper=verdict.paper,
        mean=cell.mean,
        low=interval.low if interval else math.nan,
        high=interval.high if interval else math.nan,
        n=cell.n,
        asked=cell.asked,
        failed=cell.failed,
        golden_low=golden.low if golden else math.nan,
        golden_high=golden.high if golden else math.nan,
        outcome=verdict.outcome,
        reason=verdict.reason,
        replay=_replay(verdict.replayed, decimals(cell.unit) + 1),
    )


def _replay(found: Replayed | None, shown: int) -> str:
    if found is None:
        return ""
    if found.moved == 0:
        return "equal to the stored run of this seed"
    return f"{found.moved:+.{shown}f} from the stored run of this seed, {found.tolerance.allowed:.{shown}f} allowed"


def effect(found: Effect) -> EffectEntry | None:
    """A gain over the dense network; None where there is nothing to pair."""
    difference = found.difference
    if difference is None:
        return None
    return EffectEntry(
        table=found.table.upper(),
        row=found.row,
        column=found.column,
        baseline=found.baseline,
        mean=difference.mean,
        low=difference.low,
        high=difference.high,
        n=difference.n,
        improved=difference.improved,
        p_value=difference.p_value,
        adjusted_p=found.adjusted_p,
        resolved=found.resolved,
        lower_is_better=found.lower_is_better,
    )
