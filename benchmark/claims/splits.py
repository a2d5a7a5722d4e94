"""Which percentages whole numbers of ratings can print: shares of a column that no split gives are misprints."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

PARTS = ("Undecided", "Agree with Score-CAM", "Disagree with Score-CAM")
OF_THE_DECIDED = {
    "Agree when not undecided": "Agree with Score-CAM",
    "Disagree when not undecided": "Disagree with Score-CAM",
}
Split = tuple[int, int, int]
"""Ratings that were undecided, agreed, disagreed."""


def splits(shares: Mapping[str, Decimal], n: int) -> Iterator[Split]:
    """Every split of n ratings that prints the given shares [%]; a share that is not given is free."""
    for undecided in _counts(shares.get(PARTS[0]), n):
        decided = n - undecided
        for agree in (k for k in _counts(shares.get(PARTS[1]), n) if k <= decided):
            found = undecided, agree, decided - agree
            if decided and _prints(found, shares):
                yield found


def free_values(shares: Mapping[str, Decimal], row: str, n: int) -> frozenset[Decimal]:
    """What one row can print, to one decimal, when n ratings print the other rows."""
    others = {name: share for name, share in shares.items() if name != row}
    part = PARTS.index(OF_THE_DECIDED.get(row, row))
    found = set()
    for split in splits(others, n):
        whole = n - split[0] if row in OF_THE_DECIDED else n
        found |= set(_printed(split[part], whole))
    return frozenset(found)


def _counts(share: Decimal | None, n: int) -> range:
    """How many of n print that share, ties going either way."""
    if share is None:
        return range(n + 1)
    # 100 k / n lies within half a tenth of the share s: 2000 k lies between (20 s - 1) n and (20 s + 1) n.
    twentieths = int(20 * share)
    return range(max(0, -(-(twentieths - 1) * n // 2000)), min(n, (twentieths + 1) * n // 2000) + 1)


def _prints(split: Split, shares: Mapping[str, Decimal]) -> bool:
    by_part = dict(zip(PARTS, split, strict=True))
    if PARTS[2] in shares and split[2] not in _counts(shares[PARTS[2]], sum(split)):
        return False
    decided = split[1] + split[2]
    return all(by_part[part] in _counts(shares[row], decided) for row, part in OF_THE_DECIDED.items() if row in shares)


def _printed(part: int, whole: int) -> list[Decimal]:
    """What a share prints to one decimal: one value, or two where it lies half-way."""
    # t tenths of a per cent with |1000 part / whole - t| <= 1/2.
    return [
        Decimal(t) / 10
        for t in range(-((whole - 2000 * part) // (2 * whole)), (2000 * part + whole) // (2 * whole) + 1)
    ]
