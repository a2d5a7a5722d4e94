"""Sentences for people: what came, what is allowed, where to mend it."""

from collections.abc import Iterable
from difflib import get_close_matches


class SpadeError(Exception):
    """A failure told in one sentence to whoever runs the program."""

    exit_code = 1


class InputError(SpadeError, ValueError):
    """What the caller gave cannot be used; the sentence says what was found and what is allowed."""

    exit_code = 2


class EnvironmentProblem(SpadeError):
    """The machine or the data on it cannot carry the work (disk full, file altered, package missing)."""

    exit_code = 4


def nearest(name: str, allowed: Iterable[str]) -> str:
    """A clause that lists what is allowed and the closest spelling to `name`, ready to end a sentence."""
    names = sorted(allowed)
    close = get_close_matches(name.casefold(), [n.casefold() for n in names], n=1, cutoff=0.5)
    hint = next((f"did you mean '{n}'? " for n in names if close and n.casefold() == close[0]), "")
    return f"{hint}Allowed: {', '.join(names)}."
