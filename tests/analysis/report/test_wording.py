import math

import pytest

from analysis.report import wording as say


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0004, "< .001"), (0.0321, ".032"), (0.05, ".050"), (1.0, "> .999"), (math.nan, "\N{EM DASH}")],
)
def test_a_p_value_is_printed_as_the_manual_says(value: float, text: str) -> None:
    assert say.p(value) == text


def test_a_p_value_in_a_sentence_has_a_sign() -> None:
    assert say.p_clause(0.0004) == "*p* < .001"
    assert say.p_clause(0.04) == "*p* = .040"


def test_what_cannot_exceed_one_has_no_zero_before_its_point() -> None:
    assert (say.proper(0.773), say.proper(-0.271), say.proper(1.0)) == (".77", "\N{MINUS SIGN}.27", "1.00")
    assert say.number(0.773) == "0.77"


def test_a_rounded_zero_has_no_sign() -> None:
    assert (say.number(-0.001), say.points(-0.0001), say.points(0.0001)) == ("0.00", "0.0", "0.0")
    assert (say.points(0.131), say.points(-0.028)) == ("+13.1", "\N{MINUS SIGN}2.8")


def test_nothing_is_a_dash_and_never_zero() -> None:
    assert say.percent(math.nan) == say.interval(math.nan, 1.0) == say.number(math.nan) == say.NONE
    assert say.interval(0.0, math.inf) == "[0.00, \N{INFINITY}]"


def test_counts_agree_with_their_nouns() -> None:
    assert (say.count(1, "rater"), say.count(100_000, "rating"), say.count(2, "study", "studies")) == (
        "1 rater",
        "100,000 ratings",
        "2 studies",
    )
    assert say.listed(["a", "b", "c"]) == "a, b and c"
