"""Counts behind printed shares: the paper's Table 4, brute force on small tables, and prints of known counts."""

import itertools
import math
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import AnalysisError
from analysis.reconstruction import column_counts, reconstruct
from analysis.share_table import Rounding, ShareCell, ShareTable, of_one_column, read, table_4

CATEGORIES = ("a", "b", "c")


def printed(share: Decimal, rounding: str) -> Decimal:
    return (share * 100).quantize(Decimal("0.1"), rounding=rounding)


def table(columns: list[tuple[int, int, int]], *, rounding: str = ROUND_HALF_UP, total: bool = True) -> ShareTable:
    """The table that these counts print: shares of all, and a's share of a and b."""
    cells = []
    for place, counts in enumerate(columns):
        rows: list[tuple[int, int, tuple[str, ...], tuple[str, ...]]] = [
            (counts[k], sum(counts), (CATEGORIES[k],), CATEGORIES) for k in range(3)
        ]
        rows.append((counts[0], counts[0] + counts[1], ("a",), ("a", "b")))
        for row, (part, base, of, among) in enumerate(rows):
            if base:
                value = printed(Decimal(part) / Decimal(base), rounding)
                cells.append(ShareCell(f"row {row}", f"column {place}", value, 1, 100, of=of, among=among))
    names = tuple(f"column {place}" for place in range(len(columns)))
    size = sum(map(sum, columns)) if total else None
    return ShareTable("", "", CATEGORIES, names, (None,) * len(columns), size, tuple(cells))


def test_table_4_comes_from_no_counts_and_17_8_is_the_cell_in_the_way() -> None:
    found = reconstruct(table_4())
    assert found.as_printed == ()
    assert found.possible_sizes[1] == ()
    (reading,) = found.readings
    (cell,) = reading.dropped
    assert (cell.row, cell.column, str(cell.printed)) == ("Disagree with Score-CAM", "SPADE Vis.", "17.8")
    assert reading.should_read == (("17.5", "17.6"),)
    (sentence,) = found.sums
    # Three shares rounded to a tenth are off by at most 3 * 0.05.
    assert "100.2" in sentence
    assert "between 99.85 and 100.15" in sentence


def test_table_4_has_four_readings_of_which_two_are_plausible() -> None:
    found = reconstruct(table_4())
    assert [one.counts for one in found.readings[0].tables] == [
        ((181, 65, 73), (298, 75, 54)),
        ((203, 73, 82), (271, 68, 49)),
        ((220, 79, 89), (250, 63, 45)),
        ((320, 115, 129), (127, 32, 23)),
    ]
    assert [one.sizes for one in found.plausible] == [(358, 388), (388, 358)]
    # 388 of 746: z = (388 - 373) / sqrt(746 / 4) = 1.098, two-sided .272; with the half step of an exact test .288.
    assert found.plausible[1].balance_p == pytest.approx(0.288, abs=5e-4)


def test_no_table_is_nearer_to_all_ten_cells_of_table_4_than_0_117_points() -> None:
    nearest = reconstruct(table_4()).nearest
    assert nearest is not None
    assert nearest[0].counts == ((237, 85, 96), (229, 58, 41))
    # 229 / (229 + 58) = 79.791, printed 79.9: off by 0.109; 41 / 328 = 12.5, printed 12.6: 0.1; 58 / 328: 0.117.
    assert nearest[1] * 100 == pytest.approx(17.8 - 5800 / 328)


def test_cutting_digits_off_does_not_save_table_4() -> None:
    found = reconstruct(table_4(), rounding="truncate")
    assert (found.as_printed, found.readings) == ((), ())


counts = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40)).filter(lambda one: sum(one) > 0)


@settings(max_examples=30)
@given(st.lists(counts, min_size=2, max_size=2), st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN]))
def test_the_counts_that_were_printed_are_found(columns: list[tuple[int, int, int]], rounding: str) -> None:
    found = reconstruct(table(columns, rounding=rounding))
    assert tuple(columns) in {one.counts for one in found.as_printed}
    assert found.readings == ()


@settings(max_examples=30)
@given(counts, st.integers(1, 60), st.sampled_from(["half", "truncate"]))
def test_a_column_has_the_splits_that_brute_force_finds(
    column: tuple[int, int, int], size: int, rounding: Rounding
) -> None:
    shown = table([column])
    below, above = (Decimal("0.05"), Decimal("0.05")) if rounding == "half" else (Decimal(0), Decimal("0.1"))

    def fits(split: tuple[int, int, int]) -> bool:
        for cell in shown.cells:
            part = sum(split[CATEGORIES.index(name)] for name in cell.of)
            base = sum(split[CATEGORIES.index(name)] for name in cell.among)
            # Multiplied out, so that no division rounds.
            low, high = (cell.printed - below) * base, (cell.printed + above) * base
            if base == 0 or not low <= part * 100 <= high:
                return False
        return True

    plain = {(a, b, size - a - b) for a in range(size + 1) for b in range(size + 1 - a) if fits((a, b, size - a - b))}
    assert set(column_counts(shown, "column 0", size, rounding=rounding)) == plain


