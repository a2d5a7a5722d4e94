import csv
import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import cells, responses, simulated_export
from analysis.errors import AnalysisError
from analysis.simulation import TRUTHS, Design, study

HEADER = ["rating", "run", "run_kind", "rater", "position", "kind", "image", "role", "arm", "key_side", "choice"]


def answer(number: int, **changes: str) -> dict[str, str]:
    """A legal row; two raters answer alternately."""
    row = {
        "rating": f"a{number}",
        "run": "r1",
        "run_kind": "main",
        "rater": f"p{number % 2}",
        "position": str(number // 2 + 1),
        "kind": "main",
        "image": f"img{number // 4}",
        "role": "true" if number // 2 % 2 else "pred",
        "arm": "spade" if number % 2 else "dense",
        "key_side": "left",
        "choice": "left",
    }
    return row | changes


def table(*rows: dict[str, str]) -> str:
    header = list(dict.fromkeys([*HEADER, *(name for row in rows for name in row)]))
    out = io.StringIO()
    writer = csv.DictWriter(out, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def written(folder: Path, text: str | bytes, name: str = "responses.csv") -> Path:
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return folder / name


def refused(folder: Path, text: str | bytes, **choices: Any) -> str:
    with pytest.raises(AnalysisError) as caught:
        responses.read(written(folder, text), **choices)
    return str(caught.value)


def test_outcomes_follow_from_choice_and_key(tmp_path: Path) -> None:
    rows = [
        answer(0, key_side="left", choice="left"),
        answer(1, key_side="left", choice="right"),
        answer(2, key_side="right", choice="both"),
        answer(3, key_side="right", choice="neither"),
        answer(4, key_side="right", choice="right"),
    ]
    found = responses.read(written(tmp_path, table(*rows))).frame
    by_rating = found.set_index(found["rating"].astype(str))["outcome"].astype(str)
    assert by_rating.to_dict() == {
        "a0": "agree",
        "a1": "disagree",
        "a2": "undecided",
        "a3": "undecided",
        "a4": "agree",
    }
    assert set(found["item"]) == {"img0|pred", "img0|true", "img1|pred"}


def test_rows_out_of_order_give_the_same_frame_and_a_note(tmp_path: Path) -> None:
    rows = [answer(n) for n in (0, 2, 4, 1, 3, 5)]
    ordered = responses.read(written(tmp_path, table(*rows)))
    mixed = responses.read(written(tmp_path, table(*rows[::-1])))
    assert ordered.notes == ()
    assert "not in the order" in mixed.notes[0]
    pd.testing.assert_frame_equal(ordered.frame.drop(columns="row"), mixed.frame.drop(columns="row"))


def test_a_byte_order_mark_crlf_and_empty_lines_at_the_end_do_no_harm(tmp_path: Path) -> None:
    text = table(answer(0), answer(1))
    plain = responses.read(written(tmp_path, text))
    odd = responses.read(written(tmp_path, b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() + b"\r\n\r\n"))
    pd.testing.assert_frame_equal(plain.frame, odd.frame)
    assert [note for note in odd.notes if "byte order mark" in note or "empty lines" in note] == list(odd.notes)


@pytest.mark.parametrize(
    ("changes", "column", "sentence"),
    [
        ({"choice": "lefft"}, "choice", "did you mean 'left'"),
        ({"position": "0"}, "position", "a whole number of at least 1"),
        ({"position": "2.0"}, "position", "spreadsheet"),
        ({"position": "1E+05"}, "position", "spreadsheet"),
        ({"position": "-3"}, "position", "whole number"),
        ({"position": ""}, "position", "empty"),
        ({"rater": "=SUM(A1)"}, "rater", "not a name"),
        ({"rater": ""}, "rater", "empty"),
        ({"rater": "1.2E+15"}, "rater", "spreadsheet"),
        ({"arm": ""}, "arm", "dense or spade"),
        ({"kind": "catch"}, "arm", "belongs to no arm"),
        ({"shown_at": "23/11/2026 03:20"}, "shown_at", "as a spreadsheet rewrites it"),
        ({"shown_at": "11/23/26"}, "shown_at", "as a spreadsheet rewrites it"),
        ({"shown_at": "2026-11-23 03:20:26"}, "shown_at", "as a spreadsheet rewrites it"),
        ({"shown_at": "2026-11-23T03:20:26"}, "shown_at", "a time as"),
        ({"shown_at": "2026-02-30T03:20:26Z"}, "shown_at", "a time as"),
        ({"client_rt_ms": "1,5"}, "client_rt_ms", "spreadsheet"),
        ({"client_rt_ms": "fast"}, "client_rt_ms", "whole number"),
        ({"image_error": "perhaps"}, "image_error", "true or false"),
        ({"preregistration": "abc"}, "preregistration", "64 hexadecimal"),
        ({"image": "a b"}, "image", "not a name"),
        ({"rating": "a0"}, "rating", "stands in row 2 already"),
        ({"position": "1", "rater": "p0"}, "position", "stands in row 2 already"),
        ({"image": "img0", "role": "pred", "arm": "dense", "rater": "p0"}, "arm", "answered twice by one rater"),
        ({"run_kind": "bot"}, "run_kind", "two kinds"),
    ],
)
def test_a_cell_that_cannot_be_is_refused_with_row_and_column(
    tmp_path: Path, changes: dict[str, str], column: str, sentence: str
) -> None:
    fine = {
        "shown_at": "2026-11-23T03:20:26Z",
        "client_rt_ms": "900",
        "image_error": "FALSE",
        "preregistration": "a" * 64,
    }
    used = {name: value for name, value in fine.items() if name in changes}
    said = refused(tmp_path, table(answer(0, **used), answer(1, **used), answer(6, **(used | changes))))
    assert f"row 4, column '{column}'" in said
    assert sentence in said


def test_other_rows_with_the_same_fault_are_counted(tmp_path: Path) -> None:
    assert "row 2, column 'choice': (and in 2 more rows)" in refused(
        tmp_path, table(*(answer(n, choice="up") for n in range(3)))
    )


def test_unknown_and_missing_columns_are_refused_by_name(tmp_path: Path) -> None:
    text = table(answer(0), answer(1))
    assert "did you mean 'choice'" in refused(tmp_path, text.replace("choice", "choise"))
    short = "\n".join(line.rpartition(",")[0] for line in text.splitlines())
    assert "the column 'choice' is missing" in refused(tmp_path, short)
    assert "names the column 'arm' 2 times" in refused(tmp_path, text.replace("role,arm", "arm,arm"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "expected a header"),
        (table(answer(0)).replace(",", ";"), "separated by semicolons"),
        (table(answer(0)).replace(",", "\t"), "separated by tabs"),
        (table(answer(0), answer(1)) + "a2,r1\n", "row 4: 2 cells where the header has 11"),
        (table(answer(0)).replace("left\n", "left,extra\n"), "row 2: 12 cells where"),
        (table(answer(0)).replace("\na0", "\n\na0"), "row 2: the row is empty"),
        (table(), "a header and no answers"),
        (table(answer(0)).encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04" + bytes(40), "a spreadsheet or ZIP archive, whatever its name says"),
        (gzip.compress(table(answer(0)).encode()), "packed with gzip"),
        (table(answer(0, image="caf\u00e9")).encode("latin-1"), "row 2, column 'image': byte 0xe9 is not UTF-8"),
        (table(answer(0)) + '"a', "this is not CSV"),
        (table(answer(0)).replace("img0", "im\0g"), "row 2"),
    ],
)
def test_a_file_that_is_no_export_is_refused_with_the_reason(tmp_path: Path, text: str | bytes, sentence: str) -> None:
    assert sentence in refused(tmp_path, text)


def test_a_rater_who_is_not_among_the_runs_raters_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "run,rater,status\nr1,p0,finished\n", "raters.csv")
    written(tmp_path, table(answer(0), answer(1)))
    with pytest.raises(AnalysisError, match=r"row 3, column 'rater': 'p1' is not among the 1 raters"):
        responses.read(tmp_path)


def test_two_runs_are_never_analysed_together(tmp_path: Path) -> None:
    text = table(answer(0), answer(1, run="r2"))
    assert "2 runs (r1, r2)" in refused(tmp_path, text)
    assert "did you mean 'r2'" in refused(tmp_path, text, run="r22")
    assert len(responses.read(written(tmp_path, text), run="r2").frame) == 1


def test_a_repeated_task_is_no_duplicate_and_one_without_a_first_answer_is_noted(tmp_path: Path) -> None:
    same = {"rater": "p0", "kind": "repeat"}
    rows = [answer(0), answer(2, **same, image="img0", role="pred"), answer(4, **same, image="img9")]
    found = responses.read(written(tmp_path, table(*rows)))
    assert len(found.frame) == 3
    assert [note for note in found.notes if note.startswith("1 repeated tasks")]


def test_a_catch_task_has_no_arm(tmp_path: Path) -> None:
    found = responses.read(written(tmp_path, table(answer(0), answer(2, kind="catch", arm=""))))
    assert found.frame["arm"].isna().sum() == 1


def test_missing_optional_columns_are_named_and_empty_numbers_are_nan(tmp_path: Path) -> None:
    found = responses.read(written(tmp_path, table(answer(0, client_rt_ms="700"), answer(2, client_rt_ms=""))))
    assert "shown_at" in found.missing
    assert "client_rt_ms" not in found.missing
    assert found.frame["client_rt_ms"].isna().tolist() == [False, True]


def test_parquet_and_csv_of_one_export_read_the_same(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    rows = [answer(n, shown_at="2026-11-23T03:20:26Z", client_rt_ms=str(n), image_error="false") for n in range(6)]
    from_csv = responses.read(written(tmp_path, table(*rows)))
    frame = pd.read_csv(tmp_path / "responses.csv", parse_dates=["shown_at"])
    frame.to_parquet(tmp_path / "typed.parquet")
    from_parquet = responses.read(tmp_path / "typed.parquet")
    pd.testing.assert_frame_equal(from_csv.frame, from_parquet.frame)
    with pytest.raises(AnalysisError, match="not a Parquet file"):
        responses.read(written(tmp_path, "nothing", "bad.parquet"))


def test_cells_of_a_typed_frame_are_those_of_the_csv() -> None:
    frame = pd.DataFrame({"n": [1.0, None], "b": [True, False], "t": ["x", None]})
    assert cells.as_text(frame).to_dict("list") == {"n": ["1", ""], "b": ["true", "false"], "t": ["x", ""]}


def test_there_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match="no such file or folder"):
        responses.read(tmp_path / "nowhere")
    with pytest.raises(AnalysisError, match=r"no responses\.csv"):
        responses.read(tmp_path)


@pytest.mark.slow
def test_a_million_answers_are_read_and_the_one_wrong_among_them_is_found(tmp_path: Path) -> None:
    design = Design(raters=5000, images=500, ratings=1_000_000, unevenness=0.0)
    generator = np.random.default_rng(1)
    folder = simulated_export.write(study(TRUTHS["none"], design, generator), tmp_path, generator)
    assert len(responses.read(folder).frame) == 1_000_000
    lines = (folder / "responses.csv").read_text().splitlines()
    lines[765_432] = lines[765_432].replace(",bot,", ",boat,")
    (folder / "responses.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(AnalysisError, match=r"row 765433, column 'run_kind': 'boat'"):
        responses.read(folder)
