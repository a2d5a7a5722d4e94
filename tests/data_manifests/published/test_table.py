import hashlib
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from data_manifests import ManifestError, UnknownNameError
from data_manifests.published import load, table_ids
from data_manifests.published.table import HEADER

# Rows and columns as counted in the paper, average row included.
SHAPES = {
    "1": (3, 2), "2": (11, 4), "3": (11, 8), "4": (6, 2), "A2": (11, 3), "A3": (11, 4), "A4": (11, 4), "A5": (11, 6),
    "A6": (10, 2), "A7": (9, 6), "A8": (9, 8), "A9": (2, 4), "A10": (5, 3), "A11": (4, 2), "A12": (4, 3),
    "A13": (4, 2), "A14": (4, 9), "A15": (7, 5), "A16": (7, 2), "A17": (11, 2), "A18": (11, 8), "A19": (11, 7),
    "A20": (11, 6), "I.7": (1, 2), "text": (67, 1),
}  # fmt: skip
# The average of A10 has no source class; each augmentation of A14 has its own parameters (3 + 3 + 2 + 6 cells).
FILLED = {"A10": 14, "A14": 14}
# These print 98 or 97.4 where 98.00 or 97.40 was meant.
DROP_TRAILING_ZEROS = {"A3", "A4", "A5", "A6", "A7", "A10", "A17"}

