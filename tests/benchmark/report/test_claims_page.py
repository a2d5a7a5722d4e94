import re

import pytest
from story import Story

from benchmark.report import notation
from benchmark.report.claims_page import ARITHMETIC, STANDINGS


@pytest.fixture(scope="module")
def text(story: Story) -> str:
    return (story.folder / "claims.html").read_text(encoding="utf-8")


def test_the_page_runs_no_script_and_asks_nobody_for_anything(story: Story, text: str) -> None:
    assert not re.search(r"<(script|iframe|object|embed)\b", text)
    for address in re.findall(r'(?:href|src)="([^"]*)"', text):
        if address.startswith("#"):
            assert f'id="{address[1:]}"' in text
        elif address != "data:,":
            assert (story.folder / address).is_file(), address
    assert "url(" not in text


def test_every_claim_is_a_row_with_its_words_and_both_verdicts(story: Story, text: str) -> None:
    for entry in story.content.claims.entries:
        (row,) = re.findall(rf'<tr class="claim ([^"]*)" id="{entry.id}">', text)
        said = f"here-{entry.standing} paper-{entry.arithmetic} kind-{entry.kind}".replace(" ", "-")
        assert row.replace("-", " ") == said.replace("-", " ")


def test_each_filter_has_a_rule_that_hides_the_other_rows(text: str) -> None:
    inputs = re.findall(r'<input type="radio" name="(\w+)" id="([\w-]+)"', text)
    assert {name for name, _ in inputs} == {"here", "paper", "kind"}
    for _, name in inputs:
        rule = f"body:has(#{name}:checked) .claim:not(.{name}):not(:target) {{ display: none; }}"
        assert name.endswith("-all") or rule in text


def test_filters_that_leave_no_claim_together_say_so_and_no_others(story: Story, text: str) -> None:
    offered = {
        name: re.findall(rf'type="radio" name="{name}" id="{name}-([\w-]+)"', text)
        for name in ("here", "paper", "kind")
    }
    for here in offered["here"]:
        for paper in offered["paper"]:
            for kind in offered["kind"]:
                left = [
                    entry
                    for entry in story.content.claims.entries
                    if here in ("all", entry.standing.replace(" ", "-"))
                    and paper in ("all", entry.arithmetic.replace(" ", "-"))
                    and kind in ("all", entry.kind)
                ]
                rule = f"body:has(#here-{here}:checked):has(#paper-{paper}:checked):has(#kind-{kind}:checked) .nothing"
                assert (rule in text) == (not left)


def test_every_standing_and_outcome_has_a_sign_of_its_own() -> None:
    for words in (STANDINGS, ARITHMETIC):
        assert len({sign for sign, _ in words.values()}) == len(words)


def test_the_first_page_leads_to_it_and_it_leads_back(story: Story, text: str) -> None:
    assert 'href="claims.html"' in (story.folder / "index.html").read_text(encoding="utf-8")
    assert 'href="index.html"' in text


def test_findings_of_the_audit_come_with_what_is_printed_and_recomputed(story: Story, text: str) -> None:
    for finding in story.content.claims.findings:
        assert notation.minus(finding.printed).replace("'", "&#39;") in text
        assert finding.recomputed in text
