"""The paper's claims as one HTML page with filters that need no script."""

import math
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ..claims import said_of_ours
from ..claims.evidence import Evidence
from .content import Content
from .page import MINUS, chance, share

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


def render(content: Content) -> str:
    """The page."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(chance=chance, minus=minus, evidence=evidence, slug=slug, share=share)
    environment.globals.update(standings=STANDINGS, arithmetic=ARITHMETIC, finite=math.isfinite)
    style = Markup(_read("page.css") + _read("claims.css"))  # noqa: S704 - our own style sheets
    template = environment.from_string(_read("claims.html.j2"))
    return template.render(content=content, claims=content.claims, style=style)


def evidence(found: Evidence) -> str:
    """One kind of evidence in a line."""
    return minus(said_of_ours.evidence(found))


def minus(words: str) -> str:
    """A printed number with a minus sign in place of a hyphen."""
    return words.replace("-", MINUS)


def slug(words: str) -> str:
    """An outcome as it stands in an attribute."""
    return words.replace(" ", "-")


def _read(name: str) -> str:
    return files("benchmark.report").joinpath(name).read_text(encoding="utf-8")
