"""A report as one HTML page that opens offline: no script, no font, no request to anywhere; figures are inlined."""

import base64
import html
import re
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from .document import Document, Figure, Paragraph, Points, Table

_NEVER_BROKEN = re.compile(
    r"(?<=\d) (?=%)"  # 69.8 %
    r"|(?<=</em>) (?=[=&])|(?<=\)) (?==)|(?<==) (?=[\d.\u2212])|(?<=[lg]t;) (?=\.\d)"  # p = .03, t(23) = 2.6
    r"|(?<=\d) (?=of \d)|(?<=\d of) (?=\d)|(?<=\d) (?=points\b)"  # 12 of 30, +3.1 points
    r"|(?<=,) (?=[\u2212+.\d\u221e]+\])"  # [2.6, 22.6]
)
"""Spaces at which a number would part from its unit, its sign or the other end of its interval."""


def render(document: Document) -> str:
    """The report as HTML text."""
    here = files(__package__)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(marked=marked, inlined=inlined, kind=_kind)
    template = environment.from_string((here / "page.html.j2").read_text(encoding="utf-8"))
    return template.render(document=document, style=(here / "page.css").read_text(encoding="utf-8"))


def marked(text: str) -> str:
    """Text with its two marks as HTML, everything else escaped; numbers keep to their units and signs."""
    escaped = html.escape(text, quote=False)
    escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped)
    escaped = re.sub(r"\*([^*\s][^*]*)\*", r"<em>\1</em>", escaped)
    return _NEVER_BROKEN.sub("\N{NO-BREAK SPACE}", escaped)


def inlined(figure: Figure) -> str:
    """The figure's SVG as an address that holds it."""
    return "data:image/svg+xml;base64," + base64.b64encode(figure.svg).decode("ascii")


def _kind(block: Paragraph | Points | Table | Figure) -> str:
    return type(block).__name__.lower()
