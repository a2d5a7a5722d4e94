"""The paper held against its own numbers: each claim evaluated on printed cells, each table checked against itself."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Literal

from data_manifests import claim as claims
from data_manifests.claim import Claim
from data_manifests.errors import ManifestError, allowed_names
from data_manifests.printed_arithmetic import Printed, on_paper

from .consistency import check_tables
from .finding import Check, Finding, decimal, signed

Arithmetic = Literal["holds", "rounding decides", "does not hold", "not checkable"]
"""Of a claim on the paper's own numbers. rounding decides: not on the numbers as printed, but on some that round to
them. not checkable: nothing printed can decide it."""


@dataclass(frozen=True)
class ClaimCheck:
    """One claim on the paper's own numbers.

    Attributes:
        value: what the expression gives; None where there is none.
        recomputed, off: the value and stated - value in words, as exact as the sentence is; "" where there is none.
    """

    claim: Claim
    outcome: Arithmetic
    value: Printed | None
    recomputed: str
    off: str


@dataclass(frozen=True)
class Audit:
    """Everything an audit says.

    Attributes:
        claims: every claim, in the paper's order.
        checked: how many comparisons each check of the tables made.
        findings: all that does not hold, sentences first.
    """

    claims: tuple[ClaimCheck, ...]
    checked: dict[Check, int]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Known:
    """A finding that was gone through by hand, and why it is one."""

    id: str
    why: str


def audit() -> Audit:
    """The paper held against its own numbers.

    Raises:
        ManifestError: the claims or the published numbers are not as they must be.
    """
    checked = tuple(map(check, claims.load().claims))
    tables = check_tables()
    findings = (*_findings(checked), *tables.findings)
    whys = {one.id: one.why for one in known()}
    return Audit(checked, tables.checked, tuple(replace(one, note=whys.get(one.id, one.note)) for one in findings))


def check(claim: Claim) -> ClaimCheck:
    """One claim on the paper's own numbers."""
    if claim.expression is None or claim.states is None:
        return ClaimCheck(claim, "not checkable", None, "", "")
    value, stated = on_paper(claim.expression), Printed.of(claim.states)
    # As exact as the sentence is; against a bound, as exact as the cells are.
    exact = claim.kind == "count" or claim.relation == "is"
    decimals = claim.states.decimals if exact else max(claim.states.decimals, 2)
    return ClaimCheck(
        claim,
        _compare(claim, value, stated),
        value,
        decimal(value.value, decimals),
        signed(stated.value - value.value, decimals),
    )


def _compare(claim: Claim, value: Printed, stated: Printed) -> Arithmetic:
    if claim.relation == "is":
        as_printed = stated.low <= value.value <= stated.high
        possible = stated.low <= value.high and value.low <= stated.high
    else:
        bound = stated.value
        as_printed = _stands(claim, value.value, bound)
        possible = _stands(claim, value.high if claim.relation in {"above", "at least"} else value.low, bound)
    if as_printed:
        return "holds"
    return "rounding decides" if possible else "does not hold"


def _stands(claim: Claim, value: Fraction, bound: Fraction) -> bool:
    match claim.relation:
        case "above":
            return value > bound
        case "below":
            return value < bound
        case "at least":
            return value >= bound
    return value <= bound


def _findings(checked: Iterable[ClaimCheck]) -> list[Finding]:
    return [
        Finding(
            id=one.claim.id,
            check="claim",
            what=one.claim.quote,
            place=one.claim.place,
            printed=stated(one.claim),
            recomputed=one.recomputed,
            off=one.off,
            note=one.claim.note,
        )
        for one in checked
        if one.outcome == "does not hold"
    ]


def stated(claim: Claim) -> str:
    """What the words give, in a few: "5.54", "above 8", "above 0"; "" without an expression."""
    if claim.states is None:
        return ""
    number = f"{claim.states.value}"
    return number if claim.relation == "is" else f"{claim.relation} {number}"


@cache
def known() -> tuple[Known, ...]:
    """The findings that were gone through by hand.

    Raises:
        ManifestError: `benchmark/claims/known.toml` is not as it must be.
    """
    where = "benchmark/claims/known.toml"
    try:
        data = tomllib.loads(files("benchmark.claims").joinpath("known.toml").read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as problem:
        raise ManifestError(f"{where} is not TOML: {problem}.") from problem
    for key in data:
        if key != "known":
            raise ManifestError(f"{where}: unknown key '{key}'; {allowed_names(key, ['known'])}")
    found = []
    for item in data["known"]:
        if set(item) != {"id", "why"}:
            raise ManifestError(f"{where}: an entry has the keys id and why, found {', '.join(item)}.")
        found.append(Known(item["id"], item["why"]))
    return tuple(found)


def unlike_known(found: Audit) -> tuple[str, ...]:
    """How an audit differs from what is known, a sentence each; none where they agree."""
    ids, expected = [one.id for one in found.findings], [one.id for one in known()]
    fresh = [f"'{name}' does not hold and is not in known.toml" for name in ids if name not in expected]
    gone = [f"'{name}' is in known.toml and holds now" for name in expected if name not in ids]
    return (*fresh, *gone)
