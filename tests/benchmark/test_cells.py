"""Cells are arithmetic on records: means over samples, averages over methods, and an account of what is missing."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_evaluator import METHODS, subject

from benchmark import definition
from benchmark.cells import AVERAGE, Cell, cells
from benchmark.definition import NotRun
from benchmark.plan import Plan, Unit, make
from benchmark.records import RunRecords, UnitRecord

TABLE = definition.load("2")
PLAN = make([TABLE], subject())


def record(unit: Unit, value: float | None = 0.5, status: str = "ok", reason: str = "") -> UnitRecord:
    return UnitRecord(unit.key, status, reason, unit.sample, unit.arm, unit.method, 0, value=value)  # type: ignore[arg-type]


def run_of(records: list[UnitRecord], plan: Plan = PLAN) -> RunRecords:
    return RunRecords(
        scale="smoke",
        seed=0,
        recipe_sha256="ab" * 32,
        protocol={},
        tables=plan.tables,
        asked=plan.asked,
        records={one.key: one for one in records},
        samples=plan.subject.samples,
        accuracy={},
        provenance={},
    )


def by_name(found: list[Cell]) -> dict[tuple[str, str], Cell]:
    return {(cell.row, cell.column): cell for cell in found}


def everything() -> list[UnitRecord]:
    """A record for every unit: sample number / 10 + method number / 100 (dense), 0.05 more where pruned."""
    return [
        record(unit, int(unit.sample[1:]) / 10 + METHODS.index(unit.method) / 100 + 0.05 * bool(unit.solver))
        if unit.kind == "map"
        else record(unit, 0.5)
        for unit in PLAN.units
    ]


def test_a_cell_is_the_mean_over_samples_in_the_tables_unit() -> None:
    cell = by_name(cells(TABLE, run_of(everything())))["DeepLift", "SPADE"]
    # DeepLift is method 2: 100 * (0.02 + 0.05 + (0 + .1 + .2 + .3) / 4) = 22
    assert cell.mean == pytest.approx(22.0)
    assert cell.samples == ("s0", "s1", "s2", "s3")
    assert cell.array == pytest.approx([7, 17, 27, 37])
    assert (cell.n, cell.unit, cell.complete) == (4, "%", True)


def test_the_average_row_is_the_mean_over_methods_of_each_sample() -> None:
    cell = by_name(cells(TABLE, run_of(everything())))[AVERAGE, "Dense"]
    # mean of 0 .. 0.09 is 0.045
    assert cell.array == pytest.approx([4.5, 14.5, 24.5, 34.5])
    assert cell.kind == "average"


def test_the_average_of_a_column_is_the_mean_of_its_cells() -> None:
    found = by_name(cells(TABLE, run_of(everything())))
    for column in ("Dense", "SPADE", "FastSPADE"):
        assert found[AVERAGE, column].mean == pytest.approx(np.mean([found[m, column].mean for m in METHODS]))


def test_a_cell_without_values_is_not_a_zero() -> None:
    cell = by_name(cells(TABLE, run_of([])))["LIME", "Dense"]
    assert math.isnan(cell.mean)
    assert (cell.n, cell.missing, cell.complete) == (0, 4, False)


def test_a_column_that_is_not_run_says_why_in_every_row_and_in_its_average() -> None:
    arms = (*TABLE.arms[:3], NotRun("Sparse FC", "too sparse"))
    plan = make([replace(TABLE, arms=arms)], subject())
    found = by_name(cells(plan.tables[0], run_of(everything(), plan)))
    assert {found[row, "Sparse FC"].not_run for row in (*METHODS, AVERAGE)} == {"too sparse"}


def test_a_sample_with_nothing_to_compute_is_no_failure_of_the_average() -> None:
    alone = [
        replace(one, value=None, status="skipped", reason="alone") if (one.sample, one.arm) == ("s1", "dense") else one
        for one in everything()
    ]
    average = by_name(cells(TABLE, run_of(alone)))[AVERAGE, "Dense"]
    assert (average.asked, average.n, average.skipped, average.failed, average.missing) == (4, 3, 1, 0, 0)


def test_failures_are_counted_with_their_reasons_and_stay_out_of_the_mean() -> None:
    units = [unit for unit in PLAN.units if (unit.method, unit.arm) == ("LIME", "dense")]
    some = [record(units[0], 0.2), *(record(unit, None, "failed", "no memory") for unit in units[1:3])]
    some.append(record(units[3], None, "skipped", "alone"))
    cell = by_name(cells(TABLE, run_of(some)))["LIME", "Dense"]
    assert (cell.n, cell.failed, cell.skipped, cell.missing) == (1, 2, 1, 0)
    assert cell.mean == pytest.approx(20)
    assert cell.reasons == ("no memory", "alone")


def test_a_sample_that_lacks_one_method_is_not_in_the_average() -> None:
    lost = next(u for u in PLAN.units if (u.method, u.arm, u.sample) == ("LIME", "dense", "s1"))
    some = [replace(one, status="failed", value=None) if one.key == lost.key else one for one in everything()]
    cell = by_name(cells(TABLE, run_of(some)))[AVERAGE, "Dense"]
    assert cell.samples == ("s0", "s2", "s3")
    assert (cell.asked, cell.failed, cell.missing) == (4, 1, 0)


def test_a_unit_still_missing_leaves_the_average_incomplete() -> None:
    lost = next(u for u in PLAN.units if (u.method, u.arm, u.sample) == ("LIME", "dense", "s1"))
    cell = by_name(cells(TABLE, run_of([one for one in everything() if one.key != lost.key])))[AVERAGE, "Dense"]
    assert (cell.n, cell.failed, cell.missing, cell.complete) == (3, 0, 1, False)


def test_a_method_no_sample_can_take_leaves_the_average_and_is_named() -> None:
    some = [
        replace(one, status="unavailable", value=None, reason="no ReLU") if one.method == "LRP" else one
        for one in everything()
    ]
    found = by_name(cells(TABLE, run_of(some)))
    assert found["LRP", "SPADE"].unavailable == 4
    # without method 3 the mean of the other nine is (45 - 3) / 900
    assert found[AVERAGE, "Dense"].array[0] == pytest.approx(100 * 42 / 900)
    assert found[AVERAGE, "Dense"].reasons == ("average over 9 of 10 methods: without LRP",)


def test_controls_come_last_in_a_column_of_their_own() -> None:
    found = cells(TABLE, run_of(everything()))
    assert [cell.row for cell in found[-5:]] == list(TABLE.controls)
    assert {cell.column for cell in found if cell.kind == "control"} == {"Control"}
    assert not any(cell.kind == "control" for cell in found[:-5])


def test_cells_do_not_depend_on_the_order_of_records() -> None:
    some = everything()
    assert cells(TABLE, run_of(some)) == cells(TABLE, run_of(some[::-1]))


def test_accuracy_is_one_value_a_patch() -> None:
    table = definition.load("a16")
    plan = make([table], subject())
    value = {"": 0.9, "fish": 0.7, "star": 0.8}
    found = by_name(cells(table, run_of([record(unit, value[unit.sample]) for unit in plan.units], plan)))
    assert found["embedded network", "Clean Accuracy"].values == (90.0,)
    cell = found["embedded network", "Trojan Accuracy"]
    assert (cell.samples, cell.kind) == (("fish", "star"), "measurement")
    assert cell.mean == pytest.approx(75)
    assert found["ResNet50/ImageNet", "Clean Accuracy"].not_run


def test_cells_of_one_table_hold_nothing_of_another() -> None:
    plan = make(definition.load_all(), subject())
    assert {cell.table for cell in cells(definition.load("a20"), run_of([], plan))} == {"a20"}


def test_the_store_is_optional() -> None:
    assert run_of([]).store is None
    assert replace(run_of([]), store=Path("x")).store == Path("x")
