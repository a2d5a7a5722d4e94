"""The paper recomputed from its own cells: what adds up, and exactly what does not."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise

import pytest

from data_manifests.published import METHODS, PublishedCell, load, method, table_ids

Range = tuple[Decimal, Decimal]


def before_rounding(cell: PublishedCell) -> Range:
    number = cell.as_number()
    return number.value - number.half_unit, number.value + number.half_unit


def difference(of: Range, minus: Range) -> Range:
    return of[0] - minus[1], of[1] - minus[0]


def average_cells() -> list[tuple[PublishedCell, list[PublishedCell]]]:
    found = []
    for table in map(load, table_ids()):
        for name in table.columns:
            column = table.column(name)
            if "Average" in column:
                found.append((column["Average"], [cell for row, cell in column.items() if row != "Average"]))
    return found


def test_the_paper_prints_68_averages_over_methods_and_2_over_patches() -> None:
    counts = [len(parts) for average, parts in average_cells() if average.table != "A10"]
    assert len(counts) == 68
    # Ten methods; nine without LRP (A6); eight without LRP and with DeepLift for InputXGradient (A7, A8).
    assert set(counts) == {10, 9, 8}
    assert [len(parts) for average, parts in average_cells() if average.table == "A10"] == [4, 4]


def test_every_average_over_methods_is_the_mean_of_the_printed_cells_above_it() -> None:
    wrong = [
        (average.table, average.column)
        for average, parts in average_cells()
        if not average.as_number().could_be(sum((part.value for part in parts), Decimal(0)) / len(parts))
    ]
    # A10: (96.23 + 90.92 + 86.75 + 86.73) / 4 = 90.1575 is printed as 90.15; before rounding it could be.
    assert wrong == [("A10", "Dense")]


def test_every_average_could_be_the_mean_of_the_cells_before_rounding() -> None:
    for average, parts in average_cells():
        ranges = [before_rounding(part) for part in parts]
        low, high = (sum((r[end] for r in ranges), Decimal(0)) / len(parts) for end in (0, 1))
        assert average.as_number().could_be(low, high), (average.table, average.column)


def test_the_odd_cell_of_a18_is_50_2_and_not_50_6() -> None:
    column = load("A18").column("1SC")
    others = [cell.value for row, cell in column.items() if row not in {"Average", "gradientSHAP"}]
    average = column["Average"].as_number()
    assert column["gradientSHAP"].printed == "50.2/6"
    assert average.could_be((sum(others) + Decimal("50.2")) / 10)
    assert not average.could_be((sum(others) + Decimal("50.6")) / 10)


def test_every_printed_difference_could_be_that_of_its_two_cells_before_rounding() -> None:
    checked, off_as_printed = 0, []
    for table in (load("A5"), load("A7"), load("A8")):
        for cell in table.cells:
            if cell.column.endswith(" Delta"):
                arm = table.cell(cell.row, cell.column.removesuffix(" Delta"))
                dense = table.cell(cell.row, cell.column.split("/")[0] + "/Dense")
                assert cell.as_number().could_be(*difference(before_rounding(arm), before_rounding(dense)))
                checked += 1
                if arm.value - dense.value != cell.value:
                    off_as_printed.append(abs(arm.value - dense.value - cell.value))
    # Two columns of 11 (A5), two of 9 (A7), three of 9 (A8).
    assert checked == 22 + 18 + 27
    assert off_as_printed == 13 * [Decimal("0.01")]


# Where a table prints a column of another one again: (table, column, printed first in, column, scale).
RESTATED = [
    ("A3", "FastSPADE (100 ex.)", "2", "FastSPADE", 1),
    ("A3", "SparseFC", "2", "Sparse FC", 1),
    ("A3", "Dense", "2", "Dense", 1),
    ("A4", "SPADE", "2", "SPADE", 1),
    ("A4", "SparseFC", "2", "Sparse FC", 1),
    ("A4", "Dense", "2", "Dense", 1),
    ("A6", "Dense Model + SPADE", "2", "SPADE", 100),
    ("A17", "Parallel Pruning", "2", "FastSPADE", 100),
    ("A19", "Dense", "A18", "Dense", 1),
    ("A19", "J+RC", "A18", "1SI", 1),
]


def test_what_is_printed_twice_agrees_but_for_lime_in_a19() -> None:
    differing = []
    for table, column, origin, first, scale in RESTATED:
        originals = {method(row): cell for row, cell in load(origin).column(first).items() if row != "Average"}
        for row, cell in load(table).column(column).items():
            if row == "Average":
                continue
            low, high = (end / scale for end in before_rounding(originals[method(row)]))
            if not cell.as_number().could_be(low, high):
                differing.append((table, column, row, cell.printed, originals[method(row)].printed))
    assert differing == [("A19", "J+RC", "Lime", "95.4", "95.6")]


# (table, columns compared, rows where the smallest is best)
BOLD = [
    ("2", ("Dense", "SPADE", "FastSPADE", "Sparse FC"), ()),
    ("3", tuple(f"Insertion/{arm}" for arm in ("Dense", "FastSPADE", "FastSPADE*", "Sparse FC")), ()),
    ("3", tuple(f"Deletion/{arm}" for arm in ("Dense", "FastSPADE", "FastSPADE*", "Sparse FC")), (*METHODS, "Average")),
    ("4", ("Dense Vis.", "SPADE Vis."), ("Undecided", "Disagree with Score-CAM", "Disagree when not undecided")),
    ("A9", ("DFFOT/Dense", "DFFOT/SPADE"), ()),
    ("A9", ("DFMIT/Dense", "DFMIT/SPADE"), ("SST-2", "AG news 2")),
    ("A18", ("Dense", "1SI", "1ST", "1SC", "1SD", "MST", "MSC", "MSD"), ()),
    ("A19", ("Dense", "J+RC", "J+G+RC", "RR", "G+RC", "RR+RC", "G"), ()),
    ("A20", ("Dense", "FC", "Block 4", "Block 3", "Block 2", "Block 1"), ()),
]


@pytest.mark.parametrize(("table_id", "columns", "smallest"), BOLD)
def test_the_bold_cell_is_the_best_of_its_row(table_id: str, columns: Iterable[str], smallest: Iterable[str]) -> None:
    table = load(table_id)
    for row in table.rows:
        cells = [table.cell(row, column) for column in columns]
        best = (min if row in smallest else max)(cell.value for cell in cells)
        assert [cell.value for cell in cells if cell.bold] == [best], row


def test_bold_face_is_unknown_where_the_text_carries_none() -> None:
    known = {table for table, _, _ in BOLD}
    for table in map(load, table_ids()):
        assert {cell.bold for cell in table.cells} == ({True, False} if table.id in known else {None}), table.id


def stated(row: str) -> PublishedCell:
    return load("text").cell(row, "Stated")


def gain(table: str, arm: str, dense: str, row: str = "Average") -> Range:
    return difference(before_rounding(load(table).cell(row, arm)), before_rounding(load(table).cell(row, dense)))


def loss(table: str, arm: str, dense: str) -> Range:
    return gain(table, dense, arm)


def error(arm: str) -> Range:
    return difference((Decimal(100), Decimal(100)), before_rounding(load("2").cell("Average", arm)))


VALUES = {
    "Dense error, average": error("Dense"),
    "SPADE error, average": error("SPADE"),
    "Sparse FC error reduction, average": gain("2", "Sparse FC", "Dense"),
    "SPADE users successful": before_rounding(load("4").cell("Overall success", "SPADE Vis.")),
    "Dense users successful": before_rounding(load("4").cell("Overall success", "Dense Vis.")),
    "SPADE AUC improvement, average": gain("2", "SPADE", "Dense"),
    "FastSPADE AUC improvement, average": gain("2", "FastSPADE", "Dense"),
    "Sparse FC AUC improvement, average": gain("2", "Sparse FC", "Dense"),
    "FastSPADE insertion improvement, average": gain("3", "Insertion/FastSPADE", "Insertion/Dense"),
    "FastSPADE deletion improvement, average": loss("3", "Deletion/FastSPADE", "Deletion/Dense"),
    "FastSPADE* insertion improvement, average": gain("3", "Insertion/FastSPADE*", "Insertion/Dense"),
    "FastSPADE* deletion improvement, average": loss("3", "Deletion/FastSPADE*", "Deletion/Dense"),
    "Sparse FC insertion improvement, average": gain("3", "Insertion/Sparse FC", "Insertion/Dense"),
    "Sparse FC deletion improvement, average": loss("3", "Deletion/Sparse FC", "Deletion/Dense"),
    "MobileNet AUC improvement, average": gain("A7", "ImageNet/SPADE", "ImageNet/Dense"),
    "ConvNext AUC improvement, average": gain("A8", "ImageNet/SPADE", "ImageNet/Dense"),
    "SPADE decision rate": difference(
        (Decimal(100), Decimal(100)), before_rounding(load("4").cell("Undecided", "SPADE Vis."))
    ),
    "Dense decision rate": difference(
        (Decimal(100), Decimal(100)), before_rounding(load("4").cell("Undecided", "Dense Vis."))
    ),
    "SPADE agreement when decided": before_rounding(load("4").cell("Agree when not undecided", "SPADE Vis.")),
    "Dense agreement when decided": before_rounding(load("4").cell("Agree when not undecided", "Dense Vis.")),
    "SPADE+Linear AUC improvement, average": gain("A2", "SPADE+Linear", "Dense"),
    "CelebA AUC improvement, average": gain("A5", "CelebA/SPADE", "CelebA/Dense"),
    "Food-101 AUC improvement, average": gain("A5", "Food101/SPADE", "Food101/Dense"),
    "MobileNet ImageNet AUC improvement, average": gain("A7", "ImageNet/SPADE", "ImageNet/Dense"),
    "MobileNet CelebA AUC improvement, average": gain("A7", "CelebA/SPADE", "CelebA/Dense"),
    "ConvNext ImageNet SPADE AUC improvement, average": gain("A8", "ImageNet/SPADE", "ImageNet/Dense"),
    "ConvNext ImageNet FastSPADE AUC improvement, average": gain("A8", "ImageNet/FastSPADE", "ImageNet/Dense"),
    "ConvNext CelebA SPADE AUC improvement, average": gain("A8", "CelebA/SPADE", "CelebA/Dense"),
}


def test_exactly_two_stated_values_do_not_follow_from_the_tables() -> None:
    wrong = {row for row, exact in VALUES.items() if not stated(row).as_number().could_be(*exact)}
    assert wrong == {"FastSPADE deletion improvement, average", "ConvNext AUC improvement, average"}


def test_the_convnext_value_follows_from_no_column_of_its_table() -> None:
    claim = stated("ConvNext AUC improvement, average").as_number()
    for dataset, arm in (("ImageNet", "SPADE"), ("ImageNet", "FastSPADE"), ("CelebA", "SPADE")):
        assert not claim.could_be(*gain("A8", f"{dataset}/{arm}", f"{dataset}/Dense"))


def improved(table: str, arm: str, dense: str, *, smaller: bool = False) -> int:
    rows = [row for row in load(table).rows if row != "Average"]
    effects = [load(table).cell(row, arm).value - load(table).cell(row, dense).value for row in rows]
    return sum(effect < 0 if smaller else effect > 0 for effect in effects)


COUNTS = {
    "Methods FastSPADE improves in AUC": improved("2", "FastSPADE", "Dense"),
    "Methods FastSPADE improves in insertion": improved("3", "Insertion/FastSPADE", "Insertion/Dense"),
    "Methods FastSPADE improves in deletion": improved("3", "Deletion/FastSPADE", "Deletion/Dense", smaller=True),
    "Methods FastSPADE* improves in insertion": improved("3", "Insertion/FastSPADE*", "Insertion/Dense"),
    "Methods FastSPADE* improves in deletion": improved("3", "Deletion/FastSPADE*", "Deletion/Dense", smaller=True),
    "Methods SPADE improves on CelebA": improved("A5", "CelebA/SPADE", "CelebA/Dense"),
    "Methods SPADE improves on Food-101": improved("A5", "Food101/SPADE", "Food101/Dense"),
    "Methods SPADE improves on ConvNext ImageNet": improved("A8", "ImageNet/SPADE", "ImageNet/Dense"),
}


def test_exactly_three_stated_counts_of_methods_are_one_too_many() -> None:
    off = {row: stated(row).value - count for row, count in COUNTS.items() if stated(row).value != count}
    assert off == {
        "Methods FastSPADE improves in deletion": 1,
        "Methods FastSPADE* improves in insertion": 1,
        "Methods SPADE improves on ConvNext ImageNet": 1,
    }


def test_fastspade_on_convnext_misses_a_method_too() -> None:
    # "all of the saliency estimation methods" fails for Occlusion, -1.08.
    assert improved("A8", "ImageNet/FastSPADE", "ImageNet/Dense") == 7
    assert load("A8").cell("Occlusion", "ImageNet/FastSPADE Delta").value == Decimal("-1.08")
    assert load("A8").cell("IntegratedGradients", "ImageNet/SPADE Delta").value == Decimal("-1.58")


def test_spade_improves_every_method_where_the_paper_says_every() -> None:
    assert improved("2", "SPADE", "Dense") == 10
    assert improved("A7", "ImageNet/SPADE", "ImageNet/Dense") == improved("A7", "CelebA/SPADE", "CelebA/Dense") == 8
    assert improved("A6", "Dense Model + SPADE", "98% Sparse Model") == 9


def test_the_stated_bounds_hold() -> None:
    table, largest = load("2"), ("Saliency", "InputXGradient", "LRP")
    gains = {
        arm: {row: table.cell(row, arm).value - table.cell(row, "Dense").value for row in METHODS}
        for arm in ("SPADE", "FastSPADE")
    }
    assert min(gains["SPADE"][row] for row in largest) > stated("Largest SPADE AUC gains, lower bound").value
    assert min(gains["FastSPADE"][row] for row in largest) > stated("Largest FastSPADE AUC gains, lower bound").value
    # "the biggest gains"
    assert set(sorted(METHODS, key=lambda row: gains["SPADE"][row])[-3:]) == set(largest)
    assert table.cell("LRP", "SPADE").value > stated("SPADE LRP AUC, lower bound").value
    # "to less than half"
    assert 2 * stated("SPADE error, average").value < stated("Dense error, average").value
    undecided = load("4").column("Dense Vis.")["Undecided"].value - load("4").column("SPADE Vis.")["Undecided"].value
    assert undecided > stated("Decision rate gain with SPADE, lower bound").value


def test_the_stated_seconds_are_the_sums_of_table_1() -> None:
    for row, pruner in (
        ("FastSPADE time per sample", "FastSPADE"),
        ("Batched FastSPADE time per example", "Batched FastSPADE"),
    ):
        steps = [load("1").cell(pruner, column).value for column in load("1").columns]
        assert stated(row).value == sum(steps)


def test_trojan_accuracies_lie_in_the_stated_range() -> None:
    column = load("A16").column("Trojan Accuracy")
    accuracies = [cell.value for row, cell in column.items() if not row.endswith("/CelebA")]
    lowest = stated("Trojan accuracy on ImageNet and Food-101, lowest").value
    highest = stated("Trojan accuracy on ImageNet and Food-101, highest").value
    assert all(lowest <= accuracy <= highest for accuracy in accuracies)


def test_one_learning_rate_is_not_among_the_stated_options() -> None:
    options = {Decimal("0.01"), Decimal("0.001"), Decimal("0.0001"), Decimal("0.00001")}
    rates = load("A15").column("Learning Rate")
    assert [row for row, cell in rates.items() if cell.value not in options] == ["MobileNetV2/CelebA"]


def disagreements(n: int, shares: dict[str, Decimal]) -> set[Decimal]:
    """Every percentage, to one decimal, that disagreement can print when n ratings print a column's other rows."""

    def prints(part: int, whole: int, printed: Decimal) -> bool:
        # part / whole prints as p to one decimal when |1000 part - 10 p whole| <= whole / 2.
        return abs(1000 * part - 10 * printed * whole) * 2 <= whole

    possible = set()
    for undecided in (k for k in range(n + 1) if prints(k, n, shares["Undecided"])):
        decided = n - undecided
        for agree in (k for k in range(decided + 1) if prints(k, n, shares["Agree with Score-CAM"])):
            disagree = decided - agree
            if prints(agree, decided, shares["Agree when not undecided"]) and prints(
                disagree, decided, shares["Disagree when not undecided"]
            ):
                possible |= {Decimal(t) / 10 for t in range(1001) if prints(disagree, n, Decimal(t) / 10)}
    return possible