def test_one_wrong_digit_is_found_and_mended() -> None:
    right = table([(113, 52, 36), (151, 41, 23)])
    wrong = right.cells[5]
    # 41 of 215 is 19.07; 19.4 is printed.
    cells = tuple(
        cell
        if cell is not wrong
        else ShareCell(wrong.row, wrong.column, Decimal("19.4"), 1, 100, wrong.of, wrong.among)
        for cell in right.cells
    )
    found = reconstruct(ShareTable("", "", CATEGORIES, right.columns, right.sizes, right.total, cells))
    assert found.as_printed == ()
    texts = {(reading.dropped[0].row, reading.dropped[0].column): reading.should_read for reading in found.readings}
    assert texts[wrong.row, wrong.column] == (("19.1",),)


def test_shares_alone_say_which_totals_they_can_come_from() -> None:
    found = reconstruct(of_one_column(["33.3", "66.7"], size=None))
    plain = [
        n
        for n in range(1, 200)
        if any(
            abs(Decimal(100 * k) / n - Decimal("33.3")) <= Decimal("0.05")
            and abs(100 - Decimal(100 * k) / n - Decimal("66.7")) <= Decimal("0.05")
            for k in range(n + 1)
        )
    ]
    assert [n for n in found.possible_sizes[0] if n < 200] == plain
    assert plain[0] == 3


def test_a_mean_of_28_people_cannot_be_0_19() -> None:
    # 5 / 28 = 0.1786 and 6 / 28 = 0.2143: the kind of print the GRIM test catches.
    found = reconstruct(of_one_column(["0.19", "0.81"], size=28, scale=1))
    assert found.as_printed == ()
    assert math.isnan(reconstruct(of_one_column(["0.18", "0.82"], size=28, scale=1)).as_printed[0].balance_p)


DESCRIPTION = """
title = "Made up"
categories = ["yes", "no"]
total = 20
[[row]]
name = "yes"
of = ["yes"]
among = ["yes", "no"]
[[column]]
name = "left"
n = 8
printed = ["25.0%"]
[[column]]
name = "right"
printed = ["41.7"]
"""


def test_a_described_table_is_read_and_reconstructed(tmp_path: Path) -> None:
    path = tmp_path / "table.toml"
    path.write_text(DESCRIPTION, encoding="utf-8")
    # 2 of 8 is 25.0 %, 5 of 12 is 41.67 %.
    assert [one.counts for one in reconstruct(read(path)).as_printed] == [((2, 6), (5, 7))]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('of = ["yes"]', 'of = ["yess"]', "did you mean 'yes'"),
        ('of = ["yes"]', 'of = ["yes", "no"]', "some, not all"),
        ("25.0%", "125", "'125' should be a share of 0 to 100"),
        ("25.0%", "much", "'much' should be a share"),
        ('["25.0%"]', '["25.0", "1"]', "2 cells, but there are 1 rows"),
        ("total = 20", "totl = 20", "did you mean 'total'"),
        ("total = 20", 'unit = "kg"', "'kg' is neither"),
        ('title = "Made up"', "", "'title' is missing"),
    ],
)
def test_a_description_that_is_wrong_is_refused_with_its_key(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    path = tmp_path / "table.toml"
    path.write_text(DESCRIPTION.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(AnalysisError, match=sentence):
        read(path)


def test_a_table_that_pins_nothing_down_is_refused_and_not_searched_for_hours() -> None:
    cells = (ShareCell("r", "c", Decimal(50), 0, 100, of=("a", "b"), among=("a", "b", "c", "d", "e")),)
    with pytest.raises(AnalysisError, match="splits of 400"):
        reconstruct(ShareTable("", "", ("a", "b", "c", "d", "e"), ("c",), (400,), None, cells))


def test_three_columns_are_found_together() -> None:
    columns = [(13, 5, 2), (10, 10, 5), (7, 4, 9)]
    found = reconstruct(table(columns))
    assert tuple(columns) in {one.counts for one in found.as_printed}
    assert all(sum(one.sizes) == sum(itertools.chain(*columns)) for one in found.as_printed)
