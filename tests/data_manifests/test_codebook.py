import re
from pathlib import Path

import pytest

from data_manifests import codebook
from data_manifests.errors import ManifestError, UnknownNameError


def written(folder: Path, columns: str, unique: str = '[["rater"]]') -> Path:
    head = f'[table.responses]\ntitle = "t"\nfile = "f"\nrow = "r"\nunique = {unique}\n'
    (folder / "codebook.toml").write_text(head + columns)
    return folder


RATER = """
[[table.responses.column]]
name = "rater"
type = "token"
meaning = "who"
required = true
may_be_empty = false
"""


def test_the_answers_have_what_table_4_needs_and_nothing_that_names_a_person() -> None:
    book = codebook.load("responses")
    assert {"rater", "image", "role", "arm", "kind", "key_side", "choice", "position"} <= set(book.required)
    assert not {"email", "ip", "name", "username", "outcome"} & set(book.header)


def test_the_raters_table_shares_its_keys_with_the_answers() -> None:
    answers, raters = codebook.load("responses"), codebook.load("raters")
    for name in ("run", "rater"):
        assert raters.column(name).type == answers.column(name).type


@pytest.mark.parametrize("start", "=+-@\t\r")
def test_no_token_can_be_a_spreadsheet_formula(start: str) -> None:
    assert not re.fullmatch(codebook.TOKEN, start + "A1")
    assert re.fullmatch(codebook.TOKEN, "A1")


def test_a_table_or_column_that_is_not_there_is_answered_with_near_names() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'raters'"):
        codebook.load("rater")
    with pytest.raises(UnknownNameError, match="did you mean 'key_side'"):
        codebook.load("responses").column("keyside")


@pytest.mark.parametrize(
    ("columns", "unique", "sentence"),
    [
        (RATER + 'shape = "round"\n', '[["rater"]]', "unknown key 'shape'"),
        (RATER.replace('"token"', '"tokn"'), '[["rater"]]', "no type 'tokn'; did you mean 'token'"),
        (RATER.replace('"token"', '"choice"'), '[["rater"]]', "'allowed' should list"),
        (RATER + 'allowed = ["a"]\n', '[["rater"]]', "'allowed' should list"),
        (RATER + "at_least = 1\n", '[["rater"]]', "only an integer has limits"),
        (RATER + RATER, '[["rater"]]', "'rater' is given 2 times"),
        (RATER, '[["rating"]]', "'unique' names no column 'rating'"),
        (RATER, '["rater"]', "a list of lists of strings"),
    ],
)
def test_a_codebook_that_contradicts_itself_is_refused(
    tmp_path: Path, columns: str, unique: str, sentence: str
) -> None:
    with pytest.raises(ManifestError, match=re.escape(sentence)):
        codebook.load("responses", written(tmp_path, columns, unique))
