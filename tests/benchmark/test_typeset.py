import csv
import io
import re
from dataclasses import replace
from functools import cache

import pytest
import synthetic_run

from benchmark import policy, typeset
from benchmark.cells import cells
from benchmark.records import RunRecords
from benchmark.verdict import judge

RULES = replace(policy.load(), intervals=replace(policy.load().intervals, draws=200))


@cache
def run() -> RunRecords:
    found = synthetic_run.run(0, tables=("2", "a16"))
    return synthetic_run.with_status(
        found, "failed", "out of memory, 100 % & more", method="LIME", arm="obc", share=0.5
    )


@cache
def text() -> str:
    return typeset.latex(judge(run(), golden=None, summaries=(), policy=RULES), run())


def test_every_row_of_a_tabular_has_as_many_cells_as_its_columns() -> None:
    tabulars = re.findall(r"\\begin\{tabular\}\{(l(?:r+))\}(.*?)\\end\{tabular\}", text(), flags=re.DOTALL)
    assert len(tabulars) == 2
    for columns, body in tabulars:
        rows = [line for line in body.splitlines() if line.endswith(r"\\")]
        assert len(rows) > 1
        assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {len(columns)}


def test_braces_environments_and_dollars_are_closed() -> None:
    plain = re.sub(r"\\[{}$%&_#]", "", text())
    assert plain.count("{") == plain.count("}")
    assert plain.count("$") % 2 == 0
    begun, ended = (re.findall(rf"\\{word}\{{(\w+)\}}", plain) for word in ("begin", "end"))
    assert sorted(begun) == sorted(ended)
    assert plain.count(r"\toprule") == plain.count(r"\midrule") - 1 == plain.count(r"\bottomrule") == 2
    # A bare per cent sign would hide the rest of its line.
    assert all(line.startswith("%") or "%" not in line for line in plain.splitlines())


def test_a_cell_is_its_mean_with_its_interval_and_the_mark_of_its_verdict() -> None:
    dense = next(c for c in cells(run().tables[0], run()) if (c.row, c.column) == ("LRP", "Dense"))
    row = next(line for line in text().splitlines() if line.strip().startswith("LRP &"))
    first = row.split("&")[1]
    assert re.fullmatch(rf" {dense.mean:.2f} \[\d+\.\d\d, \d+\.\d\d\]\$\^\{{\\circ\}}\$ ", first)
    assert len(row.split("&")) == 5  # the method, then dense, SPADE, FastSPADE and Sparse FC


@pytest.mark.parametrize(
    ("plain", "set_"),
    [("50 % & _x_", r"50 \% \& \_x\_"), ("a^b~{c}\\", r"a\textasciicircum{}b\textasciitilde{}\{c\}\textbackslash{}")],
)
def test_text_is_escaped(plain: str, set_: str) -> None:
    assert typeset.escaped(plain) == set_


def test_the_tidy_file_has_a_line_for_every_sample_of_every_cell() -> None:
    rows = list(csv.DictReader(io.StringIO(typeset.tidy(run()))))
    asked = sum(len(cell.units) or 1 for cell in run().asked)
    assert len(rows) == asked
    of_cell = [row for row in rows if (row["table"], row["row"], row["column"]) == ("2", "LRP", "SPADE")]
    mean = sum(float(row["value"]) for row in of_cell) / len(of_cell)
    cell = next(c for c in cells(run().tables[0], run()) if (c.row, c.column) == ("LRP", "SPADE"))
    assert mean == pytest.approx(cell.mean, abs=1e-12)


def test_a_unit_without_a_value_says_why_and_has_no_number() -> None:
    rows = list(csv.DictReader(io.StringIO(typeset.tidy(run()))))
    failed = [row for row in rows if row["status"] == "failed"]
    assert {(row["value"], row["reason"]) for row in failed} == {("", "out of memory, 100 % & more")}
    assert {row["status"] for row in rows} == {"ok", "failed", "not run"}


def test_shares_have_four_decimals() -> None:
    found = synthetic_run.run(0, tables=("a17",))
    table = typeset.latex(judge(found, golden=None, summaries=(), policy=RULES), found)
    (average,) = [line for line in table.splitlines() if line.strip().startswith("Average")]
    means = [one.mean for one in cells(found.tables[0], found) if one.row == "Average"]
    assert re.findall(r"& (\S+) \[", average) == [f"{mean:.4f}" for mean in means]
