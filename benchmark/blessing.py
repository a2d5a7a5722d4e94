"""Golden ranges made the expected ones: what changes, shown before, and why, kept for good."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from spade.errors import InputError

from .golden import Blessing, Golden, GoldenRange
from .seeds import CellName


@dataclass(frozen=True)
class Change:
    """One range before and after; None where there was or will be none."""

    name: CellName
    old: GoldenRange | None
    new: GoldenRange | None

    @property
    def widening(self) -> float:
        """New width over old; NaN where one is missing, infinite where the old one had none."""
        if self.old is None or self.new is None:
            return math.nan
        before, after = self.old.high - self.old.low, self.new.high - self.new.low
        return after / before if before else math.inf


def changes(old: Golden | None, new: Golden) -> tuple[Change, ...]:
    """Every range that becomes another one, beyond the last bits that a release of scipy decides."""
    before = {one.name: one for one in old.ranges} if old is not None else {}
    after = {one.name: one for one in new.ranges}
    found = []
    for name in dict.fromkeys([*after, *before]):
        one = Change(name, before.get(name), after.get(name))
        if one.old is None or one.new is None or not _same(one.old, one.new):
            found.append(one)
    return tuple(found)


def bless(old: Golden | None, new: Golden, tables: Sequence[str], *, reason: str, date: str, release: str) -> Golden:
    """The new ranges with the history of the old ones and one more entry.

    Raises:
        InputError: no reason, nothing that changes, or a table whose ranges change is not named.
    """
    why = " ".join(reason.split())
    if len(why) < 8:  # "x" and "update" are no reasons; a sentence is
        raise InputError(f'Ranges change for a reason that the next reader understands; found "{why}". Give --reason.')
    moved = changes(old, new)
    others = sorted({change.name[0] for change in moved} - set(tables))
    if others:
        raise InputError(
            f"Ranges of table{'s' * (len(others) > 1)} {', '.join(others)} change too, because the ranges of a scale "
            "are measured together; name them as well."
        )
    if old is not None and not moved and replace(old, blessings=()) == replace(new, blessings=()):
        raise InputError("Nothing changes: the ranges are what the stored seeds give.")
    entry = Blessing(tuple(tables), why, date, release, len(moved), new.seeds_sha256)
    return replace(new, blessings=(*(old.blessings if old is not None else ()), entry))


def _same(one: GoldenRange, other: GoldenRange) -> bool:
    return all(
        math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in ((one.low, other.low), (one.high, other.high))
    )
