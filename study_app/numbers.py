"""Numbers that browsers send."""

LARGEST = 2**31 - 1
"""The largest a column of whole numbers holds."""


def whole(text: str | None) -> int | None:
    """The whole number in `text`, at most `LARGEST`; None where it is no such number."""
    if text is None or not (text.isascii() and text.isdecimal()) or len(text) > 12:
        return None
    return min(int(text), LARGEST)
