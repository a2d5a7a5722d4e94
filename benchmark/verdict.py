"""What a run says: a verdict on every cell, and on every direction over seeds.

A cell of an embedded scale is compared with its golden range, and with the stored run of its own seed; never with the
paper's number, which was measured on other data: there the paper lends the directions alone. A cell whose network and
data are the paper's is compared with the printed one and with nothing else.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from analysis.paired import ClusterMean, holm
from analysis.replication import Fresh
from analysis.seeds import SeedMean, mean_over_seeds
from data_manifests import published
from data_manifests.errors import UnknownNameError

from . import direction as directions
from . import seeds
from .cells import AVERAGE, Cell, cells, decimals
from .claims.verification import ClaimVerdict, comparable, verify
from .comparison import Comparison, compare, paper_effect, printed_mean
from .definition import TableDefinition
from .direction import Direction
from .effect import Effect, effect, effects
from .golden import Golden, GoldenRange
from .joint import Joint, joints
from .policy import Policy
from .ranking import Ranking, rankings
from .records import RunRecords
from .remembered import cluster_mean
from .replay import Replayed, replayed
from .seeds import SeedSummary

Outcome = Literal[
    "deviates",
    "drifted",
    "invalid",
    "incomplete",
    "no range",
    "not run",
    "within",
    "reproduced",
    "consistent",
    "uninformative",
]
"""deviates: outside its golden range, or outside where a repetition of the paper falls; drifted: inside its range, but
further from the stored value of the same seed than a replay moves; invalid: too many failed units; incomplete: units
are missing; no range: none was measured for what this run computed; not run: nothing here computes it; within: inside
its golden range. Where network and data are the paper's: see `benchmark.comparison.Standing`."""

FAILING: frozenset[Outcome] = frozenset({"deviates", "drifted", "invalid"})
"""Outcomes that fail a check."""

Resolution = Literal["resolved", "reversed", "unresolved", "unmeasured"]


@dataclass(frozen=True)
class CellVerdict:
    """One cell with its interval, its golden range and what follows.

    Attributes:
        interval: of the mean over samples; None where there is no sample or the cell is no mean over samples.
        golden: None where none was measured for what this run computed.
        paper: the printed cell, exactly as printed and measured on other data; "" where the paper prints none.
        reason: why, in words; empty where the outcome says it all.
        replayed: beside the stored run of the same seed; None where none is stored or no tolerance was measured.
        comparison: beside the printed cell; None unless network and data are the paper's.
    """

    cell: Cell
    interval: ClusterMean | None
    golden: GoldenRange | None
    paper: str
    outcome: Outcome
    reason: str
    replayed: Replayed | None = None
    comparison: Comparison | None = None


@dataclass(frozen=True)
class DirectionVerdict:
    """One direction over the stored seeds, with this run beside it.

    Attributes:
        paper: high - low as printed, on other data.
        over_seeds: high - low over seeds, in the table's unit; None where no seed was stored.
        values: high - low of each seed, in order of seed.
        low_mean: the low column's mean over the same seeds; NaN where there are none.
        adjusted_p: after Holm over all directions that were measured.
        here: high - low in this run, over its samples; None where this run has not both cells.
    """

    direction: Direction
    paper: str
    outcome: Resolution
    reason: str
    over_seeds: SeedMean | None
    values: tuple[float, ...]
    low_mean: float
    adjusted_p: float
    here: Effect | None


