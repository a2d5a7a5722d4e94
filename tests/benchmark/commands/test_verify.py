import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from benchmark import cli, golden_file
from data_manifests.claim import load


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.main, ["verify", *words])


def test_without_a_run_the_stored_seeds_answer() -> None:
    result = run()
    assert result.exit_code == 0, result.output
    assert "seeds stored with this release, and no run of 'mini' with seed 0" in result.output
    assert "spade-average-gain" in result.output
    assert "--all shows them" in result.output


def test_with_neither_run_nor_seeds_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden_file, "load_seeds", lambda _: ())
    result = run("spade-average-gain")
    assert result.exit_code == 0, result.output
    assert "no run of 'mini' with seed 0; no seeds are stored" in result.output
    assert "not run: spade-average-gain" in result.output


def test_one_claim_can_be_asked_for_and_one_that_does_not_exist_is_2() -> None:
    assert [one["id"] for one in json.loads(run("spade-lrp-99", "--json").output)["claims"]] == ["spade-lrp-99"]
    result = run("spade-lrp-98")
    assert result.exit_code == 2
    assert "There is no claim 'spade-lrp-98'; did you mean 'spade-lrp-99'" in result.output
    assert "Traceback" not in result.output


def test_an_unknown_scale_is_2() -> None:
    result = run("--scale", "maxi")
    assert result.exit_code == 2
    assert "There is no scale 'maxi'" in result.output


def test_the_json_has_every_claim_and_no_nan() -> None:
    found = json.loads(run("--json").output)
    assert [one["id"] for one in found["claims"]] == [one.id for one in load().claims]
    assert sum(found["counts"].values()) == len(found["claims"])


def test_the_markdown_has_a_line_a_claim() -> None:
    lines = [line for line in run("--markdown", "--all").output.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(load().claims)
    assert {line.replace("\\|", "").count("|") for line in lines} == {10}
