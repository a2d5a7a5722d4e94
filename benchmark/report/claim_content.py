"""What a report says about the paper's claims: each with the paper's own arithmetic and with what our records say."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from ..claims import said, said_of_ours
from ..claims.audit import Arithmetic, ClaimCheck, audit, stated
from ..claims.evidence import Evidence
from ..claims.finding import Finding
from ..claims.verification import ClaimVerdict, Standing


@dataclass(frozen=True)
class ClaimEntry:
    """One claim: the paper's words, its own arithmetic, and ours.

    Attributes:
        stated, recomputed, off: what the words give, what the paper's cells give, and the difference; "" without any.
        arithmetic: whether it holds on the paper's own numbers.
        asked: what other data are asked; "" where nothing can be.
        standing: what our records say.
        why: the reason of the standing, in words.
        note: how vague words were read.
    """

    id: str
    quote: str
    place: str
    kind: str
    on: str
    expression: str
    stated: str
    recomputed: str
    off: str
    arithmetic: Arithmetic
    note: str
    asked: str
    standing: Standing
    why: str
    seeds: Evidence | None
    here: Evidence | None
    adjusted_p: float


@dataclass(frozen=True)
class ClaimsContent:
    """Everything a report says about the paper's claims.

    Attributes:
        headline: what our records say to them, in a sentence.
        audit_headline: what the paper's own numbers say to them.
        standings, arithmetic: how many claims have each outcome, every outcome listed.
        findings: what does not hold on the paper's own numbers, sentences and cells.
        questions: distinct questions that p-values are adjusted over, by kind of evidence.
    """

    headline: str
    audit_headline: str
    standings: Mapping[Standing, int]
    arithmetic: Mapping[Arithmetic, int]
    entries: tuple[ClaimEntry, ...]
    findings: tuple[Finding, ...]
    questions: Mapping[str, int]


def build(verdicts: Sequence[ClaimVerdict]) -> ClaimsContent:
    """What a report says about the claims, given what our records say to each."""
    paper = audit()
    checks = {one.claim.id: one for one in paper.claims}
    entries = tuple(_entry(one, checks[one.claim.id]) for one in verdicts)
    standings = Counter(entry.standing for entry in entries)
    arithmetic = Counter(entry.arithmetic for entry in entries)
    return ClaimsContent(
        headline=said_of_ours.headline(verdicts),
        audit_headline=said.headline(paper),
        standings={name: standings[name] for name in get_args(Standing)},
        arithmetic={name: arithmetic[name] for name in get_args(Arithmetic)},
        entries=entries,
        findings=paper.findings,
        questions=_questions(verdicts),
    )


def _entry(verdict: ClaimVerdict, check: ClaimCheck) -> ClaimEntry:
    claim = verdict.claim
    return ClaimEntry(
        id=claim.id,
        quote=claim.quote,
        place=claim.place,
        kind=claim.kind,
        on=claim.on,
        expression=claim.expression.text if claim.expression else "",
        stated=stated(claim),
        recomputed=check.recomputed,
        off=check.off,
        arithmetic=check.outcome,
        note=claim.note,
        asked=verdict.asked.words if verdict.asked else "",
        standing=verdict.standing,
        why=verdict.reason,
        seeds=verdict.seeds,
        here=verdict.here,
        adjusted_p=verdict.adjusted_p,
    )


def _questions(verdicts: Sequence[ClaimVerdict]) -> dict[str, int]:
    """How many distinct questions the deciding evidence of each kind answers."""
    asked = {
        (one.deciding.over, one.asked.form, one.asked.expression.text)
        for one in verdicts
        if one.deciding is not None and one.asked is not None and not math.isnan(one.adjusted_p)
    }
    return dict(Counter(over for over, _, _ in sorted(asked)))
