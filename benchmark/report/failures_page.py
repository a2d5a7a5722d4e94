"""The page of failures: every unit without a value and every cell that could not be judged, a sentence each."""

from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from .content import Content
from .page import SIGNS

STATUSES = {
    "failed": "computing it raised; `spade-bench run --retry-failed` tries it again",
    "unavailable": "the network cannot take the method",
    "skipped": "there is nothing to compute",
}
"""What each outcome of a unit without a value means."""

OUTCOMES = {
    "invalid": "Cells that are invalid: too many of their units failed",
    "incomplete": "Cells that are incomplete: the same command goes on with them",
    "deviates": "Cells outside their golden range",
    "drifted": "Cells further from the stored value of their seed than a replay moves",
}
"""Verdicts that are failures of a cell, and their headings."""


def render(content: Content) -> str:
    """The page."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    cells = [cell for table in content.tables for row in (*table.rows, table.controls) for cell in row]
    template = environment.from_string(_read("failures.html.j2"))
    return template.render(
        content=content,
        cells=cells,
        units=sum(one.units for one in content.problems),
        statuses=STATUSES,
        outcomes=OUTCOMES,
        signs=SIGNS,
        style=Markup(_read("page.css") + _read("sample.css")),  # noqa: S704 - our own style sheets
    )


def _read(name: str) -> str:
    return files("benchmark.report").joinpath(name).read_text(encoding="utf-8")
