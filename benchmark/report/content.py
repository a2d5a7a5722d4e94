"""What a report says, the same for the page, Markdown, JSON, CSV and JUnit: names, numbers and reasons, no layout."""

import math
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..cells import AVERAGE, Cell
from ..definition import TableDefinition
from ..effect import Effect
from ..golden import Golden
from ..policy import Policy
from ..ranking import Ranking
from ..records import RunRecords, UnitRecord
from ..replay import Replayed
from ..timing import time_ratios
from ..verdict import CellVerdict, DirectionVerdict, Judgement, Outcome
from .claim_content import ClaimsContent
from .claim_content import build as build_claims
from .gallery import Gallery

OTHER_DATA = "other data: direction only"
"""What stands beside every number of the paper: an embedded scale is never compared with it."""

COMPARED = frozenset({"within", "deviates", "drifted", "reproduced", "consistent", "uninformative"})
"""Outcomes of cells that were compared with something."""

NAMED = 6
"""Cells with one reason that are named one by one; more are counted."""


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
    """What a column gains over the dense network in one row of this run, on the same samples."""

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
    n_paper: int
    columns: tuple[str, ...]
    rows: tuple[tuple[CellEntry, ...], ...]
    controls: tuple[CellEntry, ...]
    effects: tuple[tuple[EffectEntry, ...], ...]
    counts: tuple[str, ...]
    """How many methods of each column gain, in a sentence each."""
    rankings: tuple[RankingEntry, ...]


@dataclass(frozen=True)
class DirectionEntry:
    """One direction: the paper's sign, the stored seeds with their power, and this run."""

    id: str
    sentence: str
    table: str
    high_column: str
    low_column: str
    paper: str
    outcome: str
    reason: str
    mean: float
    low: float
    high: float
    sd: float
    n: int
    values: tuple[float, ...]
    adjusted_p: float
    detectable: float
    seeds_needed: float
    error_removed: float
    """Share of the dense network's distance from a perfect score (100 - AUC) that the mean removes, over seeds; NaN
    where the low column is not the dense network."""
    here: EffectEntry | None


@dataclass(frozen=True)
class ReasonEntry:
    """One reason for which cells were not compared, and where: a whole column or row is named once."""

    outcome: Outcome
    reason: str
    where: tuple[str, ...]
    cells: int


@dataclass(frozen=True)
class ArmEntry:
    """What happened to the units of one arm: outcomes, predictions kept, time, and what the solver fell back to."""

    arm: str
    units: int
    without_value: int
    kept: float
    seconds: float
    fallbacks: int
    dead_columns: int
    time_ratio: str
    """Time over the dense network's, by image and method, with its interval; "" where there is nothing to pair."""


@dataclass(frozen=True)
class ProblemEntry:
    """Units of one arm and method without a value for one reason."""

    status: str
    arm: str
    method: str
    reason: str
    units: int


@dataclass(frozen=True)
class Content:
    """Everything a report says about one run."""

    scale: str
    seed: int
    headline: str
    """What became of the cells, in a sentence."""
    summary: str
    """What became of the paper's directions, in a sentence."""
    check_exit_code: int
    counts: Mapping[Outcome, int]
    level: float
    """Of the intervals within this run."""
    direction_level: float
    """Of the intervals over seeds."""
    not_run: tuple[ReasonEntry, ...]
    directions: tuple[DirectionEntry, ...]
    claims: ClaimsContent
    tables: tuple[TableEntry, ...]
    gallery: Gallery
    arms: tuple[ArmEntry, ...]
    problems: tuple[ProblemEntry, ...]
    ranges: Mapping[str, str]
    provenance: Mapping[str, str]


def build(run: RunRecords, judgement: Judgement, gallery: Gallery) -> Content:
    """What a report says about a run and the verdicts on it."""
    return Content(
        scale=run.scale,
        seed=run.seed,
        headline=_headline(judgement),
        summary=_summary(judgement),
        check_exit_code=judgement.exit_code(check=True),
        counts=judgement.counts,
        level=judgement.policy.intervals.level,
        direction_level=1 - judgement.policy.directions.alpha,
        not_run=_reasons(judgement),
        directions=tuple(_direction(one) for one in judgement.directions),
        claims=build_claims(judgement.claims),
        tables=tuple(_table(table, judgement) for table in run.tables),
        gallery=gallery,
        arms=_arms(run, judgement.policy),
        problems=_problems(run),
        ranges=_ranges(judgement.golden),
        provenance=_provenance(run, judgement),
    )


def _headline(judgement: Judgement) -> str:
    counts = judgement.counts
    judged = counts["within"] + counts["deviates"] + counts["drifted"]
    if not judged:
        first = "No cell was compared with a golden range."
    elif counts["deviates"]:
        first = f"{counts['deviates']} of {judged} cells lie outside their golden range."
    elif counts["drifted"]:
        first = (
            f"{counts['drifted']} of {judged} cells moved further from the stored values of this seed than a replay."
        )
    else:
        first = f"All {judged} cells that were compared lie inside their golden range."
    worse = " and ".join(f"{counts[word]} more are {word}" for word in ("invalid", "incomplete") if counts[word])
    return f"{first} {worse}." if worse else first


