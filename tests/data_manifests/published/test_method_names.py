import pytest

from data_manifests import UnknownNameError
from data_manifests.published import METHODS, load, method

BY_METHOD = ["2", "3", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A17", "A18", "A19", "A20"]
# Left out, as the paper says: LRP where there is none (C, D.1, D.2), InputXGradient where DeepLift stands for both.
ABSENT = {"A6": {"LRP"}, "A7": {"LRP", "InputXGradient"}, "A8": {"LRP", "InputXGradient"}}


@pytest.mark.parametrize("table", BY_METHOD)
def test_every_row_by_method_has_one_of_the_ten_names_and_each_once(table: str) -> None:
    rows = [row for row in load(table).rows if row != "Average"]
    named = [method(row) for row in rows]
    assert len(set(named)) == len(named)
    assert set(named) == set(METHODS) - ABSENT.get(table, set())


def test_table_2_spells_the_methods_as_we_do() -> None:
    assert load("2").rows == (*METHODS, "Average")


def test_the_average_row_is_no_method() -> None:
    with pytest.raises(UnknownNameError, match=r"'Average' is no saliency method of the paper.*Allowed: Saliency"):
        method("Average")


def test_a_misspelt_method_is_answered_with_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'GradientShap'\?"):
        method("GradientShape")
