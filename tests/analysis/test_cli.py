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
