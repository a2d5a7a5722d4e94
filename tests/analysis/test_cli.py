from pathlib import Path

from click.testing import CliRunner

from analysis.cli import main

ROWS = (
    "rating,run,run_kind,rater,position,kind,image,role,arm,key_side,choice\n"
    "a1,r1,main,p1,1,main,i1,true,dense,left,left\n"
    "a2,r1,main,p2,1,main,i1,true,spade,left,{choice}\n"
)


def test_an_export_that_conforms_is_told_and_one_that_does_not_ends_with_2(tmp_path: Path) -> None:
    export = tmp_path / "responses.csv"
    export.write_text(ROWS.format(choice="both"))
    fine = CliRunner().invoke(main, ["check", str(tmp_path)])
    assert fine.exit_code == 0
    assert "2 answers (2 main) of 2 raters on 1 images" in fine.output
    export.write_text(ROWS.format(choice="bth"))
    refused = CliRunner().invoke(main, ["check", str(export)])
    assert refused.exit_code == 2
    assert "row 3, column 'choice': 'bth' is none of the values allowed; did you mean 'both'?" in refused.output


def test_a_simulated_study_is_written_as_an_export_that_conforms(tmp_path: Path) -> None:
    asked = ["--raters", "6", "--images", "5", "--ratings", "60", "--seed", "3"]
    done = CliRunner().invoke(main, ["simulate", str(tmp_path / "study"), *asked])
    assert done.exit_code == 0, done.output
    assert "60 answers of 6 simulated raters" in done.output
    assert "+13.1 points" in done.output
    checked = CliRunner().invoke(main, ["check", str(tmp_path / "study")])
    assert "60 answers (60 main) of 6 raters" in checked.output
    unknown = CliRunner().invoke(main, ["simulate", str(tmp_path / "study"), "--truth", "papr"])
    assert unknown.exit_code == 2
    assert "did you mean 'paper'" in unknown.output


def test_calibration_writes_its_table_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    few = ["--closed", "1", "--fitted", "0", "--resampled", "0", "--within", "0", "--bayesian", "0"]
    few += ["--store", str(tmp_path / "trials.jsonl")]
    done = CliRunner().invoke(main, ["calibrate", *few, "--table", str(tmp_path / "table.md")])
    assert done.exit_code == 0, done.output
    table = (tmp_path / "table.md").read_text()
    assert "### none, heterogeneous" in table
    assert "| primary | 1 |" in table
    before = (tmp_path / "trials.jsonl").read_text()
    CliRunner().invoke(main, ["calibrate", *few])
    assert (tmp_path / "trials.jsonl").read_text() == before
