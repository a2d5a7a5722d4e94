"""Measured numbers as a reader sees them: rounded, with a true minus sign, and a dash where there is none."""

import math

MINUS = "\N{MINUS SIGN}"


def number(value: float, decimals: int = 2) -> str:
    """A measured number for a reader; a dash where there is none."""
    return f"{value:.{decimals}f}".replace("-", MINUS) if math.isfinite(value) else "—"


def signed(value: float, decimals: int = 2) -> str:
    """A difference for a reader, its sign always written."""
    return f"{value:+.{decimals}f}".replace("-", MINUS) if math.isfinite(value) else "—"


def minus(words: str) -> str:
    """A printed number with a minus sign in place of a hyphen."""
    return words.replace("-", MINUS)


def amounts(unit: str) -> str:
    """What a difference in a table's unit counts, for a reader."""
    return "in points" if unit == "%" else "as shares of 1"


def chance(p_value: float) -> str:
    """A p-value for a reader: never zero."""
    if not math.isfinite(p_value):
        return "—"
    return "< .001" if p_value < 0.001 else f"{p_value:.3f}"


def share(value: float) -> str:
    """A share as per cent; a dash where there is none."""
    return f"{100 * value:.0f} %".replace("-", MINUS) if math.isfinite(value) else "—"
