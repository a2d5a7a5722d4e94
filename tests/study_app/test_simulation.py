import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis import crossed, ratings, responses
from analysis.cli import main as stats
from analysis.measure import measure
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


@pytest.mark.parametrize(("agree", "undecided"), [((0.25, 0.9), (0.4, 0.1)), ((0.7, 0.7), (0.2, 0.2))])
def test_the_analysis_covers_what_was_planted_whether_there_is_an_effect_or_none(
    tmp_path: Path, agree: tuple[float, float], undecided: tuple[float, float]
) -> None:
    folder = tmp_path / "simulated"
    size = ["--raters", "6", "--ratings", "96", "--images", "8", "--seed", "2", "--leaves", "0"]
    planted = [
        *("--agree-dense", str(agree[0]), "--agree-spade", str(agree[1])),
        *("--undecided-dense", str(undecided[0]), "--undecided-spade", str(undecided[1])),
    ]
    said = CliRunner().invoke(main, ["simulate", *size, *planted, "--out", str(folder)])
    assert said.exit_code == 0, said.output
    expected = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["expected"]
    answers = ratings.of_frame(responses.read(folder).frame)
    for outcome in ("agree", "disagree", "undecided"):
        truth = expected[f"{outcome}_spade"] - expected[f"{outcome}_dense"]
        found = crossed.risk_difference(answers, measure(outcome))
        assert found.low is not None
        assert found.high is not None
        assert found.low <= truth <= found.high, outcome
        if outcome == "agree":  # by 96 answers some 60 points are told from nothing, and none are not
            assert (found.low > 0) == (agree[0] < agree[1])


@pytest.mark.slow
def test_the_report_of_a_whole_simulated_study_covers_what_was_planted(tmp_path: Path) -> None:
    folder, report = tmp_path / "simulated", tmp_path / "report"
    said = CliRunner().invoke(main, ["simulate", "--raters", "24", "--ratings", "746", "--out", str(folder)])
    assert said.exit_code == 0, said.output
    said = CliRunner().invoke(stats, ["report", str(folder), "--out", str(report)])
    assert said.exit_code == 0, said.output
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    expected = {
        outcome: truth["expected"][f"{outcome}_spade"] - truth["expected"][f"{outcome}_dense"]
        for outcome in ("agree", "disagree", "undecided")
    }
    analysis = json.loads((report / "report.json").read_text(encoding="utf-8"))["numbers"]["analysis"]
    assert (analysis["answers"], analysis["run_kind"]) == (746, "bot")
    assert analysis["raters"] == sum(1 for one in truth["people"] if sum(one["answers"].values()))
    found = {one["measure"]: one for one in (analysis["primary"], *analysis["secondary"])}
    for outcome, planted in expected.items():
        assert found[outcome]["low"] <= planted <= found[outcome]["high"], outcome
    assert found["agree"]["low"] > 0  # some 13 points are planted
    assert "simulated raters and say nothing about people" in (report / "report.md").read_text(encoding="utf-8")


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("mine", encoding="utf-8")
    said = CliRunner().invoke(main, ["simulate", "--out", str(tmp_path)])
    assert said.exit_code == 2
    assert "is not empty" in said.output
    assert [one.name for one in tmp_path.iterdir()] == ["answers"]
