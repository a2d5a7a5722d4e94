"""What our records say to each claim of the paper: holds, reversed, unresolved, not run, or other data.

The embedded scales are other data than the paper's: they can confirm or reverse a direction, never a number.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.paired import holm
from data_manifests import claim as claims
from data_manifests.claim import Claim
from data_manifests.expression import AVERAGE, CellName

from .. import definition, seeds
from ..cells import Cell
from ..definition import NotRun
from ..policy import Policy
from ..records import RunRecords
from ..seeds import SeedSummary
from .evidence import Evidence, over_images, over_seeds
from .question import Question, question

Standing = Literal["holds", "reversed", "unresolved", "not run", "other data", "not checkable"]
"""holds, reversed: the direction, or its opposite, is shown; unresolved: neither is. not run: a cell is missing, the
reason says which. other data: a number measured on the paper's data, which ours is not compared with. not checkable:
nothing printed can decide it, or it is a number of the paper's set-up."""


@dataclass(frozen=True)
class ClaimVerdict:
    """What our records say to one claim.

    Attributes:
        asked: what they are asked; None where nothing can be.
        seeds: the stored seeds of the scale; None where they lack a cell, or were run otherwise than the run at hand.
        here: the run at hand; None where there is none, or it lacks a cell.
        adjusted_p: of the deciding evidence, after Holm over all questions that evidence answers; NaN without one.
        reason: why, in words.
    """

    claim: Claim
    standing: Standing
    asked: Question | None
    seeds: Evidence | None
    here: Evidence | None
    adjusted_p: float
    reason: str

    @property
    def deciding(self) -> Evidence | None:
        """The evidence the standing rests on: seeds where they have the cells, since a seed redraws everything."""
        return self.seeds or self.here


def comparable(run: RunRecords | None, summaries: Sequence[SeedSummary]) -> tuple[SeedSummary, ...]:
    """One summary a seed, of the condition most were run under; none where they computed something else than a run."""
    runs = seeds.reference(summaries)
    return () if run is not None and runs and runs[0].identity != seeds.identity(run) else runs


def verify(cells: Sequence[Cell], summaries: Sequence[SeedSummary], policy: Policy) -> tuple[ClaimVerdict, ...]:
    """Every claim, in the paper's order, held against a run's cells and the seeds that computed the same as it.

    cells: none where there is no run. summaries: one a seed, of one protocol and condition.

    A verdict rests on the seeds where they have the cells, on the run's images where only the run has.
    """
    asked = [(one, question(one)) for one in claims.load().claims]
    distinct = {(q.form, q.expression.text): q for _, q in asked if q is not None}
    stored = {key: over_seeds(q, summaries, policy) for key, q in distinct.items()}
    here = {key: over_images(q, cells, policy) for key, q in distinct.items()}
    by_seeds = _adjusted({key: found for key, found in stored.items() if found is not None})
    by_images = _adjusted({key: found for key, found in here.items() if found is not None and stored[key] is None})
    adjusted = by_seeds | by_images
    verdicts = []
    for one, q in asked:
        key = (q.form, q.expression.text) if q is not None else None
        found = (stored[key], here[key]) if key is not None else (None, None)
        p = adjusted.get(key, math.nan) if key is not None else math.nan
        standing, reason = _judge(one, q, found[0] or found[1], p, cells, policy)
        verdicts.append(ClaimVerdict(one, standing, q, *found, adjusted_p=p, reason=reason))
    return tuple(verdicts)


def _adjusted(found: Mapping[tuple[str, str], Evidence]) -> dict[tuple[str, str], float]:
    return dict(zip(found, holm([one.p_value for one in found.values()]).tolist(), strict=True)) if found else {}


def _judge(  # noqa: PLR0917 - what a standing depends on
    claim: Claim, asked: Question | None, found: Evidence | None, p: float, cells: Sequence[Cell], policy: Policy
) -> tuple[Standing, str]:
    if claim.expression is None:
        return "not checkable", claim.reason
    if asked is None:
        return "not checkable", "a number of the paper's set-up; other data have their own"
    if found is None:
        return "not run", missing(asked.expression.cells, cells)
    if asked.form == "value":
        return "other data", f"the paper's number was measured on {claim.on}; no comparison of numbers"
    return _answered(found, p, policy.directions.alpha if found.over == "seeds" else policy.intervals.alpha)


def _answered(found: Evidence, p: float, alpha: float) -> tuple[Standing, str]:
    """The standing of a question that evidence answers, p being adjusted."""
    if p < alpha:
        return ("holds" if found.answer > 0 else "reversed"), ""
    leaning = {1: "leans to yes", -1: "leans to no", 0: "leans nowhere"}[found.answer]
    if found.n < 2:
        said = f"one of {found.over} has no spread"
    elif found.p_value < alpha:
        said = f"{found.n} {found.over} show it alone (p = {found.p_value:.3f}), not after Holm over all claims"
    else:
        said = f"{found.n} {found.over} do not show it"
    return "unresolved", f"{leaning}; {said}"


def missing(names: Iterable[CellName], cells: Sequence[Cell]) -> str:
    """Why cells of the paper cannot be evaluated here: each reason of a table once, with the columns it is about."""
    reasons: dict[tuple[str, str], dict[str, None]] = {}
    for name in names:
        table, part, reason = _missing(name, cells)
        if reason:
            reasons.setdefault((table, reason), {}).setdefault(part)
    said = []
    for (table, reason), parts in reasons.items():
        where = ", ".join([table, *(part for part in parts if part)])
        said.append(f"{where}{':' if any(parts) else ''} {reason}")
    return "; ".join(said)


def _missing(name: CellName, cells: Sequence[Cell]) -> tuple[str, str, str]:
    """The table, the column or row of it ("" for all of it), and why it cannot be had; no reason where it can."""
    where, table = f"Table {name.table}", name.table.casefold()
    if table not in definition.names():
        if name.table == "I.7":
            where, why = "Figure I.7", "is no table; `spade-bench figure I.7` measures it"
        else:
            why = "is not among the tables that are run here"
        return where, "", why
    found = definition.load(table)
    for arm in found.arms:
        if arm.column == name.column and isinstance(arm, NotRun):
            return where, name.column, arm.reason
    for row in found.rows:
        if row.name == name.row and row.not_run:
            return where, name.row, row.not_run
    if name.column not in {arm.column for arm in found.arms}:
        return where, "", f"has no column {name.column} here"
    if any((c.table, c.column) == (table, name.column) and name.row in {c.row, AVERAGE} and c.n for c in cells):
        return where, name.column, ""
    return where, name.column, f"no value is stored; `spade-bench run {table}` computes it"
