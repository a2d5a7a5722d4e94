"""The page of failures: every unit without a value and every cell that could not be judged, a sentence each."""

from .content import Content
from .page import SIGNS
from .template import page

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
    cells = [cell for table in content.tables for row in (*table.rows, table.controls) for cell in row]
    return page("failures", "page", "sample").render(
        content=content,
        cells=cells,
        units=sum(one.units for one in content.problems),
        statuses=STATUSES,
        outcomes=OUTCOMES,
        signs=SIGNS,
    )
