import csv
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import synthetic_run
from scipy import stats

from benchmark import definition, policy
from benchmark.cells import cells
from benchmark.power import SIZES, TablePower, table_power
from benchmark.power_curve import draw
from spade.errors import InputError

RULES = policy.load()


@cache
def found() -> TablePower:
    return table_power(definition.load("2"), synthetic_run.run(0, tables=("2",)), RULES)


def values(row: str, column: str) -> np.ndarray:
    run = synthetic_run.run(0, tables=("2",))
    return next(c.array for c in cells(definition.load("2"), run) if (c.row, c.column) == (row, column))


def test_the_spread_of_an_effect_is_that_of_the_paired_differences() -> None:
    one = next(e for e in found().effects if (e.row, e.column) == ("LRP", "SPADE"))
    gains = values("LRP", "SPADE") - values("LRP", "Dense")
    assert (one.mean, one.sd) == pytest.approx((gains.mean(), gains.std(ddof=1)))


def test_the_number_needed_has_the_power_asked_for_and_one_fewer_has_not() -> None:
    one = next(e for e in found().effects if (e.row, e.column) == ("Occlusion", "FastSPADE"))
    level = 1 - RULES.intervals.alpha / 10  # Holm over ten methods

    def power(n: float) -> float:
        shift = one.mean / one.sd * math.sqrt(n)
        critical = stats.t.ppf((1 + level) / 2, n - 1)
        return float(stats.nct.sf(critical, n - 1, abs(shift)))

    assert power(one.needed) >= 0.8 > power(one.needed - 1)


def test_the_average_is_one_question_and_takes_no_correction() -> None:
    average = next(e for e in found().effects if (e.row, e.column) == ("Average", "SPADE"))
    shift = average.mean / average.sd * math.sqrt(8)
    plain = stats.nct.sf(stats.t.ppf(0.975, 7), 7, shift)
    assert average.curve[0] == pytest.approx(float(plain), abs=1e-6)


def test_a_cell_needs_as_many_images_as_bring_its_interval_to_the_margin() -> None:
    one = next(c for c in found().cells if (c.row, c.column) == ("LIME", "Dense"))
    assert one.sd == pytest.approx(values("LIME", "Dense").std(ddof=1))

    def half(n: float) -> float:
        return float(stats.t.ppf(0.975, n - 1)) * one.sd / math.sqrt(n)

    assert half(one.needed) <= one.margin < half(one.needed - 1)


def test_the_papers_effect_is_read_from_its_own_table() -> None:
    one = next(e for e in found().effects if (e.row, e.column) == ("Saliency", "SPADE"))
    assert one.paper == pytest.approx(96.21 - 87.87)
    assert one.needed_for_paper >= 2


def test_power_grows_with_images() -> None:
    for one in found().effects:
        assert list(one.curve) == sorted(one.curve)


def test_the_curves_are_drawn_and_their_numbers_are_beside_them(tmp_path: Path) -> None:
    figure, numbers = draw(found(), tmp_path / "curves.svg")
    assert figure.read_text(encoding="utf-8").count("<svg") == 1
    with numbers.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found().effects) * len(SIZES)
    with pytest.raises(InputError, match=r"\.svg, \.png, \.pdf"):
        draw(found(), tmp_path / "curves.doc")


def test_each_metric_is_compared_with_its_own_dense_column() -> None:
    table = definition.load("3")
    of_table = table_power(table, synthetic_run.run(0, tables=("3",)), RULES)
    assert {one.baseline for one in of_table.effects if one.column.startswith("Deletion")} == {"Deletion/Dense"}
    one = next(e for e in of_table.effects if (e.row, e.column) == ("LRP", "Deletion/FastSPADE"))
    assert one.paper == pytest.approx(10.35 - 9.71)


def test_the_margin_of_a_table_of_shares_is_a_hundredth_of_that_of_per_cent() -> None:
    of_shares = table_power(definition.load("a17"), synthetic_run.run(0, tables=("a17",)), RULES)
    assert {one.margin for one in of_shares.cells} == {RULES.paper.margins["trojan_auc"] / 100}
    one = next(c for c in of_shares.cells if (c.row, c.column) == ("LRP", "Parallel Pruning"))
    same = table_power(definition.load("2"), synthetic_run.run(0, tables=("2",)), RULES)
    beside = next(c for c in same.cells if (c.row, c.column) == ("LRP", "FastSPADE"))
    assert one.sd == pytest.approx(beside.sd / 100)
    assert one.needed == beside.needed > 2
