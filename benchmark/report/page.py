"""The report as one HTML page that opens offline: no script, no font, no request to anywhere."""

import re
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from ..cells import AVERAGE
from .content import OTHER_DATA, Content
from .direction_content import DirectionEntry
from .strip import Axis, axis, rank_axis
from .table_content import EffectEntry
from .template import page

WORDS = {
    "within": "inside its golden range",
    "deviates": "outside its golden range",
    "drifted": "further from the stored value of its seed than a replay moves",
    "invalid": "too many of its units failed",
    "incomplete": "units are still to be computed",
    "no range": "no golden range was measured for it",
    "not run": "nothing here computes it",
    "reproduced": "equal to the printed cell within the margin",
    "consistent": "where a repetition of the printed cell falls",
    "uninformative": "too few samples to tell",
}
"""What each verdict on a cell means, in the order a page counts them."""

PAPER_WORDS = frozenset({"reproduced", "consistent", "uninformative"})
"""Verdicts of runs on the paper's own data; counted on the page only where there are some."""

SIGNS = {
    "within": "✓",
    "deviates": "✗",
    "drifted": "≠",
    "invalid": "!",
    "incomplete": "…",
    "no range": "○",
    "not run": "\N{EN DASH}",
    "reproduced": "=",
    "consistent": "≈",
    "uninformative": "?",
    "resolved": "✓",
    "reversed": "✗",
    "unresolved": "?",
    "unmeasured": "○",
}
"""A shape for each verdict, so that none is told by colour alone."""


def render(content: Content) -> str:
    """The page."""
    template = page(
        "page",
        "page",
        filters={"breakable": breakable},
        words=WORDS,
        paper_words=PAPER_WORDS,
        signs=SIGNS,
        other_data=OTHER_DATA,
        ablation=ablation,
        effect_axis=effect_axis,
        direction_axis=direction_axis,
        rank_axis=rank_axis,
    )
    return template.render(content=content)


def breakable(name: str) -> Markup:
    """A method's name that may break where a new word starts: "Integrated|Gradients"."""
    return Markup("<wbr>").join(re.split(r"(?<=[a-z])(?=[A-Z])", name))


def effect_axis(columns: Iterable[Sequence[EffectEntry]]) -> Axis:
    """One axis for every effect of a table, so that its columns can be compared by eye."""
    return axis(value for column in columns for one in column for value in (one.low, one.high, one.mean))


def ablation(columns: Iterable[Sequence[EffectEntry]]) -> list[EffectEntry]:
    """What each column gains on average over the methods, in the table's order: one plot of all its choices."""
    return [one for column in columns for one in column if one.row == AVERAGE]


def direction_axis(directions: Iterable[DirectionEntry]) -> Axis:
    """One axis for the directions of a table: those of another may be ten times as large."""
    return axis(value for one in directions for value in (one.low, one.high, *one.values))
