from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from benchmark.claims.splits import OF_THE_DECIDED, PARTS, free_values, splits


def printed(part: int, whole: int) -> Decimal:
    return (Decimal(100 * part) / whole).quantize(Decimal("0.1"))


def shares(undecided: int, agree: int, disagree: int) -> dict[str, Decimal]:
    n, decided = undecided + agree + disagree, agree + disagree
    found = {row: printed(k, n) for row, k in zip(PARTS, (undecided, agree, disagree), strict=True)}
    return found | {row: printed(k, decided) for row, k in zip(OF_THE_DECIDED, (agree, disagree), strict=True)}


counts = st.integers(0, 40)


@given(counts, st.integers(1, 40), counts)
def test_a_split_is_among_those_that_print_its_own_shares(undecided: int, agree: int, disagree: int) -> None:
    n = undecided + agree + disagree
    assert (undecided, agree, disagree) in set(splits(shares(undecided, agree, disagree), n))


@given(counts, st.integers(1, 40), counts, st.sampled_from([*PARTS, *OF_THE_DECIDED]))
def test_a_row_left_free_can_print_what_it_printed(undecided: int, agree: int, disagree: int, row: str) -> None:
    found = shares(undecided, agree, disagree)
    assert found[row] in free_values(found, row, undecided + agree + disagree)


def test_splits_are_those_a_plain_search_finds() -> None:
    wanted = shares(5, 20, 12)
    plain = {
        (u, a, 37 - u - a)
        for u in range(38)
        for a in range(38 - u)
        if u < 37
        and all(
            abs(Decimal(100 * k) / whole - wanted[row]) <= Decimal("0.05")
            for row, k, whole in (
                (PARTS[0], u, 37),
                (PARTS[1], a, 37),
                (PARTS[2], 37 - u - a, 37),
                ("Agree when not undecided", a, 37 - u),
                ("Disagree when not undecided", 37 - u - a, 37 - u),
            )
        )
    }
    assert set(splits(wanted, 37)) == plain