def _summary(judgement: Judgement) -> str:
    found = Counter(one.outcome for one in judgement.directions)
    parts = [f"{found[word]} {word}" for word in ("resolved", "reversed", "unresolved", "unmeasured") if found[word]]
    return f"Of the paper's {len(judgement.directions)} directions, over seeds: {', '.join(parts)}."


def _reasons(judgement: Judgement) -> tuple[ReasonEntry, ...]:
    found: dict[tuple[Outcome, str, str], list[Cell]] = {}
    for one in judgement.cells:
        if one.outcome not in COMPARED:
            found.setdefault((one.outcome, one.reason, one.cell.table), []).append(one.cell)
    return tuple(
        ReasonEntry(outcome, reason, _where(cells, judgement), len(cells))
        for (outcome, reason, _), cells in found.items()
    )


def _where(cells: Sequence[Cell], judgement: Judgement) -> tuple[str, ...]:
    """Names for cells of one table: of a column or a row if they are all of it, of the table if they are many."""
    table = f"Table {cells[0].table.upper()}"
    everything = [one.cell for one in judgement.cells if one.cell.table == cells[0].table]
    columns, rows = {cell.column for cell in cells}, {cell.row for cell in cells}
    if len(columns) == 1 and len(cells) == sum(cell.column in columns for cell in everything) > 1:
        return (f"{table}, {cells[0].column}",)
    if len(rows) == 1 and len(cells) == sum(cell.row in rows for cell in everything) > 1:
        return (f"{table}, {cells[0].row}",)
    if len(cells) > NAMED:
        return (table,)
    return tuple(f"{table}, {cell.row}, {cell.column}" for cell in cells)


def _table(table: TableDefinition, judgement: Judgement) -> TableEntry:
    entries = [_cell(one) for one in judgement.cells if one.cell.table == table.id]
    shown = [entry for entry in entries if entry.kind != "control"]
    gains = [entry for one in judgement.effects if one.table == table.id and (entry := _effect(one)) is not None]
    rows = [*(row.name for row in table.rows), *([AVERAGE] * table.average)]
    return TableEntry(
        id=table.id.upper(),
        title=table.title,
        quote=table.quote,
        place=table.place,
        setting=table.setting,
        note=table.note,
        n_paper=table.n_paper,
        columns=tuple(dict.fromkeys(entry.column for entry in shown)),
        rows=tuple(tuple(entry for entry in shown if entry.row == row) for row in rows),
        controls=tuple(entry for entry in entries if entry.kind == "control"),
        effects=tuple(
            tuple(entry for entry in gains if entry.column == column)
            for column in dict.fromkeys(entry.column for entry in gains)
        ),
        counts=tuple(f"{one.sentence}." for one in judgement.joints if one.table == table.id),
        rankings=tuple(_ranking(one) for one in judgement.rankings if one.table == table.id),
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
        replay=_replay(verdict.replayed),
    )


def _replay(found: Replayed | None) -> str:
    if found is None:
        return ""
    if found.moved == 0:
        return "equal to the stored run of this seed"
    return f"{found.moved:+.3f} from the stored run of this seed, {found.tolerance.allowed:.3f} allowed"


def _effect(effect: Effect) -> EffectEntry | None:
    difference = effect.difference
    if difference is None:
        return None
    return EffectEntry(
        table=effect.table.upper(),
        row=effect.row,
        column=effect.column,
        baseline=effect.baseline,
        mean=difference.mean,
        low=difference.low,
        high=difference.high,
        n=difference.n,
        improved=difference.improved,
        p_value=difference.p_value,
        adjusted_p=effect.adjusted_p,
        resolved=effect.resolved,
    )


def _direction(verdict: DirectionVerdict) -> DirectionEntry:
    one, mean = verdict.direction, verdict.over_seeds
    return DirectionEntry(
        id=one.id,
        sentence=one.sentence,
        table=one.table.upper(),
        high_column=one.high,
        low_column=one.low,
        paper=verdict.paper,
        outcome=verdict.outcome,
        reason=verdict.reason,
        mean=mean.mean if mean else math.nan,
        low=mean.low if mean else math.nan,
        high=mean.high if mean else math.nan,
        sd=mean.sd if mean else math.nan,
        n=mean.n if mean else 0,
        values=verdict.values,
        adjusted_p=verdict.adjusted_p,
        detectable=mean.detectable if mean else math.nan,
        seeds_needed=mean.seeds_needed if mean else math.nan,
        error_removed=mean.mean / (100 - verdict.low_mean) if mean and one.low == "Dense" else math.nan,
        here=_effect(verdict.here) if verdict.here else None,
    )


