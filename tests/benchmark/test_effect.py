import math

import numpy as np
import pytest
import synthetic_run

from benchmark import cells, definition, policy
from benchmark.effect import effect, effects
from benchmark.records import RunRecords

RULES = policy.load()
TABLE = definition.load("2")


def by_name(run: RunRecords) -> dict[tuple[str, str], cells.Cell]:
    return {(cell.row, cell.column): cell for cell in cells.cells(TABLE, run)}


def test_an_effect_is_the_mean_difference_on_the_samples_both_arms_have() -> None:
    whole = synthetic_run.run(tables=("2",))
    torn = synthetic_run.with_status(whole, "failed", "no memory", method="LRP", arm="dense", share=0.25)
    found, full = by_name(torn), by_name(whole)
    kept = found["LRP", "Dense"].samples
    assert len(kept) == 6
    spade = dict(zip(full["LRP", "SPADE"].samples, full["LRP", "SPADE"].values, strict=True))
    dense = dict(zip(full["LRP", "Dense"].samples, full["LRP", "Dense"].values, strict=True))
    result = effect(found.values(), RULES, "2", "LRP", column="SPADE", baseline="Dense").difference
    assert result is not None
    assert result.n == 6
    assert result.mean == pytest.approx(np.mean([spade[s] - dense[s] for s in kept]))


def test_a_table_has_one_effect_a_method_and_pruned_column_and_one_a_column_average() -> None:
    found = effects(TABLE, cells.cells(TABLE, synthetic_run.run(tables=("2",))), RULES)
    assert [(one.column, one.baseline) for one in found[:1]] == [("SPADE", "Dense")]
    assert {one.column for one in found} == {"SPADE", "FastSPADE", "Sparse FC"}
    assert len(found) == 3 * (10 + 1)
    assert [one.row for one in found].count("Average") == 3


def test_holm_counts_the_methods_of_a_column_and_not_its_average() -> None:
    found = effects(TABLE, cells.cells(TABLE, synthetic_run.run(tables=("2",))), RULES)
    spade = [one for one in found if one.column == "SPADE"]
    raw = sorted(one.difference.p_value for one in spade if one.difference and one.row != "Average")
    smallest = min(spade, key=lambda one: one.adjusted_p if one.row != "Average" else math.inf)
    assert smallest.adjusted_p == pytest.approx(min(1.0, 10 * raw[0]))
    average = next(one for one in spade if one.row == "Average")
    assert average.difference is not None
    assert average.adjusted_p == average.difference.p_value


def test_a_known_gain_is_resolved_and_no_gain_is_not() -> None:
    def average(gain: float) -> bool:
        found = effects(TABLE, cells.cells(TABLE, synthetic_run.run(tables=("2",), gain=gain)), RULES)
        return next(one.resolved for one in found if (one.row, one.column) == ("Average", "SPADE"))

    assert average(1.0)
    assert not average(0.0)


def test_an_effect_without_a_common_sample_has_no_number() -> None:
    torn = synthetic_run.with_status(
        synthetic_run.run(tables=("2",)), "failed", "x", method="LRP", arm="dense", share=1
    )
    found = cells.cells(TABLE, torn)
    assert effect(found, RULES, "2", "LRP", column="SPADE", baseline="Dense").difference is None


def test_a_table_with_a_reference_has_effects_over_it() -> None:
    table = definition.load("a6")
    found = effects(table, cells.cells(table, synthetic_run.run(tables=("a6",))), RULES)
    assert {(one.column, one.baseline) for one in found} == {("Dense Model + SPADE", "98% Sparse Model")}
    assert [one.row for one in found][-1] == "Average"
    # The double plants +4 points with SPADE and -5 with the sparse network.
    assert found[-1].difference is not None
    assert found[-1].difference.mean == pytest.approx(0.09, abs=0.01)


def test_a_table_without_a_dense_network_has_no_effects() -> None:
    table = definition.load("a16")
    assert effects(table, cells.cells(table, synthetic_run.run(tables=("a16",))), RULES) == []


def test_of_deletion_a_lower_value_is_an_improvement() -> None:
    table = definition.load("3")
    found = effects(table, cells.cells(table, synthetic_run.run(tables=("3",), gain=6.0)), RULES)
    by_name = {(one.row, one.column): one for one in found}
    for row in ("LRP", "Average"):
        up, down = by_name[row, "Insertion/FastSPADE"], by_name[row, "Deletion/FastSPADE"]
        assert up.difference is not None
        assert down.difference is not None
        assert up.difference.mean > 0 < down.difference.mean
        assert (up.difference.improved, down.difference.improved) == (1.0, 0.0)
        assert (up.lower_is_better, down.lower_is_better) == (False, True)
