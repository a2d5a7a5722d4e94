"""What our records say to the claims, in words: for a terminal, as Markdown, and as data for JSON."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, get_args

from .evidence import Evidence
from .said import table, wrapped
from .verification import ClaimVerdict, Standing

ASKED: Mapping[Standing, str] = {"holds": "shown", "reversed": "reversed", "unresolved": "unresolved"}
"""Standings of claims that our records could be asked about, as a sentence counts them."""

ANSWERED = frozenset({*ASKED, "other data"})
"""Standings with a value of ours."""


def headline(verdicts: Sequence[ClaimVerdict]) -> str:
    """What our records say, in a sentence."""
    counts = Counter(one.standing for one in verdicts)
    asked = sum(counts[name] for name in ASKED)
    found = ", ".join(f"{counts[name]} {words}" for name, words in ASKED.items())
    return f"Of {len(verdicts)} claims of the paper, {asked} could be asked of our records: {found}."


def origin(scale: str, seed: int, *, run_stored: bool, stored: int, used: int) -> str:
    """What the verdicts rest on, in a sentence."""
    run = f"the run of scale '{scale}' with seed {seed}" if run_stored else f"no run of '{scale}' with seed {seed}"
    if used:
        return f"Records: {used} seeds stored with this release, and {run}."
    why = "were measured with another protocol or recipe than this run" if stored and run_stored else "are stored"
    return f"Records: {run}; {'the seeds of this release' if stored and run_stored else 'no seeds'} {why}."


def text(verdicts: Sequence[ClaimVerdict], origin: str, *, everything: bool = False) -> str:
    """The verdicts for a terminal; without `everything` those alone that have a value of ours."""
    lines = [headline(verdicts), origin, ""]
    for one in verdicts:
        if everything or one.standing in ANSWERED:
            lines += [*_claim(one), ""]
    left = Counter(one.standing for one in verdicts if one.standing not in ANSWERED)
    if left and not everything:
        lines += [f"Not shown: {', '.join(f'{n} {name}' for name, n in sorted(left.items()))}; --all shows them.", ""]
    return "\n".join(lines)


def markdown(verdicts: Sequence[ClaimVerdict], origin: str, *, everything: bool = False) -> str:
    """The verdicts as Markdown."""
    header = ["Claim", "Quote", "Where", "Standing", "Asked", "Seeds", "This run", "p (Holm)", "Why"]
    rows = [
        [
            one.claim.id,
            one.claim.quote,
            one.claim.place,
            one.standing,
            one.asked.words if one.asked else "",
            evidence(one.seeds) if one.seeds else "",
            evidence(one.here) if one.here else "",
            "" if math.isnan(one.adjusted_p) else f"{one.adjusted_p:.3f}",
            one.reason,
        ]
        for one in verdicts
        if everything or one.standing in ANSWERED
    ]
    return "\n\n".join(["# The paper's claims on our records", headline(verdicts), origin, table(header, rows)]) + "\n"


def data(verdicts: Sequence[ClaimVerdict], origin: str) -> dict[str, Any]:
    """The verdicts for JSON; NaN becomes null."""
    counts = Counter(one.standing for one in verdicts)
    return {
        "headline": headline(verdicts),
        "records": origin,
        "counts": {name: counts[name] for name in get_args(Standing)},
        "claims": [
            {
                "id": one.claim.id,
                "kind": one.claim.kind,
                "quote": one.claim.quote,
                "place": one.claim.place,
                "standing": one.standing,
                "asked": one.asked.words if one.asked else None,
                "seeds": _plain(one.seeds),
                "here": _plain(one.here),
                "adjusted_p": None if math.isnan(one.adjusted_p) else one.adjusted_p,
                "reason": one.reason,
            }
            for one in verdicts
        ],
    }


def evidence(found: Evidence) -> str:
    """One kind of evidence in a line: the value, its interval or its parts, and how many of what."""
    places = _places(found)
    interval = f" [{found.low:.{places}f}, {found.high:.{places}f}]" if math.isfinite(found.low) else ""
    parts = f"; of {found.parts} parts {found.confirmed} shown, {found.refuted} shown reversed" if found.parts else ""
    over = found.over if found.n > 1 else found.over.removesuffix("s")
    return f"{found.mean:.{places}f}{interval}{parts}; {found.n} {over}"


def _places(found: Evidence) -> int:
    """Two decimals, or four where two would leave nothing of it: differences of shares are hundredths."""
    size = (found.high - found.low) / 2 if math.isfinite(found.low) else abs(found.mean)
    return 4 if 0 < size < 0.05 else 2


def _claim(one: ClaimVerdict) -> list[str]:
    lines = wrapped(f"{one.standing}: {one.claim.id} ({one.claim.kind}): “{one.claim.quote}”, {one.claim.place}")
    if one.asked and (one.seeds or one.here):
        lines += wrapped(one.asked.words, indent=4)
    if one.seeds:
        lines += wrapped(f"{evidence(one.seeds)}{_chance(one) if one.deciding is one.seeds else ''}", indent=4)
    if one.here:
        lines += wrapped(f"this run: {evidence(one.here)}{_chance(one) if one.deciding is one.here else ''}", indent=4)
    return lines + (wrapped(one.reason, indent=4) if one.reason else [])


def _chance(one: ClaimVerdict) -> str:
    return "" if math.isnan(one.adjusted_p) else f"; p (Holm) {one.adjusted_p:.3f}"


def _plain(found: Evidence | None) -> dict[str, Any] | None:
    if found is None:
        return None
    nan = {key for key, value in asdict(found).items() if isinstance(value, float) and not math.isfinite(value)}
    return {key: None if key in nan else value for key, value in asdict(found).items()}
