"""Sentences for people about files that everybody must agree on."""

from collections.abc import Iterable
from difflib import get_close_matches


class ManifestError(Exception):
    """A file of published numbers or a manifest, or data it describes, is not what it must be.

    The sentence names the file, what was expected, and what was found.
    """

    exit_code = 4


class UnknownNameError(ManifestError, LookupError):
    """A table, row, column, entry or file was asked for by a name that does not exist; near names are told."""

    exit_code = 2


def allowed_names(name: str, allowed: Iterable[str]) -> str:
    """A clause that lists what is allowed, after the spelling closest to `name` where there is one."""
    names = list(dict.fromkeys(allowed))
    folded = {known.casefold(): known for known in reversed(names)}
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
    hint = f"did you mean '{folded[close[0]]}'? " if close else ""
    return f"{hint}Allowed: {', '.join(names)}."