Folder = Callable[..., Path]
ROW = {
    "row": "LRP", "column": "SPADE", "printed": "99.21", "value": "99.21", "unit": "%", "decimals": "2",
    "rounded_to": "2", "n": "111", "bold": "yes", "place": "section 4.1, Table 2", "note": "",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder with one table of one row: ROW with the given fields changed, or the given text for the whole CSV."""

    def write(text: str | None = None, *, index: str | None = None, **changed: str) -> Path:
        if text is None:
            text = ",".join(HEADER) + "\n" + ",".join(f'"{value}"' for value in (ROW | changed).values()) + "\n"
        (tmp_path / "table_2.csv").write_text(text, encoding="utf-8", newline="")
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        default = f'[table.2]\nfile = "table_2.csv"\ntitle = "t"\naxes = "a"\nsha256 = "{sha256}"\n'
        (tmp_path / "index.toml").write_text(default if index is None else index, encoding="utf-8")
        return tmp_path

    return write


def test_there_is_every_table_of_the_paper_but_the_one_in_words() -> None:
    assert table_ids() == ("1", "2", "3", "4", *(f"A{number}" for number in range(2, 21)), "I.7", "text")
    assert set(SHAPES) == set(table_ids())


@pytest.mark.parametrize("table_id", SHAPES)
def test_a_table_has_as_many_rows_columns_and_cells_as_in_the_paper(table_id: str) -> None:
    table = load(table_id)
    rows, columns = SHAPES[table_id]
    assert (len(table.rows), len(table.columns)) == (rows, columns)
    assert len(table.cells) == FILLED.get(table_id, rows * columns)


@pytest.mark.parametrize("table_id", SHAPES)
def test_a_value_is_what_its_printed_characters_say(table_id: str) -> None:
    reread = {
        ("1", "15m51s"): Decimal(15 * 60 + 51),
        ("A18", "50.2/6"): Decimal("50.2"),
        **{("1", f"{seconds}s"): Decimal(seconds) for seconds in (1, 2, 3, 20, 41)},
    }
    for cell in load(table_id).cells:
        if cell.number is not None:
            plain = reread.get((table_id, cell.printed)) or Decimal(cell.printed.rstrip("%").lstrip("+"))
            assert cell.value == plain
            assert str(cell.value) == str(plain)


@pytest.mark.parametrize("table_id", SHAPES)
def test_rounding_is_the_same_down_a_table_and_only_some_tables_drop_zeros(table_id: str) -> None:
    numbers = [cell.as_number() for cell in load(table_id).cells if cell.number is not None]
    if table_id != "text":
        assert len({number.rounded_to for number in numbers}) <= 1
    drops = any(number.rounded_to is not None and number.decimals < number.rounded_to for number in numbers)
    assert drops == (table_id in DROP_TRAILING_ZEROS)


def test_sample_counts_are_those_the_captions_state() -> None:
    stated = {table: {cell.n for cell in load(table).cells} for table in SHAPES}
    assert {table: counts for table, counts in stated.items() if counts != {None}} == {
        "2": {111}, "A2": {140}, "A5": {100}, "A7": {134, 150}, "A8": {121, 100}, "A10": {None, 21121}, "A18": {100},
        "A20": {100}, "I.7": {100},
    }  # fmt: skip


def test_odd_cells_carry_a_note() -> None:
    assert "50.6 would make" in load("A18").cell("gradientSHAP", "1SC").note
    assert "100.2" in load("4").cell("Disagree with Score-CAM", "SPADE Vis.").note
    assert "not among the options" in load("A15").cell("MobileNetV2/CelebA", "Learning Rate").note
    assert "951 s" in load("1").cell("SPADE", "Pruning+Saving").note


def test_a_printed_number_is_not_a_float() -> None:
    cell = load("2").cell("LRP", "SPADE")
    assert isinstance(cell.value, Decimal)
    with pytest.raises(TypeError):
        _ = 99.21 - cell.as_number()


def test_a_column_keeps_the_printed_order() -> None:
    table = load("A16")
    assert list(table.column("Trojan Accuracy")) == list(table.rows)
    assert table.column("Trojan Accuracy")["ConvNext-T/CelebA"].value == Decimal("99.5")


def test_an_unknown_table_is_answered_with_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match=r"no published table 'a16'; did you mean 'A16'\? Allowed: 1, 2, 3"):
        load("a16")


@pytest.mark.parametrize(
    ("row", "column", "sentence"),
    [
        ("Lrp", "SPADE", "Table 2 has no row 'Lrp'; did you mean 'LRP'?"),
        ("LRP", "FastSpade", "Table 2 has no column 'FastSpade'; did you mean 'FastSPADE'?"),
    ],
)
def test_an_unknown_row_or_column_is_answered_with_the_near_one(row: str, column: str, sentence: str) -> None:
    with pytest.raises(UnknownNameError, match=re.escape(sentence)):
        load("2").cell(row, column)


def test_an_unknown_column_is_refused_whole_too() -> None:
    with pytest.raises(UnknownNameError, match="Table 2 has no column 'Sparse'"):
        load("2").column("Sparse")


def test_a_cell_the_table_leaves_blank_is_refused_by_what_the_row_has() -> None:
    with pytest.raises(UnknownNameError, match="prints nothing in column 'Source' of row 'Average', only in: Dense"):
        load("A10").cell("Average", "Source")


def test_words_are_not_given_as_a_number() -> None:
    with pytest.raises(ManifestError, match=r"Table A11, row '99/Goose', column 'Source' prints '271/Red Wolf', not a"):
        _ = load("A11").cell("99/Goose", "Source").value


def test_a_good_file_is_read_as_written(folder: Folder) -> None:
    (cell,) = load("2", folder()).cells
    assert (cell.value, cell.n, cell.bold, cell.unit) == (Decimal("99.21"), 111, True, "%")


def test_a_checkout_with_other_line_ends_is_the_same_table(folder: Folder) -> None:
    path = folder()
    (path / "table_2.csv").write_bytes((path / "table_2.csv").read_bytes().replace(b"\n", b"\r\n"))
    assert load("2", path).cell("LRP", "SPADE").value == Decimal("99.21")


def test_a_changed_number_is_refused_by_its_hash(folder: Folder) -> None:
    path = folder()
    csv = path / "table_2.csv"
    csv.write_text(csv.read_text(encoding="utf-8").replace("99.21", "99.31"), encoding="utf-8")
    with pytest.raises(ManifestError, match=r"table_2\.csv: expected sha256 [0-9a-f]{64} as .*, found [0-9a-f]{64}"):
        load("2", path)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"decimals": "3"}, "line 2: 'decimals' should be 2, as in '99.21', found '3'"),
        ({"decimals": ""}, "line 2: 'decimals' should be 2, as in '99.21', found ''"),
        ({"rounded_to": "1"}, "line 2: 'rounded_to' should be at least 'decimals' (2), found '1'"),
        ({"rounded_to": "two"}, "line 2: 'rounded_to' should be a whole number or empty, found 'two'"),
        ({"value": "ninety"}, "line 2: 'value' should be a decimal number, found 'ninety'"),
        ({"value": "NaN"}, "line 2: 'value' should be a finite number, found 'NaN'"),
        ({"value": ""}, "line 2: 'decimals' and 'rounded_to' should be empty beside words"),
        ({"value": "", "decimals": "", "rounded_to": ""}, "'unit' should be one of %, 1, s,"),
        ({"unit": "percent"}, "line 2: 'unit' should be one of %, 1, s,"),
        ({"n": "-3"}, "line 2: 'n' should be a whole number or empty, found '-3'"),
        ({"n": "0"}, "line 2: 'n' should be at least 1"),
        ({"bold": "maybe"}, "line 2: 'bold' should be yes, no or empty, found 'maybe'"),
        ({"place": " "}, "line 2: 'place' is empty"),
        ({"printed": ""}, "line 2: 'printed' is empty"),
    ],
)
def test_a_bad_field_is_refused_by_file_line_and_what_was_expected(
    folder: Folder, changed: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ManifestError, match=re.escape(sentence)) as caught:
        load("2", folder(**changed))
    assert str(caught.value).startswith("table_2.csv, line 2: ")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "expected the columns row,column,printed"),
        ("row,column,value\nLRP,SPADE,99.21\n", "expected the columns row,column,printed"),
        (",".join((*HEADER, "source")) + "\n", f"found {','.join(HEADER)},source"),
        (",".join(HEADER) + "\n", "expected cells below the header, found none"),
        (",".join(HEADER) + "\nLRP,SPADE\n", "line 2: expected 11 fields, found 2"),
        (
            ",".join(HEADER) + 2 * ("\n" + ",".join(ROW.values()).replace(", T", " T")) + "\n",
            "line 3: row 'LRP', column 'SPADE' is given a second time",
        ),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_is_refused(folder: Folder, text: str, sentence: str) -> None:
    with pytest.raises(ManifestError, match=re.escape(sentence)):
        load("2", folder(text))


@pytest.mark.parametrize(
    ("index", "sentence"),
    [
        ("[table.2]\ntitel = 't'", "index.toml, table.2: the key 'file' is missing"),
        (
            "[table.2]\nfile='f'\ntitle='t'\naxes='a'\nsha256='0'\nmd5='0'",
            "index.toml, table.2: unknown key 'md5'; Allowed: file, title, axes, sha256",
        ),
        ("[tables.2]\nfile='f'", "index.toml: unknown key 'tables'; did you mean 'table'?"),
        ("[table.2]\nfile=3", "index.toml, table.2: the key 'file' should be a string that is not empty, found 3"),
        ("table = 1", "index.toml: the key 'table' should be tables headed [table.NAME], found 1"),
        ("[table", "index.toml: expected TOML in UTF-8, found a syntax error"),
        ("[table.2]\nfile='gone.csv'\ntitle='t'\naxes='a'\nsha256='0'", "gone.csv: index.toml names this file"),
    ],
)
def test_a_bad_index_is_refused_by_key(folder: Folder, index: str, sentence: str) -> None:
    with pytest.raises(ManifestError, match=re.escape(sentence)):
        load("2", folder(index=index))


def test_a_missing_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"index\.toml: the file cannot be read"):
        table_ids(tmp_path)