def _arms(run: RunRecords, policy: Policy) -> tuple[ArmEntry, ...]:
    by_arm: dict[str, list[UnitRecord]] = {}
    for record in _in_order(run):
        by_arm.setdefault(record.arm, []).append(record)
    ratios = {one.arm: f"x {one.ratio:.2g} [{one.low:.2g}, {one.high:.2g}]" for one in time_ratios(run, policy)}
    return tuple(_arm(arm, records, ratios.get(arm, "")) for arm, records in by_arm.items())


def _arm(arm: str, records: Sequence[UnitRecord], time_ratio: str) -> ArmEntry:
    kept = [record.kept for record in records if record.kept is not None]
    return ArmEntry(
        arm=arm,
        units=len(records),
        without_value=sum(record.status != "ok" for record in records),
        kept=statistics.mean(map(float, kept)) if kept else math.nan,
        seconds=math.fsum(record.seconds for record in records),
        fallbacks=sum(bool(record.fallbacks) for record in records),
        dead_columns=sum(bool(record.dead_columns) for record in records),
        time_ratio=time_ratio,
    )


def _problems(run: RunRecords) -> tuple[ProblemEntry, ...]:
    counts = Counter(
        (record.status, record.arm, record.method, record.reason) for record in _in_order(run) if record.status != "ok"
    )
    return tuple(ProblemEntry(*names, units=count) for names, count in counts.items())


def _in_order(run: RunRecords) -> list[UnitRecord]:
    """Every record once, in the order the tables ask for it."""
    keys = dict.fromkeys(key for cell in run.asked for _, key in cell.units)
    return [run.records[key] for key in keys if key in run.records]


def _ranges(golden: Golden | None) -> dict[str, str]:
    if golden is None:
        return {}
    found = {
        "Seeds": f"{len(golden.seeds)}: {', '.join(map(str, golden.seeds))}",
        "Measured": f"{golden.first} to {golden.last}",
        "Arithmetic": f"torch {golden.condition.torch}, {golden.condition.threads} thread(s), {golden.condition.cpu}",
        "Level": f"each range holds one fresh seed with probability {golden.level:.6f}, all {len(golden.ranges)} "
        f"together with at least {1 - golden.family_alpha:.2f} (Bonferroni)",
        "Releases": ", ".join(f"{name} {release}" for name, release in golden.releases.items()),
        "Computed from": f"per-seed summaries, sha256 {golden.seeds_sha256}",
        "Policy": f"sha256 {golden.policy_sha256}",
    }
    for one in golden.arithmetic:
        found[f"Same seeds, {one.condition}"] = (
            f"seeds {', '.join(map(str, one.seeds))}: {one.values} values moved by {one.rms:.3f} (root mean square), "
            f"{one.largest:.3f} at most; {one.outside} outside their range"
        )
    if not golden.arithmetic:
        found["Other arithmetic"] = "not measured"
    for network, words in (("same", "the same network"), ("other", "a retrained network")):
        known = [one for one in golden.replays if one.network == network]
        if known:
            widest, typical = max(one.allowed for one in known), statistics.median(one.allowed for one in known)
            found[f"Replay of a seed, {words}"] = (
                f"{known[0].replays} replays ({'; '.join(known[0].environments)}): a cell may move by {typical:.3f} "
                f"(median over columns), {widest:.3f} at most; {sum(one.missed for one in known)} of "
                f"{sum(one.values for one in known)} moves fall outside what the other replays allow"
            )
        else:
            found[f"Replay of a seed, {words}"] = "too few replays were measured for a tolerance"
    for blessing in golden.blessings:
        found[f"Blessed {blessing.date}"] = (
            f"tables {', '.join(blessing.tables)}, release {blessing.release}: {blessing.reason}"
        )
    return found


def _provenance(run: RunRecords, judgement: Judgement) -> dict[str, str]:
    facts = run.provenance
    found = {"Scale and seed": f"{run.scale}, seed {run.seed}", "Network": f"recipe sha256 {run.recipe_sha256}"}
    found |= {f"Accuracy: {name.replace('_', ' ')}": f"{100 * value:.2f} %" for name, value in run.accuracy.items()}
    for i, one in enumerate(facts.get("invocations", ()), start=1):
        found[f"Command {i}"] = (
            f"{one.get('command')} ({one.get('started')}, {one.get('seconds')} s, {one.get('workers')} worker(s))"
        )
    plain = {key: value for key, value in facts.items() if key not in {"invocations", "releases", "policy_sha256"}}
    found |= {key.replace("_", " ").capitalize(): str(value) for key, value in plain.items() if value is not None}
    found["Releases"] = ", ".join(f"{name} {release}" for name, release in facts.get("releases", {}).items())
    found |= {f"Protocol: {key}": value for key, value in _flat(run.protocol)}
    found["Policy"] = f"version {judgement.policy.version}, sha256 {judgement.policy.sha256}"
    if facts.get("policy_sha256") not in {None, judgement.policy.sha256}:
        found["Policy at the time of the run"] = f"sha256 {facts['policy_sha256']} (another one than judges here)"
    return found


def _flat(facts: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Every fact with its path, however deep it lies."""
    for key, value in facts.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}, ")
        else:
            yield f"{above}{key}".replace("_", " "), str(value)
