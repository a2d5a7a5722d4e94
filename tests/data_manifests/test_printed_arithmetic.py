"""Expressions on printed numbers, against plain loops and against every number that could have been printed so."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_manifests.expression import parse
from data_manifests.printed_arithmetic import PRINTED, Printed, on_paper
from data_manifests.published import METHODS, PublishedNumber, load

TABLE = load("2")
SPADE = {row: TABLE.cell(row, "SPADE").value for row in METHODS}
DENSE = {row: TABLE.cell(row, "Dense").value for row in METHODS}
GAINS = {row: SPADE[row] - DENSE[row] for row in METHODS}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('T2["LRP", "SPADE"] - T2["LRP", "Dense"]', Decimal("99.21") - Decimal("90.81")),
        ('mean(T2[each, "SPADE"])', sum(SPADE.values()) / 10),
        ('sum(T2[each, "SPADE"])', sum(SPADE.values())),
        ('min(T2[each, "SPADE"] - T2[each, "Dense"])', min(GAINS.values())),
        ('max(T2[each, "SPADE"] - T2[each, "Dense"])', max(GAINS.values())),
        ('size(T2[each, "SPADE"])', 10),
        ('count(T2[each, "SPADE"] > 96)', sum(value > 96 for value in SPADE.values())),
        ('count(90 < T2[each, "Dense"])', sum(value > 90 for value in DENSE.values())),
        ('max(abs(T2[each, "Dense"] - T2[each, "SPADE"]))', max(GAINS.values())),
        ('min(T2["LRP", "SPADE"], 3, -1)', -1),
        ('lead(T2[each, "SPADE"], "LRP")', SPADE["LRP"] - SPADE["GuidedGradCam"]),
        ('lead(T2[each, "SPADE"], "LIME")', SPADE["LIME"] - SPADE["LRP"]),
        # Rows are matched by method, not by position: A18 has its own spelling and order.
        ('max(abs(TA19[each, "Dense"] - TA18[each, "Dense"]))', 0),
        ("(100 - 40) / 2 * 3", 90),
    ],
)
def test_an_expression_is_the_arithmetic_it_says(text: str, value: Decimal) -> None:
    assert on_paper(parse(text)).value == Fraction(value)


def test_rounding_of_every_cell_is_carried_along() -> None:
    found = on_paper(parse('T2["Average", "SPADE"] - T2["Average", "Dense"]'))
    # 96.55 - 91.01, each rounded to 0.01.
    assert (found.low, found.value, found.high) == (Fraction("5.53"), Fraction("5.54"), Fraction("5.55"))


def test_a_tie_counts_only_as_possible() -> None:
    # Table A20 prints 97.8 for Guided Grad-Cam in both columns; the other nine are above.
    found = on_paper(parse('count(TA20[each, "Block 4"] > TA20[each, "Dense"])'))
    assert (found.low, found.value, found.high) == (Fraction(9), Fraction(9), Fraction(10))


def test_a_divisor_that_may_be_zero_is_refused() -> None:
    with pytest.raises(ZeroDivisionError, match="may be 0"):
        on_paper(parse('1 / (TA20["Guided Grad-Cam", "Dense"] - TA20["Guided Grad-Cam", "FC"])'))


hundredths = st.integers(-999, 999).map(lambda n: Decimal(n) / 100)
inside = st.fractions(-1, 1)


@given(hundredths, hundredths, inside, inside, st.sampled_from(["+", "-", "*", "/", "min", "max", "abs"]))
def test_the_range_holds_whatever_was_rounded(
    a: Decimal, b: Decimal, in_a: Fraction, in_b: Fraction, operation: str
) -> None:
    printed = [Printed.of(PublishedNumber(one, 2, 2)) for one in (a, b)]
    before = [Fraction(one) + shift * Fraction("0.005") for one, shift in ((a, in_a), (b, in_b))]
    if operation == "/" and printed[1].low <= 0 <= printed[1].high:
        return
    computed = {
        "+": lambda x, y: x + y,
        "-": lambda x, y: x - y,
        "*": lambda x, y: x * y,
        "/": lambda x, y: x / y,
    }
    on_ranges = computed | {"min": PRINTED.smallest, "max": PRINTED.largest, "abs": lambda x, _: PRINTED.size(x)}
    on_numbers = computed | {"min": min, "max": max, "abs": lambda x, _: abs(x)}
    found, exact = on_ranges[operation](*printed), on_numbers[operation](*before)
    assert found.low <= exact <= found.high
    assert found.low <= found.value <= found.high
