"""One answer of the conformance kit."""

from collections.abc import Callable
from dataclasses import dataclass

Question = Callable[[], tuple[bool, str]]
"""Whether what is asked holds, and what was found."""


@dataclass(frozen=True)
class Finding:
    """Whether what is asked of a part holds, and what was found, each in a sentence."""

    asked: str
    holds: bool
    found: str


def answered(asked: str, question: Question) -> Finding:
    """The finding of a question; one whose answer raises does not hold, whatever it raises."""
    try:
        holds, found = question()
    except Exception as fault:  # noqa: BLE001 - whatever a plug-in raises is the finding
        return Finding(asked, holds=False, found=raised(fault))
    return Finding(asked, holds, found)


def raised(fault: Exception) -> str:
    """What was raised, in one line."""
    return f"{type(fault).__name__}: {' '.join(str(fault).split())}"
