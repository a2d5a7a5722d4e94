"""The open choices of the paper as one HTML page: how each cell, and each gain, moves between protocols."""

from collections.abc import Iterable

from ..sensitivity_file import KeptGain
from .content import Content
from .strip import Axis, axis
from .template import page

MEANINGS = {
    "ours": "exact counts, weights of a whole layer compete, every fall-back reported",
    "paper": "what the paper's text says",
    "official": "what the published notebook computes",
}
"""What the protocols that come with the package are."""


def render(content: Content) -> str:
    """The page; where nothing was computed under another protocol it says how to."""
    template = page("sensitivity", "page", "sensitivity", meanings=MEANINGS, gain_axis=gain_axis)
    return template.render(content=content, tables=content.sensitivity)


def gain_axis(gains: Iterable[KeptGain]) -> Axis:
    """One axis for every gain of a table, so that protocols and columns can be compared by eye."""
    return axis(value for one in gains for span in one.under.values() for value in (span.low, span.high, span.mean))
