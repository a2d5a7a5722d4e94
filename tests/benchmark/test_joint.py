from dataclasses import replace

import synthetic_run

from benchmark import definition, policy
from benchmark.cells import cells
from benchmark.effect import effects
from benchmark.joint import Joint, joints
from benchmark.records import RunRecords

RULES = replace(policy.load(), intervals=replace(policy.load().intervals, draws=500))
TABLE = definition.load("2")


def told(run: RunRecords) -> dict[str, Joint]:
    of_table = cells(TABLE, run)
    return {one.column: one for one in joints(TABLE, of_table, effects(TABLE, of_table, RULES), RULES)}


def test_a_clear_gain_is_counted_in_every_method_and_confirmed_in_no_more() -> None:
    found = told(synthetic_run.run(0, gain=3.0, n_samples=24, tables=("2",)))["SPADE"]
    assert (found.gains.gaining, found.gains.gaining_low) == (10, 10)
    assert found.confirmed == 10
    assert found.sentence.startswith("SPADE gains over Dense in 10 of 10 methods (10 at 95 %")


def test_no_gain_at_all_leaves_the_count_open_and_confirms_nothing() -> None:
    found = told(synthetic_run.run(0, gain=0.0, n_samples=24, tables=("2",)))["SPADE"]
    assert found.gains.gaining_low < found.gains.gaining_high
    assert (found.confirmed, found.refuted) == (0, 0)


def test_a_method_that_one_column_lacks_is_no_method_of_the_count() -> None:
    run = synthetic_run.run(0, tables=("2",))
    torn = synthetic_run.with_status(run, "unavailable", "reuses a ReLU", method="DeepLift", arm="obc", share=1)
    assert len(told(torn)["SPADE"].rows) == 9
    assert len(told(torn)["FastSPADE"].rows) == 10


def test_a_table_without_a_dense_column_has_no_gains() -> None:
    table = definition.load("a16")
    assert joints(table, cells(table, synthetic_run.run(0, tables=("a16",))), [], RULES) == ()
