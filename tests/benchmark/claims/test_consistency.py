"""Each check finds a misprint that was planted, and nothing in a table that fits."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from benchmark.claims import consistency
from benchmark.claims.consistency import check_tables
from data_manifests.published import PublishedCell, PublishedTable, load

Misprint = Callable[[PublishedCell], PublishedCell]


def set_to(printed: str) -> Misprint:
    def change(cell: PublishedCell) -> PublishedCell:
        return replace(cell, printed=printed, number=replace(cell.as_number(), value=Decimal(printed)))

    return change


def bold(cell: PublishedCell) -> PublishedCell:
    return replace(cell, bold=not cell.bold)


def two_points(cell: PublishedCell) -> PublishedCell:
    return replace(cell, printed=cell.printed + ".1")


@pytest.mark.parametrize(
    ("table", "row", "column", "misprint", "ids"),
    [
        ("2", "Average", "SPADE", set_to("96.65"), ["average/2/Average/SPADE"]),
        # An average that only rounding separates from its column is no misprint.
        ("2", "Average", "SPADE", set_to("96.55"), []),
        ("A8", "LIME", "CelebA/SPADE Delta", set_to("-1.54"), ["difference/A8/LIME/CelebA/SPADE Delta"]),
        ("A18", "LRP", "1SI", bold, ["bold/A18/LRP/Dense"]),
        ("A7", "Lime", "CelebA/SPADE", two_points, ["malformed/A7/Lime/CelebA/SPADE"]),
        ("A3", "LRP", "SparseFC", set_to("93.89"), ["repeated/A3/LRP/SparseFC"]),
        ("4", "Undecided", "Dense Vis.", set_to("22.7"), ["sum/4/Dense Vis."]),
    ],
)
def test_a_planted_misprint_is_found_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, table: str, row: str, column: str, misprint: Misprint, ids: list[str]
) -> None:
    before = {one.id for one in check_tables().findings}

    def changed(name: str) -> PublishedTable:
        found = load(name)
        if name != table:
            return found
        cells = tuple(misprint(one) if (one.row, one.column) == (row, column) else one for one in found.cells)
        return replace(found, cells=cells)

    monkeypatch.setattr(consistency, "printed_table", changed)
    fresh = [one.id for one in check_tables().findings if one.id not in before]
    # A changed share also leaves no split of the ratings that prints it.
    assert [name for name in fresh if not name.startswith("split/")] == ids