@dataclass(frozen=True)
class Judgement:
    """Every verdict on one run.

    Attributes:
        joints: how many methods of each column gain, from one bootstrap over images.
        rankings: which columns and methods of a table can be told apart.
    """

    cells: tuple[CellVerdict, ...]
    effects: tuple[Effect, ...]
    directions: tuple[DirectionVerdict, ...]
    golden: Golden | None
    policy: Policy
    claims: tuple[ClaimVerdict, ...] = ()
    joints: tuple[Joint, ...] = ()
    rankings: tuple[Ranking, ...] = ()

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many cells have each outcome, every outcome listed."""
        found = Counter(verdict.outcome for verdict in self.cells)
        return {outcome: found[outcome] for outcome in get_args(Outcome)}

    def exit_code(self, *, check: bool) -> int:
        """What a command should exit with: 0 fine, 1 deviates, 3 incomplete.

        Without `check` only missing units count. With it, a cell outside its range or invalid gives 1, and one without
        a range to be checked against gives 3.
        """
        counts = self.counts
        if counts["incomplete"]:
            return 3
        if check and any(counts[outcome] for outcome in FAILING):
            return 1
        return 3 if check and counts["no range"] else 0


def judge(run: RunRecords, *, golden: Golden | None, summaries: Sequence[SeedSummary], policy: Policy) -> Judgement:
    """Every verdict on a run, given the golden ranges and the per-seed summaries of its scale."""
    by_table = {table.id: cells(table, run) for table in run.tables}
    everything = [cell for found in by_table.values() for cell in found]
    stored = _stored(run, summaries)
    judged = []
    for table in run.tables:
        if is_the_papers(table, run):
            judged += [_judge_against_print(cell, table, by_table[table.id], policy) for cell in by_table[table.id]]
        else:
            judged += [_judge_cell(cell, run, golden, stored, policy) for cell in by_table[table.id]]
    gains = {table.id: effects(table, by_table[table.id], policy) for table in run.tables}
    return Judgement(
        cells=tuple(judged),
        effects=tuple(one for found in gains.values() for one in found),
        joints=tuple(one for table in run.tables for one in joints(table, by_table[table.id], gains[table.id], policy)),
        rankings=tuple(one for table in run.tables for one in rankings(table, by_table[table.id], policy)),
        directions=judge_directions(summaries, policy, run=run, found=everything),
        golden=golden,
        policy=policy,
        claims=verify(everything, comparable(run, summaries), policy),
    )


def judge_directions(
    summaries: Sequence[SeedSummary],
    policy: Policy,
    *,
    run: RunRecords | None = None,
    found: Sequence[Cell] = (),
) -> tuple[DirectionVerdict, ...]:
    """Every direction of this release over the stored seeds; with a run, its own cells `found` beside them.

    Seeds that computed something else than the run say nothing about it and are left out.
    """
    runs = seeds.reference(summaries)
    stale = bool(runs) and run is not None and runs[0].identity != seeds.identity(run)
    measured = [(one, () if stale else _over_seeds(one, runs)) for one in directions.load()]
    means = [_mean([high - low for high, low in pairs], policy) if pairs else None for _, pairs in measured]
    adjusted = holm([math.nan if mean is None else mean.p_value for mean in means])
    verdicts = []
    for (one, pairs), mean, p in zip(measured, means, adjusted.tolist(), strict=True):
        here = effect(found, policy, one.table, one.row, column=one.high, baseline=one.low)
        outcome, reason = _resolve(mean, p, stale=stale, policy=policy, shown=decimals(one.unit))
        verdicts.append(
            DirectionVerdict(
                direction=one,
                paper=f"{one.paper:+}",
                outcome=outcome,
                reason=reason,
                over_seeds=mean,
                values=tuple(high - low for high, low in pairs),
                low_mean=math.fsum(low for _, low in pairs) / len(pairs) if pairs else math.nan,
                adjusted_p=p,
                here=here if here.difference else None,
            )
        )
    return tuple(verdicts)


def is_the_papers(table: TableDefinition, run: RunRecords) -> bool:
    """Whether a run computed a table on the network and data that the paper printed it for."""
    return str(run.provenance.get("setting", "")) == table.setting


def _judge_against_print(cell: Cell, table: TableDefinition, of_table: Sequence[Cell], policy: Policy) -> CellVerdict:
    """The verdict on a cell whose network and data are the paper's."""
    interval, paper = _interval(cell, policy), _paper(cell)
    outcome, reason = _without_value(cell, policy)
    if outcome is not None:
        return CellVerdict(cell, interval, None, paper, outcome, reason)
    found = published.load(cell.table.upper()) if paper else None
    row = {one.column: one for one in found.cells if one.row == cell.row} if found is not None else {}
    printed = printed_mean(row[cell.column], default_n=table.n_paper) if cell.column in row else None
    if printed is None or cell.n < 2 or cell.kind == "measurement":
        why = "the paper prints no mean over samples here" if printed is None else "one value has no spread"
        return CellVerdict(cell, interval, None, paper, "no range", why)
    compared = compare(
        printed,
        Fresh(cell.mean, float(cell.array.std(ddof=1)), cell.n),
        metric=table.metric_of(cell.column),
        effect=paper_effect(row, cell.column, table.baseline(cell.column) or ""),
        cells=sum(one.kind in {"value", "average"} and not one.not_run for one in of_table),
        policy=policy,
        unit=table.unit,
    )
    return CellVerdict(cell, interval, None, paper, compared.outcome, compared.reason, comparison=compared)


def _stored(run: RunRecords, summaries: Sequence[SeedSummary]) -> SeedSummary | None:
    """The reference run of the same seed, if it computed the same as this one."""
    same = (one for one in seeds.reference(summaries) if one.seed == run.seed and one.identity == seeds.identity(run))
    return next(same, None)


