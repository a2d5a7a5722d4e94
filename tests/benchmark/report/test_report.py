from dataclasses import replace
from pathlib import Path

import pytest
from story import Story

from benchmark import report
from spade.errors import EnvironmentProblem


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_report_is_pages_of_verdicts_claims_samples_and_failures_with_pictures_and_four_other_formats(
    story: Story,
) -> None:
    files = everything(story.folder)
    assert {name for name in files if "/" not in name} == {
        "index.html",
        "claims.html",
        "failures.html",
        "sensitivity.html",
        "samples.html",
        "report.md",
        "report.json",
        "report.csv",
        "junit.xml",
    }
    below = {name for name in files if "/" in name}
    assert all(name.endswith((".png", ".html")) and name.startswith(("pictures/", "samples/")) for name in below)


def test_the_same_run_gives_the_same_bytes_in_any_order_of_its_records(story: Story, tmp_path: Path) -> None:
    turned = replace(story.run, records=dict(list(story.run.records.items())[::-1]))
    assert report.write(turned, story.judgement, tmp_path) == tmp_path / "index.html"
    assert everything(tmp_path) == everything(story.folder)


def test_a_folder_that_cannot_be_written_is_one_sentence(story: Story, tmp_path: Path) -> None:
    taken = tmp_path / "report"
    taken.write_text("a file", encoding="utf-8")
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        report.write(story.run, story.judgement, taken)


def test_a_second_report_in_the_same_folder_leaves_nothing_of_the_first(story: Story, tmp_path: Path) -> None:
    first = story.judgement
    report.write(story.run, first, tmp_path)
    (tmp_path / "pictures" / "holiday.png").write_bytes(b"mine")
    report.write(replace(story.run, store=None), first, tmp_path)
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["holiday.png"]
