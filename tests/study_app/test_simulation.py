import json
from pathlib import Path

from click.testing import CliRunner

from analysis import responses
from study_app.cli import main

PLANTED = ["--agree-dense", "0.2", "--agree-spade", "0.95", "--undecided-dense", "0.1", "--undecided-spade", "0.1"]


def test_what_is_planted_comes_back_through_the_pages_and_the_analysis(tmp_path: Path) -> None:
    folder = tmp_path / "simulated"
    size = ["--raters", "3", "--ratings", "48", "--images", "6", "--seed", "5", "--leaves", "0"]
    said = CliRunner().invoke(main, ["simulate", *size, *PLANTED, "--out", str(folder)])
    assert said.exit_code == 0, said.output
    read = responses.read(folder)
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    assert len(read.frame) == truth["answers"] == 48
    assert read.run_kind == "bot"
    assert read.notes == ()
    share = (read.frame["outcome"] == "agree").groupby(read.frame["arm"].astype(str)).mean()
    expected = truth["expected"]["agree_spade"] - truth["expected"]["agree_dense"]
    assert expected > 0.4
    # Four standard errors of a difference of two shares of 24 answers each.
    assert abs(share["spade"] - share["dense"] - expected) < 4 * (2 * 0.25 / 24) ** 0.5
    assert share["spade"] > share["dense"]
    counts = read.frame.groupby("rater", observed=True).size().to_dict()
    assert counts == {
        one["rater"]: sum(one["answers"].values()) for one in truth["people"] if sum(one["answers"].values())
    }


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("mine", encoding="utf-8")
    said = CliRunner().invoke(main, ["simulate", "--out", str(tmp_path)])
    assert said.exit_code == 2
    assert "is not empty" in said.output
    assert [one.name for one in tmp_path.iterdir()] == ["answers"]
