"""The paper's claims as one HTML page with filters that need no script."""

from collections.abc import Sequence
from itertools import product

from ..claims import said_of_ours
from ..claims.evidence import Evidence
from .claim_content import ClaimEntry
from .content import Content
from .notation import minus
from .template import page

STANDINGS = {
    "holds": ("✓", "the direction is shown by our records"),
    "reversed": ("✗", "its opposite is shown"),
    "unresolved": ("?", "our records do not show either"),
    "other data": ("≠", "a number of the paper's data; ours is shown, not compared"),
    "not run": ("\N{EN DASH}", "a cell it needs is not computed"),
    "not checkable": ("○", "nothing printed or computed can decide it"),
}
"""What our records say to a claim: its sign, and what it means, in the order a page counts them."""

ARITHMETIC = {
    "holds": ("✓", "follows from the printed cells"),
    "rounding decides": ("≈", "some numbers that round to the printed ones make it true"),
    "does not hold": ("✗", "no numbers that round to the printed ones make it true"),
    "not checkable": ("○", "nothing printed can decide it"),
}
"""What the paper's own numbers say to a claim."""


ALL = "all"
"""What a filter says that leaves everything."""

KINDS = ("sign", "effect", "count", "rank", "value")
"""Kinds of claims, in the order the page offers them."""


def render(content: Content) -> str:
    """The page."""
    template = page(
        "claims",
        *("page", "claims"),
        filters={"evidence": evidence, "slug": slug, "unmet": unmet},
        standings=STANDINGS,
        arithmetic=ARITHMETIC,
        kinds=KINDS,
    )
    return template.render(content=content, claims=content.claims)


def unmet(entries: Sequence[ClaimEntry]) -> list[tuple[str, str, str]]:
    """The choices of the three filters, each "all" or one of its words, that leave no claim."""
    met = {choice for one in entries for choice in product((ALL, one.standing), (ALL, one.arithmetic), (ALL, one.kind))}
    return [one for one in product((ALL, *STANDINGS), (ALL, *ARITHMETIC), (ALL, *KINDS)) if one not in met]


def evidence(found: Evidence) -> str:
    """One kind of evidence in a line."""
    return minus(said_of_ours.evidence(found))


def slug(words: str) -> str:
    """An outcome as it stands in an attribute."""
    return words.replace(" ", "-")
