import math
from dataclasses import replace
from functools import cache

import pytest
import synthetic_run

from benchmark import policy
from benchmark.difference import RunDifference, difference
from benchmark.records import RunRecords

RULES = replace(policy.load(), intervals=replace(policy.load().intervals, draws=200))


@cache
def run(seed: int = 0) -> RunRecords:
    return synthetic_run.run(seed, tables=("2", "a16"))


def moved(by: float, arm: str = "obc") -> RunRecords:
    records = {
        key: replace(one, value=(one.value or 0) + by) if one.arm.startswith(arm) else one
        for key, one in run().records.items()
    }
    return replace(run(), records=records)


def compared(after: RunRecords) -> RunDifference:
    return difference(run(), after, RULES)


def test_a_run_differs_in_nothing_from_itself() -> None:
    found = compared(run())
    assert (found.changed, found.unlike, found.samples) == ((), (), ())
    assert {one.after - one.before for one in found.cells} == {0}
    assert all(one.equal == one.shared for one in found.cells)


def test_what_moved_is_said_by_cell_and_by_sample_and_nothing_else_is() -> None:
    found = compared(moved(-0.01))
    by_column = {one.column: one.difference.mean for one in found.cells if one.difference is not None}
    assert by_column["SPADE"] == pytest.approx(-1.0)
    assert by_column["Dense"] == by_column["Control"] == 0
    # ten methods and their average on eight samples
    assert len(found.samples) == 88
    assert {one.column for one in found.samples} == {"SPADE"}
    assert all(one.by == pytest.approx(-1.0) for one in found.samples)


def test_every_fact_that_was_changed_is_named_with_both_values() -> None:
    after = replace(
        run(),
        protocol={**run().protocol, "damping": 0.5},
        provenance=synthetic_run.provenance(policy_sha256="ff" * 32, tables={"2": 7, "a16": 1}),
    )
    before = replace(run(), provenance=synthetic_run.provenance(tables={"2": 1, "a16": 1}))
    found = {one.what: (one.before, one.after) for one in difference(before, after, RULES).changed}
    assert found == {
        "protocol, damping": ("none", "0.5"),
        "policy": (("d1" * 32)[:40], ("ff" * 32)[:40]),
        "version of table 2": ("1", "7"),
    }


def test_runs_of_other_images_are_not_compared_image_by_image() -> None:
    found = difference(run(), run(1), RULES)
    assert not found.paired
    assert found.samples == ()
    assert all(one.difference is None and one.shared == 0 for one in found.cells)
    assert {one.what for one in found.changed} >= {"seed", "recipe"}


def test_a_cell_that_one_run_lacks_is_named_and_compared_with_nothing() -> None:
    fewer = synthetic_run.run(0, tables=("2",))
    found = difference(run(), fewer, RULES)
    assert {(table, which) for table, _, _, which in found.unlike} == {("a16", "only before")}
    assert {one.table for one in found.cells} == {"2"}


def test_p_values_are_corrected_over_the_cells_of_a_table() -> None:
    found = compared(moved(-0.01))
    tested = [one for one in found.cells if one.difference is not None]
    for one in tested:
        assert one.difference is not None
        assert one.adjusted_p >= one.difference.p_value
    accuracies = [one for one in found.cells if one.table == "a16"]
    assert all(math.isnan(one.adjusted_p) for one in accuracies)
