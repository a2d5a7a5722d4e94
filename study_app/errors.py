"""Sentences for people: what came, what is allowed, where to mend it."""

from collections.abc import Iterable
from difflib import get_close_matches


class StudyError(Exception):
    """A failure told in one sentence to whoever runs the study."""

    exit_code = 1


class InputError(StudyError, ValueError):
    """A file, option or setting cannot be used; the sentence says what was found and what is allowed."""

    exit_code = 2


class EnvironmentProblem(StudyError):
    """The machine or the data on it cannot carry the work: database away, disk full, picture altered."""

    exit_code = 4


def nearest(name: str, allowed: Iterable[str]) -> str:
    """A clause that lists what is allowed, after the spelling closest to `name` where there is one."""
    names = sorted(allowed)
    folded = {one.casefold(): one for one in names}
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
    hint = f"did you mean '{folded[close[0]]}'? " if close else ""
    return f"{hint}Allowed: {', '.join(names)}."
