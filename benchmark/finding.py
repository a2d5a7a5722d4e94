"""One answer of the conformance kit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Whether what is asked of a part holds, and what was found, each in a sentence."""

    asked: str
    holds: bool
    found: str
