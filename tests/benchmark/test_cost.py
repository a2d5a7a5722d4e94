"""What is left of a plan is timed by what was measured."""

import pytest
from fake_evaluator import subject

from benchmark import definition
from benchmark.cost import cost
from benchmark.plan import make
from benchmark.records import UnitRecord


def test_the_cost_is_the_median_of_the_same_arm_and_method_times_what_is_left() -> None:
    plan = make([definition.load("2")], subject())
    lime = [unit for unit in plan.units if (unit.arm, unit.method) == ("dense", "LIME")]

    def record(key: str, seconds: float) -> UnitRecord:
        return UnitRecord(key, "ok", "", "s", "dense", "LIME", 0, value=0.5, seconds=seconds)

    # Two of four are stored, and took 1 and 9 s; another run took 3: median 3, two are left: 6 s.
    # The other nine dense methods were never timed and take the arm's median: 9 methods * 4 samples * 3 s.
    stored = {lime[0].key: record(lime[0].key, 1), lime[1].key: record(lime[1].key, 9)}
    found = cost(plan, stored, [record("elsewhere", 3)])
    assert found.units == len(plan.units) - 2
    assert found.seconds == pytest.approx(2 * 3 + 9 * 4 * 3)
    assert found.unmeasured == 4 * (3 * 10 + 5)


def test_failures_do_not_count_as_timings() -> None:
    plan = make([definition.load("2")], subject())
    record = UnitRecord("k", "failed", "no", "s", "dense", "LIME", 0, seconds=100)
    assert cost(plan, {}, [record]).seconds == 0
