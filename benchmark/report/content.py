"""What a report says, the same for the page, Markdown, JSON, CSV and JUnit: names, numbers and reasons, no layout.

Its parts are files of their own: `table_content`, `direction_content`, `unit_content`, `provenance_content`,
`sensitivity_content` and `claim_content`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..cells import Cell
from ..records import RunRecords
from ..verdict import Judgement, Outcome
from . import sample_page
from .claim_content import ClaimsContent
from .claim_content import build as build_claims
from .direction_content import DirectionEntry, direction
from .gallery import Gallery
from .provenance_content import provenance, ranges
from .sensitivity_content import SensitivityEntry
from .sensitivity_content import build as build_sensitivity
from .table_content import TableEntry, table
from .unit_content import ArmEntry, ProblemEntry, arms, problems

OTHER_DATA = "other data: direction only"
"""What stands beside every number of the paper: an embedded scale is never compared with it."""

COMPARED = frozenset({"within", "deviates", "drifted", "reproduced", "consistent", "uninformative"})
"""Outcomes of cells that were compared with something."""

NAMED = 6
"""Cells with one reason that are named one by one; more are counted."""


@dataclass(frozen=True)
class ReasonEntry:
    """One reason for which cells were not compared, and where: a whole column or row is named once."""

    outcome: Outcome
    reason: str
    where: tuple[str, ...]
    cells: int


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
    sample_pages: Mapping[str, str]
    """By sample the address of its page."""
    arms: tuple[ArmEntry, ...]
    problems: tuple[ProblemEntry, ...]
    sensitivity: tuple[SensitivityEntry, ...]
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
        directions=tuple(direction(one) for one in judgement.directions),
        claims=build_claims(judgement.claims),
        tables=tuple(table(one, judgement) for one in run.tables),
        gallery=gallery,
        sample_pages=sample_page.addresses(run),
        arms=arms(run, judgement.policy),
        problems=problems(run),
        sensitivity=build_sensitivity(run, alpha=judgement.policy.intervals.alpha),
        ranges=ranges(judgement.golden),
        provenance=provenance(run, judgement),
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
