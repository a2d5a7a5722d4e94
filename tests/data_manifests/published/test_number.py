from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_manifests.published import PublishedNumber


@given(
    exact=st.decimals(min_value=-1000, max_value=1000, places=6),
    decimals=st.integers(0, 4),
    rounding=st.sampled_from([ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_HALF_EVEN]),
)
def test_every_way_of_rounding_to_nearest_gives_a_print_that_could_be_the_exact_number(
    exact: Decimal, decimals: int, rounding: str
) -> None:
    printed = exact.quantize(Decimal(1).scaleb(-decimals), rounding=rounding)
    assert PublishedNumber(printed, decimals, decimals).could_be(exact)


@pytest.mark.parametrize(
    ("rounded_to", "half"), [(0, Decimal("0.5")), (1, Decimal("0.05")), (2, Decimal("0.005")), (None, Decimal(0))]
)
def test_half_a_unit_follows_the_digits_it_was_rounded_to(rounded_to: int | None, half: Decimal) -> None:
    assert PublishedNumber(Decimal(98), 0, rounded_to).half_unit == half


def test_more_than_half_a_unit_away_is_another_print() -> None:
    # 9.80 is printed for what is 0.80; 87.87 is 0.0051 from 87.8751.
    assert not PublishedNumber(Decimal("9.80"), 2, 2).could_be(Decimal("0.80"))
    assert not PublishedNumber(Decimal("87.87"), 2, 2).could_be(Decimal("87.8751"))
    assert PublishedNumber(Decimal("87.87"), 2, 2).could_be(Decimal("87.875"))


def test_a_range_could_be_printed_so_when_any_of_it_could() -> None:
    number = PublishedNumber(Decimal("5.5"), 1, 1)
    assert number.could_be(Decimal("5.54"), Decimal(6))
    assert number.could_be(Decimal(5), Decimal("5.45"))
    assert not number.could_be(Decimal("5.56"), Decimal(6))
