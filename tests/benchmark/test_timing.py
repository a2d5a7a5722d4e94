from dataclasses import replace

import pytest
import synthetic_run

from benchmark import policy
from benchmark.timing import time_ratios

RULES = replace(policy.load(), intervals=replace(policy.load().intervals, draws=200))


def test_an_arm_that_always_takes_three_times_as_long_has_the_ratio_three() -> None:
    run = synthetic_run.run(0, tables=("2",))
    slower = {k: replace(r, seconds=1.5) if r.arm.startswith("obc") else r for k, r in run.records.items()}
    found = {one.arm.split(",")[0]: one for one in time_ratios(replace(run, records=slower), RULES)}
    assert (found["obc"].ratio, found["obc"].low, found["obc"].high) == pytest.approx((3, 3, 3))
    assert found["sparsegpt"].ratio == pytest.approx(1)
    assert (found["obc"].n, found["obc"].images) == (80, 8)


def test_the_ratio_is_a_geometric_mean() -> None:
    run = synthetic_run.run(0, n_samples=2, tables=("2",))
    twice = {"sample-00": 2.0, "sample-01": 0.125}  # over half a second: 4 and 1/4

    records = {k: replace(r, seconds=twice[r.sample]) if r.arm.startswith("obc") else r for k, r in run.records.items()}
    found = time_ratios(replace(run, records=records), RULES)
    assert found[0].ratio == pytest.approx(1.0)


def test_failed_units_have_no_time() -> None:
    run = synthetic_run.run(0, tables=("2",))
    torn = synthetic_run.with_status(run, "failed", "x", method="LRP", arm="obc", share=1)
    assert time_ratios(torn, RULES)[0].n == 72
