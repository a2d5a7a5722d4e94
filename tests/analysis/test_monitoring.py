import numpy as np
import pytest
from scipy import stats

from analysis.errors import AnalysisError
from analysis.monitoring import looks


def test_obrien_fleming_spending_gives_the_published_boundaries_of_five_looks() -> None:
    # Lan-DeMets with O'Brien-Fleming spending, two-sided .05, five equal looks: the first example of the ldbounds and
    # gsDesign documentation and of Reboussin, DeMets, Kim and Lan (2000).
    found = looks([0.2, 0.4, 0.6, 0.8, 1.0], spending="obrien-fleming", alpha=0.05)
    assert [one.z for one in found] == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=5e-4)


def test_pocock_spending_gives_the_published_boundaries_of_five_looks() -> None:
    # As above, with the spending function alpha log(1 + (e - 1) t).
    found = looks([0.2, 0.4, 0.6, 0.8, 1.0], spending="pocock", alpha=0.05)
    assert [one.z for one in found] == pytest.approx([2.4380, 2.4268, 2.4101, 2.3966, 2.3859], abs=5e-4)


def test_one_look_at_the_end_is_the_ordinary_test() -> None:
    (only,) = looks([1.0], spending="obrien-fleming", alpha=0.05)
    assert only.z == pytest.approx(stats.norm.isf(0.025))
    assert only.p == pytest.approx(0.05)


@pytest.mark.parametrize("spending", ["obrien-fleming", "pocock"])
def test_random_walks_leave_the_boundary_as_often_as_alpha_says(spending: str) -> None:
    fractions = np.array([0.3, 0.5, 1.0])
    found = looks(fractions.tolist(), spending=spending, alpha=0.05)
    draw = np.random.default_rng(0)
    steps = draw.normal(size=(400_000, 3)) * np.sqrt(np.diff(fractions, prepend=0))
    z = np.cumsum(steps, axis=1) / np.sqrt(fractions)
    out = np.abs(z) >= [one.z for one in found]
    # 400,000 walks know a chance of .05 to .00034 (one standard error); four of them are allowed.
    for upto, one in enumerate(found, start=1):
        assert out[:, :upto].any(axis=1).mean() == pytest.approx(one.spent, abs=4 * 0.00035)


@pytest.mark.parametrize("fractions", [[], [0.5, 0.5], [0.0, 1.0], [0.5, 1.2]])
def test_looks_that_do_not_rise_to_the_end_are_refused(fractions: list[float]) -> None:
    with pytest.raises(AnalysisError, match="fractions that rise"):
        looks(fractions, spending="pocock", alpha=0.05)


def test_an_undeclared_rule_is_answered_with_the_near_name() -> None:
    with pytest.raises(AnalysisError, match="did you mean 'pocock'"):
        looks([1.0], spending="pocok", alpha=0.05)
