"""The intervals that sentences of a report name, each held to say its level or what it bounds."""

import re
from collections.abc import Iterable


def named(sentences: Iterable[str], *, after: tuple[str, ...]) -> int:
    """How many intervals there are; each stands behind "95 %" in its sentence, or right after one of these words."""
    found = 0
    for sentence in sentences:
        for interval in re.finditer(r"\[[^\]]+, [^\]]+\]", sentence):
            before = sentence[: interval.start()]
            assert "95 %" in before or before.endswith(after), sentence
            found += 1
    return found