def _judge_cell(
    cell: Cell, run: RunRecords, golden: Golden | None, stored: SeedSummary | None, policy: Policy
) -> CellVerdict:
    known = golden is not None and golden.identity == seeds.identity(run)
    version = next(table.version for table in run.tables if table.id == cell.table)
    same_table = known and golden is not None and golden.tables.get(cell.table) == version
    found = golden.range((cell.table, cell.row, cell.column)) if golden is not None and same_table else None
    outcome, reason = _outcome(cell, found, policy)
    if outcome == "no range" and golden is not None and not same_table:
        what = f"version {version} of this table" if known else "this protocol and recipe"
        reason = f"the ranges of scale '{run.scale}' were not measured for {what}"
    again = None
    if golden is not None and found is not None and outcome == "within":
        again = replayed(cell, run.weights_sha256, stored, golden.replays)
        if again is not None and again.drifted:
            outcome, shown = "drifted", decimals(cell.unit)
            more = shown + 1  # than of a value: a replay moves it by little
            reason = (
                f"{again.moved:+.{more}f} from {again.stored:.{shown}f}, the stored value of seed {run.seed}; a replay "
                f"on {'the same' if again.tolerance.network == 'same' else 'a retrained'} network may move it by "
                f"{again.tolerance.allowed:.{more}f}"
            )
    return CellVerdict(cell, _interval(cell, policy), found, _paper(cell), outcome, reason, replayed=again)


def _outcome(cell: Cell, golden: GoldenRange | None, policy: Policy) -> tuple[Outcome, str]:
    outcome, reason = _without_value(cell, policy)
    return _compared(cell, golden) if outcome is None else (outcome, reason)


def _without_value(cell: Cell, policy: Policy) -> tuple[Outcome | None, str]:
    """Why a cell cannot be compared with anything; None where it can."""
    why = f": {cell.reasons[0]}" if cell.reasons else ""
    if cell.not_run:
        return "not run", cell.not_run
    if cell.missing:
        return "incomplete", f"{cell.missing} of {cell.asked} units were not computed yet"
    if cell.asked and cell.failed / cell.asked > policy.units.failed_share:
        return "invalid", f"{cell.failed} of {cell.asked} units failed{why}"
    if not cell.n:
        return "not run", f"none of {cell.asked} units has a value{why}"
    return None, ""


def _compared(cell: Cell, golden: GoldenRange | None) -> tuple[Outcome, str]:
    if golden is None:
        return "no range", "none was measured"
    if golden.low <= cell.mean <= golden.high:
        return "within", ""
    side = "below" if cell.mean < golden.low else "above"
    shown = decimals(cell.unit)
    said = f"{cell.mean:.{shown}f} lies {side} {golden.low:.{shown}f} to {golden.high:.{shown}f}"
    return "deviates", said


def _interval(cell: Cell, policy: Policy) -> ClusterMean | None:
    if not cell.n or cell.kind == "measurement":  # an accuracy is one number a network or a patch, no mean over samples
        return None
    generator = policy.generator("cell", cell.table, cell.row, cell.column)
    return cluster_mean(cell.array, cell.samples, bootstrap=policy.bootstrap, generator=generator)


def _paper(cell: Cell) -> str:
    try:
        return published.load(cell.table.upper()).cell(cell.row, cell.column).printed
    except UnknownNameError:
        return ""


def _over_seeds(one: Direction, runs: Sequence[SeedSummary]) -> tuple[tuple[float, float], ...]:
    """The means of the high and the low column, of each seed that has both."""
    return tuple(pair for run in runs if (pair := _columns(one, run)) is not None)


def _columns(one: Direction, run: SeedSummary) -> tuple[float, float] | None:
    """Both columns of one seed; a row of averages is averaged over the methods that both columns have."""
    means = {
        (cell.row, cell.column): cell.mean for cell in run.cells if (cell.table, cell.kind) == (one.table, "value")
    }
    rows = dict.fromkeys(row for row, _ in means) if one.row == AVERAGE else (one.row,)
    both = [
        (means[row, one.high], means[row, one.low]) for row in rows if {(row, one.high), (row, one.low)} <= set(means)
    ]
    if not both:
        return None
    high, low = zip(*both, strict=True)
    return math.fsum(high) / len(both), math.fsum(low) / len(both)


def _mean(values: Sequence[float], policy: Policy) -> SeedMean:
    return mean_over_seeds(values, level=1 - policy.directions.alpha, power=policy.directions.power)


def _resolve(mean: SeedMean | None, p: float, *, stale: bool, policy: Policy, shown: int) -> tuple[Resolution, str]:
    if mean is None:
        measured = "the stored seeds were measured with another protocol or recipe than this run"
        return "unmeasured", measured if stale else "no seed is stored for it"
    chance = f"{100 * policy.directions.power:.0f} %"
    if p < policy.directions.alpha:
        word: Resolution = "resolved" if mean.mean > 0 else "reversed"
        return word, f"{mean.n} seeds would detect {mean.detectable:.{shown}f} with a chance of {chance}"
    if mean.n < 2:
        return "unresolved", "one seed has no spread"
    needed = "no number would do" if math.isinf(mean.seeds_needed) else f"it takes {mean.seeds_needed:.0f}"
    return "unresolved", (
        f"{mean.n} seeds would detect {mean.detectable:.{shown}f} with a chance of {chance}; for an effect as small "
        f"as this {needed}, before the correction for several directions"
    )
