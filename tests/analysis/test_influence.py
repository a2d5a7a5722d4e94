import math

import numpy as np
import pytest

from analysis.errors import AnalysisError
from analysis.influence import leave_one_out


def test_leaving_one_out_is_leaving_its_rows_out() -> None:
    draw = np.random.default_rng(0)
    hit, arm, rater = draw.integers(0, 2, 60), draw.integers(0, 2, 60), draw.integers(0, 7, 60)

    def difference(keep: np.ndarray) -> float:
        return float(hit[keep & (arm == 1)].mean() - hit[keep & (arm == 0)].mean())

    found = leave_one_out(hit, arm, rater)
    assert len(found) == 7
    for one in found:
        kept = rater != int(one.name)
        assert one.without == pytest.approx(difference(kept))
        assert one.change == pytest.approx(difference(kept) - difference(kept | True))
        assert one.answers == (~kept).sum()
    changes = [abs(one.change) for one in found]
    assert changes == sorted(changes, reverse=True)


def test_a_rater_without_whom_an_arm_is_empty_has_no_value_and_stands_last() -> None:
    first, last = (
        leave_one_out([1, 0, 1], [1, 0, 0], ["only", "other", "other"])[0],
        leave_one_out([1, 0, 1, 0], [1, 0, 0, 0], ["only", "b", "c", "c"])[-1],
    )
    assert math.isnan(last.change)
    assert last.name == "only"
    assert math.isnan(first.without)


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(AnalysisError, match="lengths 2, 1, 2"):
        leave_one_out([1, 0], [1], ["a", "b"])
