"""Something of the paper that does not hold on the paper's own numbers."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

Check = Literal["claim", "average", "difference", "repeated", "bold", "sum", "split", "malformed"]
"""claim: a sentence; average: of a column; difference: a printed Delta; repeated: a configuration printed twice;
bold: the best of a row; sum: shares of one whole; split: shares of whole numbers; malformed: not one number."""


@dataclass(frozen=True)
class Finding:
    """What is printed, what it should be, and by how much it is off.

    Attributes:
        id: the claim's id, or check/table/row/column; never changes, so that `known.toml` can name it.
        what: the quote, or the cell in words.
        place: where it stands.
        printed: as it is printed.
        recomputed: what the paper's other numbers give.
        off: printed - recomputed where both are numbers, or "".
        note: why it is one, as it was gone through by hand, or how it was found.
    """

    id: str
    check: Check
    what: str
    place: str
    printed: str
    recomputed: str
    off: str
    note: str = ""


def decimal(value: Fraction, decimals: int) -> str:
    """A fraction rounded for a reader."""
    return f"{Decimal(value.numerator) / value.denominator:.{decimals}f}"


def signed(value: Fraction, decimals: int) -> str:
    """A difference rounded for a reader, its sign always written."""
    return f"{Decimal(value.numerator) / value.denominator:+.{decimals}f}"
