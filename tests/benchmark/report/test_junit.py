from dataclasses import replace
from xml.etree import ElementTree as ET

from story import Story

from benchmark.report import junit
from benchmark.report.content import Content


def parsed(content: Content) -> ET.Element:
    return ET.fromstring(junit.render(content))  # noqa: S314 - our own text


def test_one_test_case_a_cell_and_the_counts_add_up(story: Story) -> None:
    root = parsed(story.content)
    claims = root.findall("testsuite[@name='Claims']/testcase")
    cases = [case for case in root.iter("testcase") if case not in claims]
    counts = story.content.counts
    assert len(cases) == sum(counts.values()) == int(root.get("tests", "")) - len(claims)
    failed = counts["deviates"] + counts["invalid"]
    assert len(root.findall(".//failure")) == failed == int(root.get("failures", ""))
    skipped = counts["not run"] + counts["incomplete"] + counts["no range"]
    skipped += sum(case.find("skipped") is not None for case in claims)
    assert len(root.findall(".//skipped")) == skipped == int(root.get("skipped", ""))
    for name in ("tests", "failures", "skipped"):
        assert sum(int(suite.get(name, "")) for suite in root) == int(root.get(name, ""))


def test_a_failure_names_its_cell_and_a_skip_its_reason(story: Story) -> None:
    root = parsed(story.content)
    cases = {(case.get("classname"), case.get("name")): case for case in root.iter("testcase")}
    failure = cases["table 2", "LIME, Dense"].find("failure")
    assert failure is not None
    assert failure.get("message") == "Table 2, LIME, Dense: invalid. 2 of 8 units failed: no <memory> | left"
    skipped = cases["table A16", "ResNet50/CelebA, Clean Accuracy"].find("skipped")
    assert skipped is not None
    assert "CelebA" in skipped.get("message", "")


def test_a_reason_with_control_characters_is_still_xml(story: Story) -> None:
    table = story.content.tables[0]
    entry = replace(table.rows[0][0], outcome="deviates", reason="\x00\x1b[31mred")
    content = replace(story.content, tables=(replace(table, rows=((entry,),), controls=()),))
    root = parsed(content)
    assert "[31mred" in str(next(root.iter("failure")).get("message"))


def test_a_claim_passes_where_it_holds_and_is_skipped_with_its_standing_elsewhere(story: Story) -> None:
    root = parsed(story.content)
    cases = {case.get("name"): case.find("skipped") for case in root.findall("testsuite[@name='Claims']/testcase")}
    assert list(cases) == [entry.id for entry in story.content.claims.entries]
    for entry in story.content.claims.entries:
        skipped = cases[entry.id]
        assert (skipped is None) == (entry.standing == "holds")
        assert skipped is None or entry.standing in skipped.get("message", "")
