"""Kinds of augmentation as Table A19 combines them: "J+RC" is colour jitter and random crop, in the scale's amounts.

Nothing here imports torch: definitions and plans are made from names.
"""

from collections.abc import Mapping
from typing import Any

from spade.errors import InputError, nearest

PARTS = {"J": "jitter", "G": "noise", "RC": "crop", "RR": "remove"}
"""The paper's letters, with the fields of `spade.augmentation.Augmentation` they switch on."""


def check_kind(kind: str, *, where: str) -> None:
    """Nothing, where `kind` joins letters of PARTS by "+", each once.

    Raises:
        InputError: it does not.
    """
    letters = kind.split("+")
    for letter in letters:
        if letter not in PARTS:
            raise InputError(f"{where}: augmentation '{kind}' holds '{letter}'. {nearest(letter, PARTS)}")
    if len(set(letters)) < len(letters):
        raise InputError(f"{where}: augmentation '{kind}' names a kind twice.")


def fields_of(kind: str) -> frozenset[str]:
    """The fields of an Augmentation that a kind switches on."""
    return frozenset(PARTS[letter] for letter in kind.split("+"))


def is_the_scales(kind: str, amounts: Mapping[str, Any]) -> bool:
    """Whether a kind is what the scale does anyway; `amounts` are the fields of the scale's own augmentation."""
    on = {field for field in PARTS.values() if amounts.get(field)}
    return fields_of(kind) == on and not amounts.get("flip")