def test_no_split_of_746_ratings_prints_17_8_while_17_5_or_17_6_fits_the_other_rows() -> None:
    shares = {column: {row: c.value for row, c in load("4").column(column).items()} for column in load("4").columns}
    dense, spade = shares["Dense Vis."], shares["SPADE Vis."]
    total = int(stated("Human ratings").value)
    possible: set[Decimal] = set()
    for n in range(1, total):
        found = disagreements(n, spade)
        if found and dense["Disagree with Score-CAM"] in disagreements(total - n, dense):
            possible |= found
    assert possible == {Decimal("17.5"), Decimal("17.6")}
    assert spade["Disagree with Score-CAM"] == Decimal("17.8")


def test_only_the_spade_column_of_table_4_does_not_add_up() -> None:
    parts = ("Undecided", "Agree with Score-CAM", "Disagree with Score-CAM")
    sums = {column: sum(load("4").cell(row, column).value for row in parts) for column in load("4").columns}
    # Three numbers rounded to 0.1 sum to 100 within 0.15.
    assert sums == {"Dense Vis.": Decimal("100.0"), "SPADE Vis.": Decimal("100.2")}


def test_shares_of_the_decided_follow_from_the_shares_of_all_but_for_spades_disagreement() -> None:
    wrong = []
    for column in load("4").columns:
        decided = difference((Decimal(100), Decimal(100)), before_rounding(load("4").cell("Undecided", column)))
        for word in ("Agree", "Disagree"):
            low, high = before_rounding(load("4").cell(f"{word} with Score-CAM", column))
            share = load("4").cell(f"{word} when not undecided", column)
            if not share.as_number().could_be(100 * low / decided[1], 100 * high / decided[0]):
                wrong.append((word, column))
    assert wrong == [("Disagree", "SPADE Vis.")]


def test_dense_resnet50_differs_between_its_four_tables_by_up_to_2_64_points() -> None:
    columns = [load(table).column("Dense") for table in ("2", "A2", "A18", "A20")]
    by_method: dict[str, list[Decimal]] = {name: [] for name in METHODS}
    for column in columns:
        for row, cell in column.items():
            if row != "Average":
                by_method[method(row)].append(cell.value)
    spreads = {name: max(values) - min(values) for name, values in by_method.items()}
    assert all(len(values) == 4 for values in by_method.values())
    # InputXGradient: 85.44 in table 2, 82.8 in A18.
    assert max(spreads.values()) == Decimal("2.64")


def test_the_last_block_is_the_best_to_prune_in_a20_and_the_third_the_worst() -> None:
    averages = [load("A20").cell("Average", f"Block {number}").value for number in (4, 1, 2, 3)]
    assert all(later < earlier for earlier, later in pairwise(averages))
