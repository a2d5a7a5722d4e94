"""An audit in words: for a terminal, as Markdown, and as data for JSON."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from .audit import Arithmetic, Audit, ClaimCheck, stated
from .finding import Check, Finding

CHECKS: dict[Check, str] = {
    "average": "column averages",
    "difference": "printed differences",
    "repeated": "cells that repeat another table's",
    "bold": "rows with a bold cell",
    "sum": "columns of shares",
    "split": "columns of shares against whole ratings",
    "malformed": "cells that should be one number",
}
"""What each check of the tables compares, as a sentence counts it."""

OUTCOMES: dict[Arithmetic, str] = {
    "holds": "hold",
    "rounding decides": "are decided by rounding",
    "does not hold": "do not hold",
    "not checkable": "cannot be checked",
}

WIDTH = 110


def headline(audit: Audit) -> str:
    """What an audit found, in a sentence."""
    sentences = sum(one.check == "claim" for one in audit.findings)
    counts = Counter(one.outcome for one in audit.claims)
    checkable = len(audit.claims) - counts["not checkable"]
    return (
        f"{sentences} of {checkable} checkable claims do not hold on the paper's own numbers, and "
        f"{len(audit.findings) - sentences} printed cells or sums do not fit the rest."
    )


def text(audit: Audit, *, everything: bool = False) -> str:
    """The audit for a terminal: what does not hold, then what was checked; with `everything` each claim."""
    lines = [headline(audit), ""]
    for finding in audit.findings:
        lines += [*_finding(finding), ""]
    lines += [_counted(audit), ""]
    if everything:
        for one in audit.claims:
            lines += [*_claim(one), ""]
    return "\n".join(lines)


def markdown(audit: Audit, *, everything: bool = False) -> str:
    """The audit as Markdown."""
    parts = ["# The paper held against its own numbers", headline(audit)]
    header = ["Finding", "Where", "Printed", "Recomputed", "Off by", "How"]
    rows = [[one.what, one.place, one.printed, one.recomputed, one.off, one.note] for one in audit.findings]
    parts += [table(header, rows), _counted(audit)]
    if everything:
        header = ["Claim", "Kind", "Quote", "Where", "Stated", "Recomputed", "Outcome", "How it was read"]
        claims = [
            [
                one.claim.id,
                one.claim.kind,
                one.claim.quote,
                one.claim.place,
                stated(one.claim),
                one.recomputed,
                one.outcome,
                one.claim.reason or one.claim.note,
            ]
            for one in audit.claims
        ]
        parts += ["## Every claim", table(header, claims)]
    return "\n\n".join(parts) + "\n"


def data(audit: Audit) -> dict[str, Any]:
    """The audit for JSON, every claim included; exact values as decimals in text."""
    return {
        "headline": headline(audit),
        "checked": {"claim": len(audit.claims), **audit.checked},
        "findings": [asdict(one) for one in audit.findings],
        "claims": [
            {
                "id": one.claim.id,
                "kind": one.claim.kind,
                "quote": one.claim.quote,
                "place": one.claim.place,
                "on": one.claim.on,
                "expression": one.claim.expression.text if one.claim.expression else None,
                "stated": stated(one.claim),
                "recomputed": one.recomputed,
                "off": one.off,
                "outcome": one.outcome,
                "note": one.claim.note,
                "reason": one.claim.reason,
            }
            for one in audit.claims
        ],
    }


def _counted(audit: Audit) -> str:
    counts = Counter(one.outcome for one in audit.claims)
    claims = ", ".join(f"{counts[outcome]} {words}" for outcome, words in OUTCOMES.items() if counts[outcome])
    tables = ", ".join(f"{audit.checked[check]} {words}" for check, words in CHECKS.items())
    return f"Checked: {len(audit.claims)} claims ({claims}); {tables}."


def _finding(finding: Finding) -> list[str]:
    what = f"“{finding.what}”" if finding.check == "claim" else finding.what
    off = f" (off by {finding.off})" if finding.off else ""
    return [
        *wrapped(f"{finding.id}: {what}, {finding.place}"),
        *wrapped(f"printed {finding.printed}, recomputed {finding.recomputed}{off}", indent=4),
        *(wrapped(finding.note, indent=4) if finding.note else []),
    ]


def _claim(one: ClaimCheck) -> list[str]:
    claim = one.claim
    lines = wrapped(f"{one.outcome}: {claim.id} ({claim.kind}): “{claim.quote}”, {claim.place}")
    if claim.expression is not None:
        lines += wrapped(f"states {stated(claim)}; {claim.expression.text} = {one.recomputed}", indent=4)
    lines += wrapped(claim.reason or claim.note, indent=4)
    return lines


def wrapped(words: str, *, indent: int = 0) -> list[str]:
    """Words in lines of a terminal; what follows the first is indented."""
    return textwrap.wrap(
        words,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent or 2),
        break_on_hyphens=False,
        break_long_words=False,
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; what would end a cell is escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(_safe(one) for one in line)} |" for line in lines)


def _safe(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
