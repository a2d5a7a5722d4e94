import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.report.strip import axis

NUMBERS = st.lists(st.floats(-1e3, 1e3), max_size=6)


@given(NUMBERS)
def test_every_value_and_zero_and_every_tick_lie_on_the_strip_in_order(values: list[float]) -> None:
    found = axis(values)
    for one in [*values, 0.0, *found.ticks]:
        assert found.low <= one <= found.high
    positions = [found.at(one) for one in sorted([*values, 0.0])]
    assert positions == sorted(positions)
    assert all(0 <= position <= 100 for position in positions)


def test_a_position_is_linear_arithmetic() -> None:
    found = axis([-1.0, 4.0])  # 5 wide, .2 free at either end: -1.2 to 4.2
    assert (found.low, found.high) == pytest.approx((-1.2, 4.2))
    assert found.at(1.5) == 50.0
    assert 0.0 in found.ticks


def test_missing_values_do_not_stretch_the_axis() -> None:
    assert axis([1.0, math.nan, math.inf]) == axis([1.0])
