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


def test_each_metric_has_its_own_dense_column_and_a_lower_deletion_is_a_gain() -> None:
    table = definition.load("3")
    run = synthetic_run.run(0, gain=6.0, n_samples=24, tables=("3",))
    of_table = cells(table, run)
    found = {one.column: one for one in joints(table, of_table, effects(table, of_table, RULES), RULES)}
    baselines = {column: one.baseline for column, one in found.items()}
    assert baselines == {
        "Insertion/FastSPADE": "Insertion/Dense",
        "Insertion/Sparse FC": "Insertion/Dense",
        "Deletion/FastSPADE": "Deletion/Dense",
        "Deletion/Sparse FC": "Deletion/Dense",
    }
    # The double plants the same rise in both: good for insertion, bad for deletion.
    up, down = found["Insertion/FastSPADE"], found["Deletion/FastSPADE"]
    assert (up.gains.gaining, up.confirmed, up.refuted) == (10, 10, 0)
    assert (down.gains.gaining, down.confirmed, down.refuted) == (0, 0, 10)
    assert down.sentence.startswith("Deletion/FastSPADE gains over Deletion/Dense in 0 of 10 methods")
