from decimal import Decimal

import pytest

from data_manifests.expression import CellName, Constant, ExpressionError, key_of, parse
from data_manifests.published import METHODS, load


def test_a_cell_is_named_by_table_row_and_column() -> None:
    found = parse('TA18["gradientSHAP", "1SI"]')
    assert found.root == CellName("A18", "gradientSHAP", "1SI")
    assert found.cells == (CellName("A18", "gradientSHAP", "1SI"),)
    assert found.tables == ("A18",)


def test_each_is_every_row_but_the_average() -> None:
    assert [cell.row for cell in parse('mean(T2[each, "SPADE"])').cells] == list(METHODS)


def test_figure_i7_can_be_named_and_the_numbers_of_sentences_cannot() -> None:
    assert parse('FI7["Mean gradient cosine similarity", "Dense"]').tables == ("I.7",)
    with pytest.raises(ExpressionError, match="no table 'Ttext'"):
        parse('Ttext["Human ratings", "Stated"]')


def test_a_cell_used_twice_is_listed_once() -> None:
    assert len(parse('T2["LRP", "SPADE"] - T2["LRP", "SPADE"]').cells) == 1


def test_a_number_is_the_decimal_that_was_written() -> None:
    assert parse("0.1").root == Constant(Decimal("0.1"))


@pytest.mark.parametrize("table", ["2", "A2", "A3", "A5", "A18"])
def test_a_method_has_one_key_however_a_table_spells_it(table: str) -> None:
    assert {key_of(row) for row in load(table).rows} == {*METHODS, "Average"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('T2["Averag", "SPADE"]', "Table 2 has no row 'Averag'; did you mean 'Average'?"),
        ('T3["LRP", "Insertion/SPADE"]', "did you mean 'Insertion/FastSPADE'?"),
        ('T22["LRP", "SPADE"]', "There is no table 'T22'; did you mean 'T2'?"),
        ('TA10["99/Goose", "Source"]', "prints '271/Red Wolf', not a number"),
        ('men(T2[each, "SPADE"])', "There is no function 'men'; did you mean 'mean'?"),
        ('T2[each, "SPADE"]', "gives several numbers"),
        ('mean(T2["LRP", "SPADE"])', "is of a single number"),
        ('T2[each, "SPADE"] > T2[each, "Dense"]', "only inside count"),
        ('count(T2["LRP", "SPADE"] > T2["LRP", "Dense"])', "compares two single numbers"),
        ('count(T2[each, "SPADE"])', "should hold one comparison"),
        ('count(1 < T2[each, "SPADE"] < 3)', "should hold one comparison"),
        ('mean(T2[each, "SPADE"] - TA6[each, "98% Sparse Model"])', "only one side has LRP"),
        ('lead(T2[each, "SPADE"], "LPR")', "has no row 'LPR'; did you mean 'LRP'?"),
        ('lead(T2[("LRP", "LIME"), "SPADE"], "LRP", "LIME")', "names every row"),
        ('lead(T2[each, "SPADE"])', "then names of some rows"),
        ('T2["LRP"]', "a table with a row and a column"),
        ('T2["LRP", each]', "only rows can be 'each'"),
        ('T2[("LRP", "LRP"), "SPADE"]', "a list of different texts"),
        ('min(T2[each, "SPADE"], 1)', "mixes numbers and several"),
        ('mean(T2[each, "SPADE"], T2[each, "Dense"])', "has 2 arguments"),
        ("mean()", "is empty"),
        ("", "is not an expression"),
        ("2 ** 3", "not in the language"),
        ("True", "not in the language"),
        ("(lambda: 1)()", "not in the language"),
        ("__import__('os').system('true')", "not in the language"),
        ("open('/etc/passwd')", "There is no function 'open'"),
        ('T2["LRP", "SPADE"].value', "not in the language"),
        ('[T2["LRP", "SPADE"] for i in (1,)]', "not in the language"),
        ('f"{1}"', "not in the language"),
        ("mean(*T2)", "not in the language"),
        ("1" + " + 1" * 5000, "is not an expression"),
    ],
)
def test_what_is_not_in_the_language_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert sentence in str(caught.value)
