import json
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result

from benchmark import cli
from benchmark.claims import audit as audits
from benchmark.claims.audit import audit
from data_manifests.claim import load


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.main, ["audit", *words])


def test_an_audit_prints_each_finding_with_what_is_printed_and_what_follows() -> None:
    result = run()
    assert result.exit_code == 0
    assert "7 of 129 checkable claims do not hold" in result.output
    for one in audit().findings:
        assert one.id in result.output
    assert "printed 9.80, recomputed 0.80 (off by +9.00)" in " ".join(result.output.split())
    assert "spade-every-method" not in result.output


def test_all_shows_every_claim_those_that_cannot_be_checked_included() -> None:
    output = run("--all").output
    assert [one.id for one in load().claims if f"{one.id} (" not in output] == []


def test_the_json_of_an_audit_holds_every_claim_and_finding() -> None:
    data = json.loads(run("--json").output)
    assert [one["id"] for one in data["claims"]] == [one.id for one in load().claims]
    assert [one["id"] for one in data["findings"]] == [one.id for one in audits.known()]


def test_the_markdown_of_an_audit_is_tables_of_as_many_columns_as_their_heads() -> None:
    lines = run("--markdown", "--all").output.splitlines()
    widths = [line.replace("\\|", "").count("|") for line in lines if line.startswith("|")]
    assert set(widths) == {7, 9}
    assert len(widths) == 2 + len(audits.known()) + 2 + len(load().claims)


def test_a_check_is_0_while_the_findings_are_the_known_ones_and_1_when_one_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run("--check").exit_code == 0
    found = audit()
    monkeypatch.setattr(audits, "audit", lambda: replace(found, findings=found.findings[1:]))
    result = run("--check")
    assert result.exit_code == 1
    assert "'fastspade-deletion-count' is in known.toml and holds now." in result.output
    # Without --check an audit has done its work whatever it found.
    assert run().exit_code == 0
