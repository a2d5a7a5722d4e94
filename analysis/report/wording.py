"""Numbers in words as the American Psychological Association prints them (Publication Manual, 7th ed., chapter 6).

What cannot exceed one (p, alpha, a share) has no zero before its point; statistical letters stand between asterisks.
"""

import math

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EM DASH}"
"""What stands where there is no number; the reason stands beside it or below the table."""


def number(value: float, digits: int = 2) -> str:
    """A number that may exceed one: `1.77`."""
    if math.isnan(value):
        return NONE
    if math.isinf(value):
        return "\N{INFINITY}" if value > 0 else f"{MINUS}\N{INFINITY}"
    text = f"{value:.{digits}f}"
    return MINUS + text[1:] if text.startswith("-") and float(text) != 0 else text.removeprefix("-")


def proper(value: float, digits: int = 2) -> str:
    """A number that cannot exceed one: `.77`."""
    text = number(value, digits)
    return text.replace("0.", ".", 1) if text.removeprefix(MINUS).startswith("0.") else text


def percent(share: float, digits: int = 1) -> str:
    """A share as a percentage: `69.8 %`."""
    return f"{number(100 * share, digits)} %" if math.isfinite(share) else NONE


def points(difference: float, digits: int = 1) -> str:
    """A difference of shares in percentage points, with its sign: `+13.1`."""
    text = number(100 * difference, digits)
    return f"+{text}" if difference > 0 and text.strip("0.") else text


def p(value: float) -> str:
    """A p-value to stand alone: `.032`, `< .001`."""
    if math.isnan(value):
        return NONE
    return "< .001" if value < 0.001 else (proper(value, 3) if value < 0.9995 else "> .999")


def p_clause(value: float) -> str:
    """A p-value in a sentence: `*p* = .032`, `*p* < .001`."""
    text = p(value)
    return f"*p* {text}" if text[0] in "<>" else f"*p* = {text}"


def interval(low: float, high: float, digits: int = 2) -> str:
    """An interval of numbers: `[1.31, 2.39]`."""
    return f"[{number(low, digits)}, {number(high, digits)}]" if _known(low, high) else NONE


def proper_interval(low: float, high: float, digits: int = 2) -> str:
    """An interval of numbers that cannot exceed one: `[.31, .39]`."""
    return f"[{proper(low, digits)}, {proper(high, digits)}]" if _known(low, high) else NONE


def percent_interval(low: float, high: float, digits: int = 1) -> str:
    """An interval of shares in per cent: `[65.0, 74.3]`."""
    return interval(100 * low, 100 * high, digits)


def level(value: float) -> str:
    """The level of an interval: `95 %`."""
    return f"{number(100 * value, 0)} %"


def count(n: int, noun: str, plural: str = "") -> str:
    """A count with its noun: `1 rater`, `24 raters`, `100,000 ratings`."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def listed(items: list[str]) -> str:
    """Items as a sentence lists them: `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else "none"


def computed(sources: tuple[str, ...]) -> str:
    """Which functions the numbers come from, as a sentence; empty where none is named."""
    return f"Computed by {', '.join(f'`{source}`' for source in sources)}." if sources else ""


def _known(low: float, high: float) -> bool:
    return not (math.isnan(low) or math.isnan(high))
