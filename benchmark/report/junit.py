"""The report as JUnit XML, one test case a cell, for whatever shows test results."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from .claim_content import ClaimEntry
from .content import Content
from .table_content import CellEntry

FAILED = ("deviates", "drifted", "invalid")
SKIPPED = ("not run", "incomplete", "no range")


def render(content: Content) -> str:
    """The report as JUnit XML: a cell that deviates or is invalid fails, one that could not be judged is skipped.

    Claims of the paper never fail: that one is reversed on other data is a result of a run, not an error in it.
    """
    suites = ET.Element("testsuites", name=f"spade-bench {content.scale} seed {content.seed}")
    totals = dict.fromkeys(("tests", "failures", "skipped"), 0)
    for table in content.tables:
        entries = [*(entry for row in table.rows for entry in row), *table.controls]
        counts = {
            "tests": len(entries),
            "failures": sum(entry.outcome in FAILED for entry in entries),
            "skipped": sum(entry.outcome in SKIPPED for entry in entries),
        }
        suite = ET.SubElement(suites, "testsuite", name=f"Table {table.id}", errors="0")
        for name, count in counts.items():
            suite.set(name, str(count))
            totals[name] += count
        for entry in entries:
            _case(suite, entry)
    _claims(suites, content.claims.entries, totals)
    for name, count in totals.items():
        suites.set(name, str(count))
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _claims(suites: ET.Element, entries: Sequence[ClaimEntry], totals: dict[str, int]) -> None:
    """One test case a claim: passed where it holds, skipped with its standing where it does not."""
    skipped = [entry for entry in entries if entry.standing != "holds"]
    suite = ET.SubElement(suites, "testsuite", name="Claims", errors="0", failures="0")
    for name, count in (("tests", len(entries)), ("skipped", len(skipped))):
        suite.set(name, str(count))
        totals[name] += count
    for entry in entries:
        case = ET.SubElement(suite, "testcase", classname=f"claim, {entry.place}", name=entry.id)
        if entry.standing != "holds":
            ET.SubElement(case, "skipped", message=_xml(f"{entry.quote}: {entry.standing}. {entry.why}".strip()))


def _case(suite: ET.Element, entry: CellEntry) -> None:
    case = ET.SubElement(suite, "testcase", classname=f"table {entry.table}", name=f"{entry.row}, {entry.column}")
    message = _xml(f"Table {entry.table}, {entry.row}, {entry.column}: {entry.outcome}. {entry.reason}".strip())
    if entry.outcome in FAILED:
        ET.SubElement(case, "failure", message=message, type=entry.outcome)
    elif entry.outcome in SKIPPED:
        ET.SubElement(case, "skipped", message=message)


def _xml(text: str) -> str:
    """The text without the control characters that XML has no way to write."""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\t\n\r")
